/** The epoch loop as a state machine: observe -> record the frozen inputs -> plan -> publish -> record the outcome.
 *  It decides and does nothing; `io/loop-driver.ts` does what it says and reports back. Two rules run through it:
 *
 *  - Traffic comes before bookkeeping. A journal or a store that fails raises an alert and is tried again next epoch;
 *    the epoch goes on, because a dead datacenter's users cannot wait for a disk.
 *  - No decision, no change. Where observing or planning fails, or planning holds, the last good table stays. An empty
 *    table is never published, and a table is never withdrawn.
 *
 *  Declined: a plain async function with try/catch around each step. It is shorter, but its crossings (a stop during
 *  planning, a journal that fails while a drain runs) could only be tried by timing. */

import assert from 'node:assert/strict';
import type { Intent } from '../../config/intent.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import type { EpochPlan } from '../epoch/plan.ts';
import type { CarriedState } from '../epoch.ts';
import { changesTable, tableAfter } from '../replay/recorded.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { type AlertReason, type Alerts, withAlert } from './alert.ts';

/** What the sources say up to an epoch's start. */
export interface Observation {
  readonly demandRps: Float64Array; // [edge]
  readonly states: readonly DatacenterState[]; // [datacenter]
  readonly rttMs?: Float64Array | null; // [e * D + d] observed; none: the topology's
  readonly sessions?: Float64Array | null; // [e * D + d] observed of a sticky service, NaN: not; none: as the tables placed them
  readonly intents: readonly Intent[];
}

export interface LoopSettings {
  readonly epochMs: number; // of the world's time
  readonly epochWallMs: number; // between the starts of two epochs, on this machine's clock
  readonly freshForMs: number; // wall time an edge may trust a table without hearing more
  readonly isLive: boolean; // the world's time is the wall clock's
}

export type Phase = 'waiting' | 'observing' | 'recording' | 'planning' | 'publishing' | 'closing' | 'stopped';

export interface LoopState {
  readonly settings: LoopSettings;
  readonly phase: Phase;
  readonly epoch: number; // in work, or the next one
  readonly startMs: number; // of that epoch, world time
  readonly dueMs: number; // when that epoch starts, wall clock
  readonly begunMs: number; // when it did
  readonly table: RoutingTable | null; // in force: the last good one
  readonly carried: CarriedState;
  readonly freshUntilMs: number; // wall clock; 0 before the first table
  readonly overruns: number; // epochs in a row that took longer than their period
  readonly standstills: number; // epochs in a row that held, were rejected or could not be decided
  readonly decision: Decision | null; // of the epoch in work, once there is one
  readonly stopping: boolean;
  readonly alerts: Alerts;
}

export type LoopEvent =
  | { readonly kind: 'due' }
  | { readonly kind: 'observed'; readonly observation: Observation }
  | { readonly kind: 'observing-failed'; readonly message: string }
  | { readonly kind: 'recorded' }
  | { readonly kind: 'recording-failed'; readonly message: string }
  | { readonly kind: 'planned'; readonly plan: EpochPlan }
  | { readonly kind: 'planning-failed'; readonly message: string }
  | { readonly kind: 'published' }
  | { readonly kind: 'publishing-failed'; readonly message: string }
  | { readonly kind: 'deposed'; readonly message: string }
  | { readonly kind: 'closed' }
  | { readonly kind: 'closing-failed'; readonly message: string }
  | { readonly kind: 'replaced'; readonly table: RoutingTable; readonly carried: CarriedState } // between epochs: by an operator, or a canary
  | { readonly kind: 'noticed'; readonly reason: AlertReason; readonly message: string | null } // from outside the loop
  | { readonly kind: 'stop' };

/** `publish` goes to the store and, whatever the store says, to the feed; without a `change` it renews the envelopes. */
export type LoopCommand =
  | { readonly kind: 'wait'; readonly untilMs: number } // then 'due'
  | { readonly kind: 'observe'; readonly epoch: number; readonly startMs: number }
  | { readonly kind: 'record'; readonly observation: Observation } // the frozen inputs, on the disk
  | { readonly kind: 'plan' } // on what was recorded
  | {
      readonly kind: 'publish';
      readonly plan: EpochPlan;
      readonly change: RoutingTable | null;
      readonly freshUntilMs: number;
    }
  | { readonly kind: 'close'; readonly decision: Decision } // record the outcome, then tell everybody
  | { readonly kind: 'tell'; readonly epoch: number; readonly startMs: number; readonly decision: Decision } // never recorded
  | { readonly kind: 'exit'; readonly error: string | null };

