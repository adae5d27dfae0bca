/** Why a bucket of an edge goes where it goes: where it was before, what made it leave, and where its users' friends and
 *  the rest of its segment are served. Read off the two tables; the assignment keeps no notes. */

import type { DatacenterId } from '../../config/ids.ts';
import type { EpochContext, EpochInputs } from '../epoch/inputs.ts';
import type { EpochPlan } from '../epoch/plan.ts';
import { FriendTies } from '../table/friend-ties.ts';
import { servedFractions } from '../table/routing-table.ts';

/** `first`: there was no table before. `stays`: where it was. `must-move`: the datacenter may hold less of the edge, or is
 *  wanted to serve less of it. `by-choice`: it was not wanted to serve less; somebody else came in its place. */
export const bucketWhys = ['first', 'stays', 'must-move', 'by-choice'] as const;
export type BucketWhy = (typeof bucketWhys)[number];

export interface ExplainedBucket {
  readonly bucket: number;
  readonly segment: { readonly number: number; readonly first: number; readonly last: number }; // buckets of the tree
  readonly demandShare: number; // of the edge's demand; 0: none of its users is known there, and moving it costs nothing
  readonly before: DatacenterId | null; // null: there was no table
  readonly now: DatacenterId;
  readonly why: BucketWhy;
  readonly detail: string;
  readonly friendsAt: readonly ServedShare[]; // of the ties of its users there, most first
  readonly segmentAt: readonly ServedShare[]; // of the demand of its segment at the edge, most first
}

export interface ServedShare {
  readonly datacenter: DatacenterId;
  readonly share: number;
}

/** Null where there never was a table. */
export function explainBucket(
  inputs: EpochInputs,
  plan: EpochPlan,
  context: EpochContext,
  e: number,
  bucket: number,
): ExplainedBucket | null {
  const { table } = plan;
  if (!table) return null;
  const { topology, policy, previous } = inputs;
  const { height } = context.tree;
  const ids = topology.datacenters.map(({ id }) => id);
  const size = 1 << (height - Math.min(policy.spec.buckets.segmentLevel, height));
  const number = Math.floor(bucket / size);
  const [first, last] = [number * size, (number + 1) * size - 1];
  const cells = context.weights.byEdge[e]!;
  const assignment = table.byEdge[e]!;
  const segmentAt = new Float64Array(ids.length);
  cells.bucket.forEach((other, i) => {
    if (other >= first && other <= last) segmentAt[assignment[other]!]! += cells.weight[i]!;
  });
  const i = cells.bucket.indexOf(bucket);
  const now = assignment[bucket]!;
  const before = previous ? previous.byEdge[e]![bucket]! : null;
  return {
    bucket,
    segment: { number, first, last },
    demandShare: i < 0 ? 0 : cells.weight[i]!,
    before: before === null ? null : ids[before]!,
    now: ids[now]!,
    ...whyThere(inputs, plan, context, { e, bucket, before, now }),
    friendsAt: i < 0 ? [] : sharesOf(ids, pullOf(context, table.byEdge, e, i, ids.length)),
    segmentAt: sharesOf(ids, segmentAt),
  };
}

function whyThere(
  { topology, previous }: EpochInputs,
  plan: EpochPlan,
  { weights }: EpochContext,
  {
    e,
    bucket,
    before,
    now,
  }: { readonly e: number; readonly bucket: number; readonly before: number | null; readonly now: number },
): Pick<ExplainedBucket, 'why' | 'detail'> {
  if (before === null) return { why: 'first', detail: 'there was no table before' };
  if (before === now) return { why: 'stays', detail: 'it is where it was' };
  const { id: edge } = topology.edges[e]!;
  const { id: left } = topology.datacenters[before]!;
  const at = e * topology.datacenters.length + before;
  const held = servedFractions(previous!, weights)[at]!;
  const served = plan.served[at]!;
  if (plan.ceilings[at]! < held) {
    return {
      why: 'must-move',
      detail: `${left} may hold ${plan.ceilings[at]!.toFixed(4)} of ${edge}, it held ${held.toFixed(4)}`,
    };
  }
  if (served < held && plan.wanted[at]! < held) {
    return { why: 'must-move', detail: `${left} serves ${served.toFixed(4)} of ${edge}, before ${held.toFixed(4)}` };
  }
  const isEmpty = !weights.byEdge[e]!.bucket.includes(bucket);
  return {
    why: 'by-choice',
    detail: isEmpty
      ? `none of its users is known at ${edge}: to move it costs nothing`
      : `${left} is wanted to serve ${plan.wanted[at]!.toFixed(4)} of ${edge}, before ${held.toFixed(4)}: exchanged for others, which brings friends together or closes a split`,
  };
}

function pullOf(
  context: EpochContext,
  byEdge: readonly Uint8Array[],
  e: number,
  i: number,
  width: number,
): Float64Array {
  const ties = new FriendTies(context, byEdge, width);
  const row = ties.rowOf(e, i);
  return ties.pull.subarray(row, row + width);
}

/** Of their sum; those of nothing left out. */
function sharesOf(ids: readonly DatacenterId[], amounts: Float64Array): ServedShare[] {
  const total = amounts.reduce((a, b) => a + b, 0);
  return ids
    .map((datacenter, d) => ({ datacenter, share: total > 0 ? Math.round((amounts[d]! / total) * 1e6) / 1e6 : 0 }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share);
}
