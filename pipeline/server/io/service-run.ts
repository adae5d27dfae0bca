/** One service in its group's loop: the state the machine keeps for it, and what becomes of each command where only it is
 *  concerned. Nothing here decides: a rejected promise becomes the event that says so. */

import type { ServiceId } from '../../../config/ids.ts';
import { concerns } from '../../../config/intent.ts';
import type { Topology } from '../../../config/topology.ts';
import type { EpochContext, EpochInputs } from '../../epoch/inputs.ts';
import type { EpochPlan } from '../../epoch/plan.ts';
import { standstillOf } from '../../epoch/standstill.ts';
import { type Canary, holdOf, type Rollout, type RolloutCommand, rolloutStep } from '../../publish/rollout.ts';
import { bodiesAfter, type EpochBodies } from '../../replay/epoch-bodies.ts';
import type { WatchedEpoch } from '../../replay/explanation.ts';
import type { InputsRecord, OutcomeRecord } from '../../replay/journal-record.ts';
import { compileTable, parseBody } from '../../table/compile.ts';
import { type RoutingTable, servedFractions } from '../../table/routing-table.ts';
import type { Routing } from '../../table/tree-course.ts';
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
import { outcomeRecord, silentRecord } from '../outcome-record.ts';
import { HttpProblem } from '../problem.ts';
import { holdIntent, withoutHold } from '../publication-hold.ts';
import type { RealisedFractions } from '../realised.ts';
import { shortly } from '../service-trees.ts';
import type { ShadowWatch } from '../shadow.ts';
import type { TelemetrySource } from '../telemetry-source.ts';
import { aboutEpoch } from '../version-about.ts';
import { messageOf } from './data-directory.ts';
import type { KeptAcks } from './kept-acks.ts';
import type { KeptCounts } from './kept-counts.ts';
import { weightsObject } from './objects.ts';
import { type PlanningParts, ServiceInputs, type Tick } from './service-inputs.ts';
import { type Listeners, ServiceNews } from './service-news.ts';
import type { Change, PublishedEpoch, ServicePublisher } from './service-publisher.ts';

/** What all services of a process have in common. */
export interface SharedParts extends Listeners {
  readonly topology: Topology;
  readonly intents: IntentBook;
  readonly nowMs: () => number;
}

export interface ServiceParts extends PlanningParts {
  readonly service: ServiceId;
  readonly source: TelemetrySource;
  readonly publisher: ServicePublisher;
  readonly counts: KeptCounts;
  readonly acks: KeptAcks;
  readonly realised: RealisedFractions;
  readonly history: EpochHistory;
  readonly shadow: ShadowWatch | null; // null: what is planned is published
}

/** Somebody else leads: nothing more may be published. */
export class Deposed extends Error {
  override readonly name = 'Deposed';
}

/** A table to put into force between two epochs. */
type NextTable = Omit<NonNullable<Change['next']>, 'bodies'>;

export class ServiceRun {
  readonly parts: ServiceParts;
  readonly inputs: ServiceInputs;
  readonly news: ServiceNews;
  readonly #shared: SharedParts;
  #state: LoopState;
  #bodies: EpochBodies | null = null; // last compiled
  #published: EpochBodies | null = null; // compiled for the epoch in work
  #decidedAtMs: number | null = null;
  #watching: WatchedEpoch | null = null; // the epoch in work, once planned
  #watched: WatchedEpoch | null = null; // the last one that ended
  #wants: EpochInputs['carried']['wants'] = []; // of what was last proposed
  #asked: readonly RolloutCommand[] = []; // by the rollout, at the end of the epoch in work

