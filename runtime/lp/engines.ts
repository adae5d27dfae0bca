/** An engine by its name, and how it is asked. */

import { certify } from './certify.ts';
import { dualSteps, type Steps } from './dual-simplex.ts';
import { openGlpk } from './glpk.ts';
import { openHighs } from './highs.ts';
import type { EngineAnswer, EngineName, LinearProgram, RowPrices, SolveProgram } from './problem.ts';
import { type Conversation, type Question, sifted } from './sift.ts';

export type AnswerQuestion = (question: Question) => EngineAnswer;

/** What answers the questions of `conversationWith`. Rejects where the engine's package is not installed. */
export async function loadEngine(name: EngineName): Promise<AnswerQuestion> {
  switch (name) {
    case 'highs':
      return openHighs();
    case 'glpk': {
      const solve = await openGlpk();
      return ({ program }) => solve(program);
    }
  }
}

/** HiGHS is asked where the steps taken here lead nowhere, or to what does not hold, and then about the columns that matter;
 *  GLPK about the whole, for it is there to know better. */
export function conversationWith(name: EngineName, program: LinearProgram, prices?: RowPrices): Conversation {
  return name === 'highs' ? firstHere(program, prices) : inOne(program);
}

/** The engine is asked, whatever could be found here. */
export function conversationAsking(name: EngineName, program: LinearProgram, prices?: RowPrices): Conversation {
  return name === 'highs' ? sifted(program, prices) : inOne(program);
}

/** What the steps taken here find, where it holds and HiGHS need not be asked; else null. */
export function* solvedHere(name: EngineName, program: LinearProgram, prices?: RowPrices): Steps {
  if (name !== 'highs') return null;
  const found = yield* dualSteps(program, prices ?? new Float64Array(program.rowLower.length));
  // Who asks judges again, but would take what fails for HiGHS's word and ask the next engine, if there is one.
  return found && certify(program, found).kind === 'certified' ? found : null;
}

function* firstHere(program: LinearProgram, prices?: RowPrices): Conversation {
  const steps = solvedHere('highs', program, prices);
  let said = steps.next();
  while (!said.done) said = steps.next();
  return said.value ?? (yield* sifted(program, prices));
}

function* inOne(program: LinearProgram): Conversation {
  return yield { program, basis: { columns: new Int32Array(0), rows: new Int32Array(0) } };
}

/** In this thread, asked by `converse`. Rejects where the engine's package is not installed. */
export async function openEngine(name: EngineName, converse = conversationWith): Promise<SolveProgram> {
  const answer = await loadEngine(name);
  return (program, prices) => {
    const conversation = converse(name, program, prices);
    let said = conversation.next();
    while (!said.done) said = conversation.next(answer(said.value));
    return said.value;
  };
}
