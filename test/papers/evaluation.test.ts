/** Taiji, SOSP'19, section 4: what its evaluation says of a fleet, on a day of a generated one. The real week and the
 *  figures themselves: `npm run bench -- paper`. */

import { beforeAll, expect, test } from 'vitest';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { generateWorld } from '../../config/generate.ts';
import type { World } from '../../config/world.ts';
import type { EpochContext } from '../../pipeline/epoch/inputs.ts';
import { type ReplayedEpoch, replayWorld } from '../../pipeline/replay/world-replay.ts';
import { bucketWeights } from '../../pipeline/table/bucket-weights.ts';
import { engineHere, policyOf } from '../scene.ts';
import { closestFractions, divergences, HourlyStability, RoundTrips, randomFractions } from './measures.ts';

const world: World = {
  ...generateWorld({ seed: 11, edges: 12, datacenters: 4, users: 3000, days: 1 }),
  events: [],
};
const epochs: ReplayedEpoch[] = [];
let context: EpochContext;

beforeAll(async () => {
  const { users, friends, topology, demand } = world;
  const ties = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  const { tree } = bucketize(ties, { height: 10, seed: 1, effort: 'fast' });
  context = { tree, weights: bucketWeights(topology, tree, users), solver: await engineHere('highs') };
  const span = { fromMs: demand.timesMs[0]!, toMs: demand.timesMs.at(-1)! + 1, oracle: true };
  for await (const epoch of replayWorld(world, policyOf(), context, span)) epochs.push(epoch);
});

test('section 4.6: a stateless service is within 3 % of the mean utilization in 80 % of samples', () => {
  const samples = epochs.flatMap(({ utilization, states }) => divergences(utilization, states));
  expect(samples.filter((value) => value < 0.03).length / samples.length).toBeGreaterThanOrEqual(0.8);
});

test('section 4.4: in an hour over 85 % of users see one datacenter, 98 % at most two, almost none more than three', () => {
  const stability = new HourlyStability(context.weights);
  for (const { timeMs, table, demandRps } of epochs) stability.add(timeMs, table!, demandRps);
  const hours = stability.hours();
  expect(hours).toHaveLength(24);
  const mean = (index: number): number => hours.reduce((sum, { shares }) => sum + shares[index]!, 0) / hours.length;
  expect(mean(0)).toBeGreaterThan(0.85);
  expect(mean(1)).toBeGreaterThan(0.98);
  expect(mean(2)).toBeGreaterThan(0.999);
});

test('section 4.1: round trips are below those of random routing at every percentile, and above the closest bound', () => {
  const { topology } = world;
  const trips = (fractions: (epoch: ReplayedEpoch) => Float64Array): RoundTrips =>
    epochs.reduce((sum, epoch) => sum.add(epoch.demandRps, fractions(epoch)), new RoundTrips(topology));
  const ours = trips(({ served }) => served);
  const closest = trips(({ states }) => closestFractions(topology, states));
  const random = trips(({ states }) => randomFractions(topology, states));
  for (const share of [0.5, 0.75, 0.9, 0.95]) {
    expect(ours.quantileMs(share), `p${share}`).toBeLessThan(random.quantileMs(share));
    expect(ours.quantileMs(share), `p${share}`).toBeGreaterThanOrEqual(closest.quantileMs(share));
  }
  expect(closest.meanMs()).toBeLessThanOrEqual(ours.meanMs());
});
