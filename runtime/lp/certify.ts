/** A solver's status is an opinion. This file recomputes, from the program alone, that the point is feasible and that
 *  weak duality leaves nothing to gain: for any row duals y, `sum(bound of row at y) + sum(bound of column at c - A'y)`
 *  is a lower bound of the minimum (every column has finite bounds, so the bound is always finite). */

import { activitiesOf, type EngineAnswer, type LinearProgram, reducedCosts } from './problem.ts';
import { Scratch } from './scratch.ts';

export type Certificate =
  | { readonly kind: 'certified'; readonly objective: number; readonly relativeGap: number }
  | { readonly kind: 'refuted'; readonly why: string };

/** Largest violation of a bound or row, in the program's own units (a thousandth of the load is 1). */
const violationMax = 1e-6;
const relativeGapMax = 1e-7;

/** Who finds an answer and who takes it both ask; it is looked at once. */
export function certify(program: LinearProgram, answer: EngineAnswer): Certificate {
  if (last?.answer === answer && last.program === program) return last.certificate;
  last = { program, answer, certificate: judge(program, answer) };
  return last.certificate;
}

/** Programs and answers are changed by nobody. */
let last: { readonly program: LinearProgram; readonly answer: EngineAnswer; readonly certificate: Certificate } | null =
  null;

function judge(program: LinearProgram, answer: EngineAnswer): Certificate {
  if (answer.status !== 'optimal') return { kind: 'refuted', why: `status ${answer.status}` };
  const { columns, rowDuals } = answer;
  if (columns.length !== program.cost.length || rowDuals.length !== program.rowLower.length) {
    return { kind: 'refuted', why: 'answer of another size' };
  }
  const { violation, objective, bound } = measured(program, columns, rowDuals);
  if (!(violation <= violationMax)) return { kind: 'refuted', why: `a limit is missed by ${violation}` };
  const relativeGap = (objective - bound) / Math.max(1, Math.abs(objective));
  if (!(relativeGap <= relativeGapMax)) return { kind: 'refuted', why: `duality gap ${relativeGap}` };
  return { kind: 'certified', objective, relativeGap };
}

/** `worstViolation`, `objectiveOf` and `dualBound`, the same sums in one pass over the program. */
function measured(
  { cost, lower, upper, rowLower, rowUpper, columnStart, rowIndex, value }: LinearProgram,
  columns: Float64Array,
  rowDuals: Float64Array,
): { readonly violation: number; readonly objective: number; readonly bound: number } {
  scratch.begin();
  const activity = scratch.doubles(rowDuals.length);
  const counted = scratch.doubles(rowDuals.length);
  let [violation, objective] = [0, 0];
  let bound = boundOfRows(rowDuals, rowLower, rowUpper, counted);
  for (let j = 0; j < columns.length; j++) {
    const amount = columns[j]!;
    let rest = cost[j]!;
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) {
      const r = rowIndex[k]!;
      activity[r]! += value[k]! * amount;
      rest -= counted[r]! * value[k]!;
    }
    objective += cost[j]! * amount;
    violation = Math.max(violation, lower[j]! - amount, amount - upper[j]!);
    if (rest !== 0) bound += rest * (rest > 0 ? lower[j]! : upper[j]!);
  }
  for (let r = 0; r < activity.length; r++)
    violation = Math.max(violation, rowLower[r]! - activity[r]!, activity[r]! - rowUpper[r]!);
  return { violation, objective, bound };
}

/** By how much two engines that both claim the minimum differ about it, relative; null where one does not claim it. */
export function disagreement(program: LinearProgram, one: EngineAnswer, other: EngineAnswer): number | null {
  if (one.status !== 'optimal' || other.status !== 'optimal') return null;
  const [a, b] = [objectiveOf(program, one.columns), objectiveOf(program, other.columns)];
  return Math.abs(a - b) / Math.max(1, Math.abs(a), Math.abs(b));
}

export function objectiveOf(program: LinearProgram, columns: Float64Array): number {
  const { cost } = program;
  let sum = 0;
  for (let j = 0; j < columns.length; j++) sum += cost[j]! * columns[j]!;
  return sum;
}

/** NaN where a value is not a number. */
export function worstViolation(program: LinearProgram, columns: Float64Array): number {
  const { lower, upper, rowLower, rowUpper } = program;
  const ofColumns = worstMiss(columns, lower, upper);
  const ofRows = worstMiss(activitiesOf(program, columns), rowLower, rowUpper);
  return Math.max(ofColumns, ofRows);
}

/** By how much a value is outside its bounds at most; NaN where one is not a number. */
function worstMiss(values: Float64Array, lower: Float64Array, upper: Float64Array): number {
  let worst = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const miss = Math.max(lower[i]! - value, value - upper[i]!);
    if (!(miss <= worst)) worst = miss;
    if (Number.isNaN(worst)) return worst;
  }
  return worst;
}

const scratch = new Scratch();

/** A lower bound of the minimum, whatever `rowDuals` are: duals of the wrong sign for a one-sided row count as zero. */
export function dualBound(program: LinearProgram, rowDuals: Float64Array): number {
  const { lower, upper, rowLower, rowUpper } = program;
  scratch.begin();
  const counted = scratch.doubles(rowDuals.length);
  let bound = boundOfRows(rowDuals, rowLower, rowUpper, counted);
  const reduced = reducedCosts(program, counted, scratch.anyDoubles(program.cost.length));
  for (let j = 0; j < reduced.length; j++) {
    const rest = reduced[j]!;
    if (rest !== 0) bound += rest * (rest > 0 ? lower[j]! : upper[j]!);
  }
  return bound;
}

/** What the rows bring to the bound at the duals that count, which are written to `counted`, zeros at first. */
function boundOfRows(
  rowDuals: Float64Array,
  rowLower: Float64Array,
  rowUpper: Float64Array,
  counted: Float64Array,
): number {
  let bound = 0;
  for (let r = 0; r < rowDuals.length; r++) {
    const dual = rowDuals[r]!;
    const side = dual > 0 ? rowLower[r]! : rowUpper[r]!;
    if (dual === 0 || !Number.isFinite(side)) continue;
    bound += dual * side;
    counted[r] = dual;
  }
  return bound;
}
