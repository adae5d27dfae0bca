/** From prices to a basis: where simplex should begin, told by what the limits cost an epoch ago.
 *
 *  At given prices every block is settled (`blocks.ts`). A row of all that has a price is tight, so a column more is basic
 *  for it: the one that is most nearly as cheap as the basic one of its block, chosen so that the basis is regular. With
 *  the exact prices of an optimum that is an optimal basis again; with those of an epoch ago, a few steps from it. So a
 *  few dozen numbers carry what a basis of thousands of rows would, and they fit whatever columns the next program has.
 *  Declined: the engine's own basis, matched by keys. In delta form what was gained last epoch is base in the next, and
 *  the old basis fits nothing. */

import { blocksOf, settledAt } from './blocks.ts';
import { quantileOf } from './near-columns.ts';
import type { LinearProgram, RowPrices } from './problem.ts';

/** As HiGHS numbers them. */
const atLower = 0;
const basic = 1;
const atUpper = 2;

export interface Basis {
  readonly columns: Int32Array; // [column] atLower, basic or atUpper
  readonly rows: Int32Array; // [row] the same of its activity; as many are basic in both as there are rows
}

const singular = 1e-7;

export function basisAt(program: LinearProgram, prices: RowPrices): Basis {
  const { reduced, basicOf } = settledAt(program, blocksOf(program), prices);
  const columns = new Int32Array(program.cost.length);
  const rows = new Int32Array(program.rowLower.length).fill(basic);
  for (let j = 0; j < columns.length; j++)
    if (reduced[j]! < 0 && Number.isFinite(program.upper[j]!)) columns[j] = atUpper;
  for (let r = 0; r < rows.length; r++) {
    if (basicOf[r]! < 0) continue;
    columns[basicOf[r]!] = basic;
    rows[r] = atLower;
  }
  defineSums(program, columns, rows);
  makeTight(program, prices, reduced, basicOf, columns, rows);
  return { columns, rows };
}

/** An equation of all edges that defines a column without a cost has that one basic. */
function defineSums(program: LinearProgram, columns: Int32Array, rows: Int32Array): void {
  const { columnStart, rowIndex, rowLower, rowUpper, cost, lower, upper, ownRow } = program;
  for (let j = 0; j < columns.length; j++) {
    if (ownRow[j]! >= 0 || cost[j] !== 0 || lower[j] === upper[j]) continue;
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) {
      const r = rowIndex[k]!;
      if (rowLower[r] !== rowUpper[r] || rows[r] !== basic) continue;
      columns[j] = basic;
      rows[r] = atLower;
      break;
    }
  }
}

/** Gives each row that has a price a basic column in place of its slack. */
function makeTight(
  program: LinearProgram,
  prices: RowPrices,
  reduced: Float64Array,
  basicOf: Int32Array,
  columns: Int32Array,
  rows: Int32Array,
): void {
  const { columnStart, rowIndex, value, ownRow } = program;
  const tight: number[] = [];
  const tightAt = new Int32Array(rows.length).fill(-1);
  for (let r = 0; r < rows.length; r++) if (rows[r] === basic && prices[r] !== 0) tightAt[r] = tight.push(r) - 1;
  const width = tight.length;
  if (width === 0) return;
  /** Adds `times` the column's entries to `vector` [tight row]. */
  const addTo = (vector: Float64Array, j: number, times: number): void => {
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) {
      const t = tightAt[rowIndex[k]!]!;
      if (t >= 0) vector[t]! += times * value[k]!;
    }
  };
  const echelon: { readonly pivot: number; readonly row: Float64Array }[] = [];
  for (const j of nearestToBasic(reduced, (j) => columns[j] === basic, 8 * width)) {
    if (echelon.length === width) break;
    const vector = new Float64Array(width);
    addTo(vector, j, 1);
    const other = ownRow[j]! >= 0 ? basicOf[ownRow[j]!]! : -1;
    if (other >= 0) addTo(vector, other, -value[columnStart[j]!]! / value[columnStart[other]!]!);
    for (const { pivot, row } of echelon) {
      const factor = vector[pivot]! / row[pivot]!;
      if (factor !== 0) for (let t = 0; t < width; t++) vector[t]! -= factor * row[t]!;
    }
    let pivot = 0;
    for (let t = 1; t < width; t++) if (Math.abs(vector[t]!) > Math.abs(vector[pivot]!)) pivot = t;
    if (Math.abs(vector[pivot]!) < singular) continue;
    echelon.push({ pivot, row: vector });
    columns[j] = basic;
    rows[tight[pivot]!] = prices[tight[pivot]!]! > 0 ? atLower : atUpper;
  }
}

/** At least `count` columns (where there are as many) that are not out and have the least to win or lose, least first. */
export function nearestToBasic(reduced: Float64Array, isOut: (j: number) => boolean, count: number): number[] {
  for (let within = quantileOf(reduced, Math.min(1, (2 * count) / reduced.length)); ; within = 4 * within + 1e-6) {
    const found: number[] = [];
    let isAll = true;
    for (let j = 0; j < reduced.length; j++) {
      if (!(Math.abs(reduced[j]!) <= within)) isAll = false;
      else if (!isOut(j)) found.push(j);
    }
    if (found.length < count && !isAll && within < Number.POSITIVE_INFINITY) continue;
    return found.sort((a, b) => Math.abs(reduced[a]!) - Math.abs(reduced[b]!) || a - b).slice(0, 4 * count);
  }
}
