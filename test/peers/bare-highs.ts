/** How much HiGHS in WebAssembly computes by itself, building, handing over and reading left out: what an engine's time is
 *  compared with. Model, options, start and parts are those of `runtime/lp/highs.ts`. */

import highsModule from 'highs';
import type { EngineAnswer, LinearProgram, RowPrices } from '../../runtime/lp/problem.ts';
import { type Question, sifted } from '../../runtime/lp/sift.ts';

// The package's types describe its CommonJS build; the ES module that Node loads exports the loader itself.
const loadHighs = highsModule as unknown as typeof highsModule.default;

/** CPU ms of a program's `run()`s. */
export async function openBareHighs(): Promise<(program: LinearProgram, prices?: RowPrices) => number> {
  const highs = await loadHighs();
  let runMs = 0;
  const answerTo = ({ program, basis }: Question): EngineAnswer => {
    const [numCols, numRows] = [program.cost.length, program.rowLower.length];
    const { columnStart: starts, rowIndex: indices, value: values } = program;
    return highs.withModel(
      {
        numCols,
        numRows,
        colCost: program.cost,
        colLower: program.lower,
        colUpper: program.upper,
        rowLower: program.rowLower,
        rowUpper: program.rowUpper,
        matrix: { format: 'csc', numRows, numCols, starts, indices, values },
      },
      (model): EngineAnswer => {
        model.options.set({
          output_flag: false,
          solver: 'simplex',
          presolve: 'off',
          primal_feasibility_tolerance: 1e-9,
          dual_feasibility_tolerance: 1e-9,
        });
        model.setBasis({ colStatus: basis.columns, rowStatus: basis.rows });
        const before = process.cpuUsage();
        model.run();
        const { user, system } = process.cpuUsage(before);
        runMs += (user + system) / 1000;
        const isOptimal = model.getModelStatus() === highs.constants.modelStatus.optimal;
        const { colValue, rowDual } = model.getSolution();
        return { status: isOptimal ? 'optimal' : 'failed', columns: colValue, rowDuals: rowDual };
      },
    );
  };
  return (program, prices) => {
    runMs = 0;
    const conversation = sifted(program, prices);
    let said = conversation.next();
    while (!said.done) said = conversation.next(answerTo(said.value));
    return runMs;
  };
}
