/** One question, one answer that holds: the first engine's if it can be certified, else the second's, else none. */

import { certify, objectiveOf, worstViolation } from './certify.ts';
import type { EngineName, LinearProgram, RowPrices, Solver } from './problem.ts';
import { vertexAt } from './vertex.ts';

/** Null where no engine's answer holds. */
export type SolveCertified = (program: LinearProgram, prices?: RowPrices) => Promise<CertifiedAnswer | null>;

export interface CertifiedAnswer {
  readonly columns: Float64Array; // the exact vertex where the tight limits fix one
  readonly rowDuals: Float64Array;
  readonly objective: number;
}

/** An answer that did not hold. */
export interface Doubt {
  readonly engine: EngineName;
  readonly why: string;
}

export function certifiedBy(engines: readonly Solver[], onDoubt: (doubt: Doubt) => void): SolveCertified {
  return async (program, prices) => {
    for (const engine of engines) {
      const answer = await engine.solve(program, prices);
      const certificate = certify(program, answer);
      if (certificate.kind === 'certified') {
        return { ...exact(program, answer.columns, certificate.objective), rowDuals: answer.rowDuals };
      }
      onDoubt({ engine: engine.name, why: certificate.why });
    }
    return null;
  };
}

/** The vertex in place of the point, where it is as feasible and as good. */
function exact(
  program: LinearProgram,
  point: Float64Array,
  objective: number,
): { columns: Float64Array; objective: number } {
  const vertex = vertexAt(program, point);
  if (!vertex || !(worstViolation(program, vertex) <= 1e-7)) return { columns: point, objective };
  const atVertex = objectiveOf(program, vertex);
  const close = Math.abs(atVertex - objective) <= 1e-7 * Math.max(1, Math.abs(objective));
  return close ? { columns: vertex, objective: atVertex } : { columns: point, objective };
}
