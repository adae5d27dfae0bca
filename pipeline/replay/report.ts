/** What a replay came to: one entry an epoch and a summary (DESIGN section 8; scripts elsewhere read these names). No
 *  clock, host or version in it, numbers to nine decimals: the same replay gives the same bytes. */

import { createHash } from 'node:crypto';
import { fullCut } from '../../bucketizer/tree-share.ts';
import { formatTime } from '../../config/duration.ts';
import type { Policy } from '../../config/policy.ts';
import type { World } from '../../config/world.ts';
import { lowestLevels } from '../../runtime/balance.ts';
import { freshState, retainedFractions } from '../../runtime/guards.ts';
import type { SolveCertified } from '../../runtime/lp/certified.ts';
import { buildGroupModel } from '../../runtime/model.ts';
import type { EpochContext } from '../epoch/inputs.ts';
import type { Churn, Outcome } from '../epoch/plan.ts';
import type { BucketWeights } from '../table/bucket-weights.ts';
import type { TreeStep } from '../table/tree-move.ts';
import type { AssertionResult } from './assertions.ts';
import type { Comparison } from './comparison.ts';
import { bodiesAfter, type EpochBodies } from './epoch-bodies.ts';
import { ConnectionLocality, SegmentsWhole, TiesCanMeet } from './locality.ts';
import { NeededMovement } from './needed.ts';
import { mean, quantile } from './quantile.ts';
import type { TreesInForce } from './replayed-trees.ts';
import { type ReportedTreeMove, type TreeTakeover, takeoversOf } from './tree-takeovers.ts';
import type { ReplayedEpoch } from './world-replay.ts';

export interface ReportedEpoch {
  readonly time: string;
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly relaxed: readonly string[];
  readonly utilization: Readonly<Record<string, number>>;
  readonly datacentersInUse: number; // by at least one edge; 0: there is no table
  readonly shareMax: number; // largest share of all demand on one datacenter
  readonly utilizationGap: number | null; // highest over the lowest highest that this demand allows; null: nothing to say
  readonly rttMs: { readonly mean: number; readonly p50: number; readonly p95: number };
  readonly churn: Churn;
  readonly needed: number | null;
  readonly servedToWanted: number; // demand-weighted half L1; edges with deferred churn left out
  readonly deferredEdges: readonly string[];
  readonly connectionLocality: number;
  readonly tiesCanMeet: number; // share of ties whose two users' edges could send them to the same datacenter
  readonly segmentsWhole: number;
  readonly treeMove?: ReportedTreeMove; // who passed to another tree
}

export interface ReplaySummary {
  readonly epochs: number;
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  readonly held: Readonly<Record<string, number>>; // epochs by reason, rejected ones too
  readonly relaxedEpochs: number;
  readonly utilizationMax: number;
  readonly utilizationGap: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
  readonly rttMs: { readonly mean: number; readonly p95Mean: number };
  readonly churn: Churn & { readonly electiveMax: number; readonly toMinimum: number }; // means an epoch; total / minimum
  readonly needed: number | null; // mean an epoch, of those of which it is known; null: of none
  readonly servedToWanted: { readonly mean: number; readonly max: number };
  readonly connectionLocality: { readonly mean: number; readonly p5: number; readonly last: number };
  readonly tiesCanMeet: { readonly mean: number; readonly p5: number; readonly last: number };
  readonly segmentsWhole: { readonly mean: number; readonly p5: number };
  readonly trees?: readonly TreeTakeover[]; // that took over
  readonly tablesSha256: string; // over the SHA-256 of every edge's body, every epoch, in order
}

export interface ReplayReport {
  readonly epochs: readonly ReportedEpoch[];
  readonly summary: ReplaySummary;
  readonly assertions?: readonly AssertionResult[]; // of the policy, held against the epochs
  readonly whatIf?: readonly string[]; // the edits made to world and policy
  readonly against?: Comparison<ReplaySummary>; // the same world under another policy
}

export class ReportBuilder {
  readonly #world: World;
  readonly #policy: Policy;
  readonly #solve: SolveCertified;
  #locality: ConnectionLocality;
  readonly #meeting: TiesCanMeet;
  #segments: SegmentsWhole;
  #weights: BucketWeights;
  readonly #needed: NeededMovement;
  readonly #tables = createHash('sha256');
  readonly #epochs: ReportedEpoch[] = [];
  #tableInForce: ReplayedEpoch['table'] = null;
  #bodies: EpochBodies | null = null;
  #localityInForce = 1;
  #canMeetInForce = 1;

