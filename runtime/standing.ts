/** Where load is, as a list: of the pairs of an edge and a datacenter nearly all hold nothing, and whoever sums what is
 *  held need not ask them. */

import { integers } from './lp/pieces.ts';

/** Pairs that hold load, by commodity: from `start[c]` up to `start[c + 1]`. */
export interface Standing {
  readonly start: Int32Array; // [c + 1]
  readonly pairs: Int32Array; // c * D + d, ascending
}

/** By loads, which nobody changes: many programs ask about the same. */
const known = new WeakMap<Float64Array, Standing>();

/** `base` [c * D + d], none below 0. */
export function standingOf(base: Float64Array, datacenters: number): Standing {
  const before = known.get(base);
  if (before) return before;
  const commodities = base.length / datacenters;
  const start = integers(commodities + 1);
  let pairs = integers(2 * commodities + datacenters);
  let count = 0;
  for (let c = 0, i = 0; c < commodities; c++) {
    if (count + datacenters > pairs.length) {
      const wider = integers(2 * pairs.length);
      wider.set(pairs);
      pairs = wider;
    }
    for (let d = 0; d < datacenters; d++, i++) if (base[i] !== 0) pairs[count++] = i;
    start[c + 1] = count;
  }
  const standing = { start, pairs: pairs.subarray(0, count) };
  known.set(base, standing);
  return standing;
}
