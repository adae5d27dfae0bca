/** What people ask of one service's publication, and what becomes of it: plans made, looked at and applied, versions gone
 *  back to, canaries judged. `publish/rollout.ts` decides; this does it, between two epochs, so that an epoch is planned
 *  and published on one table from its first line to its last. */

import { durationMs } from '../../../config/duration.ts';
import type { ServiceId } from '../../../config/ids.ts';
import { type Examination, examine } from '../../epoch/examination.ts';
import type { PlannedService } from '../../epoch/inputs.ts';
import type { EpochPlan } from '../../epoch/plan.ts';
import { canaryTable } from '../../publish/canary.ts';
import { type PublishPlan, planOf } from '../../publish/plan.ts';
import { movedEdges, refusalsOf, refusalText } from '../../publish/plan-guards.ts';
import { open, type Pinned, type Rollout, type RolloutCommand, rolloutStep } from '../../publish/rollout.ts';
import type { VersionAbout } from '../../publish/snapshot.ts';
import { changesTable } from '../../replay/recorded.ts';
import {
  decodeTable,
  encodeTable,
  type RoutingTable,
  sameShape,
  sameTable,
  tableDigest,
} from '../../table/routing-table.ts';
import type { EdgeAcks } from '../edge-acks.ts';
import { HttpProblem } from '../problem.ts';
import { type Asked, aboutPlan, aboutVersion } from '../version-about.ts';
import type { Journal } from './journal.ts';
import type { PlanShelf } from './plan-shelf.ts';
import type { ServiceRun } from './service-run.ts';
import type { ServiceVersions } from './service-versions.ts';

export interface PublicationParts {
  readonly run: ServiceRun;
  readonly standing: () => Standing;
  readonly propose: () => Promise<EpochPlan>;
  readonly versions: ServiceVersions;
  readonly journal: Journal;
  readonly acks: EdgeAcks;
  readonly nowMs: () => number;
  /** Resolves once `work` was done while no epoch was in work. */
  readonly between: <T>(work: () => Promise<T>) => Promise<T>;
}

/** The service among those it is solved with, on what they were last planned on and the tables in force. */
export interface Standing {
  readonly services: readonly PlannedService[];
  readonly s: number;
}

export interface ApplyAsked extends Asked {
  readonly checksum: string | null; // of the plan that was looked at
  readonly force: boolean;
  readonly allAtOnce: boolean; // no canary
}

/** What came of it. `stored` false: in force, and not on the disk yet. */
export interface Done {
  readonly version: number;
  readonly rollout: Rollout;
  readonly churn: number | null; // of demand, by this change; null: none was measured
  readonly stored: boolean;
}

export class ServicePublication {
  readonly #parts: PublicationParts;
  readonly plans: PlanShelf;

  constructor(parts: PublicationParts, plans: PlanShelf) {
    this.#parts = parts;
    this.plans = plans;
  }

  /** As the table has it that edges are fed. */
  get rolloutInForce(): Rollout {
    return this.#run.parts.publisher.rolloutInForce;
  }

  get rollout(): Rollout {
    return this.#run.parts.publisher.rollout;
  }

