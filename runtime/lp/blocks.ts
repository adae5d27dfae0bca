/** Nearly every row of our programs belongs to one edge and says that what leaves it arrives; a few dozen belong to all of
 *  them (levels, guards). The columns of one such own row are a block. Given prices for the rows of all, every block by
 *  itself is trivial: its cheapest columns, one of them basic. */

import type { LinearProgram, RowPrices } from './problem.ts';
import type { Scratch } from './scratch.ts';

/** Columns by their own rows. */
export interface Blocks {
  readonly start: Int32Array; // [row + 1] into `columns`; empty for rows of all
  readonly columns: Int32Array; // ascending within a block
}

export function blocksOf({ ownRow, rowLower }: LinearProgram, scratch?: Scratch): Blocks {
  const integers = (length: number): Int32Array => scratch?.integers(length) ?? new Int32Array(length);
  const start = integers(rowLower.length + 1);
  for (let j = 0; j < ownRow.length; j++) if (ownRow[j]! >= 0) start[ownRow[j]! + 1]! += 1;
  for (let r = 0; r < rowLower.length; r++) start[r + 1]! += start[r]!;
  const columns = integers(start[rowLower.length]!);
  const next = integers(start.length);
  next.set(start);
  for (let j = 0; j < ownRow.length; j++) if (ownRow[j]! >= 0) columns[next[ownRow[j]!]!++] = j;
  return { start, columns };
}

/** Every block at its cheapest. */
export interface Settled {
  readonly prices: RowPrices; // the given ones, and those of the own rows at which they are met
  readonly reduced: Float64Array; // [column] what a unit of it costs at all these prices
  readonly basicOf: Int32Array; // [own row] its basic column; -1 of other rows, and where a row cannot be met
}

/** `keeps` [row] not 0: an own row whose given price stands, without a basic column. `reduced`: where to write those. */
export function settledAt(
  program: LinearProgram,
  blocks: Blocks,
  given: RowPrices,
  keeps: Uint8Array | Int32Array | null = null,
  reduced: Float64Array = new Float64Array(program.cost.length),
): Settled {
  const { columnStart, value, rowLower, ownRow } = program;
  const prices = given.slice();
  const basicOf = new Int32Array(rowLower.length).fill(-1);
  for (let j = 0; j < ownRow.length; j++) if (ownRow[j]! < 0) reduced[j] = restOf(program, prices, j, columnStart[j]!);
  for (let r = 0; r < rowLower.length; r++) {
    const [from, to] = [blocks.start[r]!, blocks.start[r + 1]!];
    if (to === from) continue;
    const isKept = keeps !== null && keeps[r] !== 0;
    for (let at = from; at < to; at++) {
      const j = blocks.columns[at]!;
      reduced[j] = restOf(program, prices, j, columnStart[j]! + (isKept ? 0 : 1)); // its first entry is the own row's
    }
    if (isKept) continue;
    prices[r] = 0;
    const basic = cheapest(program, blocks.columns, from, to, rowLower[r]!, reduced);
    if (basic < 0) continue;
    basicOf[r] = basic;
    const price = reduced[basic]! / value[columnStart[basic]!]!;
    prices[r] = price;
    for (let at = from; at < to; at++) {
      const j = blocks.columns[at]!;
      reduced[j] = j === basic ? 0 : reduced[j]! - price * value[columnStart[j]!]!;
    }
  }
  return { prices, reduced, basicOf };
}

/** What a column costs beside what its entries from one on take, at their prices. */
function restOf(
  { cost, columnStart, rowIndex, value }: LinearProgram,
  prices: RowPrices,
  j: number,
  from: number,
): number {
  let rest = cost[j]!;
  for (let k = from; k < columnStart[j + 1]!; k++) rest -= prices[rowIndex[k]!]! * value[k]!;
  return rest;
}

/** Walks up the prices of an own row at which a column changes its bound until the row's activity is there. Returns the
 *  column that does it, or -1. */
export function cheapest(
  { lower, upper, columnStart, value }: LinearProgram,
  columns: Int32Array,
  from: number,
  to: number,
  rightSide: number,
  reduced: Float64Array,
): number {
  if (to - from > priceAt.length) priceAt = new Float64Array(2 * (to - from));
  let activity = 0; // at a price of minus infinity
  for (let at = from; at < to; at++) {
    const j = columns[at]!;
    const own = value[columnStart[j]!]!;
    activity += own * (own > 0 ? lower[j]! : upper[j]!);
    priceAt[at - from] = reduced[j]! / own;
  }
  const wanted = rightSide - 1e-9;
  let price = Number.NEGATIVE_INFINITY;
  let last = -1;
  for (;;) {
    let next = -1;
    let nextPrice = Number.POSITIVE_INFINITY;
    for (let at = 0; at < to - from; at++) {
      const itsPrice = priceAt[at]!;
      if (itsPrice < nextPrice && (itsPrice > price || (itsPrice === price && at > last))) {
        next = at;
        nextPrice = itsPrice;
      }
    }
    if (next < 0) return -1; // it cannot be met: the engine will say so
    const j = columns[from + next]!;
    activity += Math.abs(value[columnStart[j]!]!) * (upper[j]! - lower[j]!);
    if (activity >= wanted) return j;
    price = nextPrice;
    last = next;
  }
}

/** [column of the block] the own row's price at which it changes its bound. */
let priceAt = new Float64Array(64);
