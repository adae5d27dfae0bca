/** One service in its group's loop: the state the machine keeps for it, and what becomes of each command where only it is
 *  concerned. Nothing here decides: a rejected promise becomes the event that says so. */

import type { Logger } from 'pino';
import type { BucketTree } from '../../../bucketizer/tree.ts';
import type { ServiceId } from '../../../config/ids.ts';
import { concerns } from '../../../config/intent.ts';
import type { Policy } from '../../../config/policy.ts';
import type { Topology } from '../../../config/topology.ts';
import type { EpochInputs } from '../../epoch.ts';
import { bodiesAfter, bodyDigests, type EpochBodies } from '../../replay/epoch-bodies.ts';
import type { WatchedEpoch } from '../../replay/explanation.ts';
import {
  type CheckpointRecord,
  changedRtt,
  frozenInputs,
  type InputsRecord,
  journalFormat,
  type OutcomeRecord,
  plainTopology,
} from '../../replay/journal-record.ts';
import type { BucketWeights } from '../../table/bucket-weights.ts';
import { encodeTable, servedFractions, tableDigest } from '../../table/routing-table.ts';
import type { AlertReason } from '../alert.ts';
import type { EpochHistory } from '../epoch-history.ts';
import {
  type Decision,
  type LoopCommand,
  type LoopEvent,
  type LoopState,
  type Observation,
  type Step,
  step,
} from '../epoch-loop.ts';
import { type EpochSummary, summarise } from '../epoch-summary.ts';
import type { IntentBook } from '../intent-book.ts';
import type { TelemetrySource } from '../telemetry-source.ts';
import { messageOf } from './data-directory.ts';
import type { EventStream } from './event-stream.ts';
import type { Metrics } from './metrics.ts';
import type { PublishedEpoch, ServicePublisher } from './service-publisher.ts';

/** What all services of a process have in common. */
export interface SharedParts {
  readonly topology: Topology;
  readonly intents: IntentBook;
  readonly events: EventStream;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly nowMs: () => number;
  readonly onEpoch: (epoch: EpochSummary, service: ServiceId) => void;
}

export interface ServiceParts {
  readonly service: ServiceId;
  readonly policy: Policy;
  readonly tree: BucketTree;
  readonly weights: BucketWeights;
  readonly everyTicks: number; // of its group, from one of its epochs to the next
  readonly tickMs: number | null; // where that is not what the policy says an epoch is
  readonly source: TelemetrySource;
  /** Puts tree and weights where a replay finds them, and returns the digest of the weights. */
  readonly keepObjects: () => Promise<string>;
  readonly publisher: ServicePublisher;
  readonly history: EpochHistory;
}

/** An epoch of the group. A machine that left it waits for the next one already. */
type Tick = Pick<LoopState, 'epoch' | 'startMs'>;

export class ServiceRun {
  readonly parts: ServiceParts;
  readonly #shared: SharedParts;
  readonly #log: Logger;
  #state: LoopState;
  #inputs: EpochInputs | null = null; // of the epoch in work, or the last
  #bodies: EpochBodies | null = null; // last compiled
  #published: EpochBodies | null = null; // compiled for the epoch in work
  #decidedAtMs: number | null = null;
  #watching: WatchedEpoch | null = null; // the epoch in work, once planned
  #watched: WatchedEpoch | null = null; // the last one that ended
  #told: EpochSummary | null = null;

  constructor(parts: ServiceParts, shared: SharedParts, start: Step) {
    this.parts = parts;
    this.#shared = shared;
    this.#log = shared.log.child({ service: parts.service });
    this.#state = start.state;
    for (const [reason, message] of start.state.alerts) this.#announce(reason, message);
  }

  get state(): LoopState {
    return this.#state;
  }

  get isStopped(): boolean {
    return this.#state.phase === 'stopped';
  }

  /** Wall clock of the last epoch that came to a decision since the start. */
  get decidedAtMs(): number | null {
    return this.#decidedAtMs;
  }

  /** What an epoch was last planned on; null before the first. */
  get observed(): EpochInputs | null {
    return this.#inputs;
  }

  /** The last epoch that came to a decision, as it was planned; null before the first since the start. */
  get watched(): WatchedEpoch | null {
    return this.#watched;
  }

  /** One step of the machine; what it asks for. */
  step(event: LoopEvent, nowMs: number): readonly LoopCommand[] {
    if (this.isStopped) return []; // the answer to a command that was under way
    const before = this.#state;
    const { state, commands } = step(before, event, nowMs);
    this.#state = state;
    this.#tellAlerts(before, state);
    return commands;
  }

  async observe(startMs: number): Promise<LoopEvent> {
    const { intents, nowMs } = this.#shared;
    const { source, weights, service } = this.parts;
    const { table, carried } = this.#state;
    const served = () => table && servedFractions(table, weights);
    const observed = await source.observe(startMs, nowMs(), served, () => carried.sessions ?? null);
    for (const [reason, message] of observed.notices ?? []) this.step({ kind: 'noticed', reason, message }, nowMs());
    if (observed.kind === 'nothing') return { kind: 'observing-failed', message: observed.message };
    const { demandRps, states, rttMs = null, sessions = null } = observed;
    const inForce = intents.inForce(startMs).filter((intent) => concerns(intent, service));
    return { kind: 'observed', observation: { demandRps, states, rttMs, sessions, intents: inForce } };
  }

