import { expect, test } from 'vitest';
import { BucketLookup } from '../../../bucketizer/lookup.ts';
import { encodeTree } from '../../../bucketizer/tree-bytes.ts';
import { seededRandom } from '../../../config/random.ts';
import {
  bucketOfUser,
  bucketWeights,
  heaviestBuckets,
  uniformBucketWeights,
} from '../../../pipeline/table/bucket-weights.ts';
import { makePlaces, randomTree } from './instance.ts';

const topology = makePlaces(2, 2);
const tree = {
  ...randomTree(seededRandom(1), 2),
  users: ['a', 'b', 'c'],
  bucketOfUser: Uint32Array.from([3, 1, 3]),
  bucketWeight: Float64Array.from([0, 1, 0, 3]),
};

test('a cell weighs the share of its users in the weight of all users of the edge', () => {
  const users = { ids: ['b', 'c', 'a'], homeEdge: Uint32Array.from([0, 0, 0]), weight: Float64Array.from([1, 2, 1]) };
  const { byEdge } = bucketWeights(topology, tree, users);
  expect([...byEdge[0]!.bucket]).toEqual([1, 3]);
  expect([...byEdge[0]!.weight]).toEqual([0.25, 0.75]);
});

test('an edge without users gets the weights of the tree', () => {
  const users = { ids: ['b'], homeEdge: Uint32Array.from([0]), weight: Float64Array.from([1]) };
  const { byEdge } = bucketWeights(topology, tree, users);
  expect([...byEdge[1]!.bucket]).toEqual([1, 3]);
  expect([...byEdge[1]!.weight]).toEqual([0.25, 0.75]);
  expect(uniformBucketWeights(topology, tree).byEdge[0]).toEqual(byEdge[1]);
});

test('a tree without any weight means every bucket alike', () => {
  const { byEdge } = uniformBucketWeights(topology, { ...tree, bucketWeight: new Float64Array(4) });
  expect([...byEdge[0]!.weight]).toEqual([0.25, 0.25, 0.25, 0.25]);
});

test('users the tree does not know spread over all buckets, and are where a frontend puts them', () => {
  const strangers = Array.from({ length: 4000 }, (_, i) => `stranger${i}`);
  const counts = [0, 0, 0, 0];
  for (const user of strangers) counts[bucketOfUser(tree, user)]! += 1;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  const lookup = new BucketLookup(encodeTree(tree), tree.version);
  expect(strangers.map((user) => bucketOfUser(tree, user))).toEqual(strangers.map((user) => lookup.bucketOf(user)));
});

test('the order of the users file does not matter', () => {
  const weight = Array.from({ length: 50 }, (_, i) => 0.1 + i / 7);
  const ids = weight.map((_, i) => `u${i}`);
  const forward = { ids, homeEdge: new Uint32Array(50), weight: Float64Array.from(weight) };
  const backward = {
    ids: [...ids].reverse(),
    homeEdge: new Uint32Array(50),
    weight: Float64Array.from(weight).reverse(),
  };
  expect(bucketWeights(topology, tree, backward)).toEqual(bucketWeights(topology, tree, forward));
});

test('weights of an edge sum to 1, and the heaviest is found', () => {
  const ids = Array.from({ length: 999 }, (_, i) => `u${i}`);
  const users = { ids, homeEdge: new Uint32Array(999), weight: Float64Array.from(ids, (_, i) => 0.001 + (i % 13)) };
  const weights = bucketWeights(topology, tree, users);
  const { weight } = weights.byEdge[0]!;
  expect(Math.abs(weight.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-9);
  expect(heaviestBuckets(weights)[0]).toBe(Math.max(...weight));
});
