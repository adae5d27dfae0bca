/** What an edge is said to do elsewhere than its table is as much as it counted, and nothing where it did not count. */

import { expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { RealisedFractions } from '../../../pipeline/server/realised.ts';

const minute = 60_000;
const half = Float64Array.of(0.5, 0.5, 0);
const tableOf = (sha256: string, row = half) => ({ sha256, row });

test('half the distance between what was counted and the table that was acknowledged', () => {
  const realised = new RealisedFractions(2);
  expect(realised.count(0, Float64Array.of(7000, 2000, 1000), 'a', tableOf('a'), 0)).toBe(true);
  expect(realised.of(0, 0)).toEqual({ distance: 0.3, by: 'acks' });
  expect(realised.of(1, 0)).toBe(null);
});

test('too few requests, or none for long, are no figure', () => {
  const realised = new RealisedFractions(1);
  realised.count(0, Float64Array.of(499, 500, 0), 'a', tableOf('a'), 0);
  expect(realised.of(0, 0)).toBe(null);
  realised.count(0, Float64Array.of(4000, 4000, 0), 'a', tableOf('a'), minute);
  expect(realised.of(0, minute)!.distance).toBeLessThan(0.001);
  expect(realised.of(0, 21 * minute)).not.toBe(null);
  expect(realised.of(0, 21 * minute + 1)).toBe(null);
});

test('requests count against the table by which they went; those by a table that nobody knows do not count', () => {
  const realised = new RealisedFractions(1);
  const next = Float64Array.of(0, 0, 1);
  realised.count(0, Float64Array.of(5000, 5000, 0), 'a', tableOf('a'), 0);
  expect(realised.count(0, Float64Array.of(5000, 5000, 0), 'a', tableOf('b', next), minute)).toBe(true); // not applied yet
  expect(realised.of(0, minute)!.distance).toBe(0);
  expect(realised.count(0, Float64Array.of(9000, 0, 0), 'c', tableOf('b', next), minute)).toBe(false);
  expect(realised.count(0, Float64Array.of(9000, 0, 0), 'c', null, minute)).toBe(false);
  realised.count(0, Float64Array.of(0, 0, 10_000), 'b', tableOf('b', next), minute);
  expect(realised.of(0, minute)!.distance).toBe(0);
});

test('counts fade by half in ten minutes, as sums over all of them say', () => {
  const seed = 41;
  const random = seededRandom(seed);
  const realised = new RealisedFractions(1);
  const said: { readonly atMs: number; readonly counts: Float64Array; readonly row: Float64Array }[] = [];
  let atMs = 0;
  for (let i = 0; i < 60; i++) {
    atMs += Math.floor(random() * 3 * minute);
    const counts = Float64Array.from({ length: 3 }, () => 500 + Math.floor(random() * 4000));
    const share = random();
    const row = Float64Array.of(share, 1 - share, 0);
    said.push({ atMs, counts, row });
    realised.count(0, counts, `sha ${i}`, tableOf(`sha ${i}`, row), atMs);
    const sums = [0, 1, 2].map((d) => {
      let [is, meant] = [0, 0];
      for (const one of said) {
        const kept = 2 ** ((one.atMs - atMs) / (10 * minute));
        is += kept * one.counts[d]!;
        meant += kept * one.row[d]! * one.counts.reduce((a, b) => a + b, 0);
      }
      return { is, meant };
    });
    const total = sums.reduce((sum, { is }) => sum + is, 0);
    const plain = sums.reduce((sum, { is, meant }) => sum + Math.abs(is - meant), 0) / (2 * total);
    expect(realised.of(0, atMs)!.distance, `seed ${seed}, report ${i}`).toBeCloseTo(plain, 9);
  }
});

test('what telemetry saw stands in where an edge does not count, for as long as it is new', () => {
  const realised = new RealisedFractions(2);
  realised.see(Float64Array.of(0.2, Number.NaN), 0);
  expect([realised.of(0, minute), realised.of(1, minute)]).toEqual([{ distance: 0.2, by: 'telemetry' }, null]);
  realised.count(0, Float64Array.of(5000, 5000, 0), 'a', tableOf('a'), minute);
  expect(realised.of(0, minute)).toEqual({ distance: 0, by: 'acks' });
  realised.see(null, 2 * minute);
  expect(realised.of(1, 2 * minute)).toBe(null);
});
