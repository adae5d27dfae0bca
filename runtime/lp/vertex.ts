/** From an engine's optimal point to the exact vertex it stands at. Two engines that find the same vertex differ in the
 *  last digits; snapped to millionths, some of those digits would show. So the vertex is computed again from what the
 *  engines do agree on, which limits are tight: free columns are solved from the tight rows by our own elimination in a
 *  fixed order. The result depends on the program and the vertex only.
 *  Nearly all of it is triangular (an edge that moves whole has one unknown, and one row that says it): rows with one
 *  unknown are solved first, unknowns in one row last, and elimination is left a core about as wide as there are
 *  datacenters. */

import { bytes, doubles } from './pieces.ts';
import { activitiesOf, type LinearProgram } from './problem.ts';

const tightness = 1e-7;
const singular = 1e-9;

/** The vertex at `point`, or null where the tight limits do not fix one (the point lies inside a face). */
export function vertexAt(program: LinearProgram, point: Float64Array): Float64Array | null {
  const { lower, upper } = program;
  const vertex = doubles(point.length); // unknowns are 0 at first
  const unknowns: number[] = [];
  for (let j = 0; j < point.length; j++) {
    if (point[j]! - lower[j]! <= tightness) vertex[j] = lower[j]!;
    else if (upper[j]! - point[j]! <= tightness) vertex[j] = upper[j]!;
    else unknowns.push(j);
  }
  const solution = solveSystem(tightRows(program, point, vertex, unknowns), unknowns.length);
  if (!solution) return null;
  for (let i = 0; i < unknowns.length; i++) vertex[unknowns[i]!] = solution[i]!;
  return vertex;
}

/** `sum(value * unknown) = rightSide`, one a tight row that has an unknown. */
interface Equation {
  readonly unknowns: number[]; // ascending
  readonly values: number[];
  readonly rightSide: number;
}

/** In the order of the rows. */
function tightRows(
  program: LinearProgram,
  point: Float64Array,
  known: Float64Array,
  unknowns: readonly number[],
): readonly Equation[] {
  const { columnStart, rowIndex, value, rowLower, rowUpper } = program;
  const activity = activitiesOf(program, point);
  const ofKnown = activitiesOf(program, known);
  const equationOf: (Equation | undefined)[] = new Array(rowLower.length);
  const isMet = bytes(rowLower.length);
  for (let i = 0; i < unknowns.length; i++) {
    const j = unknowns[i]!;
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) {
      const r = rowIndex[k]!;
      if (isMet[r] === 0) {
        isMet[r] = 1;
        const upperIsTight = Math.abs(activity[r]! - rowUpper[r]!) <= tightness;
        const lowerIsTight = Math.abs(activity[r]! - rowLower[r]!) <= tightness;
        const side = upperIsTight ? rowUpper[r]! : rowLower[r]!;
        if (upperIsTight || lowerIsTight) {
          equationOf[r] = { unknowns: [], values: [], rightSide: side - ofKnown[r]! };
        }
      }
      const equation = equationOf[r];
      if (!equation || Math.abs(value[k]!) < singular) continue;
      equation.unknowns.push(i);
      equation.values.push(value[k]!);
    }
  }
  return equationOf.filter((equation) => equation !== undefined);
}

/** [unknown]; null where the equations do not fix them all. Surplus equations are consistent at a vertex. */
function solveSystem(equations: readonly Equation[], width: number): Float64Array | null {
  const solution = doubles(width).fill(Number.NaN);
  const rowsOf = Array.from({ length: width }, (): number[] => []); // ascending
  for (const [row, { unknowns }] of equations.entries()) for (const unknown of unknowns) rowsOf[unknown]!.push(row);
  const isSpent = bytes(equations.length); // nothing more to learn from it, or kept for the end
  solveSingleRows(equations, rowsOf, isSpent, solution);
  const putOff = putOffSingleUnknowns(equations, rowsOf, isSpent, solution);
  const isPutOff = bytes(width);
  for (const { unknown } of putOff) isPutOff[unknown] = 1;
  const core: number[] = [];
  for (let i = 0; i < width; i++) if (Number.isNaN(solution[i]!) && isPutOff[i] === 0) core.push(i);
  const rows = equations.filter((_, row) => isSpent[row] === 0);
  const coreSolution = eliminate(denseRows(rows, core, solution), core.length);
  if (!coreSolution) return null;
  core.forEach((unknown, i) => {
    solution[unknown] = coreSolution[i]!;
  });
  for (const { unknown, row } of putOff.reverse()) solution[unknown] = solvedFor(unknown, equations[row]!, solution);
  return solution;
}

