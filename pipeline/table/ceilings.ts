/** The most of an edge's demand that a datacenter may hold, where it is not free: 0 where residency forbids it, its
 *  state keeps nothing or it has no capacity, less than 1 while it drains. What lies above a ceiling has to move, whatever churnMax says. */

import { strict as assert } from 'node:assert';
import type { Topology } from '../../config/topology.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';

/** `[e * D + d]`, 0..1; 1 where the datacenter is free to hold all of the edge. */
export type Ceilings = FractionMatrix;

/** `resident` [e * D + d]: 1 where the policy lets the edge be served. `retained`: what the states let each datacenter
 *  keep. */
export function makeCeilings(topology: Topology, resident: Uint8Array, retained: FractionMatrix): Ceilings {
  const width = topology.datacenters.length;
  assert(!retained.some(Number.isNaN), 'what a datacenter may keep is no number: tables would be sought for ever');
  return retained.map((share, i) =>
    resident[i] === 1 && topology.datacenters[i % width]!.capacityRps > 0 ? share : 0,
  );
}

/** Nothing is limited. */
export function openCeilings(edgeCount: number, datacenterCount: number): Ceilings {
  return new Float64Array(edgeCount * datacenterCount).fill(1);
}
