/** What fractions do to datacenters and users under a given demand: the figures every plan and report quotes. */

import type { Topology } from '../config/topology.ts';
import type { FractionMatrix } from './fractions.ts';

export interface RttMs {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
}

/** [datacenter] load / capacity; 0 where there is no capacity and no load. */
export function utilizationOf(topology: Topology, demandRps: Float64Array, served: FractionMatrix): Float64Array {
  const width = topology.datacenters.length;
  return Float64Array.from(topology.datacenters, ({ capacityRps }, d) => {
    let loadRps = 0;
    for (let e = 0; e < demandRps.length; e++) loadRps += demandRps[e]! * served[e * width + d]!;
    return loadRps === 0 ? 0 : loadRps / capacityRps;
  });
}

/** Demand-weighted over users; zeros where there is no demand. */
export function rttOf(topology: Topology, demandRps: Float64Array, served: FractionMatrix): RttMs {
  const width = topology.datacenters.length;
  const weight = topology.rttMs.map((_, i) => demandRps[Math.floor(i / width)]! * served[i]!);
  const order = Array.from(weight.keys())
    .filter((i) => weight[i]! > 0)
    .sort((a, b) => topology.rttMs[a]! - topology.rttMs[b]! || a - b);
  const total = order.reduce((sum, i) => sum + weight[i]!, 0);
  if (total === 0) return { mean: 0, p50: 0, p95: 0 };
  const quantile = (share: number): number => {
    let below = 0;
    for (const i of order) {
      below += weight[i]!;
      if (below >= share * total) return topology.rttMs[i]!;
    }
    return topology.rttMs[order.at(-1)!]!;
  };
  const mean = order.reduce((sum, i) => sum + weight[i]! * topology.rttMs[i]!, 0) / total;
  return { mean, p50: quantile(0.5), p95: quantile(0.95) };
}
