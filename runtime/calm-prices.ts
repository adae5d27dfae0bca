/** What the levels of pools that are over them cost, as far as arithmetic tells: where a program that seeks calm starts.
 *  What has to leave a pool leaves it by the cheapest ways there are, and what the last of it pays is the price. Ways into
 *  pools that are full as well are none; that others fill up on the way, and guards, the solve finds out. */

import type { LinearProgram, RowPrices } from './lp/problem.ts';
import type { Model } from './model.ts';
import type { Layout } from './placement.ts';

export function calmPrices(model: Model, program: LinearProgram, layout: Layout): RowPrices {
  const { datacenters, resources } = model;
  const { levelRow } = layout;
  const prices = new Float64Array(program.rowLower.length);
  const isOver = (k: number): boolean => levelRow[k]! >= 0 && program.rowUpper[levelRow[k]!]! < 0;
  const isFull = Uint8Array.from({ length: datacenters }, (_, d) => {
    for (let r = 0; r < resources; r++) if (isOver(r * datacenters + d)) return 1;
    return 0;
  });
  for (let k = 0; k < levelRow.length; k++) {
    if (isOver(k)) prices[levelRow[k]!] = -priceOf(k, -program.rowUpper[levelRow[k]!]!, isFull, model, program, layout);
  }
  return prices;
}

/** A unit of the pool's load, when `excess` of it has left; that of the dearest way where that is not all. */
function priceOf(
  k: number,
  excess: number,
  isFull: Uint8Array,
  { commodities, datacenters, resources, use, service }: Model,
  { cost, upper }: LinearProgram,
  { gained, left }: Layout,
): number {
  const d = k % datacenters;
  const ways: { readonly cost: number; readonly load: number }[] = [];
  for (let c = 0; c < commodities; c++) {
    const leaving = left[c * datacenters + d]!;
    const each = use[service[c]! * resources + (k - d) / datacenters]!;
    if (leaving < 0 || each === 0) continue;
    let least = Number.POSITIVE_INFINITY;
    for (let to = 0; to < datacenters; to++) {
      const arriving = gained[c * datacenters + to]!;
      if (arriving >= 0 && isFull[to] === 0 && to !== d) least = Math.min(least, cost[arriving]!);
    }
    if (least < Number.POSITIVE_INFINITY) {
      ways.push({ cost: (cost[leaving]! + least) / each, load: upper[leaving]! * each });
    }
  }
  ways.sort((a, b) => a.cost - b.cost);
  let [price, rest] = [0, excess];
  for (const way of ways) {
    price = way.cost;
    rest -= way.load;
    if (rest <= 0) break;
  }
  return Math.max(0, price);
}
