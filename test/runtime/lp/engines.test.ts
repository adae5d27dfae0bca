import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { ProgramBuilder } from '../../../runtime/lp/builder.ts';
import { certifiedBy } from '../../../runtime/lp/certified.ts';
import { certify, dualBound, objectiveOf, worstViolation } from '../../../runtime/lp/certify.ts';
import { dualSimplex } from '../../../runtime/lp/dual-simplex.ts';
import { conversationWith, openEngine } from '../../../runtime/lp/engines.ts';
import type { EngineAnswer, LinearProgram } from '../../../runtime/lp/problem.ts';
import { vertexAt } from '../../../runtime/lp/vertex.ts';
import { engineHere, installedEngines, uniform } from '../../scene.ts';

const engines = await installedEngines();

/** A feasible bounded program: rows are satisfied by a random point inside the bounds. */
function randomProgram(seed: number): LinearProgram {
  const random = seededRandom(seed);
  const lp = new ProgramBuilder();
  const columns = Array.from({ length: 2 + Math.floor(random() * 6) }, () => ({
    cost: uniform(random, -5, 5),
    upper: uniform(random, 1, 9),
    inside: uniform(random, 0, 1),
  }));
  const rows = Array.from({ length: 1 + Math.floor(random() * 5) }, () => {
    const values = columns.map(() => Math.round(uniform(random, -3, 4)));
    const activity = values.reduce((sum, value, j) => sum + value * columns[j]!.inside, 0);
    const kind = Math.floor(random() * 3);
    lp.row(kind === 0 ? Number.NEGATIVE_INFINITY : activity, kind === 1 ? Number.POSITIVE_INFINITY : activity);
    return values;
  });
  columns.forEach(({ cost, upper }, j) => {
    lp.column(cost, 0, upper);
    rows.forEach((values, r) => {
      if (values[j] !== 0) lp.put(r, values[j]!);
    });
  });
  return lp.build();
}

describe.each(engines)('%s', (name) => {
  test('what it calls optimal is certified on 200 random programs', async () => {
    const solve = await openEngine(name);
    for (let seed = 0; seed < 200; seed++) {
      const program = randomProgram(seed);
      expect(certify(program, solve(program)), `seed ${seed}`).toMatchObject({ kind: 'certified' });
    }
  });

  test('tells infeasible from optimal', async () => {
    const lp = new ProgramBuilder();
    const row = lp.row(5, 6);
    lp.column(1, 0, 1);
    lp.put(row, 1);
    expect((await openEngine(name))(lp.build()).status).toBe('infeasible');
  });
});

test.skipIf(engines.length < 2)('both engines find the same minimum on 200 random programs', async () => {
  const [a, b] = [await openEngine('highs'), await openEngine('glpk')];
  for (let seed = 0; seed < 200; seed++) {
    const program = randomProgram(seed);
    const difference = objectiveOf(program, a(program).columns) - objectiveOf(program, b(program).columns);
    expect(Math.abs(difference), `seed ${seed}`).toBeLessThan(1e-7);
  }
});

