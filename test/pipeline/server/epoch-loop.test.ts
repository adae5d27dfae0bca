/** The epoch loop decides rightly in every crossing of events, tried without a clock, a disk or a network. */

import { expect, test } from 'vitest';
import { edgeId } from '../../../config/ids.ts';
import { seededRandom } from '../../../config/random.ts';
import type { EpochPlan, Outcome } from '../../../pipeline/epoch/plan.ts';
import { freshState } from '../../../pipeline/epoch.ts';
import {
  type LoopCommand,
  type LoopEvent,
  type LoopState,
  type Step,
  startLoop,
  step,
} from '../../../pipeline/server/epoch-loop.ts';
import type { RoutingTable } from '../../../pipeline/table/routing-table.ts';

const settings = { epochMs: 300_000, epochWallMs: 1000, freshForMs: 3000, isLive: false };

const tableOf = (name: string): RoutingTable => ({
  treeVersion: name,
  height: 1,
  targets: [],
  edges: [edgeId('fra', 'test')],
  byEdge: [new Uint8Array(2)],
});

function planOf(outcome: Outcome, table: RoutingTable | null, more: Partial<EpochPlan> = {}): EpochPlan {
  const none = new Float64Array(0);
  return {
    outcome,
    reason: outcome === 'held' || outcome === 'rejected' ? 'because' : null,
    relaxed: [],
    solved: none,
    wanted: none,
    served: none,
    utilization: none,
    churn: { forced: 0, elective: 0, deferred: 0, minimum: 0 },
    deferredEdges: [],
    table,
    ceilings: none,
    carried: freshState,
    doubts: [],
    ...more,
  };
}

const observation = { demandRps: new Float64Array(0), states: [], intents: [] };
const first = tableOf('first');

function start(table: RoutingTable | null = first): Step {
  const from = { epoch: 5, startMs: 1_500_000, table, carried: freshState, freshUntilMs: 0, alerts: new Map() };
  return startLoop(settings, from, null, 0);
}

/** All events in turn; returns the last state and the kinds of all commands. */
function run(
  events: readonly LoopEvent[],
  from: LoopState = start().state,
  nowMs = 0,
): { state: LoopState; did: string[] } {
  let state = from;
  const did: string[] = [];
  for (const event of events) {
    const next = step(state, event, nowMs);
    state = next.state;
    did.push(...next.commands.map(({ kind }) => kind));
  }
  return { state, did };
}

const due: LoopEvent = { kind: 'due' };
const observed: LoopEvent = { kind: 'observed', observation };
const recorded: LoopEvent = { kind: 'recorded' };
const published: LoopEvent = { kind: 'published' };
const closed: LoopEvent = { kind: 'closed' };
const planned = (plan: EpochPlan): LoopEvent => ({ kind: 'planned', plan });

test('an epoch observes, records, plans, publishes and closes, and the next one is due a period later', () => {
  const next = tableOf('next');
  const { state, did } = run([due, observed, recorded, planned(planOf('published', next)), published, closed]);
  expect(did).toEqual(['observe', 'record', 'plan', 'publish', 'close', 'wait']);
  expect(state).toMatchObject({ phase: 'waiting', epoch: 6, startMs: 1_800_000, dueMs: 1000, freshUntilMs: 3000 });
  expect(state.table).toBe(next);
  expect([...state.alerts]).toEqual([]);
});

test('inputs are recorded before they are planned on', () => {
  const { did } = run([due, observed]);
  expect(did).toEqual(['observe', 'record']);
});

test('a failing journal raises an alert and blocks nothing; a journal that is well again clears it', () => {
  const next = tableOf('next');
  const failing = run([
    due,
    observed,
    { kind: 'recording-failed', message: 'ENOSPC' },
    planned(planOf('published', next)),
    published,
    { kind: 'closing-failed', message: 'the inputs of this epoch were not recorded' },
  ]);
  expect(failing.did).toEqual(['observe', 'record', 'plan', 'publish', 'close', 'wait']);
  expect(failing.state.table).toBe(next);
  expect([...failing.state.alerts.keys()]).toEqual(['journal-failing']);
  const well = run([due, observed, recorded], failing.state);
  expect([...well.state.alerts]).toEqual([]);
});

test('a failing store raises an alert, and the table that was fed is in force', () => {
  const next = tableOf('next');
  const { state } = run([
    due,
    observed,
    recorded,
    planned(planOf('published', next)),
    { kind: 'publishing-failed', message: 'EROFS' },
    closed,
  ]);
  expect(state.table).toBe(next);
  expect([...state.alerts]).toEqual([['store-failing', 'EROFS']]);
});

test('planning that throws keeps the table, renews no freshness, and is recorded as undecided', () => {
  const { state, did } = run([due, observed, recorded, { kind: 'planning-failed', message: 'boom' }, closed]);
  expect(did).toEqual(['observe', 'record', 'plan', 'close', 'wait']);
  expect(state.table).toBe(first);
  expect(state.freshUntilMs).toBe(0);
  expect([...state.alerts]).toEqual([['plan-failed', 'boom']]);
});

