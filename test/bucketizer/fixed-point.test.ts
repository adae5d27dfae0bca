import { expect, test } from 'vitest';
import { toFixedPoint } from '../../bucketizer/fixed-point.ts';

test('whole weights stay what they are', () => {
  expect(toFixedPoint([3, 0, 7])).toEqual({ weights: Float64Array.of(3, 0, 7), scale: 1 });
});

test('fractions become integers in proportion, to five digits of the mean', () => {
  const { weights, scale } = toFixedPoint([0.5315, 0.671, 1.2]);
  for (const [i, given] of [0.5315, 0.671, 1.2].entries()) {
    expect(Number.isInteger(weights[i])).toBe(true);
    expect(Math.abs(weights[i]! / scale / given - 1)).toBeLessThan(1e-4);
  }
});

test('a positive weight never becomes 0, however light beside the others', () => {
  expect(toFixedPoint([1e-12, 1e6, 0.5]).weights[0]).toBe(1);
});

test('sums stay exact integers for the heaviest weights', () => {
  const { weights } = toFixedPoint([1e300, 3e299, 1]);
  expect(weights[0]! + weights[1]! + weights[2]!).toBeLessThanOrEqual(2 ** 51);
  expect(weights.every(Number.isSafeInteger)).toBe(true);
});

test('the scale does not depend on the order of the weights, where their mean is at its very border', () => {
  const pairs = Array.from({ length: 10 }, () => [0.04, 0.16]).flat();
  const sorted = pairs.toSorted();
  for (const order of [pairs, pairs.toReversed(), sorted, sorted.toReversed()]) {
    expect(toFixedPoint(order).scale).toBe(toFixedPoint(pairs).scale);
  }
});
