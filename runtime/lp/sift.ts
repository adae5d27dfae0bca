/** Solves a program with many more columns than rows by a part of its columns: those that prices say may be used, then
 *  those that the part's own prices would have, until there are none (sifting: Bixby and others, 1992). The answer is
 *  the whole program's: its duals leave no column out that could better it, and the certificate looks at all of them.
 *  An engine holds, scales and prices an eighth of the program; at 240,000 columns that is most of its time and memory. */

import type { EngineAnswer, LinearProgram, RowPrices, SolveProgram } from './problem.ts';
import { atLower, type Basis, basisAt } from './start.ts';

/** An engine that starts from a basis and tells the one it ends with; null where it has none. */
export type SolveFrom = (program: LinearProgram, basis: Basis) => { answer: EngineAnswer; basis: Basis | null };

/** Below so many columns the whole is as quick as a part. */
const columnsMin = 4000;
const partOfColumns = 1 / 8;
const roundsMax = 8;
const dualTolerance = 1e-9;

export function sifted(solveFrom: SolveFrom, fewest = columnsMin): SolveProgram {
  return (program, prices) => {
    const whole = basisAt(program, prices ?? new Float64Array(program.rowLower.length));
    if (program.cost.length >= fewest) {
      const answer = solveByParts(program, whole, solveFrom);
      if (answer) return answer;
    }
    return solveFrom(program, whole).answer;
  };
}

/** Null where the part found no answer for the whole: the whole has to be solved. */
function solveByParts(
  program: LinearProgram,
  start: Basis & { readonly reduced: Float64Array },
  solveFrom: SolveFrom,
): EngineAnswer | null {
  const { cost, lower } = program;
  const cut = quantileOf(start.reduced, partOfColumns);
  const isIn = new Uint8Array(cost.length);
  for (let j = 0; j < isIn.length; j++) {
    isIn[j] = start.columns[j] !== atLower || lower[j] !== 0 || start.reduced[j]! <= cut ? 1 : 0;
  }
  let basis: Basis = start;
  for (let round = 0; round < roundsMax; round++) {
    const { part, columnOf } = partOf(program, isIn);
    const { answer, basis: next } = solveFrom(part, {
      columns: Int32Array.from(columnOf, (j) => basis.columns[j]!),
      rows: basis.rows,
    });
    if (answer.status !== 'optimal' || !next) return null;
    const reduced = reducedAt(program, answer.rowDuals);
    let wanted = 0;
    for (let j = 0; j < isIn.length; j++) {
      if (isIn[j] === 1 || reduced[j]! >= -dualTolerance) continue;
      isIn[j] = 1;
      wanted += 1;
    }
    if (wanted === 0) {
      const columns = new Float64Array(cost.length);
      for (let p = 0; p < columnOf.length; p++) columns[columnOf[p]!] = answer.columns[p]!;
      return { ...answer, columns };
    }
    const columns = new Int32Array(cost.length); // all at their lower bounds
    for (let p = 0; p < columnOf.length; p++) columns[columnOf[p]!] = next.columns[p]!;
    basis = { columns, rows: next.rows };
  }
  return null;
}

/** The program of the columns that are in; [its column] the whole's. Those left out are 0. */
function partOf(program: LinearProgram, isIn: Uint8Array): { part: LinearProgram; columnOf: Uint32Array } {
  const { rowStart, columnIndex, value } = program;
  const place = new Int32Array(isIn.length).fill(-1);
  let count = 0;
  for (let j = 0; j < isIn.length; j++) if (isIn[j] === 1) place[j] = count++;
  const columnOf = new Uint32Array(count);
  for (let j = 0; j < isIn.length; j++) if (place[j]! >= 0) columnOf[place[j]!] = j;
  let entries = 0;
  for (let k = 0; k < columnIndex.length; k++) entries += isIn[columnIndex[k]!]!;
  const partStart = new Uint32Array(rowStart.length);
  const partIndex = new Uint32Array(entries);
  const partValue = new Float64Array(entries);
  let at = 0;
  for (let r = 0; r + 1 < rowStart.length; r++) {
    for (let k = rowStart[r]!; k < rowStart[r + 1]!; k++) {
      const to = place[columnIndex[k]!]!;
      if (to < 0) continue;
      partIndex[at] = to;
      partValue[at++] = value[k]!;
    }
    partStart[r + 1] = at;
  }
  const taken = (values: Float64Array): Float64Array => {
    const some = new Float64Array(count);
    for (let p = 0; p < count; p++) some[p] = values[columnOf[p]!]!;
    return some;
  };
  const part: LinearProgram = {
    cost: taken(program.cost),
    lower: taken(program.lower),
    upper: taken(program.upper),
    rowLower: program.rowLower,
    rowUpper: program.rowUpper,
    rowStart: partStart,
    columnIndex: partIndex,
    value: partValue,
  };
  return { part, columnOf };
}

function reducedAt({ cost, rowStart, columnIndex, value }: LinearProgram, prices: RowPrices): Float64Array {
  const reduced = Float64Array.from(cost);
  for (let r = 0; r < prices.length; r++) {
    const price = prices[r]!;
    if (price === 0) continue;
    for (let k = rowStart[r]!; k < rowStart[r + 1]!; k++) reduced[columnIndex[k]!]! -= price * value[k]!;
  }
  return reduced;
}

/** About: of a thousand values evenly spaced. */
function quantileOf(values: Float64Array, share: number): number {
  const step = Math.max(1, Math.floor(values.length / 1000));
  const some = Float64Array.from({ length: Math.floor(values.length / step) }, (_, i) => values[i * step]!).sort();
  return some[Math.floor(share * some.length)]!;
}
