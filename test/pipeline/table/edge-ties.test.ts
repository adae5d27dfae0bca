import { expect, test } from 'vitest';
import { bucketize } from '../../../bucketizer/bucketize.ts';
import type { BucketTree } from '../../../bucketizer/tree.ts';
import { generateWorld } from '../../../config/generate.ts';
import { type BucketWeights, bucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { edgeTies } from '../../../pipeline/table/edge-ties.ts';
import { makeInstance } from './instance.ts';

/** Bucket by bucket, edge by edge, as the definition says. */
function plainTies({ height, quotient, levels }: BucketTree, { byEdge, edgeWeight }: BucketWeights): Float64Array {
  const edges = byEdge.length;
  const at = byEdge.map(({ bucket, weight }, e) => {
    const dense = new Float64Array(1 << height);
    bucket.forEach((b, i) => {
      dense[b] = weight[i]! * edgeWeight[e]!;
    });
    return dense;
  });
  const share = (e: number, b: number): number => {
    const users = at.reduce((sum, dense) => sum + dense[b]!, 0);
    return users > 0 ? at[e]![b]! / users : 0;
  };
  const ties = new Float64Array(edges * edges);
  for (let b = 0; b < 1 << height; b++) {
    for (let k = quotient.rowStart[b]!; k < quotient.rowStart[b + 1]!; k++) {
      for (let e = 0; e < edges; e++)
        for (let f = 0; f < edges; f++)
          ties[e * edges + f]! += quotient.weight[k]! * share(e, b) * share(f, quotient.neighbour[k]!);
    }
  }
  const all = ties.reduce((a, b) => a + b, 0);
  const inBuckets = levels?.at(-1)?.locality ?? 0;
  const users = edgeWeight.reduce((a, b) => a + b, 0);
  return ties.map((count, i) => {
    const [e, f] = [Math.floor(i / edges), i % edges];
    return (count / all) * (1 - inBuckets) + (e === f ? (inBuckets * edgeWeight[e]!) / users : 0);
  });
}

test('ties between edges are those of the definition, symmetric, and sum to 1', () => {
  for (let seed = 0; seed < 12; seed++) {
    const { tree, weights, random } = makeInstance(seed, { edges: 4, datacenters: 2, height: 4, weights: 'sparse' });
    const uneven = { ...weights, edgeWeight: weights.edgeWeight.map(() => Math.ceil(9 * random())) };
    const ties = edgeTies(tree, uneven);
    plainTies(tree, uneven).forEach((share, i) => {
      expect(ties[i], `seed ${seed}, ${i}`).toBeCloseTo(share, 12);
      expect(ties[i]).toBe(ties[(i % 4) * 4 + Math.floor(i / 4)]);
    });
    expect(ties.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    expect(edgeTies(tree, uneven)).toBe(ties);
  }
});

test('an edge of whose users nobody knows has no ties, and where nobody knows any, nobody has', () => {
  const { tree, weights } = makeInstance(1, { edges: 3, datacenters: 2, height: 4, weights: 'even' });
  const ties = edgeTies(tree, { ...weights, edgeWeight: Float64Array.of(2, 0, 3) });
  expect([ties[1], ties[3], ties[4], ties[5], ties[7]]).toEqual([0, 0, 0, 0, 0]);
  expect(ties[2]).toBeGreaterThan(0);
  expect([...edgeTies(tree, { ...weights, edgeWeight: new Float64Array(3) })]).toEqual(new Array(9).fill(0));
});

test('what the tree tells of ties between edges is near what the users say', () => {
  const { topology, users, friends } = generateWorld({ seed: 3, edges: 6, datacenters: 2, users: 4000, days: 1 });
  const input = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  const { tree } = bucketize(input, { height: 9, seed: 1, effort: 'fast' });
  const told = edgeTies(tree, bucketWeights(topology, tree, users));
  const real = new Float64Array(36);
  for (let i = 0; i < friends.length; i += 2) {
    const [a, b] = [users.homeEdge[friends[i]!]!, users.homeEdge[friends[i + 1]!]!];
    real[a * 6 + b]! += 1 / friends.length;
    real[b * 6 + a]! += 1 / friends.length;
  }
  const halfL1 = real.reduce((sum, share, i) => sum + Math.abs(share - told[i]!), 0) / 2;
  expect(halfL1).toBeLessThan(0.1);
});
