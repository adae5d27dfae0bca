/** Does what the epoch loop says for services that are solved together, and reports back what came of it. Each service has
 *  a machine of its own; they go step by step side by side, so that the group is observed, recorded, planned and closed
 *  as one while an alert, a hold or a failure stays with the service it is about. Where nothing usable is observed of one,
 *  it counts as the load it was last, its table stays, and the others go on.
 *  Declined: one machine for a group. Every phase would have to say what it means for a service that left the epoch. */

import type { Logger } from 'pino';
import type { Topology } from '../../../config/topology.ts';
import type { DatacenterState } from '../../../runtime/inputs.ts';
import type { EpochContext, PlannedService } from '../../epoch/inputs.ts';
import type { EpochPlan } from '../../epoch/plan.ts';
import type { PlanGroup } from '../../epoch.ts';
import { inTime } from '../../publish/io/in-time.ts';
import { planGroupWatched } from '../../replay/explanation.ts';
import { checkpointOfAll, type InputsRecord, inputsOfAll, outcomeOfAll } from '../../replay/journal-record.ts';
import type { LoopCommand, LoopEvent, Observation } from '../epoch-loop.ts';
import type { IntentBook } from '../intent-book.ts';
import { HttpProblem } from '../problem.ts';
import { messageOf } from './data-directory.ts';
import type { Journal } from './journal.ts';
import { Deposed, type ServiceRun } from './service-run.ts';

/** The solvers, and the way to new ones: a worker that hangs or dies must not end the planning for good. */
export interface Engines {
  readonly context: EpochContext;
  renew(): Promise<void>;
}

export interface DriverParts {
  readonly topology: Topology;
  readonly engines: Engines;
  readonly plan: PlanGroup;
  readonly planMsMax: number; // planning that takes longer has failed
  readonly intents: IntentBook;
  readonly journal: Journal;
  /** Between an epoch that has ended and the wait for the next one. */
  readonly afterEpoch: () => Promise<void>;
  readonly log: Logger;
  readonly nowMs: () => number;
}

const underWayMsMax = 2000;

/** Commands that take time, in the order of an epoch. */
const work = ['observe', 'record', 'plan', 'publish', 'close'] as const;
type WorkKind = (typeof work)[number];
type Work<Kind extends WorkKind = WorkKind> = Extract<LoopCommand, { kind: Kind }>;

type Asked<Kind extends WorkKind = WorkKind> = readonly [ServiceRun, Work<Kind>];
type Answer = readonly [ServiceRun, LoopEvent];

export class LoopDriver {
  readonly runs: readonly ServiceRun[]; // in the order of the group's records
  readonly done: Promise<string | null>; // resolves once stopped: null, or why
  readonly #parts: DriverParts;
  readonly #dueMs = new Map<ServiceRun, number>(); // of those that wait
  #asked: Asked[] = [];
  #between: (() => Promise<void>)[] = []; // what waits for a moment without an epoch
  #isWorking = false;
  #underWay: Promise<unknown> = Promise.resolve(); // the work under way
  #timer: NodeJS.Timeout | null = null;
  #error: string | null = null;
  #finish: (error: string | null) => void = () => {};

  constructor(parts: DriverParts, started: readonly (readonly [ServiceRun, readonly LoopCommand[]])[]) {
    this.#parts = parts;
    this.runs = started.map(([run]) => run);
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    for (const [run, commands] of started) this.#take(run, commands);
    void this.#work();
  }

  /** Ends without waiting for the epoch in work: what it was about to publish is planned again at the next start. */
  abandon(): void {
    this.dispatch({ kind: 'deposed', message: 'the epoch in work did not end in time' });
  }

  /** What is said to all services of the group. */
  dispatch(event: LoopEvent): void {
    this.#step(this.runs.map((run) => [run, event]));
    void this.#work();
  }

