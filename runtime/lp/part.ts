/** The program of some of a program's columns, all others standing where they stand. What these columns cannot keep of the
 *  rows of all they may miss, at a price: then the part has an answer, and its prices call for the columns it lacks. */

import { activitiesOf, type LinearProgram } from './problem.ts';

export interface Part {
  readonly program: LinearProgram; // its columns, then what rows may be missed by
  readonly columnOf: Int32Array; // [its column] the whole's
  readonly rowOf: Int32Array; // [its row] the whole's
  readonly hasRow: Uint8Array; // [the whole's row]
}

const feasible = 1e-9;

/** Rows without a limit are left out, and so are those that are kept and no column of the part is in. `dear`: what a unit
 *  that is missed costs, times the part's dearest column. */
export function partOf(whole: LinearProgram, point: Float64Array, isIn: Uint8Array, dear: number): Part {
  const { columnStart, rowIndex, value, rowLower, rowUpper, ownRow } = whole;
  let columns = 0;
  let entries = 0;
  for (let j = 0; j < isIn.length; j++) {
    if (isIn[j] === 0) continue;
    columns += 1;
    entries += columnStart[j + 1]! - columnStart[j]!;
  }
  const columnOf = new Int32Array(columns);
  const hasRow = new Uint8Array(rowLower.length);
  for (let j = 0, p = 0; j < isIn.length; j++) {
    if (isIn[j] === 0) continue;
    columnOf[p++] = j;
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) hasRow[rowIndex[k]!] = 1;
  }
  const activity = activitiesOf(whole, point, isIn);
  const place = new Int32Array(rowLower.length);
  let rows = 0;
  for (let r = 0; r < place.length; r++) {
    if (rowLower[r] === Number.NEGATIVE_INFINITY && rowUpper[r] === Number.POSITIVE_INFINITY) hasRow[r] = 0;
    else if (activity[r]! < rowLower[r]! - feasible || activity[r]! > rowUpper[r]! + feasible) hasRow[r] = 1;
    place[r] = hasRow[r] === 1 ? rows++ : -1;
  }
  const rowOf = new Int32Array(rows);
  for (let r = 0; r < place.length; r++) if (place[r]! >= 0) rowOf[place[r]!] = r;
  const isOwn = new Uint8Array(rows);
  for (let p = 0; p < columns; p++) if (ownRow[columnOf[p]!]! >= 0) isOwn[place[ownRow[columnOf[p]!]!]!] = 1;
  let misses = 0;
  for (let p = 0; p < rows; p++) {
    if (isOwn[p] === 1) continue;
    misses += rowUpper[rowOf[p]!]! < Number.POSITIVE_INFINITY ? 1 : 0;
    misses += rowLower[rowOf[p]!]! > Number.NEGATIVE_INFINITY ? 1 : 0;
  }
  const width = columns + misses;
  const partOwn = new Int32Array(width).fill(-1);
  const partStart = new Int32Array(width + 1);
  const partRow = new Int32Array(entries + misses);
  const partValue = new Float64Array(entries + misses);
  const cost = taken(whole.cost, columnOf, width);
  const lower = taken(whole.lower, columnOf, width);
  const upper = taken(whole.upper, columnOf, width);
  let at = 0;
  let dearest = 1;
  for (let p = 0; p < columns; p++) {
    const j = columnOf[p]!;
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) {
      const to = place[rowIndex[k]!]!;
      if (to < 0) continue;
      partRow[at] = to;
      partValue[at++] = value[k]!;
    }
    partStart[p + 1] = at;
    if (ownRow[j]! >= 0) partOwn[p] = place[ownRow[j]!]!;
    dearest = Math.max(dearest, Math.abs(cost[p]!));
  }
  let next = columns;
  const mayMiss = (row: number, sign: 1 | -1): void => {
    cost[next] = dear * dearest;
    upper[next] = Number.POSITIVE_INFINITY;
    partRow[at] = row;
    partValue[at++] = sign;
    partStart[++next] = at;
  };
  for (let p = 0; p < rows; p++) {
    if (isOwn[p] === 1) continue;
    if (rowUpper[rowOf[p]!]! < Number.POSITIVE_INFINITY) mayMiss(p, -1);
    if (rowLower[rowOf[p]!]! > Number.NEGATIVE_INFINITY) mayMiss(p, 1);
  }
  const left = (sides: Float64Array): Float64Array => {
    const rest = taken(sides, rowOf, rows);
    for (let p = 0; p < rows; p++) rest[p]! -= activity[rowOf[p]!]!;
    return rest;
  };
  const program: LinearProgram = {
    cost,
    lower,
    upper,
    rowLower: left(rowLower),
    rowUpper: left(rowUpper),
    columnStart: partStart,
    rowIndex: partRow.subarray(0, at),
    value: partValue.subarray(0, at),
    ownRow: partOwn,
  };
  return { program, columnOf, rowOf, hasRow };
}

/** By how much the answer to a part misses rows. */
export function missedBy({ columnOf }: Part, answer: Float64Array): number {
  let missed = 0;
  for (let p = columnOf.length; p < answer.length; p++) missed = Math.max(missed, answer[p]!);
  return missed;
}

/** [its place] of values by the whole's places; then zeros. */
export function taken(values: Float64Array, placeOf: Int32Array, length = placeOf.length): Float64Array {
  const some = new Float64Array(length);
  for (let p = 0; p < placeOf.length; p++) some[p] = values[placeOf[p]!]!;
  return some;
}
