/** Epochs of services that come aboard bit by bit. What is under Taiji is planned like any service; what is not is planned
 *  beside it as a service of its own that is not due: load that is where it is, counted against every limit, moved by
 *  nobody. The two tables are one again before anybody sees them.
 *
 *  So the optimiser and the assignment know nothing of ramps. What a policy says in shares of an edge's demand (pins,
 *  `shareMax`, intents that shift) is about the share that is under Taiji; `churnMax` is about all of the demand, what goes
 *  back to the imported table first. Declined: lower bounds in the linear program for what stays. Assignment, pacing and
 *  guards would each have had to know of them too. */

import { durationMs } from '../../config/duration.ts';
import type { Policy } from '../../config/policy.ts';
import type { Fraction } from '../../config/units.ts';
import { residency } from '../../runtime/grounds.ts';
import { freshState } from '../../runtime/guards.ts';
import { holdDown } from '../../runtime/hold-down.ts';
import { intendedOf } from '../../runtime/intended.ts';
import { steeredShares } from '../epoch/demand-shares.ts';
import type { PlannedService } from '../epoch/inputs.ts';
import type { EpochPlan } from '../epoch/plan.ts';
import { type PlanGroup, planGroup } from '../epoch.ts';
import { measureChurn } from '../table/churn.ts';
import { type Held, holdBack, type Part, partOf } from '../table/ramp.ts';
import { type RoutingTable, sameTable, servedFractions } from '../table/routing-table.ts';

/** Like `planGroup`, where any policy has a ramp and its context what to hold the rest to. */
export const planRamped: PlanGroup = async (services) => {
  const ramped = services.map(splitOf);
  const beside = ramped.flatMap((split) => (split ? [split.held] : []));
  const plans = await planGroup([...services.map((service, s) => ramped[s]?.steered ?? service), ...beside]);
  let next = services.length;
  return services.map((service, s) => {
    const split = ramped[s];
    return split ? joined(service, split, plans[s]!, plans[next++]!) : plans[s]!;
  });
};

interface Split {
  readonly steered: PlannedService;
  readonly held: PlannedService;
  readonly back: Held;
  readonly part: { readonly steered: Part; readonly held: Part };
  readonly demandShare: number; // of the service's demand that is steered
}

/** Null: all of it is Taiji's. */
function splitOf({ inputs, context }: PlannedService): Split | null {
  const { topology, policy, previous, demandRps } = inputs;
  const { ramp, guards, buckets } = policy.spec;
  const { base, weights } = context;
  if (!ramp || !base || !previous) return null;
  const edgeLoad = steeredShares(topology, demandRps);
  const left = Math.max(0, guards.churnMax - (inputs.churnSpent ?? 0));
  const back = holdBack({
    ...{ ramp, base, previous, weights, edgeLoad, ...gatesOf(inputs, servedFractions(previous, weights)) },
    segmentLevel: buckets.segmentLevel,
    churnMax: inputs.isDue === false ? 0 : left,
  });
  if (!back.isHeld.some((held) => held.includes(1))) return null;
  const part = { steered: partOf(weights, back.isHeld, 0), held: partOf(weights, back.isHeld, 1) };
  const demandOf = ({ share }: Part): Float64Array => demandRps.map((rps, e) => rps * share[e]!);
  const total = sum(demandRps);
  const demandShare = total > 0 ? sum(demandOf(part.steered)) / total : 0;
  const churnMax = demandShare > 0 ? Math.min(1, (left - back.returned) / demandShare) : 0;
  const { churnSpent: _, sessions, ...plain } = inputs;
  const { onStep: __, ...quiet } = context;
  const sessionsOf = sessionsBy(back.table, part);
  return {
    back,
    part,
    demandShare,
    steered: {
      inputs: {
        ...plain,
        demandRps: demandOf(part.steered),
        previous: back.table,
        policy: {
          ...policy,
          spec: { ...policy.spec, guards: { ...guards, churnMax: Math.max(0, churnMax) as Fraction } },
        },
        carried: {
          ...inputs.carried,
          ...(inputs.carried.sessions && { sessions: sessionsOf(inputs.carried.sessions, 0) }),
        },
        ...(sessions && { sessions: Float64Array.from(sessionsOf(sessions, 0)) }),
      },
      context: { ...context, weights: part.steered.weights },
    },
    held: {
      inputs: {
        ...plain,
        demandRps: demandOf(part.held),
        previous: back.table,
        intents: [],
        policy: unbound(policy),
        carried: {
          ...freshState,
          ...(inputs.carried.sessions && { sessions: sessionsOf(inputs.carried.sessions, 1) }),
        },
        isDue: false,
        ...(sessions && { sessions: Float64Array.from(sessionsOf(sessions, 1)) }),
      },
      context: { ...quiet, weights: part.held.weights },
    },
  };
}

