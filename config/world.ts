/** A world: the places, a stretch of demand, what broke when, and who is friends with whom. A directory of CSV files
 *  (columns in the README), read and written by `load.ts`. */

import type { DatacenterId } from './ids.ts';
import type { Topology } from './topology.ts';

export interface World extends StaticWorld {
  readonly demand: DemandSeries;
  readonly events: readonly DatacenterEvent[]; // by time, then datacenter
  readonly friends: Uint32Array; // pairs of user indices, 2 per tie
}

/** What of a world stays while time goes by: all that is read of it where telemetry comes from elsewhere. */
export interface StaticWorld {
  readonly topology: Topology;
  readonly users: WorldUsers;
}

export interface DemandSeries {
  readonly timesMs: Float64Array; // ascending, evenly spaced
  readonly rps: Float64Array; // [t * E + e]
}

/** Between two steps. A series of one step lasts as long as an epoch by default. */
export function stepMs({ timesMs }: DemandSeries): number {
  return timesMs.length > 1 ? timesMs[1]! - timesMs[0]! : 300_000;
}

/** From `timeMs` on, until the next event of that datacenter. */
export interface DatacenterEvent {
  readonly timeMs: number;
  readonly datacenter: DatacenterId;
  readonly state: 'abnormal' | 'normal';
}

export interface WorldUsers {
  readonly ids: readonly string[]; // opaque, in file order
  readonly homeEdge: Uint32Array; // [user] index into topology.edges
  readonly weight: Float64Array; // [user] > 0
}
