import { expect, test } from 'vitest';
import { type Assertion, parseAssertion } from '../../../config/assertion.ts';
import { allHold, assertionLines, judgeAssertions } from '../../../pipeline/replay/assertions.ts';

const epochOf = (minute: number, more: object = {}) => ({
  time: `2026-03-02T00:${String(minute).padStart(2, '0')}:00Z`,
  outcome: 'published',
  relaxed: [],
  utilization: { a: 0.5, b: 0.25 },
  utilizationGap: 0.01 as number | null,
  datacentersInUse: 2,
  shareMax: 0.7,
  rttMs: { mean: 30, p50: 25, p95: 80 },
  churn: { forced: 0.01, elective: 0.02, deferred: 0 },
  connectionLocality: 0.6,
  segmentsWhole: 0.9,
  tiesCanMeet: 0.95,
  ...more,
});

function assertionOf(text: string): Assertion {
  const parsed = parseAssertion(text);
  if (parsed.kind === 'wrong') throw new Error(parsed.message);
  return parsed.assertion;
}

const judge = (text: string, epochs: ReturnType<typeof epochOf>[], without: typeof epochs | null = null) =>
  judgeAssertions([assertionOf(text)], epochs, without, 'give --against POLICY');

test('one that holds in every epoch holds, and says how near it came', () => {
  const [result] = judge('utilizationMax < 0.85', [epochOf(0), epochOf(5, { utilization: { a: 0.3, b: 0.8 } })]);
  expect(result).toMatchObject({ holds: true, failedEpochs: 0, first: null, worst: { value: 0.8 } });
});

test('one that fails is one line with the first epoch and the worst value', () => {
  const epochs = [
    epochOf(0),
    epochOf(5, { utilization: { a: 0.9 } }),
    epochOf(10, { utilization: { a: 1.2 } }),
    epochOf(15),
  ];
  const results = judge('utilizationMax < 0.85', epochs);
  expect(assertionLines(results)).toEqual([
    'assertion failed: utilizationMax < 0.85: 0.9 at 2026-03-02T00:05:00Z in 2 epochs, worst 1.2 at 2026-03-02T00:10:00Z',
  ]);
  expect(allHold(results)).toBe(false);
});

test('a bound is exact: less is not less or equal, and a lower bound fails below', () => {
  const holds = (text: string) => judge(text, [epochOf(0)])[0]!.holds;
  expect(holds('shareMax < 0.7')).toBe(false);
  expect(holds('shareMax <= 0.7')).toBe(true);
  expect(holds('shareMax == 0.7')).toBe(true);
  expect(holds('datacentersInUse >= 3')).toBe(false);
  expect(holds('datacentersInUse > 1')).toBe(true);
  expect(holds('churn == 0.03')).toBe(true);
});

test('a rise is over the same epoch without the change', () => {
  const without = [epochOf(0, { rttMs: { mean: 30, p50: 25, p95: 70 } }), epochOf(5)];
  const results = judge('rttMsP95 rise < 5', [epochOf(0), epochOf(5)], without);
  expect(assertionLines(results)).toEqual(['assertion failed: rttMsP95 rise < 5: 10 at 2026-03-02T00:00:00Z']);
});

test('a rise with nothing to compare with is said, and does not hold', () => {
  const results = judge('rttMsP95 rise < 5', [epochOf(0)]);
  expect(assertionLines(results)).toEqual([
    'assertion not judged: rttMsP95 rise < 5: nothing to compare with; give --against POLICY',
  ]);
  expect(allHold(results)).toBe(false);
});

test('counts are of the epochs so far: the first over the bound is named', () => {
  const held = (minute: number) => epochOf(minute, { outcome: 'held' });
  const results = judge('heldEpochs <= 1', [held(0), epochOf(5), held(10), held(15)]);
  expect(results[0]).toMatchObject({
    failedEpochs: 2,
    first: { time: '2026-03-02T00:10:00Z', value: 2 },
    worst: { value: 3 },
  });
});

test('epochs without a table or without the figure are not judged by it', () => {
  const none = epochOf(0, { datacentersInUse: 0, utilization: { a: 0 }, outcome: 'held' });
  expect(judge('utilizationMax > 0.4', [none, epochOf(5)])[0]).toMatchObject({ holds: true });
  expect(judge('utilizationGap < 1', [epochOf(0, { utilizationGap: null })])[0]).toMatchObject({
    holds: null,
    why: 'no epoch has a utilizationGap',
  });
});