  /** Freezes what the epoch in work is planned on. `isSilent`: of a service that nothing was observed of. */
  freeze(observation: Observation, { epoch, startMs }: Tick, isSilent: boolean): InputsRecord {
    const { topology } = this.#shared;
    const { policy, everyTicks, tickMs } = this.parts;
    const { table, carried } = this.#state;
    const isDue = !isSilent && (table === null || epoch % everyTicks === 0);
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
      ...(tickMs !== null && { epochMs: tickMs }),
      ...(!isDue && { isDue: false }),
      ...(isSilent && { isSilent: true }),
    };
    this.#inputs = frozenInputs(record, { topology, policy, previous: table, carried });
    return record;
  }

  async checkpoint(engine: string): Promise<CheckpointRecord> {
    const { policy, tree, keepObjects } = this.parts;
    const { table, carried } = this.#state;
    return {
      kind: 'checkpoint',
      format: journalFormat,
      topology: plainTopology(this.#shared.topology),
      policy,
      treeVersion: tree.version,
      weightsSha256: await keepObjects(),
      engine,
      previous: table && encodeTable(table),
      carried,
    };
  }

  /** What the planning of the group came to for this service. */
  planned(watching: WatchedEpoch): LoopEvent {
    this.#watching = watching;
    try {
      // Compiled here, so that a table that cannot be compiled is a plan that failed.
      this.#published = bodiesAfter(watching.inputs.topology, watching.plan, this.#bodies);
      return { kind: 'planned', plan: watching.plan };
    } catch (error) {
      this.#log.error({ err: error }, 'compiling failed');
      return this.planningFailed(error);
    }
  }

  planningFailed(error: unknown): LoopEvent {
    this.#published = null;
    return { kind: 'planning-failed', message: messageOf(error) };
  }

  async publish({ plan, freshUntilMs }: Extract<LoopCommand, { kind: 'publish' }>): Promise<LoopEvent> {
    const nowMs = this.#shared.nowMs();
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
      const answer = await this.parts.publisher.publish(published, () => !this.isStopped);
      if (answer.kind !== 'deposed') {
        this.#bodies = this.#published ?? this.#bodies;
        this.#decidedAtMs = nowMs;
      }
      return answer;
    } catch (error) {
      return { kind: 'publishing-failed', message: messageOf(error) };
    }
  }

  /** The end of the epoch in work, as it is recorded and then told. */
  ended(decision: Decision): { readonly record: OutcomeRecord; readonly summary: EpochSummary } {
    if (decision.kind === 'decided') this.#watched = this.#watching;
    const { table, carried, epoch } = this.#state;
    const summary = this.#summary(decision, this.#state);
    const decided = decision.kind === 'decided';
    const record: OutcomeRecord = {
      kind: 'outcome',
      epoch,
      decided,
      outcome: summary.outcome,
      reason: summary.reason,
      relaxed: summary.relaxed,
      churn: decided ? decision.plan.churn : null,
      tableSha256: table && tableDigest(table),
      bodies: decided ? bodyDigests(this.#published) : {},
      carried,
      summary,
    };
    return { record, summary };
  }

  /** What the record of an epoch says of a service that nothing was observed of, and that has been told already. */
  silent(epoch: number): OutcomeRecord {
    const { table, carried } = this.#state;
    return {
      kind: 'outcome',
      epoch,
      decided: false,
      outcome: 'held',
      reason: this.#told?.reason ?? null,
      relaxed: [],
      churn: null,
      tableSha256: table && tableDigest(table),
      bodies: {},
      carried,
      summary: this.#told,
    };
  }

  tellOf({ decision, epoch, startMs }: Extract<LoopCommand, { kind: 'tell' }>): void {
    this.tell(this.#summary(decision, { epoch, startMs }));
  }

  tell(summary: EpochSummary): void {
    const { events, metrics, onEpoch } = this.#shared;
    const { history, service } = this.parts;
    this.#told = summary;
    history.add(summary);
    events.send(service, summary);
    metrics.epoch(service, summary);
    const { epoch, time, outcome, reason, relaxed, churn, version, durationMs } = summary;
    const utilizationMax = Math.max(0, ...Object.values(summary.utilization));
    // Not `time`: that is when the line was logged.
    this.#log.info(
      { epoch, start: time, outcome, reason, relaxed, utilizationMax, churn, version, durationMs },
      'epoch',
    );
    onEpoch(summary, service);
  }

  #summary(decision: Decision, { epoch, startMs }: Tick): EpochSummary {
    const { topology, nowMs } = this.#shared;
    const durationMs = nowMs() - this.#state.begunMs;
    const { version } = this.parts.publisher;
    return summarise(decision, { epoch, startMs, version, durationMs }, topology);
  }

  #tellAlerts(before: LoopState, after: LoopState): void {
    if (before.alerts === after.alerts) return;
    this.#shared.metrics.alerts(this.parts.service, after.alerts);
    for (const [reason, message] of after.alerts) if (!before.alerts.has(reason)) this.#announce(reason, message);
    for (const reason of before.alerts.keys()) {
      if (!after.alerts.has(reason)) this.#log.info({ reason }, 'alert over');
    }
  }

  #announce(reason: AlertReason, message: string): void {
    this.#shared.metrics.alerts(this.parts.service, this.#state.alerts);
    this.#log.warn({ reason, message }, 'alert');
  }
}
