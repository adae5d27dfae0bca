/** What was learnt of buckets goes with the users who pass to other buckets, on and back, and nobody passes twice. */

import { expect, test } from 'vitest';
import { fullCut } from '../../../bucketizer/tree-share.ts';
import { seededRandom } from '../../../config/random.ts';
import { BucketCounts } from '../../../pipeline/server/bucket-counts.ts';
import { CountedRouting } from '../../../pipeline/server/counted-routing.ts';
import type { ProposedRouting, RoutingSource } from '../../../pipeline/server/routing-source.ts';
import { bucketWeights, denseOf } from '../../../pipeline/table/bucket-weights.ts';
import { TreeMove } from '../../../pipeline/table/tree-move.ts';
import { topologyOf, treeOf } from '../../scene.ts';

const topology = topologyOf(3, [10, 10]);
const height = 5;
const [from, to] = [treeOf(300, height, 1), treeOf(300, height, 2)];

/** Nobody is known to live at the last edge. */
function usersOf(seed: number) {
  const random = seededRandom(seed);
  return {
    ids: from.users,
    homeEdge: Uint32Array.from(from.users, (_, u) => u % 2),
    weight: Float64Array.from(from.users, () => 0.5 + random()),
  };
}

const apart = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / 2;

test('as if each user had been counted by name, in the bucket before and then in the one after', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = seededRandom(seed);
    const users = usersOf(seed);
    const move = new TreeMove(topology, from, to, users);
    const [cut, next] = [0, 1].map(() => Math.floor(random() * fullCut)) as [number, number];
    const weights = move.weightsAt(cut);
    const known = [0, 1].map(() => Float64Array.from({ length: 1 << height }, () => 1000 * random()));
    const expected = known.map((byBucket, e) => {
      const inBucket = denseOf(weights.byEdge[e]!, 1 << height);
      const all = users.weight.reduce((sum, weight, u) => sum + (users.homeEdge[u] === e ? weight : 0), 0);
      const after = byBucket.map((count, b) => (inBucket[b]! > 0 ? 0 : count));
      users.ids.forEach((id, u) => {
        if (users.homeEdge[u] !== e) return;
        const bucket = move.bucketAt(id, cut);
        after[move.bucketAt(id, next)]! += (byBucket[bucket]! * users.weight[u]!) / all / inBucket[bucket]!;
      });
      return after;
    });
    const passed = move.passed([...known, null], weights, cut, next);
    expect(passed[2]).toBe(null);
    for (const e of [0, 1]) expect(apart(passed[e]!, expected[e]!), `seed ${seed}, edge ${e}`).toBeLessThan(0.01);
  }
});

test('an edge that counts as its users weigh counts so on the other tree too, where nobody is known to live as well', () => {
  const users = usersOf(1);
  const move = new TreeMove(topology, from, to, users);
  const [before, after] = [bucketWeights(topology, from, users), bucketWeights(topology, to, users)];
  const known = before.byEdge.map((cells) => denseOf(cells, 1 << height));
  const passed = move.passed(known, before, 0, fullCut);
  after.byEdge.forEach((cells, e) => {
    // At the last edge the new tree's users weigh what the old tree said of them.
    if (e < 2) expect(apart(passed[e]!, denseOf(cells, 1 << height)), `edge ${e}`).toBeLessThan(1e-6);
    expect(passed[e]!.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
  });
});

test('weights that were learnt go along with an epoch’s step, and counts with them, once', () => {
  const users = usersOf(1);
  const move = new TreeMove(topology, from, to, users);
  const cut = Math.floor(fullCut / 3);
  const [here, there] = [0, cut].map((at) => ({ tree: from, weights: move.weightsAt(at) }));
  let inForce = here!;
  const step: ProposedRouting = {
    routing: there!,
    churnSpent: 0.01,
    passed: (known) => move.passed(known, here!.weights, 0, cut),
  };
  let proposes: ProposedRouting = { routing: here!, churnSpent: 0 };
  const trees: RoutingSource = {
    get routing() {
      return inForce;
    },
    propose: () => proposes,
    take: ({ routing }) => {
      inForce = routing;
    },
  };
  const counts = new BucketCounts(3, height, 86_400_000);
  const source = new CountedRouting(trees, counts, () => 0);
  const inputs = {} as Parameters<RoutingSource['propose']>[0];
  const loudest = here!.weights.byEdge[0]!.bucket[0]!;
  counts.take(0, { [loudest]: 1_000_000 }, 1000, 0);
  for (let epoch = 0; epoch < 10; epoch++) source.take(source.propose(inputs));
  const learnt = denseOf(source.routing.weights.byEdge[0]!, 1 << height);
  expect(apart(learnt, denseOf(here!.weights.byEdge[0]!, 1 << height))).toBeGreaterThan(0.15);

  proposes = step;
  source.propose(inputs); // comes to nothing
  const total = () => counts.all[0]!.requests.reduce((a, b) => a + b, 0);
  expect([counts.all[0]!.requests[loudest], total()]).toEqual([1_000_000, 1_000_000]);
  source.take(source.propose(inputs));
  proposes = { routing: there!, churnSpent: 0 };
  const went = move.passed([learnt, null, null], here!.weights, 0, cut)[0]!;
  const now = denseOf(source.routing.weights.byEdge[0]!, 1 << height);
  expect(apart(now, went)).toBeLessThanOrEqual(0.02 + 1e-9); // as far as an epoch goes
  expect(source.routing.weights.byEdge[1]).toBe(there!.weights.byEdge[1]); // it counts nothing
  const counted = move.passed(
    [Float64Array.from(learnt, (_, b) => (b === loudest ? 1_000_000 : 0)), null, null],
    here!.weights,
    0,
    cut,
  )[0]!;
  expect(counts.all[0]!.requests).toEqual(counted);
  source.take(source.propose(inputs));
  expect(counts.all[0]!.requests).toEqual(counted);
});
