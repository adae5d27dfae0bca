/** What a service's epoch comes to: the solved fractions made a table (assign -> pace -> validate), or the table in force
 *  left as it is, and why. */

import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { CarriedState } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import { inOrder, type Limit } from '../../runtime/limits.ts';
import type { Doubt } from '../../runtime/lp/certified.ts';
import { fullness, loadOf, metersOf, sumByDatacenter } from '../../runtime/meters.ts';
import { sessionsAfter } from '../../runtime/sessions.ts';
import type { Decision, HeldReason } from '../../runtime/solve.ts';
import { assign } from '../table/assign.ts';
import type { Ceilings } from '../table/ceilings.ts';
import { measureChurn } from '../table/churn.ts';
import { overMost } from '../table/friends-assignment.ts';
import { pace } from '../table/pace.ts';
import { makeTargets, type RoutingTable, sameTable, servedFractions } from '../table/routing-table.ts';
import { type ValidTable, validate } from '../table/validate.ts';
import { sharesOf, steeredShares } from './demand-shares.ts';
import { ceilingsOf, type Setting } from './setting.ts';

export type Outcome = 'published' | 'unchanged' | 'held' | 'rejected' | 'initial';

/** Shares of the service's demand over all edges. */
export interface Churn {
  readonly forced: number;
  readonly elective: number;
  readonly deferred: number;
  readonly minimum: number;
}

export interface EpochPlan {
  readonly outcome: Outcome;
  readonly reason: string | null; // why held, rejected or unchanged
  readonly relaxed: readonly Limit[]; // limits that had to give, in their written order
  readonly solved: FractionMatrix;
  readonly wanted: FractionMatrix;
  readonly served: FractionMatrix;
  readonly utilization: Float64Array; // [datacenter] of the table, on the demand planned on
  readonly churn: Churn;
  readonly deferredEdges: readonly number[]; // their served fractions lag the wanted ones on purpose
  readonly table: RoutingTable | null; // in force after this epoch; null: held before there ever was one
  readonly ceilings: Ceilings; // what each datacenter may hold of each edge, by its state and the policy
  readonly carried: CarriedState;
  readonly doubts: readonly Doubt[]; // solver answers that could not be certified
}

/** What buckets cannot be told to keep. */
const overLeast = 0.005;

export function planned(setting: Setting, decision: Decision, doubts: readonly Doubt[]): EpochPlan {
  const { inputs, runtime } = setting;
  const { previous } = inputs;
  const stuckEdges = decision.kind === 'held' ? [] : decision.stuckEdges;
  const width = inputs.topology.datacenters.length;
  const ceilings = openFor(stuckEdges, width, ceilingsOf(setting, decision.carried), runtime.served);
  const said = { carried: decision.carried, doubts, ceilings };
  if (decision.kind === 'held') {
    return standing(setting, { ...said, outcome: 'held', reason: wordsOf(decision.reason) });
  }
  if (decision.kind === 'unchanged' && previous && !holdsForbidden(previous, ceilings)) {
    const { solved, relaxed } = decision;
    const reason = decision.reason === 'frozen' ? setting.frozenBy : decision.reason;
    return standing(setting, { ...said, outcome: 'unchanged', reason, solved, relaxed });
  }
  return move(setting, decision, ceilings, doubts);
}

/** Fractions to a table: assigned, paced, validated. */
function move(
  setting: Setting,
  decision: Exclude<Decision, { kind: 'held' }>,
  ceilings: Ceilings,
  doubts: readonly Doubt[],
): EpochPlan {
  const { inputs, arriving, established, others } = setting;
  const { topology, policy, previous, demandRps } = inputs;
  const { tree, weights, cellTies } = setting.context;
  const { guards, buckets, utilizationMax } = policy.spec;
  const { carried, solved } = decision;
  const wanted = decision.kind === 'move' ? decision.wanted : servedFractions(previous!, weights);
  const edgeLoad = steeredShares(topology, demandRps);
  const standingLoad = sumByDatacenter(established, topology.datacenters.length);
  const meters = metersOf(topology, { policy }, standingLoad, others);
  const churnMax = setting.frozenBy !== null ? 0 : decision.relaxed.includes('churnMax') ? 1 : guards.churnMax;
  const { table: target, locality } = assign(buckets.assignment, {
    tree,
    weights,
    edgeLoad: sharesOf(arriving),
    wanted,
    ceilings,
    previous,
    targets: previous?.targets ?? makeTargets(topology),
    edges: previous?.edges ?? topology.edges.map(({ id }) => id),
    segmentLevel: buckets.segmentLevel,
    localityBudget: setting.frozenBy !== null || inputs.isDue === false ? 0 : buckets.localityBudget,
    mayExchange: exchangeable(setting.runtime),
    churnMax,
    overMax: roomAbove(fullness(meters, loadOf(arriving, wanted)), utilizationMax),
    ...(inputs.carried.locality && { locality: inputs.carried.locality }),
    ...(cellTies && { cellTies }),
  });
  const paced = previous
    ? pace({ previous, target, weights, edgeLoad, ceilings, churnMax })
    : { table: target, deferred: 0, deferredEdges: [] };
  const churn = previous
    ? measureChurn({ previous, next: paced.table, weights, edgeLoad, ceilings })
    : { forced: 0, elective: 0, minimum: 0 };
  const check = (isUtilizationRelaxed: boolean) =>
    validate({
      table: paced.table,
      previous,
      tree,
      topology,
      weights,
      demandRps: arriving,
      meters,
      ceilings,
      utilizationMax,
      isUtilizationRelaxed,
    });
  // Users of a dead datacenter cannot stay where they are, even where one heavy bucket lifts another over its limit, and
  // any first table is better than none.
  let validation = check(decision.relaxed.some((limit) => limit === 'capacity' || limit === 'utilizationMax'));
  let relaxed = decision.relaxed;
  if (validation.kind === 'rejected' && (churn.forced > 0 || previous === null)) {
    validation = check(true);
    const gave: readonly Limit[] = [...relaxed, 'utilizationMax'];
    if (validation.kind === 'valid') relaxed = inOrder(gave);
  }
  if (validation.kind === 'rejected') {
    const reason = validation.problems.join('; ');
    return standing(setting, {
      outcome: 'rejected',
      reason,
      carried: setting.carried,
      doubts,
      ceilings,
      solved,
      wanted,
    });
  }
  const table: ValidTable = validation.table;
  const same = previous !== null && sameTable(previous, table);
  const served = servedFractions(table, weights);
  return {
    outcome: previous === null ? 'initial' : same ? 'unchanged' : 'published',
    reason: same ? 'nothing-to-move' : null,
    relaxed,
    solved,
    wanted,
    served,
    utilization: validation.utilization,
    churn: { forced: churn.forced, elective: churn.elective, deferred: paced.deferred, minimum: churn.minimum },
    deferredEdges: paced.deferredEdges,
    table: same ? previous : table,
    ceilings,
    carried: withSessions(setting, locality ? { ...carried, locality } : carried, served),
    doubts,
  };
}