test('held and rejected keep the table, renew it, and raise their alert until an epoch decides again', () => {
  for (const outcome of ['held', 'rejected'] as const) {
    const held = run([due, observed, recorded, planned(planOf(outcome, first))]);
    expect(held.did.at(-1)).toBe('publish');
    expect(held.state.table).toBe(first);
    expect(held.state.freshUntilMs).toBe(3000);
    expect([...held.state.alerts]).toEqual([[`plan-${outcome}`, 'because']]);
    const after = run([published, closed, due, observed, recorded, planned(planOf('unchanged', first))], held.state);
    expect([...after.state.alerts]).toEqual([]);
  }
});

test('what holds for six epochs in a row is escalated, whatever holds, until an epoch decides', () => {
  const held = [due, observed, recorded, planned(planOf('held', first)), published, closed];
  const failed: LoopEvent[] = [due, observed, recorded, { kind: 'planning-failed', message: 'boom' }, closed];
  const blind: LoopEvent[] = [due, { kind: 'observing-failed', message: 'no answer' }];
  const five = run([...held, ...failed, ...blind, ...held, ...held]).state;
  expect(five.alerts.has('held-long')).toBe(false);
  const six = run(blind, five).state;
  expect(six.alerts.get('held-long')).toBe('nothing was decided for 6 epochs in a row; traffic goes by the last table');
  const decided = run([due, observed, recorded, planned(planOf('unchanged', first)), published, closed], six).state;
  expect(decided.alerts.has('held-long')).toBe(false);
  expect(run(blind, decided).state.alerts.has('held-long')).toBe(false);
});

test('an empty table is never published, whatever the plan says', () => {
  const empty = { ...tableOf('empty'), edges: [], byEdge: [] };
  for (const table of [null, empty]) {
    const { state, did } = run([due, observed, recorded, planned(planOf('published', table))]);
    expect(did).not.toContain('publish');
    expect(state.table).toBe(first);
    expect([...state.alerts.keys()]).toEqual(['plan-failed']);
  }
});

test('without telemetry nothing is planned, nothing moves, and the next epoch tries again', () => {
  const { state, did } = run([due, { kind: 'observing-failed', message: 'no answer' }]);
  expect(did).toEqual(['observe', 'tell', 'wait']);
  expect(state.table).toBe(first);
  expect(state.epoch).toBe(6);
  expect([...state.alerts]).toEqual([['telemetry-failing', 'no answer']]);
  expect([...run([due, observed], state).state.alerts]).toEqual([]);
});

test('limits that gave are an alert', () => {
  const { state } = run([due, observed, recorded, planned(planOf('published', first, { relaxed: ['onloadMax'] }))]);
  expect([...state.alerts]).toEqual([['limits-relaxed', 'onloadMax']]);
});

test('a stop while waiting exits at once; a stop during an epoch exits once it is closed', () => {
  expect(run([{ kind: 'stop' }]).did).toEqual(['exit']);
  const inWork = run([due, observed, { kind: 'stop' }, { kind: 'stop' }]);
  expect(inWork.did).toEqual(['observe', 'record']);
  const end = run([recorded, planned(planOf('unchanged', first)), published, closed], inWork.state);
  expect(end.did).toEqual(['plan', 'publish', 'close', 'exit']);
  expect(run([due], end.state).did).toEqual([]);
});

test('whoever is deposed stops at once, in any phase', () => {
  const events = [due, observed, recorded, planned(planOf('unchanged', first)), published];
  for (let n = 0; n <= events.length; n++) {
    const { state } = run(events.slice(0, n));
    const { state: after, commands } = step(state, { kind: 'deposed', message: 'term 9' }, 0);
    expect(commands).toEqual([{ kind: 'exit', error: 'term 9' }]);
    expect(after.phase).toBe('stopped');
  }
});

test('a loop that falls behind starts the next epoch at once, and says so from the third time on', () => {
  let { state } = start();
  let nowMs = 0;
  for (let n = 1; n <= 3; n++) {
    state = run([due, observed, recorded, planned(planOf('unchanged', first)), published], state, nowMs).state;
    nowMs += 1500;
    const ended = step(state, closed, nowMs);
    state = ended.state;
    expect(ended.commands).toEqual([{ kind: 'wait', untilMs: nowMs }]);
    expect(state.alerts.has('epoch-overrun')).toBe(n >= 3);
  }
  state = run([due, observed, recorded, planned(planOf('unchanged', first)), published, closed], state, nowMs).state;
  expect(state.alerts.has('epoch-overrun')).toBe(false);
});

