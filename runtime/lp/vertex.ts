/** From an engine's optimal point to the exact vertex it stands at. Two engines that find the same vertex differ in the
 *  last digits; snapped to millionths, some of those digits would show. So the vertex is computed again from what the
 *  engines do agree on, which limits are tight: free columns are solved from the tight rows by our own elimination in a
 *  fixed order. The result depends on the program and the vertex only.
 *  Nearly all of it is triangular (an edge that moves whole has one unknown, and one row that says it): rows with one
 *  unknown are solved first, unknowns in one row last, and elimination is left a core about as wide as there are
 *  datacenters. */

import { doubles } from './pieces.ts';
import { activitiesOf, type LinearProgram } from './problem.ts';
import { Scratch } from './scratch.ts';

const tightness = 1e-7;
const singular = 1e-9;

const scratch = new Scratch();

/** The vertex at `point`, or null where the tight limits do not fix one (the point lies inside a face). */
export function vertexAt(program: LinearProgram, point: Float64Array): Float64Array | null {
  scratch.begin();
  const { lower, upper } = program;
  const vertex = doubles(point.length); // unknowns are 0 at first
  const unknowns = scratch.anyIntegers(point.length);
  let width = 0;
  for (let j = 0; j < point.length; j++) {
    if (point[j]! - lower[j]! <= tightness) vertex[j] = lower[j]!;
    else if (upper[j]! - point[j]! <= tightness) vertex[j] = upper[j]!;
    else unknowns[width++] = j;
  }
  const solution = solveSystem(tightRows(program, point, vertex, unknowns.subarray(0, width)), width);
  if (!solution) return null;
  for (let i = 0; i < width; i++) vertex[unknowns[i]!] = solution[i]!;
  return vertex;
}

/** Equations `sum(value * unknown) = rightSide`, one a tight row that has an unknown, in the order of the rows. */
interface System {
  readonly count: number;
  readonly start: Int32Array; // [equation + 1] into the two that follow
  readonly unknowns: Int32Array; // ascending
  readonly values: Float64Array;
  readonly rightSide: Float64Array; // [equation]
  readonly startOf: Int32Array; // [unknown + 1] into the one that follows
  readonly equationsOf: Int32Array; // ascending
}

function tightRows(program: LinearProgram, point: Float64Array, known: Float64Array, columns: Int32Array): System {
  const { columnStart, rowIndex, value, rowLower, rowUpper } = program;
  const activity = activitiesOf(program, point);
  const ofKnown = activitiesOf(program, known);
  const width = columns.length;
  const hasUnknown = scratch.bytes(rowLower.length);
  for (let i = 0; i < width; i++) {
    const j = columns[i]!;
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) hasUnknown[rowIndex[k]!] = 1;
  }
  const equationOf = scratch.anyIntegers(rowLower.length); // [row] -1 where it is none
  const rightSide = scratch.anyDoubles(rowLower.length);
  let count = 0;
  for (let r = 0; r < rowLower.length; r++) {
    equationOf[r] = -1;
    if (hasUnknown[r] === 0) continue;
    const upperIsTight = Math.abs(activity[r]! - rowUpper[r]!) <= tightness;
    const lowerIsTight = Math.abs(activity[r]! - rowLower[r]!) <= tightness;
    if (!upperIsTight && !lowerIsTight) continue;
    rightSide[count] = (upperIsTight ? rowUpper[r]! : rowLower[r]!) - ofKnown[r]!;
    equationOf[r] = count++;
  }
  const start = scratch.integers(count + 1);
  const startOf = scratch.integers(width + 1);
  for (let i = 0; i < width; i++) {
    const j = columns[i]!;
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) {
      const equation = equationOf[rowIndex[k]!]!;
      if (equation < 0 || Math.abs(value[k]!) < singular) continue;
      start[equation + 1]! += 1;
      startOf[i + 1]! += 1;
    }
  }
  for (let equation = 0; equation < count; equation++) start[equation + 1]! += start[equation]!;
  for (let i = 0; i < width; i++) startOf[i + 1]! += startOf[i]!;
  const unknowns = scratch.anyIntegers(start[count]!);
  const values = scratch.anyDoubles(start[count]!);
  const next = scratch.anyIntegers(Math.max(count, width));
  next.set(start.subarray(0, count));
  for (let i = 0; i < width; i++) {
    const j = columns[i]!;
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) {
      const equation = equationOf[rowIndex[k]!]!;
      if (equation < 0 || Math.abs(value[k]!) < singular) continue;
      const at = next[equation]!++;
      unknowns[at] = i;
      values[at] = value[k]!;
    }
  }
  const equationsOf = scratch.anyIntegers(start[count]!);
  next.set(startOf.subarray(0, width));
  for (let equation = 0; equation < count; equation++) {
    for (let at = start[equation]!; at < start[equation + 1]!; at++) equationsOf[next[unknowns[at]!]!++] = equation;
  }
  return { count, start, unknowns, values, rightSide, startOf, equationsOf };
}