/** Rows with one unknown left, first come first served. */
function solveSingleRows(
  equations: readonly Equation[],
  rowsOf: readonly (readonly number[])[],
  isSpent: Uint8Array,
  solution: Float64Array,
): void {
  const open = equations.map(({ unknowns }) => unknowns.length);
  const queue: number[] = [];
  open.forEach((count, row) => {
    if (count === 1) queue.push(row);
  });
  for (let next = 0; next < queue.length; next++) {
    const row = queue[next]!;
    isSpent[row] = 1;
    const unknown = equations[row]!.unknowns.find((candidate) => Number.isNaN(solution[candidate]!));
    if (unknown === undefined) continue; // a surplus row
    solution[unknown] = solvedFor(unknown, equations[row]!, solution);
    for (const other of rowsOf[unknown]!) {
      open[other]! -= 1;
      if (open[other] === 1 && isSpent[other] === 0) queue.push(other);
      else if (open[other] === 0) isSpent[other] = 1;
    }
  }
}

/** Unknowns that a single row still speaks of: whatever the others turn out to be, that row gives them. */
function putOffSingleUnknowns(
  equations: readonly Equation[],
  rowsOf: readonly (readonly number[])[],
  isSpent: Uint8Array,
  solution: Float64Array,
): { readonly unknown: number; readonly row: number }[] {
  const open = rowsOf.map((rows) => rows.reduce((count, row) => count + (isSpent[row] === 0 ? 1 : 0), 0));
  const queue: number[] = [];
  open.forEach((count, unknown) => {
    if (count === 1 && Number.isNaN(solution[unknown]!)) queue.push(unknown);
  });
  const putOff: { unknown: number; row: number }[] = [];
  for (let next = 0; next < queue.length; next++) {
    const unknown = queue[next]!;
    const row = rowsOf[unknown]!.find((candidate) => isSpent[candidate] === 0);
    if (row === undefined) continue; // taken by another: this one is free, and the core will tell
    isSpent[row] = 1;
    putOff.push({ unknown, row });
    for (const other of equations[row]!.unknowns) {
      open[other]! -= 1;
      if (open[other] === 1 && other !== unknown && Number.isNaN(solution[other]!)) queue.push(other);
    }
  }
  return putOff;
}

function solvedFor(unknown: number, { unknowns, values, rightSide }: Equation, solution: Float64Array): number {
  let rest = rightSide;
  let own = 0;
  unknowns.forEach((other, k) => {
    if (other === unknown) own = values[k]!;
    else rest -= values[k]! * solution[other]!;
  });
  return rest / own;
}

/** Coefficients of the core's unknowns, then the right side less what is known. */
function denseRows(rows: readonly Equation[], core: readonly number[], solution: Float64Array): Float64Array[] {
  const placeOf = new Map(core.map((unknown, i) => [unknown, i]));
  return rows.map(({ unknowns, values, rightSide }) => {
    const dense = doubles(core.length + 1);
    let rest = rightSide;
    unknowns.forEach((unknown, k) => {
      const place = placeOf.get(unknown);
      if (place === undefined) rest -= values[k]! * solution[unknown]!;
      else dense[place] = values[k]!;
    });
    dense[core.length] = rest;
    return dense;
  });
}

/** Gauss-Jordan with partial pivoting, ties to the earlier row. */
function eliminate(equations: Float64Array[], width: number): Float64Array | null {
  for (let column = 0; column < width; column++) {
    let pivot = -1;
    for (let r = column; r < equations.length; r++) {
      if (pivot < 0 || Math.abs(equations[r]![column]!) > Math.abs(equations[pivot]![column]!)) pivot = r;
    }
    if (pivot < 0 || Math.abs(equations[pivot]![column]!) < singular) return null;
    [equations[column], equations[pivot]] = [equations[pivot]!, equations[column]!];
    const lead = equations[column]!;
    for (let r = 0; r < equations.length; r++) {
      const row = equations[r]!;
      const factor = row[column]! / lead[column]!;
      if (r === column || factor === 0) continue;
      for (let c = column; c <= width; c++) row[c]! -= factor * lead[c]!;
    }
  }
  return Float64Array.from({ length: width }, (_, i) => equations[i]![width]! / equations[i]![i]!);
}