test('a freeze is decided and wanted: however long it lasts it raises nothing, and edges are told that all is well', () => {
  let { state } = start();
  const frozen = planned(planOf('unchanged', first, { reason: 'frozen by ann: launch' }));
  for (let n = 0; n < 20; n++) state = run([due, observed, recorded, frozen, published, closed], state, 100 * n).state;
  expect([...state.alerts]).toEqual([]);
  expect(state.freshUntilMs).toBe(1900 + settings.freshForMs);
});

test('a restart keeps the pace, so that a crash in a circle moves no more than a loop that runs', () => {
  const from = { epoch: 5, startMs: 0, table: first, carried: freshState, freshUntilMs: 0, alerts: new Map() };
  const dueMs = (decidedAtMs: number | null, nowMs: number) =>
    startLoop(settings, from, decidedAtMs, nowMs).state.dueMs;
  expect(dueMs(null, 10_000)).toBe(10_000); // nothing was decided yet
  expect(dueMs(9_400, 10_000)).toBe(10_400);
  expect(dueMs(2_000, 10_000)).toBe(10_000); // long ago
  expect(dueMs(99_000, 10_000)).toBe(11_000); // the clock was set back
});

test('a clock that is set back does not stop the loop for longer than a period', () => {
  const events = [due, observed, recorded, planned(planOf('unchanged', first)), published];
  const { state } = run(events, { ...start().state, dueMs: 1_000_000 }, 1_000_000);
  expect(step(state, closed, 4_000).commands).toEqual([{ kind: 'wait', untilMs: 5_000 }]);
});

test('a table past its freshness is an alert until an epoch decides', () => {
  const from = { ...start().state, freshUntilMs: 100 };
  const late = step(from, due, 101);
  expect(late.state.alerts.has('table-stale')).toBe(true);
  const decided = run([observed, recorded, planned(planOf('unchanged', first))], late.state, 102);
  expect(decided.state.alerts.has('table-stale')).toBe(false);
  expect(step(from, due, 100).state.alerts.has('table-stale')).toBe(false);
});

test('over random courses: a table in force is never lost, every epoch ends, and epochs count up by one', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(`loop ${seed}`);
    const pick = <T>(...items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
    let { state } = start(pick(first, null));
    let nowMs = 0;
    let commands: readonly LoopCommand[] = [{ kind: 'wait', untilMs: 0 }];
    const epochs: number[] = [];
    for (let n = 0; n < 200 && state.phase !== 'stopped'; n++) {
      const [command] = commands.filter(({ kind }) => kind !== 'tell');
      expect(commands.length, `seed ${seed}: the loop stands still in ${state.phase}`).toBeGreaterThan(0);
      nowMs += Math.floor(random() * 800);
      const before = state;
      const event = answer(command!, state, pick);
      if (command!.kind === 'observe') epochs.push(state.epoch);
      const next = step(state, event, nowMs);
      ({ state, commands } = next);
      if (before.table) expect(state.table?.edges.length, `seed ${seed}: table lost at ${event.kind}`).toBe(1);
      if (random() < 0.01) state = step(state, { kind: 'stop' }, nowMs).state;
    }
    expect(epochs, `seed ${seed}`).toEqual(epochs.map((_, i) => 5 + i));
  }
});

function answer(command: LoopCommand, state: LoopState, pick: <T>(...items: readonly T[]) => T): LoopEvent {
  const message = 'x';
  switch (command.kind) {
    case 'wait':
      return due;
    case 'observe':
      return pick<LoopEvent>(observed, observed, { kind: 'observing-failed', message });
    case 'record':
      return pick<LoopEvent>(recorded, { kind: 'recording-failed', message });
    case 'plan':
      return pick<LoopEvent>(
        planned(planOf(state.table ? 'published' : 'initial', tableOf('new'))),
        planned(planOf('published', null)),
        planned(planOf('unchanged', state.table)),
        planned(planOf('held', state.table)),
        planned(planOf('rejected', state.table)),
        { kind: 'planning-failed', message },
      );
    case 'publish':
      return pick<LoopEvent>(published, { kind: 'publishing-failed', message });
    case 'close':
      return pick<LoopEvent>(closed, { kind: 'closing-failed', message });
    case 'tell':
    case 'exit':
      throw new Error(`${command.kind} has no answer`);
  }
}

test('a live world has gone on while the loop was late or away; no epoch starts at or before the last one', () => {
  const live: LoopState = { ...start().state, settings: { ...settings, isLive: true } };
  const startOf = (state: LoopState, nowMs: number) => step(state, due, nowMs).state.startMs;
  expect(startOf(live, 1_000_000)).toBe(1_500_000); // the clock was set back
  expect(startOf(live, 9_000_900)).toBe(9_000_000);
  expect(startOf(start().state, 9_000_900)).toBe(1_500_000);
  expect(step(live, due, 9_000_900).commands).toEqual([{ kind: 'observe', epoch: 5, startMs: 9_000_000 }]);
  const after = run([due, { kind: 'observing-failed', message: 'x' }], live, 9_000_900).state;
  expect(startOf(after, 9_000_900)).toBeGreaterThan(9_000_000);
});
