/** Why an edge's traffic goes where it goes: one epoch's answer for people, made from its frozen inputs, its plan and the
 *  solves that an onlooker was shown while it was planned. Nothing is decided here, and nothing is solved again. */

import { formatTime } from '../../config/duration.ts';
import type { DatacenterId, EdgeId } from '../../config/ids.ts';
import { isInForce } from '../../config/intent.ts';
import { type ReasonWord, type Solves, whyNothing } from '../../runtime/explain.ts';
import { type InputChange, inputChanges } from '../../runtime/input-changes.ts';
import { type BindingLimit, bindingLimits, meanRttMs, serviceLimits } from '../../runtime/shadow-prices.ts';
import type { SolveStep } from '../../runtime/solve.ts';
import { effectiveStates } from '../../runtime/states.ts';
import type { EpochContext, EpochInputs, PlannedService } from '../epoch/inputs.ts';
import type { EpochPlan, Outcome } from '../epoch/plan.ts';
import type { PlanEpoch, PlanGroup } from '../epoch.ts';
import { servedFractions } from '../table/routing-table.ts';
import { type ExplainedBucket, explainBucket } from './bucket-explanation.ts';

/** An epoch as it was planned, with what came before it. */
export interface WatchedEpoch {
  readonly inputs: EpochInputs;
  readonly before: Pick<EpochInputs, 'startMs' | 'topology' | 'policy' | 'demandRps' | 'states' | 'intents'> | null;
  readonly plan: EpochPlan;
  readonly steps: readonly SolveStep[];
  readonly context: EpochContext;
  serviceLimits(): readonly BindingLimit[]; // worked out when first asked for
}

export interface Explanation {
  readonly epoch: number;
  readonly time: string; // of its start
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly relaxed: readonly string[];
  readonly edge: EdgeId;
  readonly city: string;
  readonly demandRps: number; // planned on
  readonly demandShare: number; // of all edges
  readonly datacenters: readonly ExplainedDatacenter[]; // most served first, then nearest
  readonly bucket: ExplainedBucket | null; // the one that was asked for; null: none was, or there is no table
  readonly since: string | null; // the epoch that `changes` counts from; null: none is known
  readonly changes: readonly InputChange[];
  readonly guarded: boolean; // `limits` are those under the guards; false: the guards bind nothing
  readonly limits: readonly BindingLimit[]; // dearest first
  readonly meanRttMs: number | null; // of all users, as solved
}

export interface ExplainedDatacenter {
  readonly datacenter: DatacenterId;
  readonly rttMs: number;
  readonly utilization: number; // of the table in force after the epoch
  readonly before: number | null; // fraction of the edge's demand by the table before; null: there was none
  readonly solved: number;
  readonly wanted: number;
  readonly served: number; // by the table in force after the epoch
  readonly sessions: EstablishedSessions | null; // null: the service is stateless, or nothing was solved
  readonly reason: ReasonWord | null; // why it gets nothing; null: it gets something
  readonly detail: string | null;
  readonly closerMs: number | null; // too-far: how much shorter the round trip would have to be
}

/** Of a sticky service, those that outlive the epoch where they are. */
export interface EstablishedSessions {
  readonly count: number;
  readonly by: 'telemetry' | 'model'; // counted by the fleet, or as the tables so far would have placed them
}

/** Plans an epoch and keeps what can be explained of it. */
export async function planWatched(
  inputs: EpochInputs,
  before: WatchedEpoch['before'],
  context: EpochContext,
  planEpoch: PlanEpoch,
): Promise<WatchedEpoch> {
  const planOne: PlanGroup = async ([one]) => [await planEpoch(one!.inputs, one!.context)];
  const [watched] = await planGroupWatched([{ inputs, context }], [before], planOne);
  return watched!;
}

/** [s] of services that are solved together. */
export async function planGroupWatched(
  services: readonly PlannedService[],
  before: readonly WatchedEpoch['before'][],
  plan: PlanGroup,
): Promise<readonly WatchedEpoch[]> {
  const steps = services.map((): SolveStep[] => []);
  const plans = await plan(
    services.map(({ inputs, context }, s) => ({
      inputs,
      context: { ...context, onStep: (step) => void steps[s]!.push(step) },
    })),
  );
  return services.map(({ inputs, context }, s): WatchedEpoch => {
    let limits: readonly BindingLimit[] | null = null;
    const serviceLimitsOnce = (): readonly BindingLimit[] => {
      const last = steps[s]!.at(-1);
      limits ??= last ? serviceLimits(last) : [];
      return limits;
    };
    return { inputs, before: before[s]!, plan: plans[s]!, steps: steps[s]!, context, serviceLimits: serviceLimitsOnce };
  });
}

