/** The history keeps the newest epochs and finds them by number and by time. */

import { expect, test } from 'vitest';
import { formatTime } from '../../../config/duration.ts';
import { EpochHistory } from '../../../pipeline/server/epoch-history.ts';
import type { EpochSummary } from '../../../pipeline/server/epoch-summary.ts';

const summaryOf = (epoch: number, version = 1): EpochSummary => ({
  epoch,
  time: formatTime(epoch * 300_000),
  outcome: 'published',
  reason: null,
  relaxed: [],
  utilization: {},
  churn: { forced: 0, elective: 0, deferred: 0, minimum: 0 },
  version,
  durationMs: 1,
});
const numbers = (epochs: readonly EpochSummary[]): number[] => epochs.map(({ epoch }) => epoch);

test('beyond its size the oldest epochs go', () => {
  const history = new EpochHistory(
    3,
    [0, 1, 2, 3, 4].map((epoch) => summaryOf(epoch)),
  );
  expect(numbers(history.after(-1, 10))).toEqual([2, 3, 4]);
  expect(history.latest?.epoch).toBe(4);
});

test('since a number is after it, since a time is from it on, and a limit keeps the newest', () => {
  const history = new EpochHistory(
    10,
    [0, 1, 2, 3, 4].map((epoch) => summaryOf(epoch)),
  );
  expect(numbers(history.after(2, 10))).toEqual([3, 4]);
  expect(numbers(history.after(4, 10))).toEqual([]);
  expect(numbers(history.after(-1, 2))).toEqual([3, 4]);
  expect(numbers(history.since(2 * 300_000, 10))).toEqual([2, 3, 4]);
  expect(numbers(history.since(2 * 300_000 + 1, 1))).toEqual([4]);
});

test('an epoch planned again after a crash replaces what was recorded of it', () => {
  const history = new EpochHistory(
    10,
    [0, 1, 2].map((epoch) => summaryOf(epoch)),
  );
  history.add(summaryOf(1, 7));
  expect(history.after(-1, 10).map(({ epoch, version }) => [epoch, version])).toEqual([
    [0, 1],
    [1, 7],
  ]);
});
