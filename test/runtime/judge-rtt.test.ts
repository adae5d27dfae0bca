/** Round trips of users take the place of the topology's where they differ for good; nothing else moves them. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type JudgedRtt, judgeRtt, type RttMemory } from '../../runtime/judge-rtt.ts';
import { listFindings, type Reading } from '../../runtime/telemetry.ts';
import { topologyOf } from '../scene.ts';

const topology = topologyOf(2, [100, 100], (e, d) => (e === d ? 20 : 80)); // e0: 20 80, e1: 80 20
const limits = { ageMsMax: 600_000, rttJumpFactorMax: 4 };
const epochMs = 300_000;
const startMs = 1_800_000_000_000;

/** Epochs in a row; each is told some pairs. */
function run(epochs: readonly Readonly<Record<number, number | Partial<Reading>>>[]): JudgedRtt[] {
  let memory: RttMemory = new Map();
  return epochs.map((told, i) => {
    const nowMs = startMs + i * epochMs;
    const said = Array.from({ length: 4 }, (_, pair) => {
      const value = told[pair];
      if (value === undefined) return null;
      return typeof value === 'number' ? { value, observedAtMs: nowMs } : { value: 0, observedAtMs: nowMs, ...value };
    });
    const judged = judgeRtt(said, memory, topology, limits, nowMs);
    memory = judged.memory;
    return judged;
  });
}

const planned = (judged: JudgedRtt): number[] | null => judged.rttMs && [...judged.rttMs];

test('what nobody measures is the topology’s', () => {
  expect(run([{}])[0]).toMatchObject({ rttMs: null, findings: [], note: null });
});

test('what agrees with the topology within the band changes nothing at all', () => {
  const all = run([
    { 0: 21.9, 1: 87 },
    { 0: 18.5, 1: 73 },
    { 0: 20, 1: 80 },
  ]);
  expect(all.map(planned)).toEqual([null, null, null]);
});

test('a real difference is planned with from the first reading, the other pairs stay', () => {
  expect(run([{ 1: 120.04 }]).map(planned)).toEqual([[20, 120, 80, 20]]);
});

test('jitter around a new level moves the plan once and then never', () => {
  const noise = [50, 54, 47, 52, 49, 53, 46, 51, 55, 48];
  const all = run(noise.map((value) => ({ 0: value })));
  expect(new Set(all.map((judged) => judged.rttMs![0]))).toEqual(new Set([50]));
});

test('a slow drift is followed in steps as wide as the band', () => {
  const all = run(Array.from({ length: 40 }, (_, i) => ({ 1: 80 + i })));
  const steps = [...new Set(all.map((judged) => judged.rttMs?.[1] ?? 80))];
  expect(steps.length).toBeGreaterThan(2);
  expect(steps.length).toBeLessThan(7);
  expect(steps.at(-1)).toBeGreaterThan(105);
});

test.each([
  [-1, 'is -1, expected 0..60000 ms'],
  [Number.NaN, 'is NaN, expected 0..60000 ms'],
  [60_000, 'is 60000, expected 0..60000 ms'],
  [{ value: 30, observedAtMs: startMs }, 'is 900s old, expected at most 600s'],
  [{ value: 30, observedAtMs: startMs + 4 * epochMs }, 'was observed 300s in the future, expected at most 60s'],
  [{ value: 30, observedAtMs: Number.NaN }, 'is missing'],
])('%o is named and the last one stands', (bad, words) => {
  const [, , , last] = run([{ 0: 40 }, { 0: 40 }, { 0: 40 }, { 0: bad }]);
  expect(listFindings(last!.findings)).toContain(`rttMs of pair "e0 to d0" ${words}`);
  expect(planned(last!)).toEqual([40, 80, 80, 20]);
});

test('a pair that falls silent keeps its last round trip and is named', () => {
  const all = run([{ 0: 40 }, {}, {}]);
  for (const judged of all.slice(1)) {
    expect(planned(judged)).toEqual([40, 80, 80, 20]);
    expect(listFindings(judged.findings)).toBe('rttMs of pair "e0 to d0" is missing');
  }
});

test('a jump waits for its confirmation; told again it does not confirm itself', () => {
  const all = run([
    { 0: 22, 1: 80, 3: 20 },
    { 0: 200, 1: 80, 3: 20 },
    { 0: 210, 1: 80, 3: 20 },
  ]);
  expect(all.map(planned)).toEqual([null, null, [210, 80, 80, 20]]);
  expect(listFindings(all[1]!.findings)).toContain('"e0 to d0" jumped from 22 to 200, over the factor of 4');
  const again = { 0: { value: 200, observedAtMs: startMs + 1 }, 1: 80, 3: 20 };
  expect(run([{ 0: 22 }, again, again]).map(planned)).toEqual([null, null, null]);
});

test('more than half jumping at once is the monitor: none is believed, however often it says so', () => {
  const slip = { 0: 0.02, 1: 0.08, 2: 0.08, 3: 20 };
  const all = run([{ 0: 20, 1: 80, 2: 80, 3: 20 }, slip, slip, slip, { 0: 20, 1: 80, 2: 80, 3: 20 }]);
  expect(all.map(planned)).toEqual([null, null, null, null, null]);
  for (const judged of all.slice(1, 4))
    expect(judged.note).toMatch(/^2 of 4 round trips jumped|^[34] of 4 round trips/);
  expect(all[4]).toMatchObject({ findings: [], note: null });
});

test('whatever is told, what is planned with is finite, and equal while nothing usable is said', () => {
  const reading = fc.oneof(
    fc.double(),
    fc.double({ min: 0, max: 500, noNaN: true }),
    fc.record({ value: fc.double(), observedAtMs: fc.double() }),
  );
  const told = fc.dictionary(fc.constantFrom('0', '1', '2', '3'), reading);
  fc.assert(
    fc.property(fc.array(told, { maxLength: 8 }), (epochs) => {
      const all = run([...epochs, {}]);
      for (const { rttMs } of all) for (const ms of rttMs ?? []) expect(ms >= 0 && ms < 60_000).toBe(true);
      if (all.length > 1) expect(planned(all.at(-1)!)).toEqual(planned(all.at(-2)!));
    }),
    { seed: 1, numRuns: 500 },
  );
});
