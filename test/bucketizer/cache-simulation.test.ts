import { expect, test } from 'vitest';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { LruCache } from '../../bucketizer/lru-cache.ts';
import { seededRandom } from '../../config/random.ts';
import { below, communityTies, userNames } from './sample-graphs.ts';

test('the cache misses exactly where a list with the last used in front does', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const items = 1 + below(12, random);
    const size = below(items + 3, random);
    const cache = new LruCache(size, items);
    let plain: number[] = [];
    let misses = 0;
    for (let i = 0; i < 300; i++) {
      const item = below(items, random);
      if (!plain.includes(item)) misses++;
      plain = [item, ...plain.filter((other) => other !== item)].slice(0, size);
      cache.request(item);
      expect(cache.misses, `seed ${seed}, request ${i}`).toBe(misses);
    }
  }
});

test('caches behind the tree miss less than behind a hash, those less than behind chance; larger ones never more', () => {
  const users = 1200;
  const input = { users: userNames(users), userWeights: null, ties: communityTies(users, 30, 2), tieWeights: null };
  const options = { height: 6, seed: 1, simulateCache: true };
  const { cache, levels } = bucketize(input, options).report;
  for (const [i, { cacheShare, missRate }] of cache!.curve.entries()) {
    if (cacheShare >= 0.05 && cacheShare <= 0.2) expect(missRate.tree).toBeLessThan(0.9 * missRate.hash);
    expect(missRate.tree).toBeLessThanOrEqual(missRate.hash + 0.01);
    expect(missRate.hash).toBeLessThanOrEqual(missRate.random + 0.01);
    const larger = cache!.curve[i + 1];
    for (const way of ['random', 'hash', 'tree'] as const) {
      if (larger !== undefined) expect(larger.missRate[way]).toBeLessThanOrEqual(missRate[way]);
    }
  }
  expect(cache!.connectionLocality).toEqual(
    levels.slice(1).map(({ level, nodes, locality }) => ({ level, tree: locality, hash: 1 / nodes })), // a friend's hash is one of `nodes` alike
  );
  expect(bucketize(input, options).report.cache).toEqual(cache);
  expect(bucketize(input, { height: 6, seed: 1 }).report.cache).toBeNull();
});

test('no way to route has more datacenters than the tree can fill', () => {
  const users = 400;
  const input = { users: userNames(users), userWeights: null, ties: communityTies(users, 20, 3), tieWeights: null };
  for (const [height, datacenters] of [
    [1, 2],
    [2, 4],
    [3, 8],
    [6, 8],
  ] as const) {
    const { cache } = bucketize(input, { height, seed: 1, simulateCache: true }).report;
    expect(cache!.datacenters).toBe(datacenters);
    const { missRate } = cache!.curve.find(({ cacheShare }) => cacheShare === 0.2)!;
    expect(missRate.tree, `height ${height}`).toBeLessThan(missRate.hash);
    expect(missRate.hash, `height ${height}`).toBeLessThan(missRate.random);
  }
});

test('where nobody who weighs anything has friends no cache is asked, and none is said to miss nothing', () => {
  const ties = Uint32Array.of(0, 1);
  const input = { users: userNames(4), userWeights: Float64Array.of(0, 0, 1, 1), ties, tieWeights: null };
  expect(bucketize(input, { height: 1, seed: 1, simulateCache: true }).report.cache).toBeNull();
});