/** What is not moved is held to nothing that is about where one service's users may be. */
function unbound({ spec, ...policy }: Policy): Policy {
  const guards = { ...spec.guards, shareMax: 1 as Fraction };
  return { ...policy, spec: { ...spec, guards, pins: [], latencyMsMax: null, latencyMsP95Max: null } };
}

/** Where buckets that are not Taiji's may be and come to, by states, drains and freezes as the epoch sees them. */
function gatesOf(
  { topology, policy, states, intents, carried, startMs }: PlannedService['inputs'],
  served: Float64Array,
): { isOpen: (e: number, d: number) => boolean; mayReturn: (e: number, d: number) => boolean } {
  const held = holdDown(topology, states, carried.outages, startMs, durationMs(policy.spec.guards.holdDown));
  const before = carried.intents ?? null;
  const intended = intendedOf({ topology, policy, states: held.states, intents, served, nowMs: startMs, before });
  const isDrained = (e: number, d: number): boolean =>
    intended.pairDrains.some(({ edge, datacenter }) => edge === e && datacenter === d);
  const still = new Set(
    intents.flatMap((one) => (one.kind === 'freeze' && one.datacenter ? [one.datacenter as string] : [])),
  );
  const allowed = residency({ topology, policy });
  const width = topology.datacenters.length;
  const isOpen = (e: number, d: number): boolean =>
    intended.states[d]!.keep === 1 && !isDrained(e, d) && allowed[e * width + d] === 1;
  return {
    isOpen,
    mayReturn: (e, d) =>
      isOpen(e, d) &&
      intended.frozenBy === null &&
      intended.frozenEdges?.[e] !== 1 &&
      intended.states[d]!.refill &&
      !still.has(topology.datacenters[d]!.id),
  };
}

/** Sessions of a sticky service belong to either part as the served fractions of their pair do. */
function sessionsBy(table: RoutingTable, part: Split['part']): (sessions: ArrayLike<number>, side: 0 | 1) => number[] {
  const width = table.targets.length;
  const served = [part.steered, part.held].map(({ weights, share }) =>
    servedFractions(table, weights).map((fraction, i) => fraction * share[Math.floor(i / width)]!),
  );
  return (sessions, side) =>
    Array.from(sessions, (count, i) => {
      const here = served[0]![i]! + served[1]![i]!;
      const steered = here > 0 ? served[0]![i]! / here : part.steered.share[Math.floor(i / width)]!;
      return count * (side === 0 ? steered : 1 - steered);
    });
}

/** The plan of the whole. */
function joined({ inputs, context }: PlannedService, split: Split, plan: EpochPlan, beside: EpochPlan): EpochPlan {
  const { part, back, demandShare } = split;
  const previous = inputs.previous!;
  const { topology, demandRps } = inputs;
  const width = topology.datacenters.length;
  const isHolding = plan.outcome === 'held' || plan.outcome === 'rejected';
  const table = isHolding ? previous : overlaid(plan.table!, split.back, previous);
  const isSame = table === previous;
  const held = servedFractions(back.table, part.held.weights);
  const whole = (fractions: Float64Array): Float64Array =>
    fractions.map((fraction, i) => {
      const e = Math.floor(i / width);
      return part.steered.share[e]! * fraction + part.held.share[e]! * held[i]!;
    });
  const edgeLoad = steeredShares(topology, demandRps);
  const { weights } = context;
  const { ceilings } = plan;
  const { minimum } = measureChurn({ previous, next: table, weights, edgeLoad, ceilings });
  const returned = isHolding ? 0 : back.returned;
  const sessions = plan.carried.sessions?.map(
    (count, i) => Math.round((count + (beside.carried.sessions?.[i] ?? 0)) * 1000) / 1000,
  );
  return {
    ...plan,
    outcome: isHolding ? plan.outcome : isSame ? 'unchanged' : 'published',
    reason: isHolding ? plan.reason : isSame ? (plan.reason ?? 'nothing-to-move') : null,
    solved: whole(plan.solved),
    wanted: whole(plan.wanted),
    served: servedFractions(table, weights),
    churn: {
      forced: plan.churn.forced * demandShare,
      elective: plan.churn.elective * demandShare + returned,
      deferred: plan.churn.deferred * demandShare + (back.waiting + back.returned - returned),
      minimum,
    },
    table,
    carried: { ...plan.carried, ...(sessions && { sessions }) },
  };
}

/** What is held as it is held, the rest as planned. Rows that come to what they were are the same. */
function overlaid(planned: RoutingTable, { table: kept, isHeld }: Held, previous: RoutingTable): RoutingTable {
  const byEdge = planned.byEdge.map((row, e) => {
    const mixed = row.map((target, bucket) => (isHeld[e]![bucket] === 1 ? kept.byEdge[e]![bucket]! : target));
    return mixed.every((target, bucket) => target === previous.byEdge[e]![bucket]) ? previous.byEdge[e]! : mixed;
  });
  const table = { ...planned, byEdge };
  return sameTable(table, previous) ? previous : table;
}

function sum(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}
