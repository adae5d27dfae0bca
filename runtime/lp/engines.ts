/** An engine by its name. */

import { openGlpk } from './glpk.ts';
import { openHighs } from './highs.ts';
import type { EngineName, SolveProgram } from './problem.ts';

/** Rejects where the engine's package is not installed. */
export function openEngine(name: EngineName): Promise<SolveProgram> {
  switch (name) {
    case 'highs':
      return openHighs();
    case 'glpk':
      return openGlpk();
  }
}
