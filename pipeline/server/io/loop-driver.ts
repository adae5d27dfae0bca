/** Does what the epoch loop says and reports back what came of it. Nothing here decides: a rejected promise becomes the
 *  event that says so. */

import type { Logger } from 'pino';
import type { ServiceId } from '../../../config/ids.ts';
import type { Policy } from '../../../config/policy.ts';
import type { Topology } from '../../../config/topology.ts';
import type { EpochContext, EpochInputs, PlanEpoch } from '../../epoch.ts';
import { inTime } from '../../publish/io/in-time.ts';
import { bodiesAfter, bodyDigests, type EpochBodies } from '../../replay/epoch-bodies.ts';
import { planWatched, type WatchedEpoch } from '../../replay/explanation.ts';
import {
  type CheckpointRecord,
  changedRtt,
  frozenInputs,
  type InputsRecord,
  journalFormat,
  type OutcomeRecord,
  plainTopology,
} from '../../replay/journal-record.ts';
import { encodeTable, type RoutingTable, servedFractions, tableDigest } from '../../table/routing-table.ts';
import type { AlertReason } from '../alert.ts';
import type { EpochHistory } from '../epoch-history.ts';
import { type Decision, type LoopCommand, type LoopEvent, type LoopState, type Step, step } from '../epoch-loop.ts';
import { type EpochSummary, summarise } from '../epoch-summary.ts';
import type { IntentBook } from '../intent-book.ts';
import type { TelemetrySource } from '../telemetry-source.ts';
import { messageOf } from './data-directory.ts';
import type { EventStream } from './event-stream.ts';
import type { Journal } from './journal.ts';
import type { Metrics } from './metrics.ts';
import type { PublishedEpoch, ServicePublisher } from './service-publisher.ts';

/** The solvers, and the way to new ones: a worker that hangs or dies must not end the planning for good. */
export interface Engines {
  readonly context: EpochContext;
  renew(): Promise<void>;
}

export interface DriverParts {
  readonly service: ServiceId;
  readonly topology: Topology;
  readonly policy: Policy;
  readonly engines: Engines;
  readonly plan: PlanEpoch;
  readonly planMsMax: number; // planning that takes longer has failed
  readonly telemetry: TelemetrySource;
  readonly intents: IntentBook;
  readonly journal: Journal;
  /** Puts tree and weights where a replay finds them, and returns the digest of the weights. */
  readonly keepObjects: () => Promise<string>;
  readonly publisher: ServicePublisher;
  readonly history: EpochHistory;
  readonly events: EventStream;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly nowMs: () => number;
  readonly onEpoch: (epoch: EpochSummary) => void;
}

const underWayMsMax = 2000;

export class LoopDriver {
  readonly done: Promise<string | null>; // resolves once stopped: null, or why
  readonly #parts: DriverParts;
  #state: LoopState;
  #inputs: { readonly record: InputsRecord; readonly frozen: EpochInputs } | null = null; // of the epoch in work
  #bodies: EpochBodies | null = null; // last compiled
  #published: EpochBodies | null = null; // compiled for the epoch in work
  #decidedAtMs: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #underWay: Promise<unknown> = Promise.resolve(); // the command in work
  #watching: WatchedEpoch | null = null; // the epoch in work, once planned
  #watched: WatchedEpoch | null = null; // the last one that ended
  #finish: (error: string | null) => void = () => {};

  constructor(parts: DriverParts, start: Step) {
    this.#parts = parts;
    this.#state = start.state;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    for (const [reason, message] of start.state.alerts) this.#announce(reason, message);
    for (const command of start.commands) void this.#do(command);
  }

  get state(): LoopState {
    return this.#state;
  }

  /** Wall clock of the last epoch that came to a decision since the start. */
  get decidedAtMs(): number | null {
    return this.#decidedAtMs;
  }

  /** [edge] last planned on; null before the first epoch. */
  get observed(): EpochInputs | null {
    return this.#inputs?.frozen ?? null;
  }

  /** The last epoch that came to a decision, as it was planned; null before the first since the start. */
  get watched(): WatchedEpoch | null {
    return this.#watched;
  }

  /** Ends without waiting for the epoch in work: what it was about to publish is planned again at the next start. */
  abandon(): void {
    this.dispatch({ kind: 'deposed', message: 'the epoch in work did not end in time' });
  }

