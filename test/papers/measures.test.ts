/** The measures themselves, on numbers worked by hand. */

import { expect, test } from 'vitest';
import type { RoutingTable } from '../../pipeline/table/routing-table.ts';
import { normalState } from '../../runtime/inputs.ts';
import { matrixOf, statesWithout, topologyOf } from '../scene.ts';
import { closestFractions, divergences, HourlyStability, RoundTrips, randomFractions } from './measures.ts';

const topology = topologyOf(
  2,
  [300, 100],
  (e, d) =>
    [
      [10, 50],
      [80, 20],
    ][e]![d]!,
);
const states = [normalState, normalState];

test('divergence is from the mean of what is in service', () => {
  expect(divergences(Float64Array.of(0.6, 0.4), states).map((value) => value.toFixed(6))).toEqual([
    '0.200000',
    '0.200000',
  ]);
  expect(divergences(Float64Array.of(0.6, 0), statesWithout(topology, 1))).toEqual([0]);
  expect(divergences(Float64Array.of(0, 0), states)).toEqual([]);
});

test('percentiles of round trips are over users', () => {
  const trips = new RoundTrips(topology).add(
    Float64Array.of(60, 40),
    matrixOf([
      [0.5, 0.5],
      [0.25, 0.75],
    ]),
  );
  // 30 users at 10 ms, 30 at 20, 30 at 50, 10 at 80
  expect([0.3, 0.31, 0.6, 0.61, 0.9, 0.95].map((share) => trips.quantileMs(share))).toEqual([10, 20, 20, 50, 50, 80]);
  expect(trips.meanMs()).toBeCloseTo(32, 9);
  const ofOne = new RoundTrips(topology, (e) => e === 1).add(
    Float64Array.of(60, 40),
    closestFractions(topology, states),
  );
  expect(ofOne.meanMs()).toBe(20);
});

test('the bounds: nearest in service, and by capacity', () => {
  expect([...closestFractions(topology, states)]).toEqual([1, 0, 0, 1]);
  expect([...closestFractions(topology, statesWithout(topology, 0))]).toEqual([0, 1, 0, 1]);
  expect([...randomFractions(topology, states)]).toEqual([0.75, 0.25, 0.75, 0.25]);
});

test('stability counts the datacenters a user saw within the hour, weighed by demand', () => {
  const weights = {
    byEdge: [
      { bucket: Uint16Array.of(0, 1), weight: Float64Array.of(0.5, 0.5) },
      { bucket: Uint16Array.of(1), weight: Float64Array.of(1) },
    ],
    edgeWeight: Float64Array.of(1, 1),
  };
  const table = (...rows: number[][]) =>
    ({ byEdge: rows.map((row) => Uint8Array.from(row)) }) as unknown as RoutingTable;
  const stability = new HourlyStability(weights);
  const demand = Float64Array.of(60, 40);
  stability.add(0, table([0, 0], [9, 0]), demand);
  stability.add(1_800_000, table([0, 1], [9, 1]), demand);
  stability.add(3_599_999, table([0, 2], [9, 0]), demand);
  stability.add(3_600_000, table([3, 3], [3, 3]), demand);
  const shares = stability.hours().map((hour) => hour.shares.map((share) => Number(share.toFixed(6))));
  expect(shares).toEqual([
    [0.3, 0.7, 1],
    [1, 1, 1],
  ]);
});
