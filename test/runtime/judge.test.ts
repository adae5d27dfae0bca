import { expect, test } from 'vitest';
import { rttOf, utilizationOf } from '../../runtime/judge.ts';
import { matrixOf, topologyOf } from '../scene.ts';

const topology = topologyOf(1, [100, 0], (_, d) => [10, 200][d]!);

test('round trips are weighted by the users who make them', () => {
  const { mean, p50, p95 } = rttOf(topology, Float64Array.of(10), matrixOf([[0.9, 0.1]]));
  expect([mean, p50, p95]).toEqual([expect.closeTo(29, 9), 10, 200]);
});

test('without demand there is no round trip and no utilization, and no NaN', () => {
  expect(rttOf(topology, Float64Array.of(0), matrixOf([[1, 0]]))).toEqual({ mean: 0, p50: 0, p95: 0 });
  expect([...utilizationOf(topology, Float64Array.of(0), matrixOf([[0.5, 0.5]]))]).toEqual([0, 0]);
});

test('load where there is no capacity is an infinite utilization, not a quiet zero', () => {
  expect(utilizationOf(topology, Float64Array.of(10), matrixOf([[0.5, 0.5]]))[1]).toBe(Number.POSITIVE_INFINITY);
});
