import { expect, test } from 'vitest';
import { atLeast, toFixedPoint } from '../../bucketizer/fixed-point.ts';

test('whole weights stay what they are', () => {
  expect(toFixedPoint([3, 0, 7], 'users')).toEqual({ weights: Float64Array.of(3, 0, 7), scale: 1 });
  const given = Float64Array.of(3, 0, 7);
  expect(toFixedPoint(given, 'users').weights).toBe(given); // of many ties a copy would take as much memory as the ties
});

test('fractions become integers in proportion, to five digits of the mean', () => {
  const { weights, scale } = toFixedPoint([0.5315, 0.671, 1.2], 'users');
  for (const [i, given] of [0.5315, 0.671, 1.2].entries()) {
    expect(Number.isInteger(weights[i])).toBe(true);
    expect(Math.abs(weights[i]! / scale / given - 1)).toBeLessThan(1e-4);
  }
});

test('a positive weight never becomes 0, however light beside the others', () => {
  expect(toFixedPoint([1e-12, 1e6, 0.5], 'users').weights[0]).toBe(1);
});

test('sums stay exact integers for the heaviest weights', () => {
  const { weights } = toFixedPoint([1e300, 3e299, 1], 'users');
  expect(weights[0]! + weights[1]! + weights[2]!).toBeLessThanOrEqual(2 ** 51);
  expect(weights.every(Number.isSafeInteger)).toBe(true);
});

test('the scale does not depend on the order of the weights, where their mean is at its very border', () => {
  const pairs = Array.from({ length: 10 }, () => [0.04, 0.16]).flat();
  const sorted = pairs.toSorted();
  for (const order of [pairs, pairs.toReversed(), sorted, sorted.toReversed()]) {
    expect(toFixedPoint(order, 'ties').scale).toBe(toFixedPoint(pairs, 'ties').scale);
  }
});

test('the lightest weights a number can hold end up somewhere', () => {
  expect([...toFixedPoint([1e-310, 5e-324], 'ties').weights]).toEqual([1, 1]);
});

test('weights that add up to more than a number can hold are refused in a line', () => {
  expect(() => toFixedPoint([1.7e308, 1.7e308, 0.5], 'users')).toThrow(
    /^the weights of users add up to more than 1.79\S+; give them in a larger unit$/,
  );
});

test('who weighs just the limit is not below it, whatever the fractions of both', () => {
  for (let i = 1; i < 1000; i++) {
    const limit = i / 100;
    const { weights, scale } = toFixedPoint([limit, limit - 0.001, limit + 0.001, 1_000_000.5], 'ties', limit);
    const least = atLeast(limit, scale);
    expect([...weights].map((weight) => weight >= least)).toEqual([true, false, true, true]);
  }
  expect([2.4, 3, 0].map((limit) => atLeast(limit, 1))).toEqual([3, 3, 0]);
});

test('a limit that cannot be told from lighter weights beside the heavy ones is refused in a line', () => {
  for (const [given, limit] of [
    [[2e15, 3, 1], 3],
    [[1e15, 0.5, 0.001], 0.5],
    [[5e-324, 1e-310], 1e-310],
  ] as const) {
    expect(() => toFixedPoint(given, 'ties', limit)).toThrow(
      /^ties weigh \S+ together: beside that --min-weight \S+ cannot/,
    );
  }
  for (const [given, limit] of [
    [[1e15, 3, 1], 3],
    [[2e15, 30, 10], 30],
    [[1e6, 0.5], 1e-9],
    [[1e10, 0.01, 0.009], 0.01],
  ] as const) {
    const { weights, scale } = toFixedPoint(given, 'ties', limit);
    for (const [i, weight] of given.entries()) expect(weights[i]! >= atLeast(limit, scale)).toBe(weight >= limit);
  }
});
