/** What share of a service's demand each edge has. */

import type { Topology } from '../../config/topology.ts';

/** [edge] share of all demand that changes target where all of the edge's buckets do: demand without a bucket has nothing
 *  to lose by a move. */
export function steeredShares(topology: Topology, demandRps: Float64Array): Float64Array {
  return sharesOf(demandRps).map((share, e) => share * (1 - (topology.edges[e]!.unsteered ?? 0)));
}

export function sharesOf(demandRps: Float64Array): Float64Array {
  const total = demandRps.reduce((a, b) => a + b, 0);
  return demandRps.map((rps) => (total > 0 ? rps / total : 1 / demandRps.length));
}
