/** One epoch, without effects: solve -> assign -> pace -> validate. Config feed, dry run and postmortem all call it. */

import type { BucketTree } from '../bucketizer/tree.ts';
import type { Intent } from '../config/intent.ts';
import type { Policy } from '../config/policy.ts';
import type { Topology } from '../config/topology.ts';
import type { FractionMatrix } from '../runtime/fractions.ts';
import type { CarriedState } from '../runtime/guards.ts';
import type { DatacenterState } from '../runtime/inputs.ts';
import type { Solver } from '../runtime/lp/problem.ts';
import type { BucketWeights } from './table/bucket-weights.ts';
import type { RoutingTable } from './table/routing-table.ts';

/** Everything an epoch depends on besides tree, weights and solver. Plain data: what the journal freezes. */
export interface EpochInputs {
  readonly epoch: number;
  readonly startMs: number;
  readonly topology: Topology;
  readonly policy: Policy;
  readonly demandRps: Float64Array; // [edge] planned on
  readonly states: readonly DatacenterState[]; // [datacenter] observed, before intents
  readonly intents: readonly Intent[];
  readonly previous: RoutingTable | null;
  readonly carried: CarriedState;
}

export { type CarriedState, freshState } from '../runtime/guards.ts';

export interface EpochContext {
  readonly tree: BucketTree;
  readonly weights: BucketWeights;
  readonly solver: Solver;
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
  readonly relaxed: readonly string[]; // limits that had to give, in their written order
  readonly solved: FractionMatrix;
  readonly wanted: FractionMatrix;
  readonly served: FractionMatrix;
  readonly utilization: Float64Array; // [datacenter] predicted on the demand planned on
  readonly churn: Churn;
  readonly deferredEdges: readonly number[]; // edges whose served fractions lag the wanted ones on purpose
  readonly table: RoutingTable | null; // null: held before there ever was one
  readonly carried: CarriedState;
}

export type PlanEpoch = (inputs: EpochInputs, context: EpochContext) => Promise<EpochPlan>;