  dispatch(event: LoopEvent): void {
    if (this.#isStopped) return; // the answer to a command that was under way
    const before = this.#state;
    const { state, commands } = step(before, event, this.#parts.nowMs());
    this.#state = state;
    this.#tellAlerts(before, state);
    for (const command of commands) void this.#do(command);
  }

  get #isStopped(): boolean {
    return this.#state.phase === 'stopped';
  }

  async #do(command: LoopCommand): Promise<void> {
    switch (command.kind) {
      case 'wait': {
        const delayMs = Math.max(0, command.untilMs - this.#parts.nowMs());
        this.#timer = setTimeout(() => this.dispatch({ kind: 'due' }), delayMs);
        return;
      }
      case 'observe':
        return this.#answer(this.#observe(command.startMs));
      case 'record':
        return this.#answer(this.#record(command));
      case 'plan':
        return this.#answer(this.#plan());
      case 'publish':
        return this.#answer(this.#publish(command));
      case 'close':
        return this.#answer(this.#close(command.decision));
      case 'tell':
        this.#tell(this.#summary(command.decision, command));
        return;
      case 'exit':
        if (this.#timer) clearTimeout(this.#timer);
        // What is under way gets a moment, so that nothing is closed under it.
        await inTime(this.#underWay, underWayMsMax, 'the epoch in work').catch(() => {});
        this.#finish(command.error);
    }
  }

  async #answer(event: Promise<LoopEvent>): Promise<void> {
    this.#underWay = event;
    this.dispatch(await event);
  }

  async #observe(startMs: number): Promise<LoopEvent> {
    const { intents, telemetry, engines, nowMs } = this.#parts;
    const { table, carried } = this.#state;
    await intents.settle(startMs).catch((error: unknown) => {
      this.#parts.log.warn({ err: messageOf(error) }, 'the intents could not be stored; they count all the same');
    });
    const served = () => table && servedFractions(table, engines.context.weights);
    const observed = await telemetry.observe(startMs, nowMs(), served, () => carried.sessions ?? null);
    for (const [reason, message] of observed.notices ?? []) this.dispatch({ kind: 'noticed', reason, message });
    if (observed.kind === 'nothing') return { kind: 'observing-failed', message: observed.message };
    const { demandRps, states, rttMs = null, sessions = null } = observed;
    const observation = { demandRps, states, rttMs, sessions, intents: intents.inForce(startMs) };
    return { kind: 'observed', observation };
  }

  async #record({ observation }: Extract<LoopCommand, { kind: 'record' }>): Promise<LoopEvent> {
    const { epoch, startMs, table, carried } = this.#state;
    const { topology, policy } = this.#parts;
    const record: InputsRecord = {
      kind: 'inputs',
      epoch,
      startMs,
      demandRps: [...observation.demandRps],
      states: observation.states,
      ...(observation.rttMs && { rttMs: changedRtt(topology, observation.rttMs) }),
      ...(observation.sessions && { sessions: [...observation.sessions] }), // NaN is null in JSON
      intents: observation.intents,
      previousSha256: table && tableDigest(table),
    };
    this.#inputs = { record, frozen: frozenInputs(record, { topology, policy, previous: table, carried }) };
    try {
      await this.#parts.journal.recordInputs(record, () => this.#checkpoint());
      return { kind: 'recorded' };
    } catch (error) {
      return { kind: 'recording-failed', message: messageOf(error) };
    }
  }

