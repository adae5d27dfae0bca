/** Bucket weights follow what edges count, slowly enough that nobody turns the table round by what they say. */

import { expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { BucketCounts } from '../../../pipeline/server/bucket-counts.ts';
import { CountedRouting } from '../../../pipeline/server/counted-routing.ts';
import type { RoutingSource } from '../../../pipeline/server/routing-source.ts';
import { assign } from '../../../pipeline/table/assign.ts';
import type { BucketWeights, EdgeCells } from '../../../pipeline/table/bucket-weights.ts';
import { servedFractions } from '../../../pipeline/table/routing-table.ts';
import { makeInstance } from '../table/instance.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const even: EdgeCells = { bucket: Uint16Array.of(0, 1, 2, 3), weight: Float64Array.of(0.25, 0.25, 0.25, 0.25) };
const prior: BucketWeights = { byEdge: [even, even], edgeWeight: Float64Array.of(3, 5) };

const dense = ({ bucket, weight }: EdgeCells, buckets = 4): number[] => {
  const shares = new Array<number>(buckets).fill(0);
  bucket.forEach((b, i) => {
    shares[b] = weight[i]!;
  });
  return shares;
};
const apart = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, share, i) => sum + Math.abs(share - b[i]!), 0) / 2;

/** Epochs until nothing changes any more. */
function settled(counts: BucketCounts, nowMs: number, from = prior): BucketWeights {
  let weights = from;
  for (let i = 0; i < 200; i++) {
    const next = counts.next(prior, weights, nowMs);
    if (next === weights) return weights;
    weights = next;
  }
  throw new Error('weights do not settle');
}

test('where nobody counts the weights are those from before, the very same', () => {
  expect(new BucketCounts(2, 2, dayMs).next(prior, prior, 0)).toBe(prior);
});