  constructor(world: World, policy: Policy, context: EpochContext, solve: SolveCertified) {
    this.#world = world;
    this.#policy = policy;
    this.#solve = solve;
    this.#locality = new ConnectionLocality(world, context.tree);
    this.#meeting = new TiesCanMeet(world);
    this.#segments = new SegmentsWhole(context.weights, context.tree.height, policy.spec.buckets.segmentLevel);
    this.#weights = context.weights;
    this.#needed = new NeededMovement(solve);
  }

  /** `needed`: of a service that is solved with others, its part of what the group needs. */
  async add(epoch: ReplayedEpoch, needed: number | null = null): Promise<ReportedEpoch> {
    const { plan, table } = epoch;
    const { topology } = this.#world;
    const { trees } = epoch;
    const passed = trees !== undefined && trees.routing.weights !== this.#weights;
    if (passed) this.#regroup(trees);
    if (table && (passed || table !== this.#tableInForce)) {
      this.#localityInForce = this.#locality.of(table);
      this.#canMeetInForce = this.#meeting.of(epoch.served, topology.datacenters.length);
    }
    this.#tableInForce = table;
    this.#bodies = bodiesAfter(topology, plan, this.#bodies) ?? this.#bodies;
    for (const { version } of this.#bodies?.bodies ?? []) this.#tables.update(version);
    const alone =
      epoch.judged.length > 1 ? null : await this.#needed.next([needingOf(this.#world, this.#policy, epoch, 0)]);
    const reported: ReportedEpoch = {
      time: formatTime(epoch.timeMs),
      outcome: plan.outcome,
      reason: plan.reason,
      relaxed: plan.relaxed,
      utilization: Object.fromEntries(topology.datacenters.map(({ id }, d) => [id, tidy(epoch.utilization[d]!)])),
      datacentersInUse: table ? datacentersInUse(epoch) : 0,
      shareMax: tidy(largestShare(epoch)),
      utilizationGap: tidyOrNull(await this.#gapOf(epoch)),
      rttMs: { mean: tidy(epoch.rttMs.mean), p50: tidy(epoch.rttMs.p50), p95: tidy(epoch.rttMs.p95) },
      churn: {
        forced: tidy(plan.churn.forced),
        elective: tidy(plan.churn.elective),
        deferred: tidy(plan.churn.deferred),
        minimum: tidy(plan.churn.minimum),
      },
      needed: tidyOrNull(alone ? alone[0]! : needed),
      servedToWanted: tidy(servedToWanted(epoch)),
      deferredEdges: plan.deferredEdges.map((e) => topology.edges[e]!.id),
      connectionLocality: tidy(this.#localityInForce),
      tiesCanMeet: tidy(this.#canMeetInForce),
      segmentsWhole: tidy(table ? this.#segments.of(table, epoch.demandRps) : 1),
      ...(trees?.treeStep && { treeMove: treeMoveOf(trees.treeStep) }),
    };
    this.#epochs.push(reported);
    return reported;
  }

  finish(): ReplayReport {
    const epochs = this.#epochs;
    const outcomes: Partial<Record<Outcome, number>> = {};
    for (const { outcome } of epochs) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    const held: Record<string, number> = {};
    for (const { outcome, reason } of epochs) {
      if (outcome === 'held' || outcome === 'rejected') held[reason ?? outcome] = (held[reason ?? outcome] ?? 0) + 1;
    }
    const meanOf = (pick: (epoch: ReportedEpoch) => number): number => tidy(mean(epochs.map(pick)));
    const maxOf = (pick: (epoch: ReportedEpoch) => number): number =>
      tidy(epochs.reduce((most, epoch) => Math.max(most, pick(epoch)), 0));
    const spread = (pick: (epoch: ReportedEpoch) => number) => ({
      mean: meanOf(pick),
      p5: tidy(quantile(epochs.map(pick), 0.05)),
      last: epochs.length > 0 ? pick(epochs.at(-1)!) : 1,
    });
    const trees = takeoversOf(epochs);
    const gaps = epochs.flatMap(({ utilizationGap }) => (utilizationGap === null ? [] : [utilizationGap]));
    const known = epochs.flatMap(({ needed }) => (needed === null ? [] : [needed]));
    const churn = {
      forced: meanOf((epoch) => epoch.churn.forced),
      elective: meanOf((epoch) => epoch.churn.elective),
      deferred: meanOf((epoch) => epoch.churn.deferred),
      minimum: meanOf((epoch) => epoch.churn.minimum),
    };
    return {
      epochs,
      summary: {
        epochs: epochs.length,
        outcomes,
        held,
        relaxedEpochs: epochs.filter(({ relaxed }) => relaxed.length > 0).length,
        utilizationMax: maxOf((epoch) => Math.max(...Object.values(epoch.utilization))),
        utilizationGap: {
          p50: tidy(quantile(gaps, 0.5)),
          p95: tidy(quantile(gaps, 0.95)),
          p99: tidy(quantile(gaps, 0.99)),
          max: tidy(quantile(gaps, 1)),
        },
        rttMs: { mean: meanOf((epoch) => epoch.rttMs.mean), p95Mean: meanOf((epoch) => epoch.rttMs.p95) },
        churn: {
          ...churn,
          electiveMax: maxOf((epoch) => epoch.churn.elective),
          toMinimum: churn.minimum > 0 ? tidy((churn.forced + churn.elective) / churn.minimum) : 1,
        },
        needed: known.length > 0 ? tidy(mean(known)) : null,
        servedToWanted: {
          mean: meanOf((epoch) => epoch.servedToWanted),
          max: maxOf((epoch) => epoch.servedToWanted),
        },
        connectionLocality: spread((epoch) => epoch.connectionLocality),
        tiesCanMeet: spread((epoch) => epoch.tiesCanMeet),
        segmentsWhole: {
          mean: meanOf((epoch) => epoch.segmentsWhole),
          p5: tidy(
            quantile(
              epochs.map((epoch) => epoch.segmentsWhole),
              0.05,
            ),
          ),
        },
        ...(trees.length > 0 && { trees }),
        tablesSha256: this.#tables.copy().digest('hex'),
      },
    };
  }

  /** Users are in other buckets. */
  #regroup({ routing, bucketOf }: TreesInForce): void {
    const { tree, weights } = routing;
    this.#weights = weights;
    this.#locality = new ConnectionLocality(this.#world, tree, bucketOf);
    this.#segments = new SegmentsWhole(weights, tree.height, this.#policy.spec.buckets.segmentLevel);
  }

  /** By the demand judged on; datacenters in their states of the epoch, nothing else held against the solve. */
  async #gapOf({ utilization, states, judged }: ReplayedEpoch): Promise<number | null> {
    const { topology } = this.#world;
    const retained = retainedFractions(freshState, topology, states);
    const built = buildGroupModel(judged.map((inputs) => ({ inputs, retained })));
    if (built.kind === 'nowhere') return null;
    const levels = await lowestLevels(built.model, null, this.#solve);
    return levels && Math.max(0, Math.max(...utilization) - Math.max(...levels));
  }
}

/** What `NeededMovement` is asked of an epoch; `s`: the service's place in its group. */
export function needingOf(
  { topology }: World,
  policy: Policy,
  epoch: ReplayedEpoch,
  s: number,
): Parameters<NeededMovement['next']>[0][number] {
  return {
    topology,
    policy,
    startMs: epoch.timeMs,
    demandRps: epoch.plannedRps,
    states: epoch.states,
    frozen: false,
    established: epoch.judged[s]!.established ?? null,
  };
}

function treeMoveOf({ users, churn, cut }: TreeStep): ReportedTreeMove {
  return { users, churn: tidy(churn), share: tidy(cut / fullCut) };
}

function datacentersInUse({ standing: served, utilization }: ReplayedEpoch): number {
  const width = utilization.length;
  return new Set([...served.keys()].filter((i) => served[i]! > 0).map((i) => i % width)).size;
}

function largestShare({ standing: served, utilization, demandRps }: ReplayedEpoch): number {
  const width = utilization.length;
  const loadRps = new Array<number>(width).fill(0);
  served.forEach((fraction, i) => {
    loadRps[i % width]! += fraction * demandRps[Math.floor(i / width)]!;
  });
  const totalRps = demandRps.reduce((a, b) => a + b, 0);
  return totalRps === 0 ? 0 : Math.max(...loadRps) / totalRps;
}

/** Demand-weighted half L1 between what the table serves and what was wanted of it. */
function servedToWanted({ plan, served, plannedRps }: ReplayedEpoch): number {
  const width = served.length / plannedRps.length;
  let sum = 0;
  let total = 0;
  plannedRps.forEach((rps, e) => {
    total += rps;
    if (plan.deferredEdges.includes(e)) return;
    for (let i = e * width; i < (e + 1) * width; i++) sum += rps * Math.abs(served[i]! - plan.wanted[i]!);
  });
  return total > 0 ? sum / 2 / total : 0;
}

function tidy(value: number): number {
  return Number.isFinite(value) ? Math.round(value * 1e9) / 1e9 : 0;
}

function tidyOrNull(value: number | null): number | null {
  return value === null ? null : tidy(value);
}
