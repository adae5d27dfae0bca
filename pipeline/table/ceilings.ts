/** The most of an edge's demand that a datacenter may hold, where it is not free: 0 where residency forbids it, its
 *  state keeps nothing or it has no capacity, less than 1 while it drains. What lies above a ceiling has to move, whatever churnMax says. */

import type { Topology } from '../../config/topology.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';

/** `[e * D + d]`, 0..1; 1 where the datacenter is free to hold all of the edge. */
export type Ceilings = FractionMatrix;

/** `retained`: what the states let each datacenter keep. `allowed`: the policy's residency; an edge it does not name may
 *  use every datacenter, and of several rules for one edge all hold. */
export function makeCeilings(
  topology: Topology,
  allowed: readonly { readonly edge: string; readonly datacenters: readonly string[] }[],
  retained: FractionMatrix,
): Ceilings {
  const width = topology.datacenters.length;
  const ceilings = retained.map((share, i) => (topology.datacenters[i % width]!.capacityRps > 0 ? share : 0));
  for (const rule of allowed) {
    const e = topology.edges.findIndex(({ id }) => id === rule.edge);
    if (e < 0) continue; // a policy is checked against the topology where both are read
    topology.datacenters.forEach(({ id }, d) => {
      if (!rule.datacenters.includes(id)) ceilings[e * width + d] = 0;
    });
  }
  return ceilings;
}

/** Nothing is limited. */
export function openCeilings(edgeCount: number, datacenterCount: number): Ceilings {
  return new Float64Array(edgeCount * datacenterCount).fill(1);
}
