/** A control plane in shadow plans, compares and gives its tables to nobody. Its tables follow one another as if they were
 *  applied, so that a day of it says what a day of Taiji would have been; what is compared with them is what edges really
 *  do: where they were seen to send their demand, else the weights that were imported. Where nobody can say, there is no
 *  comparison, and never a guess.
 *
 *  Whether friends meet is estimated alike for both sides, from the ties between buckets: two friends' homes are taken to be
 *  independent. Today's balancers hash, so that whom of an edge they send where has nothing to do with friends. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import { rttOf } from '../../runtime/judge.ts';
import { fullness, loadOf, metersOf, type ServiceLoad } from '../../runtime/meters.ts';
import type { EpochInputs } from '../epoch/inputs.ts';
import type { EpochPlan } from '../epoch/plan.ts';
import type { BucketWeights } from '../table/bucket-weights.ts';

/** `elsewhere`: the least share of demand that Taiji's table has elsewhere than today. */
export type ShadowFigures =
  | { readonly kind: 'compared'; readonly today: ShadowSide; readonly taiji: ShadowSide; readonly elsewhere: number }
  | { readonly kind: 'unknown'; readonly reason: string };

export interface ShadowSide {
  readonly utilization: Readonly<Record<string, number>>; // by datacenter
  readonly rttMs: { readonly mean: number; readonly p95: number };
  readonly connectionLocality: number | null; // null: the tree knows no ties
}

/** One service of a group, as its last epoch left it. */
export interface ShadowedService {
  readonly inputs: EpochInputs;
  readonly plan: EpochPlan;
  readonly tree: BucketTree;
  readonly weights: BucketWeights;
  readonly today: FractionMatrix; // NaN: nobody knows of that edge
}

/** [e * D + d] what edges do: as observed, else as imported, else NaN. */
function todayOf(observed: Float64Array | null, imported: FractionMatrix | null, size: number): FractionMatrix {
  return Float64Array.from({ length: size }, (_, i) => {
    const seen = observed?.[i] ?? Number.NaN;
    return Number.isNaN(seen) ? (imported?.[i] ?? Number.NaN) : seen;
  });
}

/** Service `s` of its group: what datacenters carry is what all of them put there. */
export function compareShadow(services: readonly ShadowedService[], s: number): ShadowFigures {
  const { inputs, plan, tree, weights, today } = services[s]!;
  const { topology, demandRps } = inputs;
  const width = topology.datacenters.length;
  const unknown = services.flatMap((one) =>
    topology.edges.filter((_, e) => one.inputs.demandRps[e]! > 0 && Number.isNaN(one.today[e * width])),
  );
  if (unknown.length > 0) {
    const more = unknown.length > 1 ? ` and ${unknown.length - 1} more` : '';
    const reason = `nobody says where edge "${unknown[0]!.id}"${more} sends its demand today; report allocation, or import the weights as firstTable`;
    return { kind: 'unknown', reason };
  }
  const total = demandRps.reduce((a, b) => a + b, 0);
  const { table } = plan;
  if (!table) return { kind: 'unknown', reason: `there is no table yet: ${plan.reason ?? plan.outcome}` };
  if (total === 0) return { kind: 'unknown', reason: 'there is no demand' };
  const meets = (share: ShareOfCell): number | null => friendsMeet(tree, weights, demandRps, width, share);
  const sideOf = (fractionsOf: (one: ShadowedService) => FractionMatrix, share: ShareOfCell): ShadowSide => {
    const fractions = finite(fractionsOf(services[s]!));
    const others = services.flatMap((one, o): ServiceLoad[] =>
      o === s ? [] : [{ policy: one.inputs.policy, load: loadOf(one.inputs.demandRps, finite(fractionsOf(one))) }],
    );
    const meters = metersOf(topology, { policy: inputs.policy }, new Float64Array(width), others);
    const utilization = fullness(meters, loadOf(demandRps, fractions));
    const { mean, p95 } = rttOf(topology, demandRps, fractions);
    return {
      utilization: Object.fromEntries(topology.datacenters.map(({ id }, d) => [id, utilization[d]!])),
      rttMs: { mean, p95 },
      connectionLocality: meets(share),
    };
  };
  return {
    kind: 'compared',
    today: sideOf(
      (one) => one.today,
      (e, _, d) => today[e * width + d]!,
    ),
    taiji: sideOf(
      (one) => one.plan.served,
      (e, bucket, d) => (table.byEdge[e]![bucket] === d ? 1 : 0),
    ),
    elsewhere:
      plan.served.reduce((sum, share, i) => {
        const rps = demandRps[Math.floor(i / width)]!;
        return rps > 0 ? sum + rps * Math.abs(share - today[i]!) : sum;
      }, 0) /
      (2 * total),
  };
}

/** Edges without demand may be unknown: they weigh nothing. */
function finite(fractions: FractionMatrix): FractionMatrix {
  return fractions.map((share) => (Number.isNaN(share) ? 0 : share));
}

/** Which share of what edge `e` has of `bucket` goes to datacenter `d`. */
type ShareOfCell = (e: number, bucket: number, d: number) => number;

/** Share of the ties between buckets whose two users come to the same datacenter. */
function friendsMeet(
  { quotient: { rowStart, neighbour, weight } }: BucketTree,
  weights: BucketWeights,
  demandRps: Float64Array,
  width: number,
  shareOf: ShareOfCell,
): number | null {
  const buckets = rowStart.length - 1;
  const at = new Float64Array(buckets * width); // [bucket * D + d] share of the bucket's demand
  const demand = new Float64Array(buckets);
  weights.byEdge.forEach(({ bucket, weight: shares }, e) => {
    if (demandRps[e] === 0) return;
    for (let i = 0; i < bucket.length; i++) {
      const rps = demandRps[e]! * shares[i]!;
      demand[bucket[i]!]! += rps;
      for (let d = 0; d < width; d++) at[bucket[i]! * width + d]! += rps * shareOf(e, bucket[i]!, d);
    }
  });
  let ties = 0;
  let together = 0;
  for (let b = 0; b < buckets; b++) {
    for (let k = rowStart[b]!; k < rowStart[b + 1]!; k++) {
      const other = neighbour[k]!;
      if (demand[b] === 0 || demand[other] === 0) continue;
      let same = 0;
      for (let d = 0; d < width; d++) same += at[b * width + d]! * at[other * width + d]!;
      ties += weight[k]!;
      together += (weight[k]! * same) / (demand[b]! * demand[other]!);
    }
  }
  return ties > 0 ? together / ties : null;
}

/** What one service's shadow has to remember: where its edges were last seen to send their demand. */
export class ShadowWatch {
  readonly #imported: FractionMatrix | null;
  readonly #figures: () => ShadowFigures;
  #observed: Float64Array | null = null;

  /** `figures`: of the epoch in work, beside the others of its group. */
  constructor(imported: FractionMatrix | null, figures: () => ShadowFigures) {
    this.#imported = imported;
    this.#figures = figures;
  }

  /** Null: nobody watched. */
  see(allocation: Float64Array | null): void {
    this.#observed = allocation;
  }

  today(size: number): FractionMatrix {
    return todayOf(this.#observed, this.#imported, size);
  }

  compare(): ShadowFigures {
    return this.#figures();
  }
}
