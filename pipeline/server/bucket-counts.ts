/** What edges counted of each bucket, as bucket weights. Where users live is told once, in `users.csv`; where they come from
 *  is counted every minute. Counts fade; where little was counted the tree's weights stand, as if so many requests of each of
 *  their buckets had been counted beside, and an edge that falls silent comes back to them.
 *
 *  Other weights move nobody by themselves: the same table is then known to serve other fractions, and the next plans mend
 *  that within `churnMax`. An edge that says nonsense is therefore kept from turning its own table round, and has no say in
 *  others': what it says counts for no more than twice its demand, and an epoch goes only a little
 *  of the way. Small differences are left alone, for every set of weights is kept for replays. */

import { ConfigError } from '../../config/errors.ts';
import { decay } from '../../runtime/sessions.ts';
import { type BucketWeights, denseOf, type EdgeCells } from '../table/bucket-weights.ts';
import type { Passed } from './routing-source.ts';

/** Requests of each bucket with weight that the weights from before count for. */
const priorRequests = 10;

/** Share of an edge's demand that an epoch may know elsewhere than the one before did. */
const stepMax = 0.02;

/** What is nearer than this is the same. */
const band = 0.01;

/** What is said of more than so many times the edge's demand is of something else. Several may report for one edge, each
 *  since its own last report: an edge may save up an hour. */
const demandTimesMax = 2;
const savedMsMax = 3_600_000;

/** What one edge said, all reports together. */
export interface EdgeCount {
  readonly atMs: number; // wall clock of the last report
  readonly requests: Float64Array; // [bucket] faded up to then
  readonly allowed: number; // requests that may still count
}

export class BucketCounts {
  #counted: readonly (EdgeCount | null)[]; // [edge]
  readonly #buckets: number;
  readonly #halfLifeMs: number;

  /** `kept`: [edge] as a process before has left it. */
  constructor(edges: number, height: number, halfLifeMs: number, kept?: readonly (EdgeCount | null)[]) {
    this.#counted = kept ?? new Array<EdgeCount | null>(edges).fill(null);
    this.#buckets = 1 << height;
    this.#halfLifeMs = halfLifeMs;
  }

  /** [edge] null: it has said nothing. */
  get all(): readonly (EdgeCount | null)[] {
    return this.#counted;
  }

  /** Requests by bucket that edge `e` served since its last report. `demandRps`: of the edge, as last planned on; null: not
   *  known yet, and then nothing counts. Throws a ConfigError at a bucket that is none; nothing counts then either. */
  take(e: number, said: Readonly<Record<string, number>>, demandRps: number | null, nowMs: number): void {
    const requests = new Float64Array(this.#buckets);
    let total = 0;
    for (const [name, count] of Object.entries(said)) {
      const bucket = Number(name);
      if (!(bucket >= 0 && bucket < this.#buckets && String(bucket) === name)) {
        throw new ConfigError(`ack: buckets: unknown bucket "${name}", expected 0..${this.#buckets - 1}`);
      }
      requests[bucket] = count;
      total += count;
    }
    if (demandRps === null || total === 0) return;
    const last = this.#counted[e] ?? null;
    const allowedOver = (ms: number): number => demandTimesMax * demandRps * (ms / 1000);
    const earned = last ? last.allowed + allowedOver(Math.max(0, nowMs - last.atMs)) : Number.POSITIVE_INFINITY;
    const allowed = Math.min(allowedOver(savedMsMax), earned);
    const scale = Math.min(1, allowed / total);
    const kept = last ? this.#kept(nowMs - last.atMs) : 0;
    this.#counted = this.#counted.with(e, {
      atMs: nowMs,
      requests: requests.map((count, b) => scale * count + kept * (last?.requests[b] ?? 0)),
      allowed: allowed - scale * total,
    });
  }

  /** Users are in other buckets from now on, and what was counted of them goes with them. */
  pass(passed: Passed): void {
    this.#counted = this.#passed(passed);
  }

  /** Weights one epoch on from `current` towards what was counted; `prior`: what stands where nothing was. `current` itself
   *  where nothing is to change. `passed`: as if they had, for weights that are proposed. */
  next(prior: BucketWeights, current: BucketWeights, nowMs: number, passed?: Passed): BucketWeights {
    const counted = passed ? this.#passed(passed) : this.#counted;
    const byEdge = current.byEdge.map((cells, e): EdgeCells => {
      const one = counted[e] ?? null;
      const own = prior.byEdge[e]!;
      // Weights that were counted once come back to the others, whoever has forgotten the counts.
      return one || cells !== own ? this.#towards(this.#blend(own, one, nowMs), cells) : cells;
    });
    if (byEdge.every((cells, e) => cells === current.byEdge[e])) return current;
    const isKnown = prior.edgeWeight.some((weight) => weight > 0);
    const edgeWeight = isKnown ? prior.edgeWeight : Float64Array.from(counted, (one) => sum(one?.requests ?? []));
    return { byEdge, edgeWeight };
  }

  #passed(passed: Passed): readonly (EdgeCount | null)[] {
    const requests = passed(this.#counted.map((one) => one?.requests ?? null));
    return this.#counted.map((one, e) => one && { ...one, requests: requests[e]! });
  }

  /** [bucket] share of the edge's demand, by all that is known of it. */
  #blend(prior: EdgeCells, counted: EdgeCount | null, nowMs: number): Float64Array {
    const kept = counted ? this.#kept(nowMs - counted.atMs) : 0;
    const priorTotal = priorRequests * prior.bucket.length;
    const blended = counted ? counted.requests.map((count) => kept * count) : new Float64Array(this.#buckets);
    const total = sum(blended) + priorTotal;
    prior.bucket.forEach((bucket, i) => {
      blended[bucket]! += priorTotal * prior.weight[i]!;
    });
    return blended.map((count) => count / total);
  }

  #towards(target: Float64Array, current: EdgeCells): EdgeCells {
    const dense = denseOf(current, this.#buckets);
    const distance = dense.reduce((parted, share, b) => parted + Math.abs(share - target[b]!), 0) / 2;
    if (distance <= band) return current;
    const way = Math.min(1, stepMax / distance);
    const next = dense.map((share, b) => share + way * (target[b]! - share));
    const bucket = Uint16Array.from([...next.keys()].filter((b) => next[b]! > 0));
    const total = sum(next);
    return { bucket, weight: Float64Array.from(bucket, (b) => next[b]! / total) };
  }

  #kept(ageMs: number): number {
    return decay((Math.LN2 * Math.max(0, ageMs)) / this.#halfLifeMs);
  }
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