/** [unknown]; null where the equations do not fix them all. Surplus equations are consistent at a vertex. */
function solveSystem(system: System, width: number): Float64Array | null {
  const { count } = system;
  const solution = scratch.anyDoubles(width).fill(Number.NaN);
  const isSpent = scratch.bytes(count); // nothing more to learn from it, or kept for the end
  solveSingleRows(system, isSpent, solution);
  const putOff = putOffSingleUnknowns(system, width, isSpent, solution);
  const placeOf = scratch.anyIntegers(width).fill(-1); // in the core
  const isPutOff = scratch.bytes(width);
  for (const { unknown } of putOff) isPutOff[unknown] = 1;
  let core = 0;
  for (let i = 0; i < width; i++) if (Number.isNaN(solution[i]!) && isPutOff[i] === 0) placeOf[i] = core++;
  const coreSolution = solveCore(system, isSpent, placeOf, core, solution);
  if (!coreSolution) return null;
  for (let i = 0; i < width; i++) if (placeOf[i]! >= 0) solution[i] = coreSolution[placeOf[i]!]!;
  for (const { unknown, equation } of putOff.reverse())
    solution[unknown] = solvedFor(system, unknown, equation, solution);
  return solution;
}

/** Equations with one unknown left, first come first served. */
function solveSingleRows(system: System, isSpent: Uint8Array, solution: Float64Array): void {
  const { count, start, unknowns, startOf, equationsOf } = system;
  const open = scratch.anyIntegers(count);
  const queue = scratch.anyIntegers(count);
  let queued = 0;
  for (let equation = 0; equation < count; equation++) {
    open[equation] = start[equation + 1]! - start[equation]!;
    if (open[equation] === 1) queue[queued++] = equation;
  }
  for (let next = 0; next < queued; next++) {
    const equation = queue[next]!;
    isSpent[equation] = 1;
    let at = start[equation]!;
    const end = start[equation + 1]!;
    while (at < end && !Number.isNaN(solution[unknowns[at]!]!)) at += 1;
    if (at === end) continue; // a surplus one
    const unknown = unknowns[at]!;
    solution[unknown] = solvedFor(system, unknown, equation, solution);
    for (let entry = startOf[unknown]!; entry < startOf[unknown + 1]!; entry++) {
      const other = equationsOf[entry]!;
      open[other]! -= 1;
      if (open[other] === 1 && isSpent[other] === 0) queue[queued++] = other;
      else if (open[other] === 0) isSpent[other] = 1;
    }
  }
}

