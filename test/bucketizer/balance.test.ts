import { expect, test } from 'vitest';
import { restoreBalance, treeWeights } from '../../bucketizer/balance.ts';
import { sumOf } from '../../bucketizer/multilevel/graph.ts';
import { halfCap, longestFirst } from '../../bucketizer/multilevel/half.ts';
import { heavierSide } from '../../bucketizer/multilevel/sides.ts';
import { seededRandom } from '../../config/random.ts';
import { checkBalance } from './check-tree.ts';
import { below, randomGraph } from './sample-graphs.ts';

test('balance is restored from any placing of any users: all in one leaf, skewed, few', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = seededRandom(seed);
    const height = 1 + below(6, random);
    const users = 1 + below(120, random);
    const graph = randomGraph(users, seed, seed % 2 === 0);
    const crowd = seed % 3 === 0 ? 1 : 1 + below(1 << height, random);
    const leafOf = Uint32Array.from({ length: users }, () => below(crowd, random));
    restoreBalance(graph, leafOf, height);
    try {
      checkBalance({ height, bucketOfUser: leafOf }, graph.nodeWeight);
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`);
    }
  }
});

test('a balanced tree is left alone', () => {
  const graph = randomGraph(64, 3);
  const leafOf = Uint32Array.from({ length: 64 }, (_, v) => v % 8);
  restoreBalance(graph, leafOf, 3);
  const before = leafOf.slice();
  expect(restoreBalance(graph, leafOf, 3)).toBe(0);
  expect(leafOf).toEqual(before);
});

test('longest first: the sides differ by at most the lightest user of the heavier one', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const graph = randomGraph(2 + (seed % 20), seed, true);
    const side = longestFirst(graph);
    const total = sumOf(graph.nodeWeight);
    const heavier = heavierSide(graph, side);
    const one = side.reduce((sum, s, v) => sum + s * graph.nodeWeight[v]!, 0);
    const heavySide = one === heavier ? 1 : 0;
    const lightest = Math.min(...[...graph.nodeWeight].filter((_, v) => side[v] === heavySide));
    expect(heavier - (total - heavier), `seed ${seed}`).toBeLessThanOrEqual(lightest);
  }
});

test('a half is always allowed what longest first gives it', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const graph = randomGraph(1 + (seed % 30), seed, true);
    const levels = 1 + (seed % 6);
    const cap = halfCap(graph, levels, sumOf(graph.nodeWeight) / 2 ** levels);
    expect(cap, `seed ${seed}`).toBeGreaterThanOrEqual(heavierSide(graph, longestFirst(graph)));
  }
});

test('the weight of a tree node is that of the users under it', () => {
  const weight = treeWeights(Float64Array.of(1, 2, 4, 8), Uint32Array.of(0, 1, 3, 3), 2);
  expect([...weight]).toEqual([0, 15, 3, 12, 1, 2, 0, 12]);
});
