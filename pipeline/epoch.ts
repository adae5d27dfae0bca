/** One epoch, without effects: solve -> assign -> pace -> validate. Config feed, dry run and postmortem all call it, and
 *  the same inputs give the same plan to the last byte. */

import assert from 'node:assert/strict';
import type { BucketTree } from '../bucketizer/tree.ts';
import { durationMs } from '../config/duration.ts';
import type { EdgeId } from '../config/ids.ts';
import type { Intent } from '../config/intent.ts';
import type { Policy } from '../config/policy.ts';
import type { Topology } from '../config/topology.ts';
import type { Fraction } from '../config/units.ts';
import type { FractionMatrix } from '../runtime/fractions.ts';
import { type CarriedState, observeStates, retainedFractions } from '../runtime/guards.ts';
import { holdDown } from '../runtime/hold-down.ts';
import type { DatacenterState, RuntimeInputs } from '../runtime/inputs.ts';
import { intendedOf } from '../runtime/intended.ts';
import { inOrder, type Limit } from '../runtime/limits.ts';
import { certifiedBy, type Doubt } from '../runtime/lp/certified.ts';
import type { Solver } from '../runtime/lp/problem.ts';
import { fullness, loadOf, metersOf, type ServiceLoad, sumByDatacenter } from '../runtime/meters.ts';
import { residency } from '../runtime/model.ts';
import { lastingOf, newSessions, outliving, sessionsAfter, survivalOf } from '../runtime/sessions.ts';
import { type Decision, type HeldReason, type SolveStep, solveGroup } from '../runtime/solve.ts';
import { suspectShare } from '../runtime/states.ts';
import { assign } from './table/assign.ts';
import type { BucketWeights } from './table/bucket-weights.ts';
import { type Ceilings, makeCeilings } from './table/ceilings.ts';
import type { CellTies } from './table/cell-ties.ts';
import { measureChurn, type TableChurn } from './table/churn.ts';
import { edgeTies } from './table/edge-ties.ts';
import { overMost } from './table/friends-assignment.ts';
import { pace } from './table/pace.ts';
import { makeTargets, type RoutingTable, sameTable, servedFractions } from './table/routing-table.ts';
import type { Routing } from './table/tree-course.ts';
import { type Validation, type ValidTable, validate } from './table/validate.ts';

export { type CarriedState, freshState } from '../runtime/guards.ts';

/** Everything an epoch depends on besides tree, weights and solver. Plain data: what the journal freezes. */
export interface EpochInputs {
  readonly epoch: number;
  readonly startMs: number;
  readonly topology: Topology;
  readonly policy: Policy;
  readonly demandRps: Float64Array; // [edge] planned on
  readonly states: readonly DatacenterState[]; // [datacenter] observed, before intents
  readonly intents: readonly Intent[];
  readonly previous: RoutingTable | null; // of the context's tree
  readonly carried: CarriedState;
  readonly sessions?: Float64Array; // [e * D + d] of a sticky service, observed; NaN or absent: as the tables so far would have placed them
  readonly epochMs?: number; // how long it lasts; absent: as the policy says
  readonly fractions?: FractionMatrix; // in place of the program's, where a replay is given some
  readonly isDue?: boolean; // false: not this service's tick; only what a state forces moves
  readonly churnSpent?: number; // share of demand that moves by choice besides: what is left of churnMax is the plan's
}

export interface EpochContext {
  readonly tree: BucketTree;
  readonly weights: BucketWeights;
  readonly base?: RoutingTable; // imported: where a policy with a ramp keeps what is not Taiji's yet
  readonly cellTies?: CellTies; // where friends are known by name; else the tree's quotient graph tells them
  readonly solver: Solver;
  readonly secondSolver?: Solver; // asked where the first one's answer cannot be certified
  readonly onStep?: (step: SolveStep) => void; // for explanations: sees the solves, changes nothing
}

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

export type PlanEpoch = (inputs: EpochInputs, context: EpochContext) => Promise<EpochPlan>;

/** One service of a group, which is solved together. Topology and start are the same for all; states may differ in what is
 *  known of one service's health, intents in whose traffic they are about. */
export interface PlannedService {
  readonly inputs: EpochInputs;
  readonly context: EpochContext;
}

export type PlanGroup = (services: readonly PlannedService[]) => Promise<readonly EpochPlan[]>;