  /** A plan made now, on what the last epoch was planned on. */
  async planNow(author: string): Promise<PublishPlan | null> {
    return this.#parts.between(async () => {
      this.#now();
      const plan = await this.#parts.propose();
      return changesTable(plan) && plan.table ? this.#keep(plan.table, 'asked', author) : null;
    });
  }

  /** A plan of a table from outside. Throws an HttpProblem where it is of other places or buckets. */
  async planOfTable(given: RoutingTable, author: string): Promise<PublishPlan> {
    return this.#parts.between(async () => this.#keep(this.#fitting(given, 'the plan'), 'file', author));
  }

  apply(id: string, asked: ApplyAsked): Promise<Done> {
    return this.#parts.between(async () => {
      const plan = this.plans.get(id);
      if (!plan)
        throw new HttpProblem(404, `plan ${JSON.stringify(id.slice(0, 80))} is not here; taiji get plans lists them`);
      return this.#apply(plan, asked);
    });
  }

  /** `untilMs`: wall clock; null: until somebody resumes. */
  rollback(version: number, untilMs: number | null, asked: Asked & { readonly force: boolean }): Promise<Done> {
    return this.#parts.between(async () => {
      const { table, publisher } = this.#now();
      const kept = await this.#parts.versions.latest(Number.POSITIVE_INFINITY);
      if (version === publisher.version) {
        throw new HttpProblem(409, `version ${version} is in force; to keep it, freeze the service`);
      }
      if (!kept.some((info) => info.version === version)) {
        const oldest = kept.at(-1)!.version;
        throw new HttpProblem(
          404,
          `version ${version} was never in force or is no longer kept; the oldest kept is ${oldest}`,
        );
      }
      const snapshot = (await this.#parts.versions.get(version))!;
      const back = this.#fitting(decodeTable(snapshot.table, `version ${version}`), `version ${version}`);
      const examined = this.#examined(back);
      const refused = refusalText(refusalsOf(examined, this.#policyAndPlaces, true), asked.force);
      if (refused !== null) throw new HttpProblem(409, `version ${version} cannot be gone back to: ${refused}`);
      const pin: Omit<Pinned, 'kind' | 'sinceMs'> = { version, author: asked.author, reason: asked.reason, untilMs };
      const next = sameTable(table, back) ? table : back;
      const { state } = rolloutStep(this.rollout, { kind: 'rolled-back', pin }, this.#parts.nowMs());
      return this.#replace(next, state, aboutVersion('rollback', snapshot, asked), examined);
    });
  }

  /** Ends a hold; tables follow the plans again. */
  resume({ author, reason }: Asked): Promise<Done> {
    return this.#parts.between(async () => {
      if (this.rollout.kind === 'open') throw new HttpProblem(409, 'nothing is held: tables follow the plans');
      if (this.rollout.kind === 'canary') {
        const { version, base } = this.rollout;
        const mend = `wait for its verdict, apply its plan with --force --reason R, or go back to version ${base}`;
        throw new HttpProblem(409, `version ${version} is being tried; ${mend}`);
      }
      this.#run.news.ofPublication(`resumed by ${author}: ${reason}`);
      return this.#settle(rolloutStep(this.rollout, { kind: 'resumed' }, this.#parts.nowMs()).state);
    });
  }

  /** Between two epochs: does what the rollout asked for, and where moves by choice are reviewed offers the next. */
  async afterEpoch(asked: readonly RolloutCommand[]): Promise<void> {
    try {
      for (const command of asked) await this.#perform(command);
    } catch (error) {
      // Looked at again at the next epoch's end: until it is done, the rollout is what it was.
      if (!(error instanceof HttpProblem)) throw error;
      this.#run.news.ofPublication(error.message);
    }
    const { run } = this.#parts;
    if (!run.isReviewed || this.rollout.kind !== 'open' || !run.watched || !run.state.table) return;
    await this.#offer(await this.#parts.propose());
  }

  /** What an epoch would have moved by choice, had it been allowed to: offered, or tried at the canary edges. */
  async #offer(proposed: EpochPlan): Promise<void> {
    const { policy } = this.#run.parts;
    if (!changesTable(proposed) || !proposed.table) {
      this.#run.notice('publication-waiting', null);
      return;
    }
    const plan = await this.#keep(proposed.table, 'epoch', 'taiji');
    // Nothing is awaited from here to the notice: whoever sees the plan listed sees the alert.
    if (policy.spec.approval === 'operator') {
      const share = (plan.churn.forced + plan.churn.elective).toFixed(3);
      this.#run.notice('publication-waiting', `plan ${plan.id} would move ${share} of demand; taiji apply ${plan.id}`);
      return;
    }
    const asked = { author: 'taiji', reason: `epoch ${plan.epoch}`, checksum: null, force: false, allAtOnce: false };
    try {
      await this.#apply(plan, asked);
    } catch (error) {
      if (!(error instanceof HttpProblem)) throw error;
      this.#run.notice('publication-waiting', `plan ${plan.id}: ${error.message}`);
    }
  }

  /** What the machine asked for at the end of an epoch. */
  async #perform(command: RolloutCommand): Promise<void> {
    switch (command.kind) {
      case 'tell':
        this.#run.news.ofPublication(command.message);
        return;
      case 'promote': {
        const plan = this.plans.get(command.plan);
        if (!plan) {
          this.#run.notice('canary-undecided', `plan ${command.plan} is no longer kept; go back, or plan anew`);
          return;
        }
        await this.#promote(plan, command);
        return;
      }
      case 'return': {
        const snapshot = await this.#parts.versions.get(command.version);
        if (!snapshot) {
          this.#run.notice('canary-undecided', `version ${command.version} is no longer kept: ${command.reason}`);
          return;
        }
        const back = this.#fitting(decodeTable(snapshot.table, `version ${command.version}`), 'the version before');
        const about = aboutVersion('returned', snapshot, { author: 'taiji', reason: command.reason });
        await this.#replace(back, command.after, about, null);
        return;
      }
    }
  }

  async #apply(plan: PublishPlan, asked: ApplyAsked): Promise<Done> {
    const { publisher, table } = this.#now();
    if (asked.checksum !== null && asked.checksum !== plan.checksum) {
      throw new HttpProblem(
        409,
        `plan ${plan.id} has the checksum ${plan.checksum}, not ${asked.checksum.slice(0, 80)}: it is not what was looked at`,
      );
    }
    const { rollout } = this;
    if (rollout.kind === 'canary') {
      if (rollout.plan === plan.id && asked.force) return this.#promote(plan, asked);
      throw new HttpProblem(
        409,
        `version ${rollout.version} is being tried at ${rollout.edges.join(', ')}; wait for its verdict, apply its plan ${rollout.plan} with --force --reason R, or go back to version ${rollout.base}`,
      );
    }
    if (plan.base.version !== publisher.version || plan.base.tableSha256 !== tableDigest(table)) {
      throw new HttpProblem(
        409,
        `plan ${plan.id} was made on version ${plan.base.version}, and ${publisher.version} is in force; make another plan (taiji freeze keeps a version while you look)`,
      );
    }
    if (rollout.kind === 'pinned' && !asked.force) {
      throw new HttpProblem(
        409,
        `held at version ${rollout.version} by ${rollout.author}: ${rollout.reason}; resume first, or --force with a reason`,
      );
    }
    const next = this.#fitting(decodeTable(plan.table, `plan ${plan.id}`), `plan ${plan.id}`);
    const examined = this.#examined(next);
    const refused = refusalText(refusalsOf(examined, this.#policyAndPlaces, false), asked.force);
    if (refused !== null) throw new HttpProblem(409, refused);
    const canary = asked.allAtOnce ? null : this.#canaryOf(plan, table, next, asked);
    if (canary) {
      const tried = rolloutStep(rollout, { kind: 'tried', canary: canary.state }, this.#parts.nowMs());
      return this.#replace(canary.table, tried.state, aboutPlan('canary', plan, asked), examined);
    }
    const { state } = rolloutStep(rollout, { kind: 'applied' }, this.#parts.nowMs());
    return this.#replace(next, state, aboutPlan('plan', plan, asked), examined);
  }

  async #promote(plan: PublishPlan, asked: Asked): Promise<Done> {
    const next = this.#fitting(decodeTable(plan.table, `plan ${plan.id}`), `plan ${plan.id}`);
    const examined = this.#examined(next);
    // States may have changed since the plan was made: what is no longer possible waits for the next plan.
    if (examined.mends.kind === 'rejected') {
      await this.#settle(open);
      const why = examined.mends.problems.join('; ');
      this.#run.news.ofPublication(`plan ${plan.id} did not follow its canary: ${why}`);
      throw new HttpProblem(409, `plan ${plan.id} no longer fits: ${why}`);
    }
    const { state } = rolloutStep(this.rollout, { kind: 'promoted' }, this.#parts.nowMs());
    return this.#replace(next, state, aboutPlan('promoted', plan, asked), examined);
  }

  /** Null where the policy wants none, or no canary edge changes: a canary that sees nothing proves nothing. */
  #canaryOf(plan: PublishPlan, table: RoutingTable, next: RoutingTable, asked: Asked) {
    const { canary } = this.#run.parts.policy.spec;
    const { publisher } = this.#run.parts;
    if (!canary) return null;
    const edges = new Set<string>(canary.edges);
    const mixed = canaryTable(table, next, edges);
    if (sameTable(mixed, table)) return null;
    const { nowMs, acks } = this.#parts;
    const forMs = durationMs(canary.for);
    const { errorRateRiseMax, latencyMsRiseMax } = canary;
    const state = {
      plan: plan.id,
      base: publisher.version,
      version: publisher.nextVersion,
      edges: canary.edges,
      author: asked.author,
      reason: asked.reason,
      limits: { forMs, errorRateRiseMax, latencyMsRiseMax },
      evidence: acks.begin(edges, nowMs(), forMs),
    };
    return { table: mixed, state };
  }

  /** The rollout alone moves on. */
  async #settle(rollout: Rollout): Promise<Done> {
    const answer = await this.#run.change({ rollout, next: null });
    return { version: this.#run.parts.publisher.version, rollout, churn: null, stored: answer === 'stored' };
  }

  /** Journal first: a crash after it leaves a record that nothing follows, a crash before it a table nobody recorded. */
  async #replace(
    table: RoutingTable,
    rollout: Rollout,
    about: VersionAbout,
    examined: Examination | null,
  ): Promise<Done> {
    const { journal } = this.#parts;
    const carried = { ...this.#run.state.carried, wants: [] };
    const { cause, author, reason } = about;
    const record = { service: this.#service, cause, author, reason, table: encodeTable(table), carried };
    await journal.recordReplaced({ kind: 'replaced', ...record }).then(
      () => {},
      (error: Error) => this.#run.notice('journal-failing', error.message),
    );
    const answer = await this.#run.change({ rollout, next: { table, carried, about } });
    this.#run.notice('publication-waiting', null);
    await this.plans.dropOthers(this.#run.parts.publisher.version, rollout.kind === 'canary' ? rollout.plan : null);
    const churn = examined && examined.churn.forced + examined.churn.elective;
    return { version: this.#run.parts.publisher.version, rollout, churn, stored: answer === 'stored' };
  }

  async #keep(table: RoutingTable, origin: PublishPlan['origin'], author: string): Promise<PublishPlan> {
    const { publisher, table: inForce, epoch } = this.#now();
    const examined = this.#examined(table);
    const { topology } = this.#policyAndPlaces;
    const { forced, elective, minimum } = examined.churn;
    const plan = planOf({
      service: this.#service,
      origin,
      author,
      createdAtMs: this.#parts.nowMs(),
      epoch,
      inputsSha256: this.#run.inputs.sha256,
      base: { version: publisher.version, tableSha256: tableDigest(inForce) },
      tableSha256: tableDigest(table),
      churn: { forced, elective, minimum },
      moved: movedEdges(examined, topology),
      utilization: Object.fromEntries(
        topology.datacenters.map(({ id }, d) => [id, { before: examined.before[d]!, after: examined.after[d]! }]),
      ),
      refusals: refusalsOf(examined, this.#policyAndPlaces, false),
      table: encodeTable(table),
    });
    await this.plans.keep(plan);
    return plan;
  }

  #examined(table: RoutingTable): Examination {
    const { services, s } = this.#parts.standing();
    return examine(services, s, table);
  }

  /** As the table in force names things: its places, and the tree that is active now. */
  #fitting(given: RoutingTable, what: string): RoutingTable {
    const { table } = this.#now();
    if (!sameShape(given, table)) {
      throw new HttpProblem(
        409,
        `${what} has ${given.edges.length} edges, ${given.targets.length} datacenters and 2^${given.height} buckets, or others than the table in force (${table.edges.length}, ${table.targets.length}, 2^${table.height}); plan for the places that are served`,
      );
    }
    // Rows that are the same are shared, so that only what changes is compiled and compared.
    const byEdge = given.byEdge.map((row, e) => (Buffer.compare(row, table.byEdge[e]!) === 0 ? table.byEdge[e]! : row));
    return { ...table, byEdge };
  }

  /** Throws an HttpProblem where nobody knows yet what a table would do. */
  #now() {
    const { state, parts, known } = this.#run;
    return { table: known.table, publisher: parts.publisher, epoch: state.epoch - 1 };
  }

  get #policyAndPlaces() {
    const { policy } = this.#run.parts;
    return { policy, topology: this.#run.known.inputs.topology };
  }

  get #run(): ServiceRun {
    return this.#parts.run;
  }

  get #service(): ServiceId {
    return this.#run.parts.service;
  }
}