test('weights come within a hundredth of what was counted, at that edge alone, and sum to 1', () => {
  const counts = new BucketCounts(2, 2, dayMs);
  counts.take(0, { 0: 70_000, 1: 20_000, 3: 10_000 }, 1000, 0);
  const weights = settled(counts, 0);
  expect(apart(dense(weights.byEdge[0]!), [0.7, 0.2, 0, 0.1])).toBeLessThanOrEqual(0.011);
  expect(dense(weights.byEdge[0]!).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  expect(weights.byEdge[1]).toBe(even);
  expect(weights.edgeWeight).toBe(prior.edgeWeight);
});

test('a few requests say little, and an edge that falls silent comes back to the weights from before', () => {
  const counts = new BucketCounts(2, 2, dayMs);
  counts.take(0, { 0: 4 }, 1000, 0);
  expect(counts.next(prior, prior, 0)).not.toBe(prior); // 4 beside 40: 0.068 more of one bucket
  expect(apart(dense(settled(counts, 0).byEdge[0]!), [0.25, 0.25, 0.25, 0.25])).toBeLessThan(0.07);
  counts.take(0, { 0: 100_000 }, 1000, 0);
  const told = settled(counts, 0);
  expect(dense(told.byEdge[0]!)[0]).toBeGreaterThan(0.98);
  expect(apart(dense(settled(counts, 30 * dayMs, told).byEdge[0]!), [0.25, 0.25, 0.25, 0.25])).toBeLessThan(0.011);
});

test('counts fade by half in the half-life, as sums over all reports say', () => {
  for (let seed = 0; seed < 10; seed++) {
    const random = seededRandom(seed);
    const counts = new BucketCounts(1, 2, dayMs);
    const said: { readonly atMs: number; readonly requests: readonly number[] }[] = [];
    let atMs = 0;
    for (let i = 0; i < 20; i++) {
      atMs += Math.floor(random() * 6 * hourMs) + 60_000;
      const requests = [0, 1, 2, 3].map(() => Math.floor(random() * random() * 50_000));
      said.push({ atMs, requests });
      counts.take(0, Object.fromEntries(requests.entries()), 1e9, atMs);
    }
    const sums = [0, 1, 2, 3].map(
      (b) => 10 + said.reduce((sum, one) => sum + one.requests[b]! * 2 ** ((one.atMs - atMs) / dayMs), 0),
    );
    const total = sums.reduce((a, b) => a + b, 0);
    const plain = sums.map((value) => value / total);
    const { byEdge } = settled(counts, atMs, { ...prior, byEdge: [even] });
    expect(apart(dense(byEdge[0]!), plain), `seed ${seed}`).toBeLessThanOrEqual(0.01 + 1e-9);
  }
});

test('an epoch goes at most a fiftieth of the edge, whatever was said', () => {
  const counts = new BucketCounts(2, 2, dayMs);
  counts.take(0, { 3: Number.MAX_SAFE_INTEGER }, 1e12, 0);
  let weights = prior;
  for (let i = 0; i < 40; i++) {
    const next = counts.next(prior, weights, 0);
    expect(apart(dense(next.byEdge[0]!), dense(weights.byEdge[0]!))).toBeLessThanOrEqual(0.02 + 1e-12);
    for (const share of dense(next.byEdge[0]!)) expect(share >= 0 && share <= 1).toBe(true);
    weights = next;
  }
});

test('ten times an edge’s demand counts as twice of it', () => {
  const [honest, loud] = [new BucketCounts(1, 2, dayMs), new BucketCounts(1, 2, dayMs)];
  const one = { ...prior, byEdge: [even] };
  for (const counts of [honest, loud]) counts.take(0, { 0: 720_000 }, 100, hourMs); // two hours at 100 rps, saved up
  honest.take(0, { 1: 720_000 }, 100, 2 * hourMs);
  loud.take(0, { 1: 3_600_000 }, 100, 2 * hourMs);
  expect(dense(settled(loud, 2 * hourMs, one).byEdge[0]!)).toEqual(dense(settled(honest, 2 * hourMs, one).byEdge[0]!));
});

test('before the demand of an edge is known nothing it says counts; a bucket that is none is refused whole', () => {
  const counts = new BucketCounts(1, 2, dayMs);
  counts.take(0, { 0: 1e6 }, null, 0);
  expect(counts.next(prior, prior, 0)).toBe(prior);
  expect(() => counts.take(0, { 0: 1e6, 4: 1 }, 1000, 0)).toThrow('ack: buckets: unknown bucket "4", expected 0..3');
  expect(counts.next(prior, prior, 0)).toBe(prior);
});

test('where nobody knows where users are, counts say how many are at each edge', () => {
  const nowhere = { ...prior, edgeWeight: new Float64Array(2) };
  const counts = new BucketCounts(2, 2, dayMs);
  counts.take(0, { 0: 3000 }, 1000, 0);
  counts.take(1, { 1: 1000 }, 1000, 0);
  expect([...counts.next(nowhere, nowhere, 0).edgeWeight]).toEqual([3000, 1000]);
});

test('what one edge says moves the fractions of its own table alone, by no more than its weights moved', () => {
  for (let seed = 0; seed < 20; seed++) {
    const instance = makeInstance(seed, { edges: 3, datacenters: 3, height: 5, weights: 'exponential' });
    const { table } = assign('friends', instance);
    const counts = new BucketCounts(3, 5, dayMs);
    const random = seededRandom(seed);
    const garbage = Object.fromEntries(
      Array.from({ length: 32 }, (_, b) => [b, Math.floor(1e9 * random() * random())]),
    );
    counts.take(1, garbage, 1000, 0);
    const next = counts.next(instance.weights, instance.weights, 0);
    const [before, after] = [instance.weights, next].map((weights) => servedFractions(table, weights));
    for (const e of [0, 1, 2]) {
      const row = (of: Float64Array | undefined) => [...of!.subarray(3 * e, 3 * e + 3)];
      const moved = apart(row(before), row(after));
      expect(moved, `seed ${seed}`).toBeLessThanOrEqual(e === 1 ? 0.02 + 1e-9 : 0);
    }
  }
});

test('a routing is in force once its epoch is, and one that came to nothing is proposed again', () => {
  const instance = makeInstance(1, { edges: 2, datacenters: 2, height: 2, weights: 'even' });
  const counts = new BucketCounts(2, 2, dayMs);
  const routing = { tree: instance.tree, weights: prior };
  const fixed: RoutingSource = { routing, propose: () => ({ routing, churnSpent: 0 }), take: () => {} };
  const source = new CountedRouting(fixed, counts, () => 0);
  const asked = {} as Parameters<RoutingSource['propose']>[0];
  const first = source.routing;
  expect(source.propose(asked).routing).toBe(first); // journals name it by nothing
  counts.take(0, { 0: 100_000 }, 1000, 0);
  const held = source.propose(asked);
  expect([source.routing, held.churnSpent]).toEqual([first, 0]);
  const again = source.propose(asked);
  expect(again.routing.weights.byEdge).toEqual(held.routing.weights.byEdge);
  source.take(again);
  expect(source.routing).toBe(again.routing);
});
