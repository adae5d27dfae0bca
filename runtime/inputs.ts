/** What the runtime decides on: frozen before it is planned with, so that an epoch can be replayed as it was. */

import type { Policy } from '../config/policy.ts';
import type { Topology } from '../config/topology.ts';
import type { FractionMatrix } from './fractions.ts';

/** Why and how far a datacenter is out of service. `keep` is the share of what it served when the state began that it
 *  may still serve: 1 normal, 0 nothing at once. A state that keeps less than 1 gains nothing either. */
export interface DatacenterState {
  readonly keep: number;
  readonly refill: boolean; // false: its low utilization is intended
  readonly cause: string;
  readonly untilMs: number | null;
}

export const normalState: DatacenterState = { keep: 1, refill: true, cause: '', untilMs: null };

/** One pair out of service: of this edge the datacenter serves no more than `retained`, and gains nothing. */
export interface PairDrain {
  readonly edge: number; // index
  readonly datacenter: number; // index
  readonly retained: number; // fraction of the edge's demand
  readonly keep: number; // of what it served
  readonly cause: string;
}

export interface RuntimeInputs {
  readonly topology: Topology;
  readonly policy: Policy;
  readonly startMs: number;
  readonly demandRps: Float64Array; // [edge]
  readonly states: readonly DatacenterState[]; // [datacenter]
  readonly served: FractionMatrix | null; // null: there is no table yet
  readonly frozen: boolean; // nothing moves by choice
  readonly frozenEdges?: Uint8Array; // [e] 1 where nothing moves by choice; absent: nowhere
  readonly pairDrains?: readonly PairDrain[]; // absent: none
  readonly established?: Float64Array | null; // [e * D + d] sessions that outlive the epoch where they are; none of a stateless service
  readonly lasting?: Float64Array; // [e * D + d] of those, what outlives the time a table is planned for; absent: all
  readonly edgeTies?: Float64Array; // [e * E + f] share of all ties, symmetric, sums to 1; absent: nothing is known of ties
  readonly isDue?: boolean; // false: another service's tick; it is fixed load, unless a state forces it to move
}
