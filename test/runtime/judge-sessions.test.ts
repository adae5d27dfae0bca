/** Counted sessions are believed pair by pair; whatever is wrong with one is named, and the model stands in for it. */

import { expect, test } from 'vitest';
import { type JudgedSessions, judgeSessions, type SessionsMemory } from '../../runtime/judge-sessions.ts';
import { listFindings, type Readings } from '../../runtime/telemetry.ts';
import { topologyOf } from '../scene.ts';

const topology = topologyOf(2, [1000, 1000]);
const limits = { ageMsMax: 600_000, fillMsMax: 1_800_000, jumpFactorMax: 10, allocationGapMax: 0.1 };
const startMs = 1_800_000_000_000;
const epochMs = 300_000;
const expected = [600, 400, 0, 500];

type Counts = readonly (number | null)[];
const said = (counts: Counts, atMs: number): Readings =>
  counts.map((value) => (value === null ? null : { value, observedAtMs: atMs }));

/** Epochs in a row, a period apart. */
function run(epochs: readonly Counts[], model: readonly number[] | null = expected): readonly JudgedSessions[] {
  let memory: SessionsMemory = new Map();
  return epochs.map((counts, i) => {
    const nowMs = startMs + i * epochMs;
    const judged = judgeSessions(said(counts, nowMs), memory, { topology, limits, nowMs, expected: model });
    memory = judged.memory;
    return judged;
  });
}
const model = Number.NaN;
const usual = [580, 390, 2, 510];

test('what is counted is used, and a pair that was never counted goes by the model without a word', () => {
  const [first] = run([[580, 390, null, 510]]);
  expect([...first!.sessions!]).toEqual([580, 390, model, 510]);
  expect([first!.findings, first!.contradicting]).toEqual([[], []]);
  expect(run([[null, null, null, null]])[0]).toMatchObject({ sessions: null, findings: [] });
});

test('a pair that falls silent is named where the model has sessions there; one that is empty has no series', () => {
  const [, silent] = run([usual, [null, 390, null, 510]]);
  expect([...silent!.sessions!]).toEqual([model, 390, model, 510]);
  expect(listFindings(silent!.findings)).toBe('sessions of pair "e0 to d0" is missing');
});

test('stale, negative and endless counts are named and not used', () => {
  const nowMs = startMs;
  const context = { topology, limits, nowMs, expected };
  const readings = said([580, -1, Number.NaN, Number.POSITIVE_INFINITY], nowMs).map((reading, i) =>
    i === 0 ? { value: 580, observedAtMs: nowMs - 601_000 } : reading,
  );
  const { sessions, findings } = judgeSessions(readings, new Map(), context);
  expect(sessions).toBe(null);
  expect(findings.map(({ trouble }) => trouble.kind)).toEqual(['stale', 'impossible', 'impossible', 'impossible']);
  expect(listFindings(findings)).toContain('sessions of pair "e0 to d1" is -1, expected 0..9007199254740991 sessions');
});

test('a count far from the last and from the model waits for a later one to confirm it', () => {
  const odd = [580, 390, 2, 51_000];
  const [, jump, again] = run([usual, odd, odd]);
  expect(jump!.sessions![3]).toBe(model);
  expect(listFindings(jump!.findings)).toBe(
    'sessions of pair "e1 to d1" jumped from 510 to 51000, over the factor of 10; the next one confirms it or not',
  );
  expect([again!.sessions![3], again!.findings]).toEqual([51_000, []]);
  // The same word told again confirms nothing.
  const told = said(odd, startMs + epochMs);
  const context = (nowMs: number) => ({ topology, limits, nowMs, expected });
  const first = judgeSessions(told, run([usual])[0]!.memory, context(startMs + epochMs));
  const second = judgeSessions(told, first.memory, context(startMs + 2 * epochMs));
  expect([second.sessions, second.findings.length]).toEqual([null, 1]);
});

test('a count is used once: the model goes on from it', () => {
  const told = said(usual, startMs);
  const context = (nowMs: number) => ({ topology, limits, nowMs, expected });
  const used = judgeSessions(told, new Map(), context(startMs));
  expect([...used.sessions!]).toEqual(usual);
  const again = judgeSessions(told, used.memory, context(startMs + epochMs));
  expect([again.sessions, again.findings, again.memory]).toEqual([null, [], used.memory]);
  const late = judgeSessions(told, again.memory, context(startMs + 700_000));
  expect(late.findings.map(({ trouble }) => trouble.kind)).toEqual(usual.map(() => 'stale'));
});

test('what a table moved is no jump, by whatever factor', () => {
  const [, after] = run([usual, [3, 960, 2, 510]], [5, 990, 0, 500]);
  expect(after!.findings).toEqual([]);
  expect([...after!.sessions!]).toEqual([3, 960, 2, 510]);
});

test('sessions elsewhere than the tables put them are told by edge, and believed', () => {
  const [judged] = run([[400, 600, 0, 500]]);
  expect(listFindings(judged!.contradicting)).toBe(
    'sessions of edge "e0" differs from the last tables in 0.2 of its demand, expected at most 0.1',
  );
  expect([...judged!.sessions!]).toEqual([400, 600, 0, 500]);
  expect(run([[400, 600, 0, 500]], null)[0]!.contradicting).toEqual([]); // nothing was placed yet
});
