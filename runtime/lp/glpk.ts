/** GLPK (GPL-3.0), compiled to WebAssembly: the independent second engine. The only file that names it, loaded on
 *  demand, so that an installation without the package runs on HiGHS alone.
 *  Traps met: the package root does not load in Node (`/node` does); its presolve hides infeasible as "undefined"; an
 *  upper-bounded column (`GLP_UP`) forgets its lower bound; NaN is accepted. */

import type { GLPK } from 'glpk.js/node';
import type { EngineAnswer, LinearProgram, SolveProgram } from './problem.ts';

/** Its tolerance for prices is a fixed ten-millionth and cannot be set; in smaller money it is a smaller sum. A power of
 *  two, so that no digit changes. */
const costScale = 1024;

/** Rejects where the package is not installed. */
export async function openGlpk(): Promise<SolveProgram> {
  const { default: loadGlpk } = await import('glpk.js/node');
  const glpk = await loadGlpk();
  return (program) => solveWithGlpk(glpk, program);
}

function solveWithGlpk(glpk: GLPK, program: LinearProgram): EngineAnswer {
  const columns = program.cost.length;
  const rows = program.rowLower.length;
  const columnName = Array.from({ length: columns }, (_, j) => `c${j}`);
  const bounds = (lower: number, upper: number): { type: number; lb: number; ub: number } => {
    const bounded = (Number.isFinite(lower) ? 1 : 0) + (Number.isFinite(upper) ? 2 : 0);
    const type =
      bounded === 0
        ? glpk.GLP_FR
        : bounded === 1
          ? glpk.GLP_LO
          : bounded === 2
            ? glpk.GLP_UP
            : lower === upper
              ? glpk.GLP_FX
              : glpk.GLP_DB;
    return { type, lb: Number.isFinite(lower) ? lower : 0, ub: Number.isFinite(upper) ? upper : 0 };
  };
  const varsOf = Array.from({ length: rows }, (): { name: string; coef: number }[] => []);
  for (let j = 0; j < columns; j++) {
    for (let k = program.columnStart[j]!; k < program.columnStart[j + 1]!; k++) {
      varsOf[program.rowIndex[k]!]!.push({ name: columnName[j]!, coef: program.value[k]! });
    }
  }
  const answer = glpk.solve(
    {
      name: 'taiji',
      objective: {
        direction: glpk.GLP_MIN,
        name: 'cost',
        vars: columnName.map((name, j) => ({ name, coef: costScale * program.cost[j]! })),
      },
      subjectTo: Array.from({ length: rows }, (_, r) => ({
        name: `r${r}`,
        vars: varsOf[r]!,
        bnds: bounds(program.rowLower[r]!, program.rowUpper[r]!),
      })),
      bounds: columnName.map((name, j) => ({ name, ...bounds(program.lower[j]!, program.upper[j]!) })),
    },
    { presol: false, msglev: glpk.GLP_MSG_OFF },
  );
  const { status, vars, dual } = answer.result;
  if (status === glpk.GLP_OPT) {
    return {
      status: 'optimal',
      columns: Float64Array.from(columnName, (name) => vars[name] ?? 0),
      rowDuals: Float64Array.from({ length: rows }, (_, r) => (dual?.[`r${r}`] ?? 0) / costScale),
    };
  }
  const failed =
    status === glpk.GLP_NOFEAS || status === glpk.GLP_INFEAS
      ? 'infeasible'
      : status === glpk.GLP_UNBND
        ? 'unbounded'
        : 'failed';
  return { status: failed, columns: new Float64Array(0), rowDuals: new Float64Array(0) };
}
