/** What a service's epochs are planned with: the tree in force and what its buckets weigh. Where either changes, it changes
 *  with an epoch: proposed before it is planned, recorded with its inputs, and in force once the epoch's plan is. An epoch
 *  that is held or rejected leaves both as they were. */

import type { EpochInputs } from '../epoch/inputs.ts';
import type { Routing } from '../table/tree-course.ts';

export interface ProposedRouting {
  readonly routing: Routing; // to plan the epoch with
  readonly churnSpent: number; // share of demand that changes datacenter by it, under the table in force
  readonly passed?: Passed; // users to other buckets; none: nobody
}

/** [edge][bucket] what is known of buckets, as it is of those that users pass to; null: nothing is known of the edge. */
export type Passed = (known: readonly (Float64Array | null)[]) => (Float64Array | null)[];

export interface RoutingSource {
  readonly routing: Routing; // in force
  /** `inputs`: as the epoch would be planned with what is in force. Nothing is in force by it: the epoch may come to nothing. */
  propose(inputs: EpochInputs): ProposedRouting;
  /** The epoch that was planned with what was proposed is in force. */
  take(proposed: ProposedRouting): void;
}
