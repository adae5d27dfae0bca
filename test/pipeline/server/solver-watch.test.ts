import { expect, test } from 'vitest';
import { type Comparison, comparedEvery, watchEachOther } from '../../../pipeline/server/solver-watch.ts';
import { ProgramBuilder } from '../../../runtime/lp/builder.ts';
import { certifiedBy } from '../../../runtime/lp/certified.ts';
import type { EngineAnswer, LinearProgram, Solver } from '../../../runtime/lp/problem.ts';
import { engineHere, installedEngines } from '../../scene.ts';

/** minimise x, 1 <= x <= 2. */
function program(): LinearProgram {
  const lp = new ProgramBuilder();
  const row = lp.row(1, Number.POSITIVE_INFINITY);
  lp.column(1, 0, 2);
  lp.put(row, 1);
  return lp.build();
}

const claims = (x: number, dual: number): EngineAnswer => ({
  status: 'optimal',
  columns: Float64Array.of(x),
  rowDuals: Float64Array.of(dual),
});
const saying = (name: Solver['name'], answer: EngineAnswer): Solver => ({ name, solve: async () => answer });

function watched(first: Solver, second: Solver) {
  const comparisons: Comparison[] = [];
  return { comparisons, ...watchEachOther(first, second, (comparison) => comparisons.push(comparison)) };
}

test('every seventh solve is put to the second engine too, and its answer changes nothing', async () => {
  const { comparisons, solver } = watched(saying('highs', claims(1, 1)), saying('glpk', claims(1.5, 0)));
  for (let i = 0; i < 3 * comparedEvery; i++) expect((await solver.solve(program())).columns[0]).toBe(1);
  expect(comparisons).toEqual(Array.from({ length: 3 }, () => ({ relative: 0.5 / 1.5, agree: false })));
});

test.skipIf((await installedEngines()).length < 2)('the real engines agree', async () => {
  const { comparisons, solver } = watched(await engineHere('highs'), await engineHere('glpk'));
  for (let i = 0; i < comparedEvery; i++) await solver.solve(program());
  expect(comparisons).toMatchObject([{ agree: true }]);
});

test('an engine that claims a wrong minimum is found where its certificate fails', async () => {
  const { comparisons, solver, secondSolver } = watched(saying('highs', claims(1.2, 1)), await engineHere('highs'));
  const answer = await certifiedBy([solver, secondSolver], () => {})(program());
  expect(answer?.objective).toBe(1);
  expect(comparisons).toMatchObject([{ agree: false }]);
});

test('an engine that claims nothing disagrees with nobody', async () => {
  const failed: EngineAnswer = { ...claims(0, 0), status: 'failed' };
  const { comparisons, solver, secondSolver } = watched(saying('highs', failed), await engineHere('highs'));
  expect(await certifiedBy([solver, secondSolver], () => {})(program())).not.toBeNull();
  expect(comparisons).toEqual([]);
});

test('a difference under a millionth is the last digits of two engines', async () => {
  const { comparisons, solver } = watched(saying('highs', claims(1, 1)), saying('glpk', claims(1 + 5e-7, 1)));
  for (let i = 0; i < comparedEvery; i++) await solver.solve(program());
  expect(comparisons).toMatchObject([{ agree: true }]);
});
