import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../../config/random.ts';
import { ProgramBuilder } from '../../../runtime/lp/builder.ts';
import { certify, dualBound, objectiveOf, worstViolation } from '../../../runtime/lp/certify.ts';
import { openEngine } from '../../../runtime/lp/engines.ts';
import type { LinearProgram } from '../../../runtime/lp/problem.ts';
import { uniform } from '../../scene.ts';

/** Rows with two sides, one or none, columns between finite bounds; there may be no point that keeps them. */
function randomProgram(random: Random): LinearProgram {
  const lp = new ProgramBuilder();
  const rows = 1 + Math.floor(random() * 6);
  for (let r = 0; r < rows; r++) {
    const at = uniform(random, -5, 5);
    lp.row(random() < 0.5 ? at : Number.NEGATIVE_INFINITY, random() < 0.7 ? at + 1 : Number.POSITIVE_INFINITY);
  }
  const columns = 1 + Math.floor(random() * 12);
  for (let j = 0; j < columns; j++) {
    lp.column(uniform(random, -3, 3), uniform(random, -2, 0), uniform(random, 0, 2));
    for (let r = 0; r < rows; r++) if (random() < 0.5) lp.put(r, uniform(random, -2, 2));
  }
  return lp.build();
}

test('a certificate says what is missed, what it costs and how much less it could, as plain sums do, of 400 answers', async () => {
  const engine = await openEngine('highs');
  const said = { certified: 0, missed: 0, gap: 0 };
  for (let seed = 0; seed < 400; seed++) {
    const random = seededRandom(seed);
    const program = randomProgram(random);
    const answer = engine(program);
    if (answer.status !== 'optimal') continue;
    const isOff = random() < 0.5;
    const columns = answer.columns.map((value) => value + (isOff && random() < 0.3 ? uniform(random, -1, 1) : 0));
    const rowDuals = answer.rowDuals.map((dual) => dual + (random() < 0.2 ? uniform(random, -1, 1) : 0));
    const objective = objectiveOf(program, columns);
    const gap = (objective - dualBound(program, rowDuals)) / Math.max(1, Math.abs(objective));
    const certificate = certify(program, { status: 'optimal', columns, rowDuals });
    if (worstViolation(program, columns) > 1e-6) {
      said.missed += 1;
      expect(certificate).toEqual({
        kind: 'refuted',
        why: `a limit is missed by ${worstViolation(program, columns)}`,
      });
    } else if (gap > 1e-7) {
      said.gap += 1;
      expect(certificate).toEqual({ kind: 'refuted', why: `duality gap ${gap}` });
    } else {
      said.certified += 1;
      expect(certificate).toEqual({ kind: 'certified', objective, relativeGap: gap });
    }
  }
  expect(Math.min(said.certified, said.missed, said.gap)).toBeGreaterThan(20);
});

test('a value that is no number is no answer', () => {
  const lp = new ProgramBuilder();
  lp.row(0, 1);
  lp.column(1, 0, 1);
  lp.put(0, 1);
  const answer = { status: 'optimal', columns: Float64Array.of(Number.NaN), rowDuals: Float64Array.of(0) } as const;
  expect(certify(lp.build(), answer).kind).toBe('refuted');
});
