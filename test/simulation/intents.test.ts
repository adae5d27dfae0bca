/** Fifty intents at random in a day of a small generated world: the promise that no intent can break. */

import { expect, test } from 'vitest';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { generateWorld } from '../../config/generate.ts';
import { bucketWeights } from '../../pipeline/table/bucket-weights.ts';
import { engineHere } from '../scene.ts';
import { overloadsIn, randomIntents } from './overloads.ts';

test.each([
  1, 2,
])('no table lifts a datacenter over its limit while another could take the load, seed %i', async (seed) => {
  const world = generateWorld({ seed, edges: 6, datacenters: 4, users: 3000, days: 1 });
  const { users, friends } = world;
  const ties = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  const { tree } = bucketize(ties, { height: 10, seed, effort: 'fast' });
  const weights = bucketWeights(world.topology, tree, users);
  const context = { tree, weights, solver: await engineHere('highs') };
  const { timesMs } = world.demand;
  const span = { fromMs: timesMs[0]!, toMs: timesMs.at(-1)! + 1 };
  const { lifted, epochs, tables, waits, highest } = await overloadsIn(
    world,
    context,
    randomIntents(world, 50, seed),
    span,
  );
  expect(lifted, `seed ${seed}`).toEqual([]);
  expect(epochs).toBe(288);
  expect(tables).toBeGreaterThan(50); // it was put to the test
  expect(waits).toBeGreaterThan(50);
  expect(highest).toBeGreaterThan(0.8);
});