  async #checkpoint(): Promise<CheckpointRecord> {
    const { topology, policy, engines, keepObjects } = this.#parts;
    const { context } = engines;
    const { table, carried } = this.#state;
    return {
      kind: 'checkpoint',
      format: journalFormat,
      topology: plainTopology(topology),
      policy,
      treeVersion: context.tree.version,
      weightsSha256: await keepObjects(),
      engine: context.solver.name,
      previous: table && encodeTable(table),
      carried,
    };
  }

  async #plan(): Promise<LoopEvent> {
    const { plan, engines, planMsMax } = this.#parts;
    const inputs = this.#inputs!.frozen;
    try {
      const before = this.#watched?.inputs ?? null;
      this.#watching = await inTime(planWatched(inputs, before, engines.context, plan), planMsMax, 'planning');
      const planned = this.#watching.plan;
      // An engine that gives no answer that holds may have lost its worker; a new one costs a moment.
      if (planned.outcome === 'held' && planned.doubts.length > 0 && !this.#isStopped) await engines.renew();
      // Compiled here, so that a table that cannot be compiled is a plan that failed.
      this.#published = bodiesAfter(inputs.topology, planned, this.#bodies);
      return { kind: 'planned', plan: planned };
    } catch (error) {
      this.#published = null;
      if (this.#isStopped) return { kind: 'planning-failed', message: messageOf(error) };
      this.#parts.log.error({ err: error }, 'planning failed');
      await engines.renew().catch((renewing: unknown) => {
        this.#parts.log.error({ err: renewing }, 'the solver could not be started again');
      });
      return { kind: 'planning-failed', message: messageOf(error) };
    }
  }

  async #publish({ plan, freshUntilMs }: Extract<LoopCommand, { kind: 'publish' }>): Promise<LoopEvent> {
    const nowMs = this.#parts.nowMs();
    try {
      const published: PublishedEpoch = {
        epoch: this.#state.epoch,
        startMs: this.#state.startMs,
        generatedAtMs: nowMs,
        freshUntilMs,
        carried: plan.carried,
        table: this.#state.table,
        bodies: this.#published?.bodies ?? null,
      };
      const answer = await this.#parts.publisher.publish(published, () => !this.#isStopped);
      if (answer.kind !== 'deposed') {
        this.#bodies = this.#published ?? this.#bodies;
        this.#decidedAtMs = nowMs;
      }
      return answer;
    } catch (error) {
      return { kind: 'publishing-failed', message: messageOf(error) };
    }
  }

  async #close(decision: Decision): Promise<LoopEvent> {
    if (decision.kind === 'decided') this.#watched = this.#watching;
    const summary = this.#summary(decision, this.#state);
    let event: LoopEvent = { kind: 'closed' };
    try {
      await this.#parts.journal.recordOutcome(this.#outcome(decision, summary, this.#state.table));
    } catch (error) {
      event = { kind: 'closing-failed', message: messageOf(error) };
    }
    if (!this.#isStopped) this.#tell(summary);
    return event;
  }

  #outcome(decision: Decision, summary: EpochSummary, table: RoutingTable | null): OutcomeRecord {
    const decided = decision.kind === 'decided';
    return {
      kind: 'outcome',
      epoch: this.#state.epoch,
      decided,
      outcome: summary.outcome,
      reason: summary.reason,
      relaxed: summary.relaxed,
      churn: decided ? decision.plan.churn : null,
      tableSha256: table && tableDigest(table),
      bodies: decided ? bodyDigests(this.#published) : {},
      carried: this.#state.carried,
      summary,
    };
  }

  #summary(decision: Decision, { epoch, startMs }: Pick<LoopState, 'epoch' | 'startMs'>): EpochSummary {
    const { begunMs } = this.#state;
    const { publisher, topology, nowMs } = this.#parts;
    const durationMs = nowMs() - begunMs;
    return summarise(decision, { epoch, startMs, version: publisher.version, durationMs }, topology);
  }

  #tell(summary: EpochSummary): void {
    const { history, events, metrics, log } = this.#parts;
    history.add(summary);
    events.send(summary);
    metrics.epoch(summary);
    const { epoch, time, outcome, reason, relaxed, churn, version, durationMs } = summary;
    const utilizationMax = Math.max(0, ...Object.values(summary.utilization));
    // Not `time`: that is when the line was logged.
    log.info({ epoch, start: time, outcome, reason, relaxed, utilizationMax, churn, version, durationMs }, 'epoch');
    this.#parts.onEpoch(summary);
  }

  #tellAlerts(before: LoopState, after: LoopState): void {
    if (before.alerts === after.alerts) return;
    this.#parts.metrics.alerts(after.alerts);
    for (const [reason, message] of after.alerts) if (!before.alerts.has(reason)) this.#announce(reason, message);
    for (const reason of before.alerts.keys()) {
      if (!after.alerts.has(reason)) this.#parts.log.info({ reason }, 'alert over');
    }
  }

  #announce(reason: AlertReason, message: string): void {
    this.#parts.metrics.alerts(this.#state.alerts);
    this.#parts.log.warn({ reason, message }, 'alert');
  }
}