/** What an epoch came to, for journal, history and metrics. */
export type Decision =
  | { readonly kind: 'decided'; readonly plan: EpochPlan }
  | { readonly kind: 'undecided'; readonly message: string };

export interface Step {
  readonly state: LoopState;
  readonly commands: readonly LoopCommand[];
}

/** Where a start begins: after the last decided epoch, or at the first. `decidedAtMs` is the wall clock of the last
 *  decision, null where there was none. A restart keeps the pace: were its first epoch due at once, a crash in a circle
 *  would move churnMax of the traffic every time around. */
export function startLoop(
  settings: LoopSettings,
  from: Pick<LoopState, 'epoch' | 'startMs' | 'table' | 'carried' | 'freshUntilMs' | 'alerts'>,
  decidedAtMs: number | null,
  nowMs: number,
): Step {
  const dueMs = decidedAtMs === null ? nowMs : nextDueMs(decidedAtMs, settings, nowMs);
  const state: LoopState = {
    ...from,
    settings,
    phase: 'waiting',
    dueMs,
    begunMs: nowMs,
    overruns: 0,
    standstills: 0,
    decision: null,
    stopping: false,
  };
  return { state, commands: [{ kind: 'wait', untilMs: dueMs }] };
}

/** One step. An event that does not belong to the phase is a defect of the driver, but for `stop`, `noticed` and a
 *  `due` that crossed a stop. */
export function step(state: LoopState, event: LoopEvent, nowMs: number): Step {
  switch (event.kind) {
    case 'noticed':
      return { state: alerted(state, event.reason, event.message), commands: [] };
    case 'stop':
      if (state.phase === 'stopped' || state.stopping) return { state, commands: [] };
      // An epoch in work is finished: its record and its publication belong together.
      if (state.phase !== 'waiting') return { state: { ...state, stopping: true }, commands: [] };
      return stopped(state, null);
    case 'due': {
      if (state.phase !== 'waiting') return { state, commands: [] };
      const stale = state.freshUntilMs > 0 && nowMs > state.freshUntilMs;
      // After a pause or a late epoch, a live world has gone on without us.
      const startMs = state.settings.isLive ? Math.max(state.startMs, wholeSecondMs(nowMs)) : state.startMs;
      const observing: LoopState = { ...state, phase: 'observing', begunMs: nowMs, startMs };
      return {
        state: stale
          ? alerted(observing, 'table-stale', 'no epoch was decided in the time edges were promised')
          : observing,
        commands: [{ kind: 'observe', epoch: state.epoch, startMs }],
      };
    }
    case 'observed':
      expectPhase(state, event, 'observing');
      return {
        state: alerted({ ...state, phase: 'recording' }, 'telemetry-failing', null),
        commands: [{ kind: 'record', observation: event.observation }],
      };
    case 'observing-failed': {
      expectPhase(state, event, 'observing');
      // Nothing to plan on is not zero load: nothing moves. There were no inputs, so there is nothing to record.
      const decision: Decision = { kind: 'undecided', message: `telemetry: ${event.message}` };
      const after = endEpoch(alerted(state, 'telemetry-failing', event.message), nowMs);
      return {
        state: after.state,
        commands: [{ kind: 'tell', epoch: state.epoch, startMs: state.startMs, decision }, ...after.commands],
      };
    }
    case 'recorded':
    case 'recording-failed':
      expectPhase(state, event, 'recording');
      return {
        state: alerted(
          { ...state, phase: 'planning' },
          'journal-failing',
          event.kind === 'recorded' ? null : event.message,
        ),
        commands: [{ kind: 'plan' }],
      };
    case 'planned':
      expectPhase(state, event, 'planning');
      return decide(state, event.plan, nowMs);
    case 'planning-failed':
      expectPhase(state, event, 'planning');
      return undecided(state, event.message);
    case 'published':
    case 'publishing-failed':
      expectPhase(state, event, 'publishing');
      return close(alerted(state, 'store-failing', event.kind === 'published' ? null : event.message));
    case 'deposed':
      return stopped(state, event.message);
    case 'replaced':
      expectPhase(state, event, 'waiting');
      return { state: { ...state, table: event.table, carried: event.carried }, commands: [] };
    case 'closed':
      expectPhase(state, event, 'closing');
      return endEpoch(state, nowMs);
    case 'closing-failed':
      expectPhase(state, event, 'closing');
      return endEpoch(alerted(state, 'journal-failing', event.message), nowMs);
  }
}

