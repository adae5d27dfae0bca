/** What an intent would come to, before it is taken: the group is planned from the tables in force at the demand last
 *  observed, once, with the guards lifted, as if the intent were where it is going (a drain at the end of its schedule, and
 *  beside it whatever else is to be in force with it). What the others cannot carry is refused, with the numbers; somebody
 *  may force it. Declined: to check by sums of capacity. Residency and round trips decide who can carry what, and only the
 *  program knows them. It looks at the demand of now: whether the evening's peak would fit is a replay's question. */

import { blockedAt, blockedWords } from '../../config/blocked-window.ts';
import { concerns, type Intent, type IntentOf } from '../../config/intent.ts';
import type { Policy } from '../../config/policy.ts';
import type { Fraction } from '../../config/units.ts';
import type { PlannedService } from '../epoch/inputs.ts';
import type { EpochPlan } from '../epoch/plan.ts';
import type { PlanGroup } from '../epoch.ts';
import { servedFractions } from '../table/routing-table.ts';
import { byDatacenter } from './epoch-summary.ts';

/** A service as it is: inputs of the epoch to come with the table in force as the one before, and what that comes to. */
export interface PresentService extends PlannedService {
  readonly utilization: Float64Array; // [datacenter]
}

/** For one service. */
export interface PreCheck {
  readonly limit: number; // utilizationMax
  readonly before: Readonly<Record<string, number>>; // utilization of each datacenter
  readonly after: Readonly<Record<string, number>>;
  readonly relaxed: readonly string[]; // limits that have to give
  readonly waitsFor: readonly string[]; // it would not be in force yet
  readonly makesWait: readonly string[]; // intents that would wait for it
  readonly refusals: readonly string[]; // sentences; none: the others can carry it
}

/** [service] of those it is about. `group`: services that are planned together; `known`: all other intents. */
export async function preCheck(
  intent: Intent,
  known: readonly Intent[],
  group: readonly PresentService[],
  plan: PlanGroup,
): Promise<Readonly<Record<string, PreCheck>>> {
  const beside = known.filter((other) => other.id !== intent.id && overlap(intent, other));
  const nameOf = ({ inputs }: PlannedService): string => inputs.policy.metadata.service;
  const asked = group.map((service): PlannedService => {
    const { isDue: _, ...inputs } = service.inputs;
    const intents = [...beside, intent].filter((one) => concerns(one, nameOf(service))).map(atItsEnd);
    return { ...service, inputs: { ...inputs, policy: unguarded(inputs.policy), intents } };
  });
  const plans = await plan(asked);
  return Object.fromEntries(
    group.flatMap((service, s) =>
      concerns(intent, nameOf(service)) ? [[nameOf(service), checked(intent, service, plans[s]!)]] : [],
    ),
  );
}

function overlap(a: Intent, b: Intent): boolean {
  const [from, to] = [a, b].map(({ since }) => (since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since)));
  const [endA, endB] = [a, b].map(({ until }) => (until === null ? Number.POSITIVE_INFINITY : Date.parse(until)));
  return from! < endB! && to! < endA!;
}

function atItsEnd(intent: Intent): Intent {
  const { since: _, ...lasting } = { ...intent, until: null };
  if (lasting.kind !== 'drain' || !lasting.schedule) return lasting;
  const { schedule, ...drain } = lasting;
  return { ...drain, keep: Math.min(...schedule.map(([, keep]) => keep)) };
}

/** Where the guards would lead, in one step. */
function unguarded(policy: Policy): Policy {
  const { blocked: _, ...spec } = policy.spec;
  const free = { onloadMax: 1 as Fraction, churnMax: 1 as Fraction, minShift: 0 as Fraction, damping: 1 };
  return { ...policy, spec: { ...spec, guards: { ...spec.guards, ...free } } };
}

function checked(intent: Intent, present: PresentService, plan: EpochPlan): PreCheck {
  const { topology, policy, startMs } = present.inputs;
  const waiting = plan.carried.intents?.waiting ?? [];
  const isDrill = intent.priority === 'drill' || intent.priority === 'taiji';
  const blocked = isDrill ? blockedAt(policy.spec.blocked ?? [], startMs, 'drills') : null;
  const wait = waiting.find((one) => one.intent === intent.id);
  return {
    limit: policy.spec.utilizationMax,
    before: rounded(byDatacenter(topology, present.utilization)),
    after: rounded(byDatacenter(topology, plan.utilization)),
    relaxed: plan.relaxed,
    waitsFor: [...(wait?.for ?? []), ...(blocked ? [`blocked ${blockedWords(blocked)}`] : [])],
    makesWait: waiting.filter((one) => one.for.includes(intent.id)).map((one) => one.intent),
    refusals: wait && wait.edges === undefined ? [] : refusalsOf(intent, present, plan),
  };
}

/** Less than this is whole buckets and a solver's last digits. */
const much = 0.01;

function refusalsOf(intent: Intent, present: PresentService, plan: EpochPlan): readonly string[] {
  if (intent.kind === 'freeze') return [];
  if (plan.outcome === 'held' || plan.outcome === 'rejected') {
    return [`${doing(intent)} would leave the epoch ${plan.outcome}: ${plan.reason ?? 'no reason given'}`];
  }
  const nowhere = plan.relaxed.includes('datacenterState')
    ? [`${doing(intent)} leaves users who may go nowhere else, and who would stay`]
    : [];
  const short = intent.kind === 'drain' ? [] : shortOf(intent, present, plan);
  return [...nowhere, ...overloads(intent, present, plan), ...short];
}

