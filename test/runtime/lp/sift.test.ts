import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { ProgramBuilder } from '../../../runtime/lp/builder.ts';
import { certify } from '../../../runtime/lp/certify.ts';
import { loadEngine } from '../../../runtime/lp/engines.ts';
import type { EngineAnswer, LinearProgram, RowPrices } from '../../../runtime/lp/problem.ts';
import { sifted } from '../../../runtime/lp/sift.ts';
import { basisAt } from '../../../runtime/lp/start.ts';
import { vertexAt } from '../../../runtime/lp/vertex.ts';
import { uniform } from '../../scene.ts';

/** Shipments from sources to sinks; the fuller the sinks, the dearer the columns that are needed. */
function shipments(seed: number, full: number): LinearProgram {
  const random = seededRandom(seed);
  const [sources, sinks] = [5 + Math.floor(random() * 40), 4 + Math.floor(random() * 8)];
  const amounts = Array.from({ length: sources }, () => uniform(random, 1, 9));
  const total = amounts.reduce((a, b) => a + b, 0);
  const lp = new ProgramBuilder();
  const rows = Array.from({ length: sinks }, () => lp.row(Number.NEGATIVE_INFINITY, total / sinks / full));
  for (const amount of amounts) {
    const whole = lp.row(amount, amount);
    // All would rather go to the first sinks.
    rows.forEach((row, d) => {
      lp.column(10 * d + uniform(random, 1, 9), 0, amount, whole);
      lp.put(row, 1);
    });
  }
  return lp.build();
}

/** Solves by parts however small, and notes how many columns each question has. */
async function engineByParts() {
  const answerTo = await loadEngine('highs');
  const sizes: number[] = [];
  const solve = (program: LinearProgram, prices?: RowPrices): EngineAnswer => {
    const conversation = sifted(program, prices, 0);
    let said = conversation.next();
    while (!said.done) {
      sizes.push(said.value.program.cost.length);
      said = conversation.next(answerTo(said.value));
    }
    return said.value;
  };
  return { solve, sizes };
}

describe('a program solved by parts', () => {
  test.each([
    0.1, 0.9, 0.999,
  ])('has the vertex of the whole, on 60 random programs with sinks %s full', async (full) => {
    const { solve, sizes } = await engineByParts();
    const whole = await loadEngine('highs');
    let smaller = 0;
    for (let seed = 0; seed < 60; seed++) {
      const program = shipments(seed, full);
      const random = seededRandom(seed);
      const nonsense = Float64Array.from(program.rowLower, () => uniform(random, -40, 40));
      const alone = whole({ program, basis: basisAt(program, new Float64Array(program.rowLower.length)) });
      const expected = vertexAt(program, alone.columns);
      const ended = solve(program);
      for (const prices of [undefined, nonsense, ended.rowDuals]) {
        sizes.length = 0;
        const answer = solve(program, prices);
        expect(certify(program, answer), `seed ${seed}`).toMatchObject({ kind: 'certified' });
        expect(vertexAt(program, answer.columns), `seed ${seed}`).toEqual(expected);
        if (sizes.every((columns) => columns < program.cost.length)) smaller += 1;
      }
    }
    expect(smaller).toBeGreaterThan(full < 0.9 ? 100 : 40);
  });

  test('is solved whole where its parts have no answer, and says what the whole says', () => {
    const failed: EngineAnswer = { status: 'infeasible', columns: new Float64Array(0), rowDuals: new Float64Array(0) };
    const program = shipments(1, 0.9);
    const conversation = sifted(program, undefined, 0);
    const asked: number[] = [];
    let said = conversation.next();
    while (!said.done) {
      asked.push(said.value.program.cost.length);
      said = conversation.next(failed);
    }
    expect(said.value).toBe(failed);
    expect(asked.at(-1)).toBe(program.cost.length);
    expect(asked.length).toBeGreaterThan(1);
  });
});