/** Only these two outcomes bring a new table; with the others the last good one stays, renewed. */
function decide(state: LoopState, plan: EpochPlan, nowMs: number): Step {
  const changes = changesTable(plan);
  if (changes && !(plan.table && plan.table.edges.length > 0)) {
    return undecided(state, `the plan is ${plan.outcome} and has an empty table, which is never published`);
  }
  const reason = plan.reason ?? 'no reason given';
  let next: LoopState = { ...state, phase: 'publishing', decision: { kind: 'decided', plan } };
  next = alerted(next, 'plan-failed', null);
  next = alerted(next, 'plan-held', plan.outcome === 'held' ? reason : null);
  next = alerted(next, 'plan-rejected', plan.outcome === 'rejected' ? reason : null);
  next = alerted(next, 'limits-relaxed', plan.relaxed.length > 0 ? plan.relaxed.join(', ') : null);
  next = alerted(next, 'table-stale', null);
  const freshUntilMs = nowMs + state.settings.freshForMs;
  const change = changes ? plan.table : null;
  return {
    state: { ...next, table: tableAfter(plan, state.table), carried: plan.carried, freshUntilMs },
    commands: [{ kind: 'publish', plan, change, freshUntilMs }],
  };
}

/** Nothing was decided: nothing is published, and edges are not told that all is well. */
function undecided(state: LoopState, message: string): Step {
  const decision: Decision = { kind: 'undecided', message: `planning: ${message}` };
  return close(alerted({ ...state, decision }, 'plan-failed', message));
}

function close(state: LoopState): Step {
  assert(state.decision, 'an epoch is closed after its decision');
  return { state: { ...state, phase: 'closing' }, commands: [{ kind: 'close', decision: state.decision }] };
}

function endEpoch(state: LoopState, nowMs: number): Step {
  const { epochMs, epochWallMs } = state.settings;
  const tookMs = nowMs - state.begunMs;
  const overruns = tookMs > epochWallMs ? state.overruns + 1 : 0;
  const late = `an epoch took ${tookMs} ms, more than its ${epochWallMs} ms, ${overruns} times in a row`;
  const dueMs = nextDueMs(state.dueMs, state.settings, nowMs);
  const standstills = standsStill(state.decision) ? state.standstills + 1 : 0;
  const long = `nothing was decided for ${standstills} epochs in a row; traffic goes by the last table`;
  const told = alerted(state, 'epoch-overrun', overruns >= overrunsTolerated ? late : null);
  const next: LoopState = {
    ...alerted(told, 'held-long', standstills >= standstillsTolerated ? long : null),
    phase: 'waiting',
    decision: null,
    epoch: state.epoch + 1,
    startMs: state.startMs + epochMs,
    dueMs,
    overruns,
    standstills,
  };
  if (next.stopping) return stopped(next, null);
  return { state: next, commands: [{ kind: 'wait', untilMs: dueMs }] };
}

/** Did the epoch leave the table as it is without saying that it is good? Without telemetry there is no decision at all. */
function standsStill(decision: Decision | null): boolean {
  if (decision?.kind !== 'decided') return true;
  return decision.plan.outcome === 'held' || decision.plan.outcome === 'rejected';
}

/** A period after the last one; a loop that fell behind goes on at once, without a burst, and a clock that was set back
 *  does not make it sleep for longer than a period. */
function nextDueMs(lastMs: number, { epochWallMs }: LoopSettings, nowMs: number): number {
  return Math.min(Math.max(lastMs + epochWallMs, nowMs), nowMs + epochWallMs);
}

export function wholeSecondMs(timeMs: number): number {
  return Math.floor(timeMs / 1000) * 1000;
}

/** Half an hour of the usual epochs: by then somebody has read the first alert, or nobody will. */
const standstillsTolerated = 6;

/** One late epoch is a busy moment, three in a row are a machine too small. */
const overrunsTolerated = 3;

function stopped(state: LoopState, error: string | null): Step {
  return { state: { ...state, phase: 'stopped', stopping: true }, commands: [{ kind: 'exit', error }] };
}

function alerted(state: LoopState, reason: AlertReason, message: string | null): LoopState {
  const alerts = withAlert(state.alerts, reason, message);
  return alerts === state.alerts ? state : { ...state, alerts };
}

function expectPhase(state: LoopState, event: LoopEvent, phase: Phase): void {
  assert.equal(state.phase, phase, `"${event.kind}" while ${state.phase}`);
}
