/** One epoch, without effects: solve -> assign -> pace -> validate. Config feed, dry run and postmortem all call it, and
 *  the same inputs give the same plan to the last byte. */

import type { BucketTree } from '../bucketizer/tree.ts';
import { durationMs } from '../config/duration.ts';
import type { Intent } from '../config/intent.ts';
import type { Policy } from '../config/policy.ts';
import type { Topology } from '../config/topology.ts';
import type { FractionMatrix } from '../runtime/fractions.ts';
import { type CarriedState, retainedFractions } from '../runtime/guards.ts';
import { holdDown } from '../runtime/hold-down.ts';
import type { DatacenterState } from '../runtime/inputs.ts';
import { utilizationOf } from '../runtime/judge.ts';
import { type Limit, limitOrder } from '../runtime/limits.ts';
import { certifiedBy, type Doubt } from '../runtime/lp/certified.ts';
import type { Solver } from '../runtime/lp/problem.ts';
import { residency } from '../runtime/model.ts';
import { type Decision, type HeldReason, type SolveStep, solveFractions } from '../runtime/solve.ts';
import { effectiveStates, freezeInForce, suspectShare } from '../runtime/states.ts';
import { assign } from './table/assign.ts';
import type { BucketWeights } from './table/bucket-weights.ts';
import { type Ceilings, makeCeilings } from './table/ceilings.ts';
import { measureChurn } from './table/churn.ts';
import { edgeTies } from './table/edge-ties.ts';
import { pace } from './table/pace.ts';
import { makeTargets, type RoutingTable, sameTable, servedFractions } from './table/routing-table.ts';
import { type ValidTable, validate } from './table/validate.ts';

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
}

export interface EpochContext {
  readonly tree: BucketTree;
  readonly weights: BucketWeights;
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

/** More than this share of all capacity failing by itself is suspect: the table is held until an operator drains. */
const suspectShareMax = 0.5;

export const planEpoch: PlanEpoch = async (inputs, context) => {
  const { topology, policy, previous, startMs } = inputs;
  const holdDownMs = durationMs(policy.spec.guards.holdDown);
  const held = holdDown(topology, inputs.states, inputs.carried.outages, startMs, holdDownMs);
  const carried: CarriedState = { ...inputs.carried, outages: held.outages };
  const states = effectiveStates(topology, held.states, inputs.intents, startMs);
  const served = previous && servedFractions(previous, context.weights);
  const resident = residency({ topology, policy });
  const ceilingsAfter = (after: CarriedState): Ceilings =>
    makeCeilings(topology, resident, retainedFractions(after, topology, states));
  const suspect = suspectShare(topology, inputs.states, inputs.intents, startMs);
  if (suspect > suspectShareMax) {
    const reason = `${(suspect * 100).toFixed(0)} % of all capacity failed at once, which is suspect; drain to confirm it`;
    return standing(inputs, context, {
      outcome: 'held',
      reason,
      carried,
      doubts: [],
      ceilings: ceilingsAfter(carried),
    });
  }

  const doubts: Doubt[] = [];
  const engines = context.secondSolver ? [context.solver, context.secondSolver] : [context.solver];
  const frozen = freezeInForce(inputs.intents, startMs);
  const decision = await solveFractions(
    {
      topology,
      policy,
      startMs,
      demandRps: inputs.demandRps,
      states,
      served,
      frozen: frozen !== null,
      ...(policy.spec.localityPriceMs > 0 ? { edgeTies: edgeTies(context.tree, context.weights) } : {}),
    },
    carried,
    certifiedBy(engines, (doubt) => doubts.push(doubt)),
    context.onStep,
  );
  const stuckEdges = decision.kind === 'held' ? [] : decision.stuckEdges;
  const ceilings = openFor(stuckEdges, topology.datacenters.length, ceilingsAfter(decision.carried), served);
  if (decision.kind === 'held') {
    const reason = wordsOf(decision.reason);
    return standing(inputs, context, { outcome: 'held', reason, carried: decision.carried, doubts, ceilings });
  }
  if (decision.kind === 'unchanged' && previous && !holdsForbidden(previous, ceilings)) {
    const { solved, relaxed } = decision;
    const frozenBy = frozen && `frozen by ${frozen.author}: ${frozen.reason}`;
    const reason = decision.reason === 'frozen' ? frozenBy : decision.reason;
    const outcome = decision.reason === 'frozen' ? 'held' : 'unchanged';
    return standing(inputs, context, { outcome, reason, carried: decision.carried, doubts, ceilings, solved, relaxed });
  }
  return move({ ...inputs, carried }, context, decision, ceilings, doubts);
};

/** Fractions to a table: assigned, paced, validated. */
function move(
  inputs: EpochInputs,
  context: EpochContext,
  decision: Exclude<Decision, { kind: 'held' }>,
  ceilings: Ceilings,
  doubts: readonly Doubt[],
): EpochPlan {
  const { topology, policy, previous, demandRps } = inputs;
  const { tree, weights } = context;
  const { guards, buckets, utilizationMax } = policy.spec;
  const { carried, solved } = decision;
  const wanted = decision.kind === 'move' ? decision.wanted : servedFractions(previous!, weights);
  const edgeLoad = sharesOf(demandRps);
  const target = assign(buckets.assignment, {
    tree,
    weights,
    edgeLoad,
    wanted,
    ceilings,
    previous,
    targets: previous?.targets ?? makeTargets(topology),
    edges: previous?.edges ?? topology.edges.map(({ id }) => id),
    segmentLevel: buckets.segmentLevel,
  });
  const isFrozen = freezeInForce(inputs.intents, inputs.startMs) !== null;
  const churnMax = isFrozen ? 0 : decision.relaxed.includes('churnMax') ? 1 : guards.churnMax;
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
      demandRps,
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
    if (validation.kind === 'valid') relaxed = limitOrder.filter((limit) => gave.includes(limit));
  }
  if (validation.kind === 'rejected') {
    const reason = validation.problems.join('; ');
    return standing(inputs, context, {
      outcome: 'rejected',
      reason,
      carried: inputs.carried,
      doubts,
      ceilings,
      solved,
      wanted,
    });
  }
  const table: ValidTable = validation.table;
  const same = previous !== null && sameTable(previous, table);
  return {
    outcome: previous === null ? 'initial' : same ? 'unchanged' : 'published',
    reason: same ? 'nothing-to-move' : null,
    relaxed,
    solved,
    wanted,
    served: servedFractions(table, weights),
    utilization: validation.utilization,
    churn: { forced: churn.forced, elective: churn.elective, deferred: paced.deferred, minimum: churn.minimum },
    deferredEdges: paced.deferredEdges,
    table: same ? previous : table,
    ceilings,
    carried,
    doubts,
  };
}

/** The plan that leaves the table as it is. */
function standing(
  { topology, previous, demandRps }: EpochInputs,
  { weights }: EpochContext,
  said: Pick<EpochPlan, 'outcome' | 'reason' | 'carried' | 'doubts' | 'ceilings'> &
    Partial<Pick<EpochPlan, 'solved' | 'wanted' | 'relaxed'>>,
): EpochPlan {
  const nothing = new Float64Array(topology.edges.length * topology.datacenters.length);
  const served = previous ? servedFractions(previous, weights) : nothing;
  return {
    relaxed: [],
    solved: served,
    wanted: served,
    ...said,
    served,
    utilization: utilizationOf(topology, demandRps, served),
    churn: { forced: 0, elective: 0, deferred: 0, minimum: 0 },
    deferredEdges: [],
    table: previous,
  };
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
