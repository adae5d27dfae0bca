/** The columns of few pairs, written straight into a program: what each takes of its own row, its pools and the churn.
 *  `placement.ts` asks of every column which of a dozen limits it counts in; these count in none but those. */

import type { Extension, ProgramBuilder } from './lp/builder.ts';
import { type Model, totalLoad } from './model.ts';
import type { Costs } from './objective.ts';

/** Pairs that a program is about, all others gaining nothing. */
export interface Few {
  readonly isIn: Uint8Array; // [c * D + d] 1: load may go there
  readonly isAny: Uint8Array; // [c] 1: somewhere
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
  readonly gained: Int32Array; // [c * D + d]
  readonly left: Int32Array; // [c * D + d]
  readonly movingRow: Int32Array; // [c]
}

/** Entries of a column: three of each pool; its own row, and the churn. */
const ofPool = 3;
const besidePools = 2;

export function putFew(
  lp: ProgramBuilder,
  model: Model,
  { rttCost, moveCost }: Costs,
  few: Few,
  rows: RowsOfAll,
  { gained, left, movingRow }: Places,
): void {
  const { commodities, datacenters, load, base, mayGain } = model;
  const most = mostColumns(model, few);
  const extension = lp.extend(commodities, most, most * (besidePools + ofPool * model.resources));
  const { cost, lower, upper, rowLower, rowUpper } = extension;
  let { row, column, entry } = extension;
  for (let c = 0, from = 0; c < commodities; c++, from += datacenters) {
    if (few.isAny[c] === 0) continue;
    movingRow[c] = row;
    rowLower[row] = 0;
    rowUpper[row] = 0;
    for (let d = 0, i = from; d < datacenters; d++, i++) {
      if (few.isIn[i] === 1 && mayGain[i] === 1) {
        gained[i] = column;
        cost[column] = rttCost[i]! + moveCost[i]!;
        lower[column] = 0;
        upper[column] = Math.min(load[c]!, totalLoad);
        entry = enter(extension, row, column++, entry, model, rows, c, d, 1);
      }
      if (base[i]! > 0) {
        left[i] = column;
        cost[column] = -rttCost[i]!;
        lower[column] = 0;
        upper[column] = Math.min(base[i]!, totalLoad);
        entry = enter(extension, row, column++, entry, model, rows, c, d, -1);
      }
    }
    row += 1;
  }
  lp.extended(row, column, entry);
}

function mostColumns({ commodities, datacenters, base }: Model, { isIn, isAny }: Few): number {
  let most = 0;
  for (let c = 0, i = 0; c < commodities; c++) {
    if (isAny[c] === 0) i += datacenters;
    else for (let d = 0; d < datacenters; d++, i++) most += isIn[i]! + (base[i]! > 0 ? 1 : 0);
  }
  return most;
}

/** Returns where the next entry goes. */
function enter(
  { ownRow, columnStart, rowIndex, value }: Extension,
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
