/** How full datacenters are, by every resource a service draws on: what it serves, its sessions that stay, and the other
 *  services that draw on the same. A datacenter is as full as its fullest resource. */

import type { Topology } from '../config/topology.ts';
import type { RuntimeInputs } from './inputs.ts';
import { capacityOf, costsOf } from './pools.ts';

/** One resource, as one service meets it. In the resource's own unit. */
export interface Meter {
  readonly capacity: Float64Array; // [d]
  readonly cost: number; // a unit of the service's demand
  readonly standing: Float64Array; // [d] used already, whatever the service's table says
}

/** What a service puts on the datacenters, [d] in units of its demand. */
export interface ServiceLoad {
  readonly policy: RuntimeInputs['policy'];
  readonly load: Float64Array;
}

/** `standing` [d]: sessions of the service that stay. `others`: services that may draw on the same. */
export function metersOf(
  topology: Topology,
  service: Pick<RuntimeInputs, 'policy'>,
  standing: Float64Array,
  others: readonly ServiceLoad[] = [],
): readonly Meter[] {
  return [...costsOf({ topology, ...service })].map(([resource, cost]) => {
    const used = standing.map((units) => units * cost);
    for (const { policy, load } of others) {
      const each = costsOf({ topology, policy }).get(resource) ?? 0;
      if (each > 0) for (let d = 0; d < used.length; d++) used[d]! += each * load[d]!;
    }
    return { capacity: capacityOf(topology, resource), cost, standing: used };
  });
}

/** [d] of the fullest resource under `load` [d]; infinite where there is load and nothing to carry it. */
export function fullness(meters: readonly Meter[], load: Float64Array): Float64Array {
  return load.map((units, d) =>
    meters.reduce((most, { capacity, cost, standing }) => {
      const used = standing[d]! + cost * units;
      return Math.max(most, used > 0 ? used / capacity[d]! : 0);
    }, 0),
  );
}

/** [d] of demand [e] under fractions [e * D + d]. */
export function loadOf(demand: Float64Array, fractions: Float64Array): Float64Array {
  const width = fractions.length / demand.length;
  const load = new Float64Array(width);
  demand.forEach((units, e) => {
    for (let d = 0; d < width; d++) load[d]! += units * fractions[e * width + d]!;
  });
  return load;
}

/** [d] columns summed. */
export function sumByDatacenter(matrix: Float64Array, width: number): Float64Array {
  const sum = new Float64Array(width);
  for (let i = 0; i < matrix.length; i++) sum[i % width]! += matrix[i]!;
  return sum;
}
