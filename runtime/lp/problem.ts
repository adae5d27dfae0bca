/** A linear program in the form both engines take, and what an engine says of it. Data only: the engines live in
 *  `glpk.ts` and `highs.ts`, and nobody believes them before `certify.ts` has. */

/** minimise cost . x  subject to  rowLower <= A x <= rowUpper, lower <= x <= upper; A by rows. */
export interface LinearProgram {
  readonly cost: Float64Array; // [column]
  readonly lower: Float64Array; // [column], finite
  readonly upper: Float64Array; // [column], may be +Infinity
  readonly rowLower: Float64Array; // [row], may be -Infinity
  readonly rowUpper: Float64Array; // [row], may be +Infinity
  readonly rowStart: Uint32Array; // [row + 1]
  readonly columnIndex: Uint32Array; // [rowStart[r] .. rowStart[r + 1]), ascending, no duplicates
  readonly value: Float64Array; // like columnIndex
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