/** [e * D + d] 1 where users may be exchanged for others: nobody froze or pinned what is there, and newcomers are welcome. */
function exchangeable({ topology, policy, states, frozenEdges, startMs }: RuntimeInputs): Uint8Array {
  const width = topology.datacenters.length;
  const pinned = new Set(
    policy.spec.pins
      .filter(({ until }) => until === undefined || Date.parse(until) > startMs)
      .map(({ edge, datacenter }) => `${edge} ${datacenter}`),
  );
  return Uint8Array.from({ length: topology.edges.length * width }, (_, i) => {
    const [e, d] = [Math.floor(i / width), i % width];
    const { keep, refill } = states[d]!;
    const isPinned = pinned.has(`${topology.edges[e]!.id} ${topology.datacenters[d]!.id}`);
    return keep === 1 && refill && frozenEdges?.[e] !== 1 && !isPinned ? 1 : 0;
  });
}

/** [d] how far above what is wanted of it whole buckets may take a datacenter, relative: as far as its limit, within reason. */
function roomAbove(utilization: Float64Array, utilizationMax: number): Float64Array {
  return utilization.map((level) =>
    level > 0 && level < Number.POSITIVE_INFINITY
      ? Math.min(overMost, Math.max(overLeast, (utilizationMax - level) / level))
      : overMost,
  );
}

/** The plan that leaves the table as it is. */
export function standing(
  setting: Setting,
  said: Pick<EpochPlan, 'outcome' | 'reason' | 'carried' | 'doubts' | 'ceilings'> &
    Partial<Pick<EpochPlan, 'solved' | 'wanted' | 'relaxed'>>,
): EpochPlan {
  const { inputs, runtime, established, arriving, others } = setting;
  const { topology, policy, previous } = inputs;
  const width = topology.datacenters.length;
  const served = runtime.served ?? new Float64Array(topology.edges.length * width);
  const meters = metersOf(topology, { policy }, sumByDatacenter(established, width), others);
  return {
    relaxed: [],
    solved: served,
    wanted: served,
    ...said,
    carried: withSessions(setting, said.carried, served),
    served,
    utilization: fullness(meters, loadOf(arriving, served)),
    churn: { forced: 0, elective: 0, deferred: 0, minimum: 0 },
    deferredEdges: [],
    table: previous,
  };
}

/** A sticky service's sessions after the epoch, to the thousandth. */
function withSessions({ inputs, established, arriving }: Setting, carried: CarriedState, served: FractionMatrix) {
  if (inputs.policy.spec.traffic.kind !== 'sticky') {
    const { sessions: _, ...stateless } = carried;
    return stateless;
  }
  const sessions = sessionsAfter(established, arriving, served);
  return { ...carried, sessions: Array.from(sessions, (count) => Math.round(count * 1000) / 1000) };
}

/** Edges with nowhere to go may stay on what serves them. */
function openFor(
  stuckEdges: readonly number[],
  width: number,
  ceilings: Ceilings,
  served: FractionMatrix | null,
): Ceilings {
  if (stuckEdges.length === 0 || !served) return ceilings;
  return ceilings.map((ceiling, i) => (served[i]! > 0 && stuckEdges.includes(Math.floor(i / width)) ? 1 : ceiling));
}

/** Has a datacenter that may hold nothing at an edge a bucket there, if only one without demand? */
function holdsForbidden(table: RoutingTable, ceilings: Ceilings): boolean {
  const width = table.targets.length;
  return table.byEdge.some((assignment, e) => {
    const forbidden = ceilings.subarray(e * width, (e + 1) * width).indexOf(0);
    return forbidden >= 0 && assignment.some((target) => ceilings[e * width + target] === 0);
  });
}

function wordsOf(reason: HeldReason): string {
  switch (reason.kind) {
    case 'nowhere-to-go':
      return `users of edge ${reason.edge} have no datacenter that may take them`;
    case 'no-certified-answer':
      return 'no solver gave an answer that holds';
  }
}
