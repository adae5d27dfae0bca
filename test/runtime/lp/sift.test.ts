import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { ProgramBuilder } from '../../../runtime/lp/builder.ts';
import { certify } from '../../../runtime/lp/certify.ts';
import { openEngine } from '../../../runtime/lp/engines.ts';
import type { EngineAnswer, LinearProgram } from '../../../runtime/lp/problem.ts';
import { type SolveFrom, sifted } from '../../../runtime/lp/sift.ts';
import { vertexAt } from '../../../runtime/lp/vertex.ts';
import { engineHere, uniform } from '../../scene.ts';

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
      const column = lp.column(10 * d + uniform(random, 1, 9), 0, amount);
      lp.put(row, column, 1);
      lp.put(whole, column, 1);
    });
  }
  return lp.build();
}

/** HiGHS has its own sifting from a size on, which these programs are far from. */
async function engineByParts() {
  const highs = await openEngine('highs');
  const sizes: number[] = [];
  const from: SolveFrom = (program) => {
    sizes.push(program.cost.length);
    const answer = highs(program);
    // Whatever the basis: the next part starts as best it can.
    const basis = {
      columns: new Int32Array(program.cost.length),
      rows: new Int32Array(program.rowLower.length).fill(1),
    };
    return { answer, basis };
  };
  return { solve: sifted(from, 0), sizes };
}

describe('a program solved by parts', () => {
  test.each([
    0.1, 0.9, 0.999,
  ])('has the vertex of the whole, on 60 random programs with sinks %s full', async (full) => {
    const { solve, sizes } = await engineByParts();
    const { solve: whole } = await engineHere('highs');
    let smaller = 0;
    for (let seed = 0; seed < 60; seed++) {
      const program = shipments(seed, full);
      const random = seededRandom(seed);
      const nonsense = Float64Array.from(program.rowLower, () => uniform(random, -40, 40));
      const expected = vertexAt(program, (await whole(program)).columns);
      for (const prices of [undefined, nonsense]) {
        sizes.length = 0;
        const answer = solve(program, prices);
        expect(certify(program, answer), `seed ${seed}`).toMatchObject({ kind: 'certified' });
        expect(vertexAt(program, answer.columns), `seed ${seed}`).toEqual(expected);
        if (sizes.every((columns) => columns < program.cost.length)) smaller += 1;
      }
    }
    if (full < 0.9) expect(smaller).toBeGreaterThan(50);
  });

  test('is solved whole where its parts have no answer, and says what the whole says', () => {
    const failed: EngineAnswer = { status: 'infeasible', columns: new Float64Array(0), rowDuals: new Float64Array(0) };
    const asked: number[] = [];
    const solve = sifted((program) => {
      asked.push(program.cost.length);
      return { answer: failed, basis: null };
    }, 0);
    const program = shipments(1, 0.9);
    expect(solve(program)).toBe(failed);
    expect(asked.at(-1)).toBe(program.cost.length);
    expect(asked.length).toBe(2);
  });
});