  /** Does `work` while no epoch is in work: at once, or when the one in work has ended. Rejects once all have stopped. */
  between<T>(work: () => Promise<T>): Promise<T> {
    const done = new Promise<T>((resolve, reject) => {
      this.#between.push(async () => {
        if (this.#isStopped) {
          reject(new HttpProblem(503, 'the control plane stops'));
          return;
        }
        await work().then(resolve, (error: Error) => {
          if (error instanceof Deposed) this.dispatch({ kind: 'deposed', message: error.message });
          reject(error);
        });
      });
    });
    void this.#work();
    return done;
  }

  /** [s] what all services were last planned on, with the tables that are in force now. */
  standing(): readonly PlannedService[] {
    return this.runs.map((run) => this.#planned(run, null));
  }

  /** What would move of one service by choice now, were it let; of the others only what cannot wait. */
  async propose(free: ServiceRun): Promise<EpochPlan> {
    const { plan, planMsMax } = this.#parts;
    const services = this.runs.map((run) => this.#planned(run, free));
    const plans = await inTime(plan(services), planMsMax, 'planning');
    const proposed = plans[this.runs.indexOf(free)]!;
    free.proposed(proposed);
    return proposed;
  }

  #planned(run: ServiceRun, free: ServiceRun | null): PlannedService {
    const inputs = run.standing(run === free);
    const waits = free !== null && run !== free;
    return {
      inputs: waits ? { ...inputs, isDue: false } : inputs,
      context: { ...this.#parts.engines.context, ...run.contextOf(run.routing) },
    };
  }

  get #isStopped(): boolean {
    return this.runs.every((run) => run.isStopped);
  }

  #step(answers: readonly Answer[]): void {
    const nowMs = this.#parts.nowMs(); // one for all: they stay side by side
    for (const [run, event] of answers) this.#take(run, run.step(event, nowMs));
  }

  #take(run: ServiceRun, commands: readonly LoopCommand[]): void {
    for (const command of commands) {
      switch (command.kind) {
        case 'wait':
          this.#dueMs.set(run, command.untilMs);
          break;
        case 'tell':
          run.tell(command);
          break;
        case 'exit':
          this.#exit(run, command.error);
          break;
        default:
          this.#asked.push([run, command]);
      }
    }
  }

  /** Works off what is asked, the earliest part of the epoch first; once nothing is, all wait for the next one. */
  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    if (this.#timer) clearTimeout(this.#timer); // no epoch begins under what is done between two
    for (;;) {
      this.#asked = this.#asked.filter(([run]) => !run.isStopped);
      const kind = work.find((one) => this.#asked.some(([, command]) => command.kind === one));
      if (!kind) {
        const next = this.#between.shift();
        if (!next) break;
        const done = next();
        this.#underWay = done;
        await done;
        continue;
      }
      const now = this.#asked.filter(([, command]) => command.kind === kind);
      this.#asked = this.#asked.filter(([, command]) => command.kind !== kind);
      const answers = this.#perform(kind, now);
      this.#underWay = answers;
      this.#step(await answers);
      if (kind === 'close') this.#between.unshift(() => this.#afterEpoch());
    }
    this.#isWorking = false;
    if (!this.#isStopped) this.#wait();
  }

  async #afterEpoch(): Promise<void> {
    if (this.#isStopped) return;
    await this.#parts.afterEpoch().catch((error: unknown) => {
      if (error instanceof Deposed) this.dispatch({ kind: 'deposed', message: error.message });
      if (!this.#isStopped) this.#parts.log.error({ err: error }, 'what follows an epoch failed');
    });
  }

  #wait(): void {
    const delayMs = Math.max(0, Math.max(...this.#dueMs.values()) - this.#parts.nowMs());
    this.#timer = setTimeout(() => this.dispatch({ kind: 'due' }), delayMs);
  }

  #exit(run: ServiceRun, error: string | null): void {
    this.#dueMs.delete(run);
    if (error !== null && this.#error === null) {
      // Who leads one service of a process leads all of them, or none.
      this.#error = error;
      this.#step(this.runs.map((one) => [one, { kind: 'deposed', message: error }]));
    }
    if (!this.#isStopped) return;
    if (this.#timer) clearTimeout(this.#timer);
    // What is under way gets a moment, so that nothing is closed under it.
    void inTime(this.#underWay, underWayMsMax, 'the epoch in work')
      .catch(() => {})
      .then(() => this.#finish(this.#error));
  }

  #perform(kind: WorkKind, asked: readonly Asked[]): Promise<readonly Answer[]> {
    const of = <Kind extends WorkKind>(): readonly Asked<Kind>[] => asked as readonly Asked<Kind>[];
    switch (kind) {
      case 'observe':
        return this.#observe(of<'observe'>());
      case 'record':
        return this.#record(of<'record'>());
      case 'plan':
        return this.#plan(of<'plan'>());
      case 'publish':
        return Promise.all(of<'publish'>().map(async ([run, command]) => [run, await run.publish(command)] as const));
      case 'close':
        return this.#close(of<'close'>());
    }
  }

  async #observe(asked: readonly Asked<'observe'>[]): Promise<readonly Answer[]> {
    const { startMs } = asked[0]![1];
    await this.#parts.intents.settle(startMs).catch((error: unknown) => {
      this.#parts.log.warn({ err: messageOf(error) }, 'the intents could not be stored; they count all the same');
    });
    const answers = await Promise.all(
      asked.map(async ([run, command]): Promise<Answer> => [run, await run.observe(command.startMs)]),
    );
    // A load that nobody knows leaves no room to plan with.
    const unknown = answers.filter(([run, { kind }]) => kind === 'observing-failed' && run.inputs.observed === null);
    if (unknown.length === 0) return answers;
    const names = unknown.map(([{ parts }]) => `"${parts.service}"`).join(', ');
    const message = `nothing is known yet of the load of ${names}, which draws on the same`;
    return answers.map(([run, event]) => [
      run,
      event.kind === 'observed' ? { kind: 'observing-failed', message } : event,
    ]);
  }

  async #record(asked: readonly Asked<'record'>[]): Promise<readonly Answer[]> {
    const { journal, engines } = this.#parts;
    const said = new Map(asked.map(([run, { observation }]) => [run, observation]));
    const common = commonOf([...said.values()]);
    const tick = asked[0]![0].state;
    const records: InputsRecord[] = [];
    for (const run of this.runs) {
      const observation = said.get(run);
      if (observation) {
        records.push(await run.freeze({ ...observation, ...common(observation.states) }, tick, false));
        continue;
      }
      const { demandRps, intents } = run.inputs.observed!;
      records.push(await run.freeze({ demandRps, intents, ...common([...said.values()][0]!.states) }, tick, true));
    }
    let event: LoopEvent = { kind: 'recorded' };
    try {
      const checkpoint = async () => {
        const checkpoints = [];
        const engine = engines.context.solver.name;
        for (const run of this.runs) checkpoints.push(await run.inputs.checkpoint(engine, run.state));
        return checkpointOfAll(checkpoints);
      };
      await journal.recordInputs(inputsOfAll(records), checkpoint, async () => {
        for (const run of this.runs) await run.inputs.keepNamed();
      });
    } catch (error) {
      event = { kind: 'recording-failed', message: messageOf(error) };
    }
    return asked.map(([run]) => [run, event]);
  }

  async #plan(asked: readonly Asked<'plan'>[]): Promise<readonly Answer[]> {
    const { plan, engines, planMsMax, log } = this.#parts;
    try {
      const group = this.runs.map((run) => {
        const { observed, proposed } = run.inputs;
        return { inputs: observed!, context: { ...engines.context, ...run.contextOf(proposed.routing) } };
      });
      const before = this.runs.map((run) => run.watched?.inputs ?? null);
      const watching = await inTime(planGroupWatched(group, before, plan), planMsMax, 'planning');
      // An engine that gives no answer that holds may have lost its worker; a new one costs a moment.
      const isDoubted = watching.some((one) => one.plan.outcome === 'held' && one.plan.doubts.length > 0);
      if (isDoubted && !this.#isStopped) await engines.renew();
      return asked.map(([run]) => [run, run.planned(watching[this.runs.indexOf(run)]!)]);
    } catch (error) {
      if (!this.#isStopped) {
        log.error({ err: error }, 'planning failed');
        await engines.renew().catch((renewing: unknown) => {
          log.error({ err: renewing }, 'the solver could not be started again');
        });
      }
      return asked.map(([run]) => [run, run.planningFailed(error)]);
    }
  }

  async #close(asked: readonly Asked<'close'>[]): Promise<readonly Answer[]> {
    const { epoch } = asked[0]![0].state;
    const ended = new Map(asked.map(([run, { decision }]) => [run, run.ended(decision)]));
    let event: LoopEvent = { kind: 'closed' };
    try {
      const records = this.runs.map((run) => ended.get(run)?.record ?? run.silent(epoch));
      await this.#parts.journal.recordOutcome(outcomeOfAll(records));
    } catch (error) {
      event = { kind: 'closing-failed', message: messageOf(error) };
    }
    for (const [run, { summary }] of ended) if (!run.isStopped) run.news.epoch(summary);
    return asked.map(([run]) => [run, event]);
  }
}

/** What is one thing for all services of a group, whoever observed it: round trips are those of the first who has any, and
 *  of a datacenter's states out of service the one that keeps least. How well one service does there is its own. */
function commonOf(
  observations: readonly Observation[],
): (states: readonly DatacenterState[]) => Pick<Observation, 'states' | 'rttMs'> {
  const rttMs = observations.find((one) => one.rttMs)?.rttMs ?? null;
  return (own) => ({
    states: own.map((state, d) =>
      observations.reduce((least, { states }) => (states[d]!.keep < least.keep ? states[d]! : least), state),
    ),
    rttMs,
  });
}
