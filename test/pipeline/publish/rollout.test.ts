/** The rollout decides the same of the same events, in every crossing: what holds, what ends it, and what it asks for. */

import { expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { type Evidence, noRecord, withHealth } from '../../../pipeline/publish/canary.ts';
import { holdOf, open, type Rollout, type RolloutEvent, rolloutStep } from '../../../pipeline/publish/rollout.ts';

function said(errors: number) {
  let record = noRecord;
  for (let i = 0; i < 10; i++) record = withHealth(record, { requests: 10_000, errors, latencyMs: 40 });
  return record;
}

const calm = { before: said(10), during: said(10) };
const good: Evidence = { canary: calm, control: calm };
const bad: Evidence = { canary: { before: said(10), during: said(900) }, control: calm };
const none: Evidence = {
  canary: { before: noRecord, during: noRecord },
  control: { before: noRecord, during: noRecord },
};
const pin = { version: 3, author: 'ann', reason: 'latency', untilMs: null };
const canary = {
  ...{ plan: 'abc', base: 7, version: 8, edges: ['fra'], author: 'taiji', reason: 'epoch 4', evidence: none },
  limits: { forMs: 1000, errorRateRiseMax: 0.005, latencyMsRiseMax: 10 },
};
const tried: RolloutEvent = { kind: 'tried', canary };
const epoch = (evidence: Evidence | null, moved = false): RolloutEvent => ({ kind: 'epoch', moved, evidence });

function run(events: readonly (readonly [RolloutEvent, number])[], from: Rollout = open) {
  let state = from;
  const asked: string[] = [];
  for (const [event, nowMs] of events) {
    const step = rolloutStep(state, event, nowMs);
    state = step.state;
    asked.push(...step.commands.map(({ kind }) => kind));
  }
  return { state, asked };
}

test('a rollback holds until somebody resumes, whatever epochs go by', () => {
  const rolledBack = run([
    [{ kind: 'rolled-back', pin }, 10],
    [epoch(null), 1e9],
    [epoch(null, true), 2e9],
  ]);
  expect(rolledBack.state).toEqual({ kind: 'pinned', ...pin, sinceMs: 10 });
  expect(holdOf(rolledBack.state, 3e9)).toEqual({
    author: 'ann',
    reason: 'held at version 3 until resumed: latency',
  });
  expect(run([[{ kind: 'resumed' }, 20]], rolledBack.state).state).toEqual(open);
});

test('a rollback for a while holds for that while, and says that it is over', () => {
  const { state } = run([[{ kind: 'rolled-back', pin: { ...pin, untilMs: 100 } }, 10]]);
  expect(holdOf(state, 99)).not.toBe(null);
  expect(holdOf(state, 100)).toBe(null);
  expect(run([[epoch(null), 99]], state)).toEqual({ state, asked: [] });
  expect(run([[epoch(null), 100]], state)).toEqual({ state: open, asked: ['tell'] });
});

test('a canary that does well goes on to all when its time is over, and not before', () => {
  const { state } = run([[tried, 0]]);
  expect(run([[epoch(good), 999]], state).asked).toEqual([]);
  const over = run(
    [
      [epoch(good), 999],
      [epoch(good), 1000],
    ],
    state,
  );
  expect(over.asked).toEqual(['promote']);
  // Until it was published it is still the canary: a crash in between promotes again.
  expect(over.state.kind).toBe('canary');
  expect(run([[{ kind: 'promoted' }, 1001]], over.state).state).toEqual(open);
});

test('a canary that does badly returns at once, and is held where it returns to', () => {
  const { state } = run([[tried, 0]]);
  const step = rolloutStep(state, epoch(bad), 1);
  expect(step.commands).toMatchObject([
    { kind: 'return', version: 7, after: { kind: 'pinned', version: 7, untilMs: null } },
  ]);
  expect(step.state.kind).toBe('canary');
});

test('a canary that nobody can judge stays and says so, and goes on once somebody can', () => {
  const held = run([
    [tried, 0],
    [epoch(none), 999],
    [epoch(none), 1000],
    [epoch(none), 9000],
  ]);
  expect(held.asked).toEqual([]);
  expect(held.state).toMatchObject({
    kind: 'canary',
    undecided: expect.stringContaining('version 8 stays at fra alone'),
  });
  expect(holdOf(held.state, 9000)?.reason).toBe('version 8 is tried at fra first');
  expect(run([[epoch(good), 9001]], held.state).asked).toEqual(['promote']);
  expect(run([[epoch(bad), 9001]], held.state).asked).toEqual(['return']);
});

test('an epoch that had to move users ends a canary without a verdict', () => {
  expect(
    run([
      [tried, 0],
      [epoch(good, true), 1],
    ]),
  ).toEqual({ state: open, asked: ['tell'] });
});

test('in every order of events: who asks for the table of a plan or a version has a canary, and states are plain data', () => {
  const random = seededRandom('orders');
  const events = (): RolloutEvent =>
    [
      tried,
      epoch(good),
      epoch(bad),
      epoch(none),
      epoch(null, true),
      { kind: 'rolled-back', pin } as const,
      { kind: 'resumed' } as const,
      { kind: 'applied' } as const,
    ][Math.floor(random() * 8)]!;
  for (let walk = 0; walk < 300; walk++) {
    let state: Rollout = open;
    let nowMs = 0;
    for (let i = 0; i < 12; i++) {
      nowMs += Math.floor(random() * 800);
      const event = events();
      const step = rolloutStep(state, event, nowMs);
      const again = rolloutStep(JSON.parse(JSON.stringify(state)), event, nowMs); // as a restart reads it
      expect(again).toEqual(step);
      for (const { kind } of step.commands) if (kind !== 'tell') expect(state.kind, `${walk}`).toBe('canary');
      expect(holdOf(step.state, nowMs) === null).toBe(
        step.state.kind === 'open' ||
          (step.state.kind === 'pinned' && step.state.untilMs !== null && step.state.untilMs <= nowMs),
      );
      state = step.state;
    }
  }
});