/** Unknowns that a single equation still speaks of: whatever the others turn out to be, that one gives them. */
function putOffSingleUnknowns(
  { start, unknowns, startOf, equationsOf }: System,
  width: number,
  isSpent: Uint8Array,
  solution: Float64Array,
): { readonly unknown: number; readonly equation: number }[] {
  const open = scratch.integers(width);
  const queue = scratch.anyIntegers(width);
  let queued = 0;
  for (let i = 0; i < width; i++) {
    for (let entry = startOf[i]!; entry < startOf[i + 1]!; entry++)
      if (isSpent[equationsOf[entry]!] === 0) open[i]! += 1;
    if (open[i] === 1 && Number.isNaN(solution[i]!)) queue[queued++] = i;
  }
  const putOff: { unknown: number; equation: number }[] = [];
  for (let next = 0; next < queued; next++) {
    const unknown = queue[next]!;
    let entry = startOf[unknown]!;
    while (entry < startOf[unknown + 1]! && isSpent[equationsOf[entry]!] === 1) entry += 1;
    if (entry === startOf[unknown + 1]!) continue; // taken by another: this one is free, and the core will tell
    const equation = equationsOf[entry]!;
    isSpent[equation] = 1;
    putOff.push({ unknown, equation });
    for (let at = start[equation]!; at < start[equation + 1]!; at++) {
      const other = unknowns[at]!;
      open[other]! -= 1;
      if (open[other] === 1 && other !== unknown && Number.isNaN(solution[other]!)) queue[queued++] = other;
    }
  }
  return putOff;
}

function solvedFor(
  { start, unknowns, values, rightSide }: System,
  unknown: number,
  equation: number,
  solution: Float64Array,
): number {
  let rest = rightSide[equation]!;
  let own = 0;
  for (let at = start[equation]!; at < start[equation + 1]!; at++) {
    if (unknowns[at] === unknown) own = values[at]!;
    else rest -= values[at]! * solution[unknowns[at]!]!;
  }
  return rest / own;
}

/** [place] of the unknowns that have one, from the equations that are not spent; null where those do not fix them. */
function solveCore(
  { count, start, unknowns, values, rightSide }: System,
  isSpent: Uint8Array,
  placeOf: Int32Array,
  width: number,
  solution: Float64Array,
): Float64Array | null {
  const stride = width + 1; // coefficients, then the right side less what is known
  let rows = 0;
  for (let equation = 0; equation < count; equation++) if (isSpent[equation] === 0) rows += 1;
  const dense = scratch.doubles(rows * stride);
  for (let equation = 0, from = 0; equation < count; equation++) {
    if (isSpent[equation] === 1) continue;
    let rest = rightSide[equation]!;
    for (let at = start[equation]!; at < start[equation + 1]!; at++) {
      const place = placeOf[unknowns[at]!]!;
      if (place < 0) rest -= values[at]! * solution[unknowns[at]!]!;
      else dense[from + place] = values[at]!;
    }
    dense[from + width] = rest;
    from += stride;
  }
  return eliminate(dense, rows, width);
}

/** Gauss-Jordan with partial pivoting, ties to the earlier row. */
function eliminate(dense: Float64Array, rows: number, width: number): Float64Array | null {
  const stride = width + 1;
  const at = scratch.anyIntegers(rows); // [row] where it begins
  for (let r = 0; r < rows; r++) at[r] = r * stride;
  for (let column = 0; column < width; column++) {
    let pivot = -1;
    let largest = -1;
    for (let r = column; r < rows; r++) {
      const size = Math.abs(dense[at[r]! + column]!);
      if (pivot >= 0 && !(size > largest)) continue;
      pivot = r;
      largest = size;
    }
    if (pivot < 0 || largest < singular) return null;
    const lead = at[pivot]!;
    at[pivot] = at[column]!;
    at[column] = lead;
    for (let r = 0; r < rows; r++) {
      const row = at[r]!;
      const factor = dense[row + column]! / dense[lead + column]!;
      if (r === column || factor === 0) continue;
      for (let c = column; c <= width; c++) dense[row + c]! -= factor * dense[lead + c]!;
    }
  }
  const solution = scratch.anyDoubles(width);
  for (let i = 0; i < width; i++) solution[i] = dense[at[i]! + width]! / dense[at[i]! + i]!;
  return solution;
}
