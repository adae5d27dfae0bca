/** A world: the places, a stretch of demand, what broke when, and who is friends with whom. A directory of CSV files
 *  (columns in the README), read and written by `load.ts`. */

import { didYouMean } from './did-you-mean.ts';
import { ConfigError } from './errors.ts';
import type { DatacenterId } from './ids.ts';
import type { Topology } from './topology.ts';

export interface World extends StaticWorld {
  readonly demand: DemandSeries; // of all services together
  readonly services?: readonly ServiceDemand[]; // by name; absent: demand.csv knows no services
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

/** One service's part of the demand. */
export interface ServiceDemand {
  readonly service: string;
  readonly rps: Float64Array; // [t * E + e], times as of the whole
}

/** The world as one service has it. A world that knows no services is any service's. Throws a ConfigError that starts with
 *  `where`. */
export function worldOfService(world: World, service: string, where: string): World {
  if (!world.services) return world;
  const own = world.services.find((one) => one.service === service);
  if (!own) {
    const names = world.services.map((one) => one.service);
    throw new ConfigError(
      `${where}: the world has no demand of service "${service}"${didYouMean(service, names)}; it has ${names.join(', ')}`,
    );
  }
  return { ...world, demand: { timesMs: world.demand.timesMs, rps: own.rps } };
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
