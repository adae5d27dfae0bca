import { expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { coarseBuckets } from '../../../pipeline/server/tree-fits.ts';
import { bucketWeights, uniformBucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { makePlaces, randomTree } from '../table/instance.ts';

const topology = makePlaces(2, 2);

test('where the heaviest bucket is a fifth of its edge or more, what to build instead is said', () => {
  const tree = {
    ...randomTree(seededRandom(1), 2),
    users: ['a', 'b', 'c', 'd', 'e'],
    bucketOfUser: Uint32Array.from([0, 1, 2, 3, 3]),
  };
  const users = {
    ids: ['a', 'b', 'c', 'd', 'e'],
    homeEdge: Uint32Array.from([0, 0, 0, 1, 1]),
    weight: Float64Array.from([1, 1, 2, 3, 3]), // half of the first edge, all of the second: .8 in the mean
  };
  const said = coarseBuckets(tree, bucketWeights(topology, tree, users), topology.edges, 'world.tree');
  expect(said).toBe(
    `world.tree: its buckets are coarse: the heaviest holds 80 % of its edge's users in the mean, 100 % at ${topology.edges[1]!.id}, ` +
      'and tables cannot follow fractions more closely; build it with "taiji bucketize --height 5"',
  );
});

test.each([
  [2, true],
  [3, false],
])('even buckets of height %i are coarse: %s', (height, isCoarse) => {
  const tree = { ...randomTree(seededRandom(1), height), bucketWeight: new Float64Array(1 << height).fill(1) };
  const said = coarseBuckets(tree, uniformBucketWeights(topology, tree), topology.edges, 'world.tree');
  expect(said !== null).toBe(isCoarse);
});
