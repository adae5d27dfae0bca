import { expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { ProgramBuilder } from '../../../runtime/lp/builder.ts';
import { certify } from '../../../runtime/lp/certify.ts';
import { dualSimplex } from '../../../runtime/lp/dual-simplex.ts';
import { conversationAsking, openEngine } from '../../../runtime/lp/engines.ts';
import type { LinearProgram } from '../../../runtime/lp/problem.ts';
import { vertexAt } from '../../../runtime/lp/vertex.ts';
import { uniform } from '../../scene.ts';

/** What sources hold goes to sinks, some of it is there already and may leave, and a budget holds back how much moves. Costs
 *  are random, or (`isTied`) nothing but the level of the fullest sink. */
function moves(seed: number, full: number, isTied: boolean, fewest = 0): LinearProgram {
  const random = seededRandom(seed);
  const [sources, sinks] = [fewest + 3 + Math.floor(random() * 40), 3 + Math.floor(random() * 8)];
  const amounts = Array.from({ length: sources }, () => uniform(random, 1, 9));
  const base = amounts.map((amount) => ({ sink: Math.floor(random() * sinks), load: amount * random() }));
  const total = amounts.reduce((a, b) => a + b, 0);
  const stays = new Float64Array(sinks);
  for (const { sink, load } of base) stays[sink]! += load;
  const lp = new ProgramBuilder();
  const levelRows = Array.from(stays, (load) =>
    lp.row(Number.NEGATIVE_INFINITY, (isTied ? 0 : total / sinks / full) - load),
  );
  const budget = lp.row(Number.NEGATIVE_INFINITY, total);
  lp.column(isTied ? 1 : 0, 0, isTied ? total : 0);
  for (const row of levelRows) if (isTied) lp.put(row, -1);
  amounts.forEach((amount, s) => {
    const { sink, load } = base[s]!;
    const placing = lp.row(amount - load, amount - load);
    const moving = lp.row(0, 0);
    levelRows.forEach((row, d) => {
      const cost = isTied ? 0 : uniform(random, 1, 20);
      lp.column(cost, 0, amount, placing);
      lp.put(row, 1);
      lp.column(isTied ? 0 : cost + uniform(random, 0.5, 1.5), 0, amount, moving);
      lp.put(row, 1);
      lp.put(budget, 1);
      if (d !== sink) return;
      lp.column(isTied ? 0 : -cost, 0, load, moving, -1);
      lp.put(row, -1);
    });
  });
  return lp.build();
}

test.each([
  [0.1, false],
  [0.9, false],
  [0.999, false],
  [1, true],
])('finds what HiGHS finds from whatever prices, sinks %s full, ties %s', async (full, isTied) => {
  const asked = await openEngine('highs', conversationAsking);
  let found = 0;
  for (let seed = 0; seed < 60; seed++) {
    const program = moves(seed, full, isTied);
    const random = seededRandom(seed);
    const expected = asked(program);
    const nonsense = Float64Array.from(program.rowLower, () => uniform(random, -40, 40));
    const near = expected.rowDuals.map((price) => price * uniform(random, 0.9, 1.1));
    for (const prices of [new Float64Array(nonsense.length), nonsense, near, expected.rowDuals]) {
      const answer = dualSimplex(program, prices);
      if (!answer) continue;
      found += 1;
      expect(certify(program, answer), `seed ${seed}`).toMatchObject({ kind: 'certified' });
      if (isTied) expect(Math.abs(answer.columns[0]! - expected.columns[0]!), `seed ${seed}`).toBeLessThan(1e-8);
      else expect(vertexAt(program, answer.columns), `seed ${seed}`).toEqual(vertexAt(program, expected.columns));
    }
  }
  expect(found).toBeGreaterThan(235); // of 240
});

test('finds the level of pools that are up to a hundred million times as large as others', async () => {
  const asked = await openEngine('highs', conversationAsking);
  let certified = 0;
  for (let seed = 0; seed < 100; seed++) {
    const random = seededRandom(seed);
    const capacity = Array.from({ length: 3 + Math.floor(random() * 6) }, () => 10 ** uniform(random, 0, 8));
    const lp = new ProgramBuilder();
    const levelRows = capacity.map(() => lp.row(Number.NEGATIVE_INFINITY, 0));
    lp.column(1, 0, 2000 / Math.min(...capacity));
    for (const [k, row] of levelRows.entries()) lp.put(row, -capacity[k]!);
    for (let s = 0; s < 20; s++) {
      const whole = lp.row(50, 50);
      for (const row of levelRows) {
        lp.column(0, 0, 50, whole);
        lp.put(row, 1);
      }
    }
    const program = lp.build();
    const answer = dualSimplex(program, new Float64Array(program.rowLower.length));
    if (!answer || certify(program, answer).kind !== 'certified') continue;
    certified += 1;
    expect(answer.columns[0]! / asked(program).columns[0]!, `seed ${seed}`).toBeCloseTo(1, 6);
  }
  expect(certified).toBeGreaterThanOrEqual(98);
});

test('finds it where it looks at few of many columns, and the prices it starts from are wrong', async () => {
  const asked = await openEngine('highs', conversationAsking);
  for (let seed = 0; seed < 12; seed++) {
    const program = moves(seed, 0.95, false, 500);
    const random = seededRandom(seed);
    const nonsense = Float64Array.from(program.rowLower, () => uniform(random, -40, 40));
    const expected = vertexAt(program, asked(program).columns);
    for (const prices of [new Float64Array(nonsense.length), nonsense]) {
      const answer = dualSimplex(program, prices);
      expect(answer && vertexAt(program, answer.columns), `seed ${seed}`).toEqual(expected);
    }
  }
});

test('says nothing of a program that has no answer', () => {
  const lp = new ProgramBuilder();
  const room = lp.row(Number.NEGATIVE_INFINITY, 1);
  const whole = lp.row(2, 2);
  for (let d = 0; d < 2; d++) {
    lp.column(d, 0, 2, whole);
    lp.put(room, 1);
  }
  const program = lp.build();
  expect(dualSimplex(program, new Float64Array(2))).toBeNull();
});

test('leaves programs with many rows of all to an engine', () => {
  const lp = new ProgramBuilder();
  for (let r = 0; r < 400; r++) {
    const row = lp.row(1, 2);
    lp.column(1, 0, 2);
    lp.put(row, 1);
  }
  expect(dualSimplex(lp.build(), new Float64Array(400))).toBeNull();
});
