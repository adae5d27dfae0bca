/** Solves a program by the few columns that matter (sifting: Bixby and others, 1992). At the prices of an epoch ago every
 *  block is settled; what is nearly as cheap as what is used, and what gets load out of limits that are overrun, is a
 *  program of its own, often a hundredth of the whole. All else stays at its bound. The part's own prices say which
 *  columns it lacks, until it lacks none. The answer is the whole program's: its duals leave no column out that could
 *  better it, and the certificate looks at all of them.
 *
 *  The engine is asked, in this thread or in another: solving a program is a conversation of questions and answers.
 *  Declined: carrying the engine's basis from one part to the next. The prices it ended with make as good a one. */

import { blocksOf, type Settled, settledAt } from './blocks.ts';
import { candidates } from './candidates.ts';
import { missedBy, partOf, taken } from './part.ts';
import type { EngineAnswer, LinearProgram, RowPrices } from './problem.ts';
import { type Basis, basisAt } from './start.ts';

/** Put to an engine: a program, and where to begin. */
export interface Question {
  readonly program: LinearProgram;
  readonly basis: Basis;
}

export type Conversation = Generator<Question, EngineAnswer, EngineAnswer>;

/** Below so many columns the whole is as quick as a part. */
const columnsMin = 150;
const roundsMax = 32;
const dearMin = 4;
const dearMax = 256;
const dualTolerance = 1e-9;
const missedMax = 1e-8;

export function* sifted(program: LinearProgram, prices?: RowPrices, fewest = columnsMin): Conversation {
  const known = prices ?? new Float64Array(program.rowLower.length);
  if (program.cost.length >= fewest) {
    const answer = yield* byParts(program, known);
    if (answer) return answer;
  }
  return yield { program, basis: basisAt(program, known) };
}

/** Null where the part found no answer for the whole. */
function* byParts(program: LinearProgram, known: RowPrices): Generator<Question, EngineAnswer | null, EngineAnswer> {
  const blocks = blocksOf(program);
  let settled = settledAt(program, blocks, known);
  const point = settledPoint(program, settled);
  const isIn = candidates(program, settled, point);
  let dear = dearMin; // how much it costs to miss a limit, times the dearest column
  for (let round = 0; round < roundsMax; round++) {
    const part = partOf(program, point, isIn, dear);
    const prices = new Float64Array(known.length);
    let missed = 0;
    if (part.rowOf.length > 0) {
      const basis = basisAt(part.program, taken(settled.prices, part.rowOf));
      const answer = yield { program: part.program, basis };
      if (answer.status !== 'optimal') return null;
      missed = missedBy(part, answer.columns);
      for (let p = 0; p < part.columnOf.length; p++) point[part.columnOf[p]!] = answer.columns[p]!;
      for (let p = 0; p < part.rowOf.length; p++) prices[part.rowOf[p]!] = answer.rowDuals[p]!;
    }
    settled = settledAt(program, blocks, prices, part.hasRow);
    if (!bringWanted(program, settled, point, isIn)) {
      if (missed <= missedMax) return { status: 'optimal', columns: point, rowDuals: settled.prices };
      if (dear >= dearMax) return null;
      dear *= 8;
    }
  }
  return null;
}

/** [column] where the blocks settle; where a row cannot be met, it is not. */
function settledPoint(program: LinearProgram, { reduced, basicOf }: Settled): Float64Array {
  const { lower, upper, ownRow, rowLower, columnStart, value } = program;
  const point = new Float64Array(lower.length);
  const rest = rowLower.slice(); // [own row] what is left for its basic column
  for (let j = 0; j < point.length; j++) {
    const own = ownRow[j]!;
    if (own >= 0 && basicOf[own] === j) continue;
    const amount = reduced[j]! < 0 ? upper[j]! : lower[j]!;
    if (amount === 0) continue;
    point[j] = amount;
    if (own >= 0) rest[own]! -= value[columnStart[j]!]! * amount;
  }
  for (let r = 0; r < basicOf.length; r++) {
    const basic = basicOf[r]!;
    if (basic < 0) continue;
    const amount = rest[r]! / value[columnStart[basic]!]!;
    point[basic] = Math.min(Math.max(amount, lower[basic]!), upper[basic]!);
  }
  return point;
}

/** What left out could better the point at these prices comes in, of each block its best. Returns whether there is any. */
function bringWanted(
  { lower, upper, ownRow, rowLower }: LinearProgram,
  { reduced, basicOf }: Settled,
  point: Float64Array,
  isIn: Uint8Array,
): boolean {
  const bestOf = new Int32Array(rowLower.length).fill(-1); // [own row]
  let any = false;
  for (let j = 0; j < point.length; j++) {
    const price = Math.abs(reduced[j]!);
    if (price <= dualTolerance || isIn[j] === 1) continue;
    if (reduced[j]! < 0 ? point[j] === upper[j] : point[j] === lower[j]) continue;
    any = true;
    const own = ownRow[j]!;
    if (own < 0) isIn[j] = 1;
    else if (bestOf[own]! < 0 || price > Math.abs(reduced[bestOf[own]!]!)) bestOf[own] = j;
  }
  for (let r = 0; r < bestOf.length; r++) {
    if (bestOf[r]! < 0) continue;
    isIn[bestOf[r]!] = 1;
    if (basicOf[r]! >= 0) isIn[basicOf[r]!] = 1;
  }
  return any;
}