function overloads(intent: Intent, present: PresentService, plan: EpochPlan): readonly string[] {
  const { topology, policy } = present.inputs;
  const { utilizationMax: limit } = policy.spec;
  const over = topology.datacenters
    .map(({ id, capacityRps }, d) => {
      const [before, after] = [present.utilization[d]!, plan.utilization[d]!];
      return { id, d, before, after, excessRps: capacityRps * (after - Math.max(limit, before)) };
    })
    .filter(({ before, after }) => after > limit + much && after > before + much)
    .sort((a, b) => b.after - a.after || a.d - b.d);
  const [worst, ...others] = over;
  if (!worst) return [];
  const more = others.length === 0 ? '' : ` and ${others.length} more over theirs`;
  const of = limit === 1 ? 'its capacity' : `its capacity, where ${limit} is the most`;
  const carried = intent.kind === 'drain' ? carriedShare(intent, present, plan, over) : null;
  const rest = carried === null ? '' : `; the others can carry ${carried.toFixed(2)} of what it serves`;
  return [`${doing(intent)} would put ${worst.id} at ${worst.after.toFixed(2)} of ${of}${more}${rest}`];
}

/** Of what leaves a drained datacenter, the share that the others have room for. */
function carriedShare(
  { datacenter }: IntentOf<'drain'>,
  { inputs, utilization }: PresentService,
  plan: EpochPlan,
  over: readonly { readonly excessRps: number }[],
): number | null {
  const d = inputs.topology.datacenters.findIndex(({ id }) => id === datacenter);
  if (d < 0) return null;
  const leavesRps = (utilization[d]! - plan.utilization[d]!) * inputs.topology.datacenters[d]!.capacityRps;
  if (!(leavesRps > 0)) return null;
  const excessRps = over.reduce((sum, one) => sum + one.excessRps, 0);
  return Math.min(1, Math.max(0, 1 - excessRps / leavesRps));
}

/** Where limits that come before pins would keep a shift or an override from coming to what is asked. */
function shortOf(
  intent: IntentOf<'shift' | 'override'>,
  { inputs, context }: PresentService,
  plan: EpochPlan,
): readonly string[] {
  const { topology, demandRps, previous } = inputs;
  if (!previous) return [];
  const width = topology.datacenters.length;
  const was = servedFractions(previous, context.weights);
  const id = intent.kind === 'shift' ? intent.to : intent.datacenter;
  const d = topology.datacenters.findIndex((datacenter) => datacenter.id === id);
  const from = intent.kind === 'shift' ? topology.datacenters.findIndex((one) => one.id === intent.from) : -1;
  let [asked, got, demand] = [0, 0, 0];
  topology.edges.forEach(({ id: edge }, e) => {
    if (intent.edge !== undefined && intent.edge !== edge) return;
    const target =
      intent.kind === 'override'
        ? intent.fraction
        : was[e * width + d]! + Math.min(intent.fraction, was[e * width + from] ?? 0);
    const rps = Math.max(demandRps[e]!, Number.MIN_VALUE);
    asked += target * rps;
    got += plan.served[e * width + d]! * rps;
    demand += rps;
  });
  if (Math.abs(asked - got) <= much * demand) return [];
  const full = plan.utilization[d]! > inputs.policy.spec.utilizationMax - 2 * much;
  const why = full ? `it would be at ${plan.utilization[d]!.toFixed(2)} of its capacity` : `limits that come before it`;
  const users = intent.edge === undefined ? 'all edges' : intent.edge;
  return [
    `${doing(intent)} comes to ${(got / demand).toFixed(2)} of the demand of ${users} on ${id}, not ${(asked / demand).toFixed(2)}: ${why}`,
  ];
}

function doing(intent: Intent): string {
  const of = intent.edge === undefined ? '' : ` of ${intent.edge}`;
  switch (intent.kind) {
    case 'drain':
      return `draining ${intent.datacenter}${of}`;
    case 'shift':
      return `shifting ${intent.fraction}${of} from ${intent.from} to ${intent.to}`;
    case 'override':
      return `overriding ${intent.edge} to ${intent.fraction} on ${intent.datacenter}`;
    case 'freeze':
      return 'freezing';
  }
}

function rounded(shares: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(shares).map(([id, share]) => [id, Math.round(share * 1e4) / 1e4]));
}

/** Times that a request states from the next epoch on: `for` and `over` in place of `until` and `schedule`. */
export function relativeTimes(
  {
    for: forMs,
    over: overMs,
    keep,
  }: { readonly for: number | null; readonly over: number | null; readonly keep: number },
  startMs: number,
  epochMs: number,
): { readonly untilMs: number | null; readonly schedule: readonly (readonly [timeMs: number, keep: number])[] | null } {
  const steps = overMs === null ? 0 : Math.max(1, Math.ceil(overMs / epochMs));
  const keepAfter = (step: number): number => Math.round((1 - (1 - keep) * (step / steps)) * 1e6) / 1e6;
  return {
    untilMs: forMs === null ? null : startMs + forMs,
    schedule:
      overMs === null
        ? null
        : Array.from({ length: steps }, (_, step) => [startMs + step * epochMs, keepAfter(step + 1)] as const),
  };
}
