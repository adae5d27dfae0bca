/** One service in its group's loop: the state the machine keeps for it, and what becomes of each command where only it is
 *  concerned. Nothing here decides: a rejected promise becomes the event that says so. */

import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { ServiceId } from '../../../config/ids.ts';
import { concerns, type Intent } from '../../../config/intent.ts';
import type { Policy } from '../../../config/policy.ts';
import type { Topology } from '../../../config/topology.ts';
import { type EpochContext, type EpochInputs, type EpochPlan, standstillOf } from '../../epoch.ts';
import { type Canary, holdOf, type Rollout, type RolloutCommand, rolloutStep } from '../../publish/rollout.ts';
import type { VersionAbout } from '../../publish/snapshot.ts';
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
import { compileTable, makeFallbacks } from '../../table/compile.ts';
import { encodeTable, type RoutingTable, servedFractions, tableDigest } from '../../table/routing-table.ts';
import type { Routing } from '../../table/tree-course.ts';
import type { AlertReason } from '../alert.ts';
import type { EdgeAcks } from '../edge-acks.ts';
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
import type { RealisedFractions } from '../realised.ts';
import type { ProposedRouting, RoutingSource } from '../routing-source.ts';
import { type ServiceTrees, shortly } from '../service-trees.ts';
import type { ShadowFigures, ShadowSide, ShadowWatch } from '../shadow.ts';
import { highestOf } from '../shadow-report.ts';
import type { TelemetrySource } from '../telemetry-source.ts';
import { messageOf } from './data-directory.ts';
import type { EventStream } from './event-stream.ts';
import type { Metrics } from './metrics.ts';
import { objectsOf, type RoutingObjects, treeObject } from './objects.ts';
import type { Change, PublishedEpoch, ServicePublisher } from './service-publisher.ts';

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
  readonly trees: ServiceTrees;
  readonly routing: RoutingSource; // that epochs are planned with
  readonly objects: RoutingObjects;
  readonly base: RoutingTable | null; // imported: what a ramp of the policy holds the rest to
  readonly everyTicks: number; // of its group, from one of its epochs to the next
  readonly tickMs: number | null; // where that is not what the policy says an epoch is
  readonly source: TelemetrySource;
  readonly publisher: ServicePublisher;
  readonly acks: EdgeAcks;
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

/** Of the intent by which publication holds back moves by choice: recorded with an epoch's inputs, so that it replays. */
const holdId = 'publication-hold';

/** An epoch of the group. A machine that left it waits for the next one already. */
type Tick = Pick<LoopState, 'epoch' | 'startMs'>;

export class ServiceRun {
  readonly parts: ServiceParts;
  readonly #shared: SharedParts;
  readonly #log: Logger;
  readonly #first: Routing; // that checkpoints name, and records only where theirs is another
  #state: LoopState;
  #proposed: ProposedRouting; // for the epoch in work, or the last
  #inputs: EpochInputs | null = null; // of the epoch in work, or the last
  #bodies: EpochBodies | null = null; // last compiled
  #published: EpochBodies | null = null; // compiled for the epoch in work
  #decidedAtMs: number | null = null;
  #watching: WatchedEpoch | null = null; // the epoch in work, once planned
  #watched: WatchedEpoch | null = null; // the last one that ended
  #told: EpochSummary | null = null;
  #inputsSha256: string | null = null; // of the record of `#inputs`
  #wants: EpochInputs['carried']['wants'] = []; // of what was last proposed
  #asked: readonly RolloutCommand[] = []; // by the rollout, at the end of the epoch in work