/** What buckets cannot be told to keep. */
const overLeast = 0.005;

/** More than this share of all capacity failing by itself is suspect: the table is held until an operator drains. */
const suspectShareMax = 0.5;

export const planEpoch: PlanEpoch = async (inputs, context) => {
  const [plan] = await planGroup([{ inputs, context }]);
  return plan!;
};

/** The service with what is left of its `churnMax`. */
function withinBudget(service: PlannedService): PlannedService {
  const { policy, churnSpent = 0 } = service.inputs;
  if (churnSpent === 0) return service;
  const { guards } = policy.spec;
  const churnMax = Math.max(0, guards.churnMax - churnSpent) as Fraction;
  const spec = { ...policy.spec, guards: { ...guards, churnMax } };
  return { ...service, inputs: { ...service.inputs, policy: { ...policy, spec } } };
}

/** [s] a plan each. Services that draw on the same datacenters are in one program; each then gets a table of its own. The
 *  first one's solver solves. */
export const planGroup: PlanGroup = async (services) => {
  const settings = services.map((service) => settingOf(withinBudget(service)));
  const { inputs } = services[0]!;
  // Whoever drains a datacenter, for whichever service, has looked at it.
  const intents = services.flatMap((service) => service.inputs.intents);
  const suspect = suspectShare(inputs.topology, inputs.states, intents, inputs.startMs);
  if (suspect > suspectShareMax) {
    const reason = `${(suspect * 100).toFixed(0)} % of all capacity failed at once, which is suspect; drain to confirm it`;
    return settings.map((setting) => {
      const ceilings = ceilingsOf(setting, setting.carried);
      return standing(setting, { outcome: 'held', reason, carried: setting.carried, doubts: [], ceilings });
    });
  }
  const doubts: Doubt[] = [];
  const { solver, secondSolver } = services[0]!.context;
  const engines = secondSolver ? [solver, secondSolver] : [solver];
  const decisions = inputs.fractions
    ? settings.map(stated)
    : await solveGroup(
        settings.map(({ runtime }) => runtime),
        settings.map(({ carried }) => carried),
        certifiedBy(engines, (doubt) => doubts.push(doubt)),
        (step) => services[step.service]!.context.onStep?.(step),
      );
  const plans: EpochPlan[] = [];
  settings.forEach((setting, s) => {
    // What the others put on the datacenters: by their new tables, or where those are still to come, as they are wanted.
    const others = settings.flatMap((other, o): ServiceLoad[] =>
      o === s ? [] : [loadOn(other, plans[o]?.served ?? wantedOf(decisions[o]!, other))],
    );
    plans.push(planned({ ...setting, others }, decisions[s]!, doubts));
  });
  return plans.length > 1
    ? plans.map((plan, s) => ({ ...plan, utilization: utilizationOf(settings, plans, s) }))
    : plans;
};

/** What a table would do in the place of the one in force. */
export interface Examination {
  readonly previous: RoutingTable;
  readonly validation: Validation; // `rejected` also where a limit on utilization would be broken
  readonly mends: Validation; // the same, were that limit to give
  readonly churn: TableChurn;
  readonly before: Float64Array; // [datacenter] utilization, on the demand planned on
  readonly after: Float64Array; // [datacenter]
  readonly served: FractionMatrix; // [e * D + d] after
  readonly frozenBy: string | null; // nothing may move by choice, and why
  readonly frozenEdges: readonly EdgeId[]; // only at these
}

/** Judges `table`, of the shape of the one in force and from wherever, as an epoch judges its own: service `s` of a group
 *  with the table, the others as they stand. */