  constructor(parts: ServiceParts, shared: SharedParts, start: Step) {
    this.parts = parts;
    this.inputs = new ServiceInputs(parts, shared.topology);
    this.news = new ServiceNews(parts.service, parts.history, shared);
    this.#shared = shared;
    this.#state = start.state;
    this.news.alerts(new Map(), start.state.alerts);
    this.#tellRollout();
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

  /** What its epochs are planned with, besides engines. */
  contextOf(routing: Routing): Pick<EpochContext, 'tree' | 'weights' | 'base'> {
    const { base } = this.parts;
    return { ...routing, ...(base && { base }) };
  }

  /** Names of the objects that records and head of the service may name. */
  get objects(): readonly string[] {
    return [...this.inputs.objects, ...this.parts.publisher.weightsNamed.map(weightsObject)];
  }

  /** In force. */
  get routing(): Routing {
    return this.parts.routing.routing;
  }

  /** Does what moves by choice wait for somebody, or for a canary? */
  get isReviewed(): boolean {
    const { approval, canary } = this.parts.policy.spec;
    if (this.parts.shadow) return false; // nobody is served by what is planned
    return approval === 'operator' || canary !== null;
  }

  /** The last epoch that came to a decision, as it was planned; null before the first since the start. */
  get watched(): WatchedEpoch | null {
    return this.#watched;
  }

  /** The epoch in work, once planned; null before. */
  get watching(): WatchedEpoch | null {
    return this.#watching;
  }

  /** One step of the machine; what it asks for. */
  step(event: LoopEvent, nowMs: number): readonly LoopCommand[] {
    if (this.isStopped) return []; // the answer to a command that was under way
    const before = this.#state;
    const { state, commands } = step(before, event, nowMs);
    this.#state = state;
    this.news.alerts(before.alerts, state.alerts);
    return commands;
  }

  async observe(startMs: number): Promise<LoopEvent> {
    const { intents, nowMs } = this.#shared;
    const { source, service, policy, publisher, realised, shadow } = this.parts;
    const { table, carried } = this.#state;
    const served = () => table && servedFractions(table, this.routing.weights);
    const observed = await source.observe(startMs, nowMs(), served, () => carried.sessions ?? null);
    for (const [reason, message] of observed.notices ?? []) {
      // In shadow edges are meant to do otherwise than planned.
      const isExpected = shadow !== null && reason === 'allocation-contradicting';
      this.step({ kind: 'noticed', reason, message: isExpected ? null : message }, nowMs());
    }
    if (shadow) shadow.see(observed.seen?.allocation ?? null);
    else realised.see(observed.seen?.distance ?? null, nowMs());
    if (observed.kind === 'nothing') return { kind: 'observing-failed', message: observed.message };
    const { demandRps, states, rttMs = null } = observed;
    // Those that are counted are where others sent them: they are where Taiji's tables would have begun.
    const sessions = shadow && carried.sessions ? null : (observed.sessions ?? null);
    const stated = intents.inForce(startMs).filter((intent) => concerns(intent, service));
    const hold = holdIntent(service, policy, publisher.rollout, this.isReviewed, nowMs());
    const inForce = hold ? [...stated, hold] : stated;
    return { kind: 'observed', observation: { demandRps, states, rttMs, sessions, intents: inForce } };
  }

  /** Freezes what the epoch in work is planned on. `isSilent`: nothing was observed. */
  freeze(observation: Observation, tick: Tick, isSilent: boolean): Promise<InputsRecord> {
    const isHeld = holdOf(this.parts.publisher.rollout, this.#shared.nowMs()) !== null;
    return this.inputs.freeze(observation, tick, this.#state, { isSilent, isHeld });
  }

  /** What the planning of the group came to for this service. */
  planned(watching: WatchedEpoch): LoopEvent {
    this.#watching = watching;
    try {
      // Compiled here, so that a table that cannot be compiled is a plan that failed.
      this.#published = bodiesAfter(watching.inputs.topology, watching.plan, this.#bodies);
      return { kind: 'planned', plan: watching.plan };
    } catch (error) {
      this.news.log.error({ err: error }, 'compiling failed');
      return this.planningFailed(error);
    }
  }

  planningFailed(error: unknown): LoopEvent {
    this.#published = null;
    return { kind: 'planning-failed', message: messageOf(error) };
  }

  async publish({ plan, change, freshUntilMs }: Extract<LoopCommand, { kind: 'publish' }>): Promise<LoopEvent> {
    const nowMs = this.#shared.nowMs();
    const { publisher, trees, counts, acks } = this.parts;
    if (plan.outcome !== 'held' && plan.outcome !== 'rejected') this.#takeRouting();
    const evidence = this.#evidence();
    const rollout = rolloutStep(publisher.rollout, { kind: 'epoch', moved: change !== null, evidence }, nowMs);
    try {
      const published: PublishedEpoch = {
        epoch: this.#state.epoch,
        startMs: this.#state.startMs,
        generatedAtMs: nowMs,
        freshUntilMs,
        carried: plan.carried,
        table: this.#state.table,
        bodies: this.#published?.bodies ?? null,
        about: aboutEpoch(this.#state.epoch, plan, trees.lastStep, this.inputs.sha256),
        rollout: rollout.state,
        trees: trees.published,
        counted: await counts.keep(publisher),
      };
      const answer = await publisher.publish(published, () => !this.isStopped);
      if (answer.kind !== 'deposed') {
        this.#asked = rollout.commands;
        this.#tellRollout();
        this.#bodies = this.#published ?? this.#bodies;
        this.#decidedAtMs = nowMs;
        if (answer.kind === 'published') await acks.keep(nowMs);
      }
      return answer;
    } catch (error) {
      return { kind: 'publishing-failed', message: messageOf(error) };
    }
  }

  /** What the rollout asked for since it was last asked. */
  takeAsked(): readonly RolloutCommand[] {
    const asked = this.#asked;
    this.#asked = [];
    return asked;
  }

  /** Puts another table into force, or only the rollout on, between two epochs. `fed`: the store failed, and the next
   *  epoch tries it again. */
  async change({
    rollout,
    next,
  }: {
    readonly rollout: Rollout;
    readonly next: NextTable | null;
  }): Promise<'stored' | 'fed'> {
    const { publisher, trees } = this.parts;
    const { nowMs } = this.#shared;
    const compiled = next && this.#compiled(next.table);
    const change: Change = {
      rollout,
      trees: trees.published,
      next: next && compiled && { ...next, bodies: compiled.bodies },
    };
    const answer = await publisher.change(change, nowMs(), () => !this.isStopped);
    if (answer.kind === 'deposed') {
      throw new Deposed(answer.message);
    }
    this.notice('store-failing', answer.kind === 'published' ? null : answer.message);
    if (next && compiled) {
      this.#bodies = compiled;
      this.step({ kind: 'replaced', table: next.table, carried: next.carried }, nowMs());
      this.news.replaced(publisher.version, next.about);
    }
    this.#tellRollout();
    return answer.kind === 'published' ? 'stored' : 'fed';
  }

  /** The inputs last planned on, with the table in force now and without what holds it. `free`: to be planned as if every
   *  epoch before had been. */
  standing(free: boolean): EpochInputs {
    const { table, carried } = this.#state;
    const { churnSpent: _, ...inputs } = withoutHold(this.inputs.observed!); // somebody else's, of another epoch
    return { ...inputs, previous: table, carried: free ? { ...carried, wants: this.#wants } : carried };
  }

  /** The table in force and what the last epoch was planned on, also by a process before. Throws an HttpProblem where there
   *  is none: nobody knows what another table would do. */
  get known(): { readonly table: RoutingTable; readonly inputs: EpochInputs } {
    const { table, dueMs } = this.#state;
    const { observed } = this.inputs;
    if (table && observed && this.parts.publisher.inForce) return { table, inputs: observed };
    const seconds = Math.max(1, Math.ceil((dueMs - this.#shared.nowMs()) / 1000));
    const why = 'no epoch is on record that says what edges ask for; ask again after the next one';
    throw new HttpProblem(503, `${why}, which is due in ${seconds} s`, { 'Retry-After': String(seconds) });
  }

  /** Why nobody would pass to another tree now, or null. Once `known`. */
  get standstill(): string | null {
    const hold = holdOf(this.parts.publisher.rollout, this.#shared.nowMs());
    return hold ? `frozen by ${hold.author}: ${hold.reason}` : standstillOf(this.standing(false), this.routing);
  }

  /** Remembers what a proposal wants, so that small wants that persist are proposed after a few epochs. */
  proposed(plan: EpochPlan): void {
    this.#wants = plan.carried.wants;
  }

  /** Raises or ends an alert from outside the loop. */
  notice(reason: AlertReason, message: string | null): void {
    this.step({ kind: 'noticed', reason, message }, this.#shared.nowMs());
  }

  /** The end of the epoch in work, as it is recorded and then told. */
  ended(decision: Decision): { readonly record: OutcomeRecord; readonly summary: EpochSummary } {
    this.notice('tree-move-stuck', this.parts.trees.stuck);
    if (decision.kind === 'decided') this.#watched = this.#watching;
    const shadow = decision.kind === 'decided' ? this.parts.shadow?.compare() : undefined;
    const summary = { ...this.#summary(decision, this.#state), ...(shadow && { shadow }) };
    const record = outcomeRecord(this.#state, decision, this.#published, summary);
    return { record, summary };
  }

  /** What the record of an epoch says of a service that nothing was observed of, and that has been told already. */
  silent(epoch: number): OutcomeRecord {
    return silentRecord(epoch, this.#state, this.news.told);
  }

  /** Tells of an epoch that is not recorded. */
  tell({ decision, epoch, startMs }: Extract<LoopCommand, { kind: 'tell' }>): void {
    this.news.epoch(this.#summary(decision, { epoch, startMs }));
  }

  /** With the fallbacks that the edges have. */
  #compiled(table: RoutingTable): EpochBodies {
    const { bodies } = this.parts.publisher.inForce!;
    const fallbacks = this.#bodies?.fallbacks ?? bodies.map(({ edge, body }) => parseBody(body, edge).fallback);
    // Of a process before nobody knows from which ceilings it made them: the next epoch makes them anew.
    const ceilings = this.#bodies?.ceilings ?? new Float64Array(0);
    return { ...compileTable(table, fallbacks, this.#bodies), ceilings };
  }

  /** What the epoch was planned with is in force with its plan. */
  #takeRouting(): void {
    const { routing, trees } = this.parts;
    const before = trees.course;
    routing.take(this.inputs.proposed);
    const { course } = trees;
    if (before.kind !== 'moving' || course.kind !== 'settled') return;
    const { version } = course.tree;
    this.news.ofTrees({ tree: version, epochs: before.epochs + 1 }, `all users are on tree ${shortly(version)}`);
  }

  #evidence(): Canary['evidence'] | null {
    const { acks, publisher } = this.parts;
    const { rollout } = publisher;
    if (rollout.kind !== 'canary') return null;
    const given = new Map(publisher.inForce?.bodies.map(({ edge, version }) => [edge as string, version]));
    return acks.acks.added(rollout.evidence, new Set(rollout.edges), (edge, sha256) => given.get(edge) === sha256);
  }

  /** What publication is doing that somebody should know of. */
  #tellRollout(): void {
    const { rollout } = this.parts.publisher;
    const pinned =
      rollout.kind === 'pinned' ? `held at version ${rollout.version} by ${rollout.author}: ${rollout.reason}` : null;
    const returned = rollout.kind === 'pinned' && rollout.author === 'taiji';
    this.notice('canary-returned', returned ? pinned : null);
    this.notice('publication-pinned', returned ? null : pinned);
    this.notice('canary-undecided', rollout.kind === 'canary' ? rollout.undecided : null);
  }

  #summary(decision: Decision, { epoch, startMs }: Tick): EpochSummary {
    const { topology, nowMs } = this.#shared;
    const durationMs = nowMs() - this.#state.begunMs;
    const { version } = this.parts.publisher;
    const { lastStep } = this.parts.trees;
    const treeMove = lastStep && { users: lastStep.users, churn: lastStep.churn };
    return summarise(decision, { epoch, startMs, version, durationMs }, topology, treeMove);
  }
}