describe('the certificate', () => {
  const lp = new ProgramBuilder(); // minimise x + 2 y, x + y >= 3, x <= 2, y <= 2: x = 2, y = 1, objective 4
  const row = lp.row(3, Number.POSITIVE_INFINITY);
  for (const cost of [1, 2]) {
    lp.column(cost, 0, 2);
    lp.put(row, 1);
  }
  const program = lp.build();
  const answer = (columns: number[], dual: number) =>
    ({ status: 'optimal', columns: Float64Array.from(columns), rowDuals: Float64Array.of(dual) }) as const;

  test('passes the optimum with its duals', () => {
    expect(certify(program, answer([2, 1], 2))).toMatchObject({ kind: 'certified', objective: 4 });
  });
  test('refutes a feasible point that is not optimal, whatever duals come with it', () => {
    for (const dual of [-3, 0, 1, 2, 5]) expect(certify(program, answer([1, 2], dual)).kind).toBe('refuted');
  });
  test('refutes a point that misses a row, however cheap', () => {
    expect(certify(program, answer([2, 0], 2)).kind).toBe('refuted');
  });
  test('refutes values that are not numbers', () => {
    expect(certify(program, answer([Number.NaN, 1], 2)).kind).toBe('refuted');
    expect(worstViolation(program, Float64Array.of(Number.NaN, 1))).toBeNaN();
  });
  test('bounds the minimum from below for any duals at all', () => {
    const random = seededRandom(3);
    for (let i = 0; i < 500; i++) {
      const dual = uniform(random, -20, 20);
      expect(dualBound(program, Float64Array.of(dual)), `dual ${dual}`).toBeLessThanOrEqual(4 + 1e-9);
    }
  });
  test('an answer that does not hold goes to the second engine, and none is no answer', async () => {
    const wrong = { name: 'glpk', solve: async () => answer([1, 2], 0) } as const;
    const doubts: string[] = [];
    const note = (doubt: { engine: string }) => doubts.push(doubt.engine);
    expect(await certifiedBy([wrong, await engineHere('highs')], note)(program)).toMatchObject({ objective: 4 });
    expect(await certifiedBy([wrong], note)(program)).toBeNull();
    expect(doubts).toEqual(['glpk', 'glpk']);
  });
});

describe('an answer found here that does not hold', () => {
  // Two ways for a thousand, one of them dearer by less than the trace of cost by which the dual simplex tells columns
  // apart: it takes the dearer one.
  const lp = new ProgramBuilder();
  const row = lp.row(1000, Number.POSITIVE_INFINITY);
  for (const cost of [2e-8, 0]) {
    lp.column(cost, 0, 1000);
    lp.put(row, 1);
  }
  const program = lp.build();
  const here = dualSimplex(program, new Float64Array(1))!;
  const minimum = 0;

  test('is refuted', () => {
    expect(certify(program, here)).toMatchObject({ kind: 'refuted' });
  });
  test('has HiGHS asked', async () => {
    expect(conversationWith('highs', program).next()).toMatchObject({ done: false, value: { program } });
    const doubts: string[] = [];
    const certified = certifiedBy([await engineHere('highs')], ({ engine }) => doubts.push(engine));
    expect((await certified(program))!.objective).toBeCloseTo(minimum, 12);
    expect(doubts).toEqual([]);
  });
  test.skipIf(engines.length < 2)('has GLPK asked where HiGHS says no better', async () => {
    const asked: string[] = [];
    const misled = async (): Promise<EngineAnswer> => {
      const conversation = conversationWith('highs', program);
      let said = conversation.next();
      while (!said.done) {
        asked.push('highs');
        said = conversation.next(here);
      }
      return said.value;
    };
    const doubts: string[] = [];
    const certified = certifiedBy([{ name: 'highs', solve: misled }, await engineHere('glpk')], ({ engine }) =>
      doubts.push(engine),
    );
    expect((await certified(program))!.objective).toBeCloseTo(minimum, 12);
    expect([asked, doubts]).toEqual([['highs'], ['highs']]);
  });
});

test('a vertex seen through noise is the same to the last bit', async () => {
  const solve = await openEngine('highs');
  let exact = 0;
  for (let seed = 0; seed < 200; seed++) {
    const program = randomProgram(seed);
    const { columns } = solve(program);
    const vertex = vertexAt(program, columns);
    if (!vertex) continue;
    exact += 1;
    const random = seededRandom(seed);
    const blurred = columns.map((value) => value + uniform(random, -1e-10, 1e-10));
    expect(vertexAt(program, blurred), `seed ${seed}`).toEqual(vertex);
    expect(worstViolation(program, vertex), `seed ${seed}`).toBeLessThan(1e-7);
  }
  expect(exact).toBeGreaterThan(150);
});
