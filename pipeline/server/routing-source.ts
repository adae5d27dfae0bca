/** What a service's epochs are planned with: the tree in force and what its buckets weigh. Where either changes, it changes
 *  with an epoch: proposed before it is planned, recorded with its inputs, and in force once the epoch's plan is. An epoch
 *  that is held or rejected leaves both as they were. */

import type { Intent } from '../../config/intent.ts';
import type { Policy } from '../../config/policy.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import type { Routing } from '../table/tree-course.ts';

/** What is known of an epoch that is due. */
export interface RoutingSituation {
  readonly policy: Policy;
  readonly table: RoutingTable | null; // in force
  readonly demandRps: Float64Array; // [edge]
  readonly states: readonly DatacenterState[]; // [datacenter]
  readonly intents: readonly Intent[]; // in force
}

export interface ProposedRouting {
  readonly routing: Routing; // to plan the epoch with
  readonly churnSpent: number; // share of demand that changes datacenter by it, under the table in force
}

export interface RoutingSource {
  readonly routing: Routing; // in force
  /** Changes nothing: the epoch may come to nothing. */
  propose(situation: RoutingSituation): ProposedRouting;
  /** An epoch that was planned with it is in force. */
  take(proposed: ProposedRouting): void;
}

/** One tree and one set of weights, from the first epoch to the last. */
export function fixedRouting(routing: Routing): RoutingSource {
  return { routing, propose: () => ({ routing, churnSpent: 0 }), take: () => {} };
}