/** `d` null: all datacenters. `bucket` null: none. */
export function explainEdge(
  watched: WatchedEpoch,
  e: number,
  d: number | null,
  bucket: number | null = null,
): Explanation {
  const { inputs, before, plan, steps, context } = watched;
  const { topology } = inputs;
  const { id: edge, city } = topology.edges[e]!;
  const total = inputs.demandRps.reduce((a, b) => a + b, 0);
  const last = steps.at(-1) ?? null;
  const only = d === null ? null : topology.datacenters[d]!.id;
  const limits = last ? bindingLimits(last, e, watched.serviceLimits()) : [];
  return {
    epoch: inputs.epoch,
    time: formatTime(inputs.startMs),
    outcome: plan.outcome,
    reason: plan.reason,
    relaxed: plan.relaxed,
    edge,
    city,
    demandRps: inputs.demandRps[e]!,
    demandShare: total > 0 ? inputs.demandRps[e]! / total : 0,
    datacenters: explainDatacenters(watched, e).filter(({ datacenter }) => only === null || datacenter === only),
    bucket: bucket === null ? null : explainBucket(inputs, plan, context, e, bucket),
    since: before && formatTime(before.startMs),
    changes: before ? inputChanges(before, inputs, e) : [],
    guarded: last?.kind === 'guarded',
    limits: limits
      .filter(({ datacenter }) => only === null || datacenter === null || datacenter === only)
      .map((limit) => ({ ...limit, savesMs: rounded(limit.savesMs) })),
    meanRttMs: last && rounded(meanRttMs(last)),
  };
}

function explainDatacenters({ inputs, plan, steps, context }: WatchedEpoch, e: number): ExplainedDatacenter[] {
  const { topology, policy, previous } = inputs;
  const width = topology.datacenters.length;
  const of = (kind: SolveStep['kind']): SolveStep | null => steps.findLast((step) => step.kind === kind) ?? null;
  const solves: Solves = { want: of('want'), guarded: of('guarded') };
  // The states an epoch was solved with are also held down; without a solve, what was observed and intended.
  const wanted = solves.want?.inputs;
  const inForce = inputs.intents.filter((intent) => isInForce(intent, inputs.startMs));
  const states = [...(wanted?.states ?? effectiveStates(topology, inputs.states, inForce, inputs.startMs))];
  for (const { edge, datacenter, keep, cause } of wanted?.pairDrains ?? []) {
    if (edge === e && keep < states[datacenter]!.keep)
      states[datacenter] = { keep, refill: false, cause, untilMs: null };
  }
  const before = previous && servedFractions(previous, context.weights);
  const stands = standsBecause(plan, policy.spec.guards.minShift);
  return topology.datacenters
    .map(({ id }, d): ExplainedDatacenter => {
      const i = e * width + d;
      const why = plan.served[i]! > 0 ? null : whyNothing({ topology, policy, states }, solves, stands, e, d);
      return {
        datacenter: id,
        rttMs: topology.rttMs[i]!,
        utilization: rounded(plan.utilization[d]!),
        before: before && rounded(before[i]!),
        solved: rounded(plan.solved[i]!),
        wanted: rounded(plan.wanted[i]!),
        served: rounded(plan.served[i]!),
        sessions: sessionsAt(inputs, solves, i),
        reason: why?.reason ?? null,
        detail: why?.detail ?? null,
        closerMs: why && why.closerMs !== null ? rounded(why.closerMs) : null,
      };
    })
    .sort((a, b) => b.served - a.served || a.rttMs - b.rttMs);
}

function sessionsAt({ policy, sessions }: EpochInputs, { want }: Solves, i: number): EstablishedSessions | null {
  const established = want?.inputs.established;
  if (policy.spec.traffic.kind !== 'sticky' || !established) return null;
  return { count: rounded(established[i]!), by: Number.isNaN(sessions?.[i] ?? Number.NaN) ? 'model' : 'telemetry' };
}

/** Why the table stood, or moved by a mend alone, although something else was wanted. */
function standsBecause({ outcome, reason, carried }: EpochPlan, minShift: number): string | null {
  switch (outcome) {
    case 'held':
    case 'rejected':
      return `${outcome}: ${reason ?? 'no reason given'}`;
    case 'unchanged':
      if (reason === 'min-shift')
        return `what is wanted moves less than minShift ${minShift}, or not for long enough, and waits`;
      return reason?.startsWith('frozen') ? reason : null;
    case 'published':
      return carried.wants.length > 0 ? `minShift ${minShift} holds it back: only what could not wait moved` : null;
    case 'initial':
      return null;
  }
}

/** To a millionth: the rest are a solver's digits. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
