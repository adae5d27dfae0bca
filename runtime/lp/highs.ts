/** HiGHS (MIT), compiled to WebAssembly: the engine that runs every epoch. The only file that names it.
 *  A model is made and disposed for each solve, so that an answer depends on its program alone; presolve is off because
 *  it costs more than it saves on a thousand columns (measured), and the dual tolerance is tight because the costs carry
 *  a tie-break that a looser one would not see. */

import highsModule, { type Highs } from 'highs';
import type { EngineAnswer, LinearProgram } from './problem.ts';

export type SolveProgram = (program: LinearProgram) => EngineAnswer;

// The package's types describe its CommonJS build; the ES module that Node loads exports the loader itself.
const loadHighs = highsModule as unknown as typeof highsModule.default;

export async function openHighs(): Promise<SolveProgram> {
  const highs = await loadHighs();
  return (program) => solveWithHighs(highs, program);
}

function solveWithHighs(highs: Highs, program: LinearProgram): EngineAnswer {
  const numCols = program.cost.length;
  const numRows = program.rowLower.length;
  const status = highs.constants.modelStatus;
  return highs.withModel(
    {
      numCols,
      numRows,
      colCost: program.cost,
      colLower: program.lower,
      colUpper: program.upper,
      rowLower: program.rowLower,
      rowUpper: program.rowUpper,
      matrix: {
        format: 'csr',
        numRows,
        numCols,
        starts: Int32Array.from(program.rowStart),
        indices: Int32Array.from(program.columnIndex),
        values: program.value,
      },
    },
    (model): EngineAnswer => {
      model.options.set({
        output_flag: false,
        solver: 'simplex',
        presolve: 'off',
        primal_feasibility_tolerance: 1e-9,
        dual_feasibility_tolerance: 1e-9,
      });
      model.run();
      const code = model.getModelStatus();
      if (code === status.optimal) {
        const solution = model.getSolution();
        return { status: 'optimal', columns: solution.colValue, rowDuals: solution.rowDual };
      }
      const failed = code === status.infeasible ? 'infeasible' : code === status.unbounded ? 'unbounded' : 'failed';
      return { status: failed, columns: new Float64Array(0), rowDuals: new Float64Array(0) };
    },
  );
}
