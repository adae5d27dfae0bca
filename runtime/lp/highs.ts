/** HiGHS (MIT), compiled to WebAssembly: the engine that runs every epoch. The only file that names it.
 *  One model is kept and takes one program after the other, each from a basis made of prices (`start.ts`): a basis that is
 *  optimal for the epoch before is a few dual steps from the next optimum. Where it leads nowhere, the program is solved
 *  again from scratch, so that where a solve begins can cost time and nothing else.
 *  Presolve is off because it costs more than it saves here (measured), and the dual tolerance is tight because the costs
 *  carry a tie-break that a looser one would not see. */

import highsModule, { type RawModelApi } from 'highs';
import type { EngineAnswer, LinearProgram } from './problem.ts';
import type { Question } from './sift.ts';

// The package's types describe its CommonJS build; the ES module that Node loads exports the loader itself.
const loadHighs = highsModule as unknown as typeof highsModule.default;

const options = {
  output_flag: false,
  solver: 'simplex',
  presolve: 'off',
  primal_feasibility_tolerance: 1e-9,
  dual_feasibility_tolerance: 1e-9,
} as const;

export async function openHighs(): Promise<(question: Question) => EngineAnswer> {
  const highs = await loadHighs();
  const model = highs.raw.createModel();
  for (const [name, value] of Object.entries(options)) model.setOptionValue(name, value);
  const optimal = highs.constants.modelStatus.optimal;
  const kindOf = new Map<number, EngineAnswer['status']>([
    [highs.constants.modelStatus.infeasible, 'infeasible'],
    [highs.constants.modelStatus.unbounded, 'unbounded'],
  ]);
  return ({ program, basis }) => {
    pass(model, program);
    model.setBasis({ colStatus: basis.columns, rowStatus: basis.rows });
    model.run();
    if (model.getModelStatus() !== optimal) {
      model.clearSolver();
      model.run();
    }
    const code = model.getModelStatus();
    const { value: solution } = model.getSolution();
    if (code === optimal && solution) {
      return { status: 'optimal', columns: solution.colValue, rowDuals: solution.rowDual };
    }
    const status = kindOf.get(code) ?? 'failed';
    return { status, columns: new Float64Array(0), rowDuals: new Float64Array(0) };
  };
}

/** Replaces the model, its solution and its basis; options stay. */
function pass(model: RawModelApi, program: LinearProgram): void {
  const numCols = program.cost.length;
  const numRows = program.rowLower.length;
  model.passLp({
    numCols,
    numRows,
    colCost: program.cost,
    colLower: program.lower,
    colUpper: program.upper,
    rowLower: program.rowLower,
    rowUpper: program.rowUpper,
    matrix: {
      format: 'csc',
      numRows,
      numCols,
      starts: program.columnStart,
      indices: program.rowIndex,
      values: program.value,
    },
  });
}
