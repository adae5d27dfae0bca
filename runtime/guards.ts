/** What keeps tables calm between two solves: the wants held back, the datacenters on their way back, and the
 *  fractions a drain started from. Carried from epoch to epoch as plain data, so that a journal can freeze it. */

import type { DatacenterId, EdgeId } from '../config/ids.ts';
import type { Topology } from '../config/topology.ts';
import { everywhere } from './everywhere.ts';
import type { FractionMatrix } from './fractions.ts';
import type { Outages } from './hold-down.ts';
import type { DatacenterState, PairDrain } from './inputs.ts';
import type { CarriedIntents } from './intents.ts';
import type { Want } from './patience.ts';
import type { CarriedPrices } from './prices.ts';

/** What an epoch hands to the next one. */
export interface CarriedState {
  readonly wants: readonly Want[]; // of the last epochs, where minShift held them back
  readonly returning: readonly DatacenterId[]; // normal again, not yet where the solve wants them
  readonly drainBase: readonly DrainBase[]; // by datacenter
  readonly outages: readonly Outages[]; // of datacenters that failed within the hour
  readonly prices?: CarriedPrices; // where the next solve starts; no answer depends on them
  readonly intents?: CarriedIntents; // of those in force or waiting; absent: nothing is to be known of them
  readonly locality?: CarriedLocality; // where the policy has a locality budget
  readonly sessions?: readonly number[]; // [e * D + d] of a sticky service, as the tables so far would have placed them
}

/** What may still be moved to bring friends together, and what it has to bring. */
export interface CarriedLocality {
  readonly credit: number; // share of the service's demand
  readonly price: number; // share of all ties that moving the whole demand has to win
}

/** What an out-of-service datacenter served when its state began: `keep` is a share of this. */
export interface DrainBase {
  readonly datacenter: DatacenterId;
  readonly fractions: readonly { readonly edge: EdgeId; readonly fraction: number }[];
}

export const freshState: CarriedState = { wants: [], returning: [], drainBase: [], outages: [] };

/** A datacenter has returned once the solve wants no more than this much utilization more of it. */
const returnedWithin = 0.005;

/** Notes which datacenters left service (and what they served then) and which came back. */
export function observeStates(
  carried: CarriedState,
  topology: Topology,
  states: readonly DatacenterState[],
  served: FractionMatrix | null,
): CarriedState {
  const drainBase: DrainBase[] = [];
  const returning: DatacenterId[] = [];
  topology.datacenters.forEach(({ id }, d) => {
    const known = carried.drainBase.find((base) => base.datacenter === id);
    if (states[d]!.keep < 1) drainBase.push(known ?? { datacenter: id, fractions: fractionsOf(d, topology, served) });
    else if (known || carried.returning.includes(id)) returning.push(id);
  });
  return { ...carried, returning, drainBase };
}

function fractionsOf(d: number, topology: Topology, served: FractionMatrix | null): DrainBase['fractions'] {
  return topology.edges
    .map((edge, e) => ({ edge: edge.id, fraction: served?.[e * topology.datacenters.length + d] ?? 0 }))
    .filter(({ fraction }) => fraction > 0);
}

/** `[e * D + d]`: the largest fraction that the state of d lets it keep at e. */
export function retainedFractions(
  carried: CarriedState,
  topology: Topology,
  states: readonly DatacenterState[],
  pairDrains: readonly PairDrain[] = [],
): FractionMatrix {
  const datacenters = topology.datacenters.length;
  const all = everywhere(1, topology.edges.length * datacenters);
  if (pairDrains.length === 0 && states.every(({ keep }) => keep === 1)) return all;
  const retained = all.slice();
  topology.datacenters.forEach(({ id }, d) => {
    const { keep } = states[d]!;
    if (keep === 1) return;
    const base = carried.drainBase.find((known) => known.datacenter === id);
    const began = new Map(base?.fractions.map(({ edge, fraction }) => [edge, fraction]));
    topology.edges.forEach((edge, e) => {
      retained[e * datacenters + d] = keep * (began.get(edge.id) ?? 0);
    });
  });
  for (const pair of pairDrains) {
    const i = pair.edge * datacenters + pair.datacenter;
    retained[i] = Math.min(retained[i]!, pair.retained);
  }
  return retained;
}

/** `gain` [d]: utilization the unguarded solve would add to each datacenter. */
export function stillReturning(carried: CarriedState, topology: Topology, gain: Float64Array): readonly DatacenterId[] {
  return carried.returning.filter((id) => {
    const d = topology.datacenters.findIndex((datacenter) => datacenter.id === id);
    return d >= 0 && gain[d]! > returnedWithin;
  });
}
