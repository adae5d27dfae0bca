/** What an epoch is planned on and with. The same inputs, tree and weights give the same plan, with either solver. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { Intent } from '../../config/intent.ts';
import type { Policy } from '../../config/policy.ts';
import type { Topology } from '../../config/topology.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { CarriedState } from '../../runtime/guards.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import type { Solver } from '../../runtime/lp/problem.ts';
import type { SolveStep } from '../../runtime/solve.ts';
import type { BucketWeights } from '../table/bucket-weights.ts';
import type { CellTies } from '../table/cell-ties.ts';
import type { RoutingTable } from '../table/routing-table.ts';

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

/** One service of a group, which is solved together. Topology and start are the same for all; states may differ in what is
 *  known of one service's health, intents in whose traffic they are about. */
export interface PlannedService {
  readonly inputs: EpochInputs;
  readonly context: EpochContext;
}