  constructor(parts: ServiceParts, shared: SharedParts, start: Step) {
    this.parts = parts;
    this.#shared = shared;
    this.#log = shared.log.child({ service: parts.service });
    this.#first = parts.routing.routing;
    this.#proposed = { routing: this.#first, churnSpent: 0 };
    this.#state = start.state;
    for (const [reason, message] of start.state.alerts) this.#announce(reason, message);
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

  /** In force. */
  get routing(): Routing {
    return this.parts.routing.routing;
  }

  /** Names of the objects that its records and its head may name next. */
  get objects(): readonly string[] {
    const { objects, trees } = this.parts;
    const { course } = trees.published;
    const between = course.kind === 'settled' ? [course.tree, course.before] : [course.from, course.to];
    return [
      ...[this.#first, this.routing, this.#proposed.routing].flatMap((one) => objectsOf(objects.nameOf(one))),
      ...between.flatMap((version) => version ?? []).map(treeObject),
    ];
  }

  /** What an epoch was last planned on; null before the first. */
  get observed(): EpochInputs | null {
    return this.#inputs;
  }

  /** SHA-256 of the record of what was last planned on. */
  get inputsSha256(): string | null {
    return this.#inputsSha256;
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
    this.#tellAlerts(before, state);
    return commands;
  }

  async observe(startMs: number): Promise<LoopEvent> {
    const { intents, nowMs } = this.#shared;
    const { source, service, realised, shadow } = this.parts;
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
    const hold = this.#hold();
    const inForce = hold ? [...stated, hold] : stated;
    return { kind: 'observed', observation: { demandRps, states, rttMs, sessions, intents: inForce } };
  }

  /** Freezes what the epoch in work is planned on. `isSilent`: of a service that nothing was observed of. */
  freeze(observation: Observation, { epoch, startMs }: Tick, isSilent: boolean): InputsRecord {
    const { topology } = this.#shared;
    const { policy, routing: source, objects, everyTicks, tickMs } = this.parts;
    const { table, carried } = this.#state;
    const isDue = !isSilent && (table === null || epoch % everyTicks === 0);
    const { demandRps, states, intents } = observation;
    const standing: InputsRecord = {
      kind: 'inputs',
      epoch,
      startMs,
      demandRps: [...demandRps],
      states,
      ...(observation.rttMs && { rttMs: changedRtt(topology, observation.rttMs) }),
      ...(observation.sessions && { sessions: [...observation.sessions] }), // NaN is null in JSON
      intents,
      previousSha256: table && tableDigest(table),
      ...(tickMs !== null && { epochMs: tickMs }),
      ...(!isDue && { isDue: false }),
      ...(isSilent && { isSilent: true }),
    };
    const treeVersion = this.#first.tree.version;
    const base = { topology, policy, previous: table, carried, treeVersion };
    this.#proposed = source.propose(this.#withoutReview(frozenInputs(standing, base)));
    const { routing, churnSpent } = this.#proposed;
    const record: InputsRecord = {
      ...standing,
      ...(routing !== this.#first && { routing: objects.nameOf(routing) }),
      ...(churnSpent > 0 && { churnSpent }),
    };
    this.#inputsSha256 = createHash('sha256').update(JSON.stringify(record)).digest('hex');
    this.#inputs = frozenInputs(record, base);
    return record;
  }

  /** What the epoch in work is planned on, with what it is planned with. */
  planning(): { readonly inputs: EpochInputs; readonly routing: Routing } {
    return { inputs: this.#inputs!, routing: this.#proposed.routing };
  }

  /** Puts where a replay finds it what the record of the epoch in work only names. */
  async keepNamed(): Promise<void> {
    if (this.#proposed.routing !== this.#first) await this.parts.objects.keep(this.#proposed.routing);
  }

  async checkpoint(engine: string): Promise<CheckpointRecord> {
    const { policy, objects, base } = this.parts;
    const { table, carried } = this.#state;
    await objects.keep(this.#first);
    return {
      kind: 'checkpoint',
      format: journalFormat,
      topology: plainTopology(this.#shared.topology),
      policy,
      ...objects.nameOf(this.#first),
      ...(base && { base: encodeTable(base) }),
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

  async publish({ plan, change, freshUntilMs }: Extract<LoopCommand, { kind: 'publish' }>): Promise<LoopEvent> {
    const nowMs = this.#shared.nowMs();
    const { publisher, trees } = this.parts;
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
        about: this.#about(plan),
        rollout: rollout.state,
        trees: trees.published,
      };
      const answer = await publisher.publish(published, () => !this.isStopped);
      if (answer.kind !== 'deposed') {
        this.#asked = rollout.commands;
        this.#tellRollout();
        this.#bodies = this.#published ?? this.#bodies;
        this.#decidedAtMs = nowMs;
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
    const { publisher, service, trees } = this.parts;
    const { nowMs, metrics } = this.#shared;
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
      const { version } = publisher;
      metrics.version(service, version);
      const { cause, author, reason } = next.about;
      this.#log.info({ version, cause, author, reason }, 'table replaced');
    }
    this.#tellRollout();
    return answer.kind === 'published' ? 'stored' : 'fed';
  }

  /** The inputs last planned on, with the table in force now and without what holds it. `free`: to be planned as if every
   *  epoch before had been. */
  standing(free: boolean): EpochInputs {
    const { table, carried } = this.#state;
    const { churnSpent: _, ...inputs } = this.#inputs!; // somebody else's, of another epoch
    const intents = inputs.intents.filter(({ id }) => id !== holdId);
    return { ...inputs, intents, previous: table, carried: free ? { ...carried, wants: this.#wants } : carried };
  }

  /** Why nobody would pass to another tree now, or null. After an epoch. */
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

  say(message: string): void {
    this.#log.info({ message }, 'publication');
  }

  sayOfTrees(way: object, message: string): void {
    this.#log.info({ ...way, message }, 'trees');
  }

  /** The end of the epoch in work, as it is recorded and then told. */
  ended(decision: Decision): { readonly record: OutcomeRecord; readonly summary: EpochSummary } {
    this.notice('tree-move-stuck', this.parts.trees.stuck);
    if (decision.kind === 'decided') this.#watched = this.#watching;
    const { table, carried, epoch } = this.#state;
    const decided = decision.kind === 'decided';
    const shadow = decided ? this.parts.shadow?.compare() : undefined;
    const summary = { ...this.#summary(decision, this.#state), ...(shadow && { shadow }) };
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
    const { epoch, time, outcome, reason, relaxed, churn, treeMove, version, durationMs } = summary;
    const utilizationMax = Math.max(0, ...Object.values(summary.utilization));
    if (summary.shadow) this.#log.info({ epoch, start: time, ...shadowLine(summary.shadow) }, 'shadow');
    // Not `time`: that is when the line was logged.
    this.#log.info(
      { epoch, start: time, outcome, reason, relaxed, utilizationMax, churn, treeMove, version, durationMs },
      'epoch',
    );
    onEpoch(summary, service);
  }

  /** With the fallbacks of the last epoch. */
  #compiled(table: RoutingTable): EpochBodies {
    const { inputs, plan } = this.#watched!;
    const ceilings = this.#bodies?.ceilings ?? plan.ceilings;
    const fallbacks = this.#bodies?.fallbacks ?? makeFallbacks(inputs.topology, table.height, ceilings);
    return { ...compileTable(table, fallbacks, this.#bodies), ceilings };
  }

  /** What holds back all moves by choice: a rollout that does, or else a review of what is proposed. It holds Taiji's own:
   *  what operators ask for by a shift or an override comes before it. */
  #hold(): Intent | null {
    const { policy, publisher, service } = this.parts;
    const held = holdOf(publisher.rollout, this.#shared.nowMs());
    const { canary } = policy.spec;
    const waits = canary ? `plans are tried at ${canary.edges.join(', ')} first` : 'plans wait for an approval';
    const said = held ?? (this.isReviewed ? { author: 'the policy', reason: waits } : null);
    return said && { kind: 'freeze', id: holdId, ...said, priority: 'taiji', service, until: null };
  }

  /** What is reviewed is the tables that plans ask for; who moves users to another tree has looked at that. */
  #withoutReview(inputs: EpochInputs): EpochInputs {
    if (holdOf(this.parts.publisher.rollout, this.#shared.nowMs())) return inputs;
    return { ...inputs, intents: inputs.intents.filter(({ id }) => id !== holdId) };
  }

  /** What the epoch was planned with is in force with its plan. */
  #takeRouting(): void {
    const { routing, trees } = this.parts;
    const before = trees.course;
    routing.take(this.#proposed);
    const { course } = trees;
    if (before.kind !== 'moving' || course.kind !== 'settled') return;
    const { version } = course.tree;
    this.sayOfTrees({ tree: version, epochs: before.epochs + 1 }, `all users are on tree ${shortly(version)}`);
  }

  #evidence(): Canary['evidence'] | null {
    const { acks, publisher } = this.parts;
    const { rollout } = publisher;
    if (rollout.kind !== 'canary') return null;
    const given = new Map(publisher.inForce?.bodies.map(({ edge, version }) => [edge as string, version]));
    return acks.added(rollout.evidence, new Set(rollout.edges), (edge, sha256) => given.get(edge) === sha256);
  }

  #about({ outcome, churn, relaxed }: EpochPlan): VersionAbout {
    const { lastStep } = this.parts.trees;
    const moved = (churn.forced + churn.elective).toFixed(4);
    const gave = relaxed.length > 0 ? `, gave: ${relaxed.join(', ')}` : '';
    const passed = lastStep ? `, ${lastStep.users} users to another tree` : '';
    const same = lastStep ? 'unchanged' : 'only who takes over from whom changes';
    const what = outcome === 'unchanged' ? same : `${outcome}, churn ${moved}`;
    const reason = `epoch ${this.#state.epoch}: ${what}${passed}${gave}`;
    return { cause: 'epoch', author: 'taiji', reason, inputsSha256: this.#inputsSha256, plan: null, restores: null };
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

/** What a line of the log has room for. */
function shadowLine(figures: ShadowFigures): object {
  if (figures.kind === 'unknown') return figures;
  const sideOf = (side: ShadowSide) => ({ ...side, utilization: undefined, utilizationMax: highestOf(side) });
  return { today: sideOf(figures.today), taiji: sideOf(figures.taiji), elsewhere: figures.elsewhere };
}