export function examine(services: readonly PlannedService[], s: number, table: RoutingTable): Examination {
  const settings = services.map(settingOf);
  const { inputs, context, runtime, arriving, established, frozenBy } = settings[s]!;
  const { topology, policy, previous, demandRps } = inputs;
  const { tree, weights } = context;
  assert(previous && runtime.served, 'a table is examined beside the one in force');
  const others = settings.flatMap((other, o): ServiceLoad[] =>
    o === s || !other.runtime.served ? [] : [loadOn(other, other.runtime.served)],
  );
  const meters = metersOf(topology, { policy }, sumByDatacenter(established, topology.datacenters.length), others);
  const ceilings = ceilingsOf(settings[s]!, observeStates(inputs.carried, topology, runtime.states, runtime.served));
  const { utilizationMax } = policy.spec;
  const check = (isUtilizationRelaxed: boolean): Validation =>
    validate({
      ...{ table, previous, tree, topology, weights, demandRps: arriving, meters, ceilings },
      ...{ utilizationMax, isUtilizationRelaxed },
    });
  const served = servedFractions(table, weights);
  const edgeLoad = steeredShares(topology, demandRps);
  return {
    previous,
    validation: check(false),
    mends: check(true),
    churn: measureChurn({ previous, next: table, weights, edgeLoad, ceilings }),
    before: fullness(meters, loadOf(arriving, runtime.served)),
    after: fullness(meters, loadOf(arriving, served)),
    served,
    frozenBy,
    frozenEdges: topology.edges.flatMap(({ id }, e) => (runtime.frozenEdges?.[e] === 1 ? [id] : [])),
  };
}

/** Fractions that were given, not solved: what a datacenter's state does not let it hold goes where the rest of its edge
 *  does, and where nothing is left to the others by their capacity. */
function stated(setting: Setting): Decision {
  const { inputs, runtime, carried: before } = setting;
  const { topology, states, served } = runtime;
  const width = topology.datacenters.length;
  const carried = observeStates(before, topology, states, served);
  const ceilings = ceilingsOf(setting, carried);
  const wanted = inputs.fractions!.map((share, i) => (ceilings[i] === 0 ? 0 : share));
  for (let e = 0; e < topology.edges.length; e++) {
    const row = wanted.subarray(e * width, (e + 1) * width);
    const open = ceilings.subarray(e * width, (e + 1) * width);
    if (!row.some((share) => share > 0)) {
      topology.datacenters.forEach(({ capacityRps }, d) => {
        if (open[d]! > 0) row[d] = capacityRps;
      });
    }
    const sum = row.reduce((a, b) => a + b, 0);
    if (sum === 0) return { kind: 'held', reason: { kind: 'nowhere-to-go', edge: topology.edges[e]!.id }, carried };
    for (let d = 0; d < width; d++) row[d]! /= sum;
  }
  const none = { levels: new Float64Array(width), relaxed: [], stuckEdges: [] };
  return { kind: 'move', solved: wanted, wanted, carried, ...none };
}

/** [d] as all tables of the group leave it: while the first were made, those after them were still to come. */
function utilizationOf(settings: readonly Setting[], plans: readonly EpochPlan[], s: number): Float64Array {
  const { inputs, established, arriving } = settings[s]!;
  const { topology, policy } = inputs;
  const others = settings.flatMap((other, o) => (o === s ? [] : [loadOn(other, plans[o]!.served)]));
  const meters = metersOf(topology, { policy }, sumByDatacenter(established, topology.datacenters.length), others);
  return fullness(meters, loadOf(arriving, plans[s]!.served));
}

/** Why users do not pass to another tree in this epoch, or null: what stops moves by choice stops them, and while a
 *  datacenter is out or on its way out, churn and room are for those who must go. */
export function standstillOf(inputs: EpochInputs, routing: Routing): string | null {
  const { runtime, frozenBy } = settingOf({ inputs, context: routing });
  const { topology, states, frozenEdges, pairDrains = [] } = runtime;
  if (frozenBy !== null) return frozenBy;
  // The imported table holds buckets; who is in them must not change under it.
  if (inputs.policy.spec.ramp) return 'the policy has a ramp, and a fleet comes aboard with the tree it began with';
  const out = states.findIndex(({ keep }) => keep < 1);
  if (out >= 0) return `${topology.datacenters[out]!.id} is out, or on its way out: ${states[out]!.cause}`;
  if (pairDrains.length > 0) return 'a datacenter is drained at an edge';
  const frozen = frozenEdges?.indexOf(1) ?? -1;
  return frozen < 0 ? null : `edge ${topology.edges[frozen]!.id} is frozen`;
}

/** What a table is made with. */
type Routed = Pick<EpochContext, 'tree' | 'weights' | 'cellTies'>;

/** One service's epoch, made ready to be solved. */
interface Setting {
  readonly inputs: EpochInputs;
  readonly context: Routed;
  readonly runtime: RuntimeInputs;
  readonly carried: CarriedState;
  readonly frozenBy: string | null; // nothing moves by choice, and why
  readonly established: Float64Array; // [e * D + d] sessions that outlive the epoch
  readonly arriving: Float64Array; // [edge] demand that the table places
  readonly others: readonly ServiceLoad[];
}

