/** From an engine's optimal point to the exact vertex it stands at. Two engines that find the same vertex differ in the
 *  last digits; snapped to millionths, some of those digits would show. So the vertex is computed again from what the
 *  engines do agree on, which limits are tight: free columns are solved from the tight rows by our own elimination in a
 *  fixed order. The result depends on the program and the vertex only. */

import type { LinearProgram } from './problem.ts';

const tightness = 1e-7;
const singular = 1e-9;

/** The vertex at `point`, or null where the tight limits do not fix one (the point lies inside a face). */
export function vertexAt(program: LinearProgram, point: Float64Array): Float64Array | null {
  const vertex = new Float64Array(point.length);
  const unknownOf = new Int32Array(point.length).fill(-1);
  const unknowns: number[] = [];
  for (let j = 0; j < point.length; j++) {
    const lower = program.lower[j]!;
    const upper = program.upper[j]!;
    if (point[j]! - lower <= tightness) vertex[j] = lower;
    else if (upper - point[j]! <= tightness) vertex[j] = upper;
    else {
      unknownOf[j] = unknowns.length;
      unknowns.push(j);
    }
  }
  const equations = tightRows(program, point, vertex, unknownOf, unknowns.length);
  const solution = eliminate(equations, unknowns.length);
  if (!solution) return null;
  unknowns.forEach((column, i) => {
    vertex[column] = solution[i]!;
  });
  return vertex;
}

/** One equation a tight row that has an unknown: coefficients, then the right-hand side. */
function tightRows(
  program: LinearProgram,
  point: Float64Array,
  vertex: Float64Array,
  unknownOf: Int32Array,
  width: number,
): Float64Array[] {
  const equations: Float64Array[] = [];
  for (let r = 0; r < program.rowLower.length; r++) {
    let activity = 0;
    let known = 0;
    let hasUnknown = false;
    for (let k = program.rowStart[r]!; k < program.rowStart[r + 1]!; k++) {
      const column = program.columnIndex[k]!;
      activity += program.value[k]! * point[column]!;
      if (unknownOf[column]! < 0) known += program.value[k]! * vertex[column]!;
      else hasUnknown = true;
    }
    if (!hasUnknown) continue;
    const lowerIsTight = Math.abs(activity - program.rowLower[r]!) <= tightness;
    const upperIsTight = Math.abs(activity - program.rowUpper[r]!) <= tightness;
    if (!lowerIsTight && !upperIsTight) continue;
    const equation = new Float64Array(width + 1);
    for (let k = program.rowStart[r]!; k < program.rowStart[r + 1]!; k++) {
      const unknown = unknownOf[program.columnIndex[k]!]!;
      if (unknown >= 0) equation[unknown]! += program.value[k]!;
    }
    equation[width] = (upperIsTight ? program.rowUpper[r]! : program.rowLower[r]!) - known;
    equations.push(equation);
  }
  return equations;
}

/** Gauss-Jordan with partial pivoting, ties to the earlier row. Surplus equations are consistent at a vertex. */
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
