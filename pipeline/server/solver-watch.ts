/** Two solvers that watch each other. The second one is asked by the epoch where the first one's answer cannot be
 *  certified; here it is asked now and then where it can, beside the epoch's work. What both say of one program is
 *  compared whenever both have said it: a certificate protects an epoch, a comparison finds the engine that needs one.
 *  Declined: asking both every time. The second engine takes several times the first one's time, and every answer is
 *  certified anyway. */

import { disagreement } from '../../runtime/lp/certify.ts';
import type { EngineAnswer, LinearProgram, Solver } from '../../runtime/lp/problem.ts';

/** What both engines say of one program's minimum. */
export interface Comparison {
  readonly relative: number; // difference
  readonly agree: boolean;
}

export interface WatchedSolvers {
  readonly solver: Solver;
  readonly secondSolver: Solver;
}

const relativeMax = 1e-6;

/** Every so many solves the second engine is asked, too. A prime: epochs take two to five, so all kinds have their turn. */
export const comparedEvery = 7;

/** A larger program takes the second engine too long to ask it idly. */
const comparedColumnsMax = 25_000;

export function watchEachOther(
  first: Solver,
  second: Solver,
  onCompared: (comparison: Comparison) => void,
): WatchedSolvers {
  const firstSaid = new WeakMap<LinearProgram, EngineAnswer>();
  let solves = 0;
  const compare = (program: LinearProgram, other: EngineAnswer): void => {
    const said = firstSaid.get(program);
    const relative = said ? disagreement(program, said, other) : null;
    if (relative !== null) onCompared({ relative, agree: relative <= relativeMax });
  };
  return {
    solver: {
      name: first.name,
      solve: async (program, prices) => {
        const answer = await first.solve(program, prices);
        firstSaid.set(program, answer);
        solves += 1;
        if (solves % comparedEvery === 0 && program.cost.length <= comparedColumnsMax) {
          void second.solve(program).then((other) => compare(program, other));
        }
        return answer;
      },
    },
    secondSolver: {
      name: second.name,
      solve: async (program, prices) => {
        const answer = await second.solve(program, prices);
        compare(program, answer);
        return answer;
      },
    },
  };
}