function settingOf({ inputs, context }: { readonly inputs: EpochInputs; readonly context: Routed }): Setting {
  const { topology, policy, previous, startMs, demandRps } = inputs;
  const holdDownMs = durationMs(policy.spec.guards.holdDown);
  const held = holdDown(topology, inputs.states, inputs.carried.outages, startMs, holdDownMs);
  const served = previous && servedFractions(previous, context.weights);
  const { intents: before = null, ...carriedElse } = inputs.carried;
  const intended = intendedOf({
    topology,
    policy,
    states: held.states,
    intents: inputs.intents,
    served,
    nowMs: startMs,
    before,
  });
  const { states, frozenBy, frozenEdges, pairDrains } = intended;
  const isSticky = policy.spec.traffic.kind === 'sticky';
  const width = topology.datacenters.length;
  const placedSoFar = (): ArrayLike<number> =>
    inputs.carried.sessions ?? served?.map((fraction, i) => fraction * demandRps[Math.floor(i / width)]!) ?? [];
  const sessions = isSticky ? observedOr(inputs.sessions, placedSoFar()) : [];
  const established =
    sessions.length > 0
      ? outliving(sessions, survivalOf(policy, inputs.epochMs), states, demandRps)
      : new Float64Array(topology.edges.length * width);
  const lasts = lastingOf(policy, inputs.epochMs);
  return {
    inputs,
    context,
    runtime: {
      topology,
      policy: intended.policy,
      startMs,
      demandRps,
      states,
      served,
      frozen: frozenBy !== null,
      ...(frozenEdges && { frozenEdges }),
      ...(pairDrains.length > 0 && { pairDrains }),
      ...(isSticky && { established, lasting: established.map((count) => count * lasts) }),
      ...(policy.spec.localityPriceMs > 0 && { edgeTies: edgeTies(context.tree, context.weights) }),
      ...(inputs.isDue === false && { isDue: false }),
    },
    carried: { ...carriedElse, outages: held.outages, ...(intended.carried && { intents: intended.carried }) },
    frozenBy,
    established,
    arriving: isSticky ? newSessions(demandRps, established) : demandRps,
    others: [],
  };
}

/** Sessions pair by pair: as observed, else as placed. */
function observedOr(observed: Float64Array | undefined, placed: ArrayLike<number>): ArrayLike<number> {
  return observed?.map((count, i) => (Number.isNaN(count) ? (placed[i] ?? 0) : count)) ?? placed;
}

function ceilingsOf({ runtime }: Setting, after: CarriedState): Ceilings {
  const { topology, states, pairDrains } = runtime;
  return makeCeilings(topology, residency(runtime), retainedFractions(after, topology, states, pairDrains));
}

/** What of the demand the table places, and what stays, on every datacenter. */
function loadOn({ inputs, established, arriving }: Setting, served: FractionMatrix): ServiceLoad {
  const load = loadOf(arriving, served);
  const stays = sumByDatacenter(established, load.length);
  return { policy: inputs.policy, load: load.map((units, d) => units + stays[d]!) };
}

function wantedOf(decision: Decision, { runtime }: Setting): FractionMatrix {
  const { topology, served } = runtime;
  if (decision.kind === 'move') return decision.wanted;
  return served ?? new Float64Array(topology.edges.length * topology.datacenters.length);
}

function planned(setting: Setting, decision: Decision, doubts: readonly Doubt[]): EpochPlan {
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
function standing(
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

/** [edge] share of all demand that changes target where all of the edge's buckets do: demand without a bucket has nothing
 *  to lose by a move. */
export function steeredShares(topology: Topology, demandRps: Float64Array): Float64Array {
  return sharesOf(demandRps).map((share, e) => share * (1 - (topology.edges[e]!.unsteered ?? 0)));
}

function sharesOf(demandRps: Float64Array): Float64Array {
  const total = demandRps.reduce((a, b) => a + b, 0);
  return demandRps.map((rps) => (total > 0 ? rps / total : 1 / demandRps.length));
}

function wordsOf(reason: HeldReason): string {
  switch (reason.kind) {
    case 'nowhere-to-go':
      return `users of edge ${reason.edge} have no datacenter that may take them`;
    case 'no-certified-answer':
      return 'no solver gave an answer that holds';
  }
}
