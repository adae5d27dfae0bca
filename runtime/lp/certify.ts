/** A solver's status is an opinion. This file recomputes, from the program alone, that the point is feasible and that
 *  weak duality leaves nothing to gain: for any row duals y, `sum(bound of row at y) + sum(bound of column at c - A'y)`
 *  is a lower bound of the minimum (every column has finite bounds, so the bound is always finite). */

import type { EngineAnswer, LinearProgram } from './problem.ts';

export type Certificate =
  | { readonly kind: 'certified'; readonly objective: number; readonly relativeGap: number }
  | { readonly kind: 'refuted'; readonly why: string };

/** Largest violation of a bound or row, in the program's own units (a thousandth of the load is 1). */
const violationMax = 1e-6;
const relativeGapMax = 1e-7;

export function certify(program: LinearProgram, answer: EngineAnswer): Certificate {
  if (answer.status !== 'optimal') return { kind: 'refuted', why: `status ${answer.status}` };
  const { columns, rowDuals } = answer;
  if (columns.length !== program.cost.length || rowDuals.length !== program.rowLower.length) {
    return { kind: 'refuted', why: 'answer of another size' };
  }
  const violation = worstViolation(program, columns);
  if (!(violation <= violationMax)) return { kind: 'refuted', why: `a limit is missed by ${violation}` };
  const objective = objectiveOf(program, columns);
  const relativeGap = (objective - dualBound(program, rowDuals)) / Math.max(1, Math.abs(objective));
  if (!(relativeGap <= relativeGapMax)) return { kind: 'refuted', why: `duality gap ${relativeGap}` };
  return { kind: 'certified', objective, relativeGap };
}

/** By how much two engines that both claim the minimum differ about it, relative; null where one does not claim it. */
export function disagreement(program: LinearProgram, one: EngineAnswer, other: EngineAnswer): number | null {
  if (one.status !== 'optimal' || other.status !== 'optimal') return null;
  const [a, b] = [objectiveOf(program, one.columns), objectiveOf(program, other.columns)];
  return Math.abs(a - b) / Math.max(1, Math.abs(a), Math.abs(b));
}

export function objectiveOf(program: LinearProgram, columns: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < columns.length; j++) sum += program.cost[j]! * columns[j]!;
  return sum;
}

/** NaN where a value is not a number. */
export function worstViolation(program: LinearProgram, columns: Float64Array): number {
  let worst = 0;
  const note = (value: number, lower: number, upper: number): void => {
    const miss = Math.max(lower - value, value - upper);
    if (!(miss <= worst)) worst = miss;
  };
  for (let j = 0; j < columns.length; j++) note(columns[j]!, program.lower[j]!, program.upper[j]!);
  for (let r = 0; r < program.rowLower.length; r++) {
    note(rowActivity(program, r, columns), program.rowLower[r]!, program.rowUpper[r]!);
  }
  return worst;
}

function rowActivity(program: LinearProgram, row: number, columns: Float64Array): number {
  let sum = 0;
  for (let k = program.rowStart[row]!; k < program.rowStart[row + 1]!; k++) {
    sum += program.value[k]! * columns[program.columnIndex[k]!]!;
  }
  return sum;
}

/** A lower bound of the minimum, whatever `rowDuals` are: duals of the wrong sign for a one-sided row count as zero. */
export function dualBound(program: LinearProgram, rowDuals: Float64Array): number {
  const reduced = Float64Array.from(program.cost);
  let bound = 0;
  for (let r = 0; r < rowDuals.length; r++) {
    const dual = rowDuals[r]!;
    const side = dual > 0 ? program.rowLower[r]! : program.rowUpper[r]!;
    if (dual === 0 || !Number.isFinite(side)) continue;
    bound += dual * side;
    for (let k = program.rowStart[r]!; k < program.rowStart[r + 1]!; k++) {
      reduced[program.columnIndex[k]!]! -= dual * program.value[k]!;
    }
  }
  for (let j = 0; j < reduced.length; j++) {
    const side = reduced[j]! > 0 ? program.lower[j]! : program.upper[j]!;
    if (reduced[j] !== 0) bound += reduced[j]! * side;
  }
  return bound;
}
