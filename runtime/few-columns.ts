/** The columns of few pairs, written straight into a program: what each takes of its own row, its pools and the churn.
 *  `placement.ts` asks of every column which of a dozen limits it counts in; these count in none but those. */

import type { Parts, ProgramBuilder } from './lp/builder.ts';
import { type Model, totalLoad } from './model.ts';
import type { Costs } from './objective.ts';
import type { PairColumnsBuilder } from './pair-columns.ts';
import { type Standing, standingOf } from './standing.ts';

/** Pairs that a program is about, all others gaining nothing. */
export interface Few {
  readonly pairs: Int32Array; // c * D + d, ascending: load may go there
  readonly missPrice: number; // of a unit of load by which they miss a level
}

/** Rows of all that they are in, -1 where there is none. */
interface RowsOfAll {
  readonly levelRow: Int32Array; // [k]
  readonly onloadRow: Int32Array; // [k]
  readonly priceRow: Int32Array; // [k]
  readonly churnRow: Int32Array; // [s]
}

/** Where they are, filled in here. */
interface Places {
  readonly gained: PairColumnsBuilder;
  readonly left: PairColumnsBuilder;
  readonly movingRow: Int32Array; // [c]
}

/** Entries of a column: three of each pool; its own row, and the churn. */
const ofPool = 3;
const besidePools = 2;

export function putFew(
  lp: ProgramBuilder,
  model: Model,
  { rttCost, moveCost }: Costs,
  { pairs }: Few,
  rows: RowsOfAll,
  { gained, left, movingRow }: Places,
): void {
  const { datacenters, load, base } = model;
  const standing = standingOf(base, datacenters);
  const [most, mostRows] = mostColumns(pairs, standing, datacenters);
  const parts = lp.extend(mostRows, most, most * (besidePools + ofPool * model.resources));
  const { cost, lower, upper, rowLower, rowUpper } = parts;
  let { row, column, entry } = lp.next;
  for (let next = 0; next < pairs.length; row++) {
    const c = Math.floor(pairs[next]! / datacenters);
    const [from, end] = [c * datacenters, (c + 1) * datacenters];
    let there = standing.start[c]!;
    const thereEnd = standing.start[c + 1]!;
    movingRow[c] = row;
    rowLower[row] = 0;
    rowUpper[row] = 0;
    for (;;) {
      const arriving = next < pairs.length && pairs[next]! < end ? pairs[next]! : end;
      const leaving = there < thereEnd ? standing.pairs[there]! : end;
      const i = Math.min(arriving, leaving);
      if (i === end) break;
      if (arriving === i) {
        gained.put(i, column);
        cost[column] = rttCost[i]! + moveCost[i]!;
        lower[column] = 0;
        upper[column] = Math.min(load[c]!, totalLoad);
        entry = enter(parts, row, column++, entry, model, rows, c, i - from, 1);
        next += 1;
      }
      if (leaving === i) {
        left.put(i, column);
        cost[column] = -rttCost[i]!;
        lower[column] = 0;
        upper[column] = Math.min(base[i]!, totalLoad);
        entry = enter(parts, row, column++, entry, model, rows, c, i - from, -1);
        there += 1;
      }
    }
  }
  lp.extended(row, column, entry);
}

/** Columns and rows. */
function mostColumns(pairs: Int32Array, { start }: Standing, datacenters: number): readonly [number, number] {
  let columns = pairs.length;
  let rows = 0;
  for (let at = 0, last = -1; at < pairs.length; at++) {
    const c = Math.floor(pairs[at]! / datacenters);
    if (c === last) continue;
    columns += start[c + 1]! - start[c]!;
    rows += 1;
    last = c;
  }
  return [columns, rows];
}

/** Returns where the next entry goes. */
function enter(
  { ownRow, columnStart, rowIndex, value }: Parts,
  row: number,
  column: number,
  first: number,
  { service, datacenters, resources, use, churnWeight }: Model,
  { levelRow, onloadRow, priceRow, churnRow }: RowsOfAll,
  c: number,
  d: number,
  sign: 1 | -1,
): number {
  let entry = first;
  const s = service[c]!;
  ownRow[column] = row;
  columnStart[column] = entry;
  rowIndex[entry] = row;
  value[entry++] = sign;
  for (let r = 0, k = d; r < resources; r++, k += datacenters) {
    const amount = sign * use[s * resources + r]!;
    if (amount === 0) continue;
    if (levelRow[k]! >= 0) {
      rowIndex[entry] = levelRow[k]!;
      value[entry++] = amount;
    }
    if (onloadRow[k]! >= 0) {
      rowIndex[entry] = onloadRow[k]!;
      value[entry++] = amount;
    }
    if (priceRow[k]! >= 0) {
      rowIndex[entry] = priceRow[k]!;
      value[entry++] = amount;
    }
  }
  if (sign > 0 && churnRow[s]! >= 0) {
    rowIndex[entry] = churnRow[s]!;
    value[entry++] = churnWeight[c]!;
  }
  return entry;
}
