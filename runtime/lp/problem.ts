/** A linear program in the form both engines take, and what an engine says of it. Data only: the engines live in
 *  `glpk.ts` and `highs.ts`, and nobody believes them before `certify.ts` has. */

import { doubles } from './pieces.ts';

/** minimise cost . x  subject to  rowLower <= A x <= rowUpper, lower <= x <= upper; A by columns. */
export interface LinearProgram {
  readonly cost: Float64Array; // [column]
  readonly lower: Float64Array; // [column], finite
  readonly upper: Float64Array; // [column], may be +Infinity
  readonly rowLower: Float64Array; // [row], may be -Infinity
  readonly rowUpper: Float64Array; // [row], may be +Infinity
  readonly columnStart: Int32Array; // [column + 1]
  readonly rowIndex: Int32Array; // [columnStart[j] .. columnStart[j + 1]), no duplicates
  readonly value: Float64Array; // like rowIndex
  readonly ownRow: Int32Array; // [column] the equation that is its first entry, and no other of its entries is one such; or -1
}

/** `columns` and `rowDuals` are meaningful for `optimal` only. A dual is the change of the minimum per unit of the row. */
export interface EngineAnswer {
  readonly status: 'optimal' | 'infeasible' | 'unbounded' | 'failed';
  readonly columns: Float64Array;
  readonly rowDuals: Float64Array;
}

/** [row] what a unit more of each row changes the minimum by, as far as it is known, else 0. Where to begin and no more:
 *  the answer is the same without. */
export type RowPrices = Float64Array;

/** An engine in this thread. */
export type SolveProgram = (program: LinearProgram, prices?: RowPrices) => EngineAnswer;

export type EngineName = 'highs' | 'glpk';

/** An engine somewhere: in this thread or in a worker. */
export interface Solver {
  readonly name: EngineName;
  solve(program: LinearProgram, prices?: RowPrices): Promise<EngineAnswer>;
}

/** [row] what the columns come to, `without` [column] those marked 1. */
export function activitiesOf(program: LinearProgram, columns: Float64Array, without?: Uint8Array): Float64Array {
  const { columnStart, rowIndex, value } = program;
  const activity = doubles(program.rowLower.length);
  for (let j = 0; j < columns.length; j++) {
    const amount = columns[j]!;
    if (amount === 0 || without?.[j] === 1) continue;
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) activity[rowIndex[k]!]! += value[k]! * amount;
  }
  return activity;
}

/** [column] what a unit of it costs beside what it takes of rows, at their prices. `reduced`: where to write it. */
export function reducedCosts(
  { cost, columnStart, rowIndex, value }: LinearProgram,
  prices: RowPrices,
  reduced: Float64Array = new Float64Array(cost.length),
): Float64Array {
  for (let j = 0; j < reduced.length; j++) {
    let rest = cost[j]!;
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) rest -= prices[rowIndex[k]!]! * value[k]!;
    reduced[j] = rest;
  }
  return reduced;
}
