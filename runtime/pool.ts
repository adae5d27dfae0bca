/** Edges that may go to the same places are one, as far as utilization is concerned: the program that seeks the lowest
 *  level has no other cost, so what it finds for their sum can be shared out to each in proportion. A level then costs a
 *  program of a few columns, however many edges there are. Edges with limits of their own (pins, a cap on shares) are
 *  not summed. */

import type { Model } from './model.ts';

/** The model of the sums: the same levels are reached under the same limits on moves. Costs and latency caps, which
 *  levels do not ask for, are left out. */
export function pooled(model: Model): Model {
  const { edges, datacenters, shareMax } = model;
  if (shareMax < 1) return model;
  const poolOf = new Int32Array(edges);
  const pools = new Map<string, number>();
  for (let e = 0; e < edges; e++) {
    const row = model.mayGain.subarray(e * datacenters, (e + 1) * datacenters);
    const isPinned = !model.pinned.subarray(e * datacenters, (e + 1) * datacenters).every(Number.isNaN);
    const key = isPinned ? `edge ${e}` : `${model.still[e]} ${row.join('')}`;
    const pool = pools.get(key) ?? pools.size;
    pools.set(key, pool);
    poolOf[e] = pool;
  }
  const pairs = pools.size * datacenters;
  const load = new Float64Array(pools.size);
  const forced = new Float64Array(pools.size);
  const still = new Uint8Array(pools.size);
  const base = new Float64Array(pairs);
  const mayGain = new Uint8Array(pairs);
  const pinned = new Float64Array(pairs).fill(Number.NaN);
  for (let e = 0; e < edges; e++) {
    const pool = poolOf[e]!;
    load[pool]! += model.load[e]!;
    forced[pool]! += model.forced[e]!;
    still[pool] = model.still[e]!;
    for (let d = 0; d < datacenters; d++) {
      const [from, to] = [e * datacenters + d, pool * datacenters + d];
      base[to]! += model.base[from]!;
      mayGain[to] = model.mayGain[from]!;
      pinned[to] = model.pinned[from]!;
    }
  }
  const none = new Float64Array(pairs);
  const tooFar = new Uint8Array(pairs);
  const sums = { load, forced, still, base, mayGain, pinned };
  return { ...model, ...sums, edges: pools.size, rttCost: none, moveCost: none, tooFar };
}
