/** Fifty intents at random in a day of a small generated world: the promise that no intent can break. */

import { expect, test } from 'vitest';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { generateWorld } from '../../config/generate.ts';
import { bucketWeights, uniformBucketWeights } from '../../pipeline/table/bucket-weights.ts';
import { intentOf } from '../pipeline/intent-pairs.ts';
import { engineHere, statesWithout, topologyOf, treeOf } from '../scene.ts';
import { liftedBy, overloadsIn, randomIntents } from './overloads.ts';

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

test('a table that does lift one would be found, but for good reason', () => {
  const topology = topologyOf(1, [100, 100]);
  const of = {
    timeMs: 0,
    states: statesWithout(topology),
    plannedRps: Float64Array.from([150]),
    outages: [],
    after: Float64Array.from([150, 0]),
    was: null,
    intents: [],
    topology,
    weights: uniformBucketWeights(topology, treeOf(1024, 10, 1)),
  };
  expect(liftedBy(of)).toEqual(['1970-01-01T00:00:00.000Z: d0 at 1.500 while d1 is at 0.000']);
  expect(liftedBy({ ...of, was: Float64Array.from([100, 50]) })).toHaveLength(1);
  expect(liftedBy({ ...of, was: of.after })).toEqual([]);
  expect(liftedBy({ ...of, states: statesWithout(topology, 1) })).toEqual([]);
  expect(liftedBy({ ...of, intents: [intentOf({ kind: 'drain', datacenter: 'd1' })] })).toEqual([]);
  expect(liftedBy({ ...of, after: Float64Array.from([150, 150]) })).toEqual([]);
});
