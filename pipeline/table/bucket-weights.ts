/** How much of an edge's demand each bucket is. Sparse: most buckets have no user at most edges (3.8 % of the cells of
 *  the shared world have demand). Until edges report counts per bucket, the weights come from where users live. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import { unknownUserBucket } from '../../bucketizer/unknown-user.ts';
import { compareIds } from '../../config/ids.ts';
import type { Topology } from '../../config/topology.ts';
import type { WorldUsers } from '../../config/world.ts';

export interface BucketWeights {
  readonly byEdge: readonly EdgeCells[]; // in topology order
  readonly edgeWeight: Float64Array; // [edge] weight of the users known to be there; 0: none are
}

/** The cells (edge, bucket) with demand, ascending by bucket. */
export interface EdgeCells {
  readonly bucket: Uint16Array;
  readonly weight: Float64Array; // share of the edge's demand, > 0; sums to 1 ± 1e-9
}

/** The share of each edge's users' weight that lives in each bucket. An edge without users gets the tree's own bucket
 *  weights. A user the tree does not know is put where a frontend would put a stranger: in the bucket its id hashes to. */
export function bucketWeights(topology: Topology, tree: BucketTree, users: WorldUsers): BucketWeights {
  const bucketCount = 1 << tree.height;
  const sums = topology.edges.map(() => new Float64Array(bucketCount));
  for (let user = 0; user < users.ids.length; user++) {
    const bucket = bucketOfUser(tree, users.ids[user]!);
    sums[users.homeEdge[user]!]![bucket]! += fixedPoint(users.weight[user]!);
  }
  return weightsOfSums(sums, tree.bucketWeight);
}

/** `sums`: [edge][bucket] weight of the users who are there. An edge without any gets `elsewhere`, [bucket]. */
export function weightsOfSums(sums: readonly Float64Array[], elsewhere: Float64Array): BucketWeights {
  const strangers = cellsOf(elsewhere);
  return {
    byEdge: sums.map((dense) => (dense.some((sum) => sum > 0) ? cellsOf(dense) : strangers)),
    edgeWeight: Float64Array.from(sums, (dense) => dense.reduce((a, b) => a + b, 0)),
  };
}

/** Every edge alike: the tree's own bucket weights. */
export function uniformBucketWeights(topology: Topology, tree: BucketTree): BucketWeights {
  const cells = cellsOf(tree.bucketWeight);
  return { byEdge: topology.edges.map(() => cells), edgeWeight: new Float64Array(topology.edges.length).fill(1) };
}

/** The bucket the tree gives `user`, or for a stranger the one that a frontend's lookup gives. */
export function bucketOfUser(tree: BucketTree, user: string): number {
  const place = placeOfUser(tree, user);
  return place < 0 ? unknownUserBucket(user, tree.height) : tree.bucketOfUser[place]!;
}

/** Index into the tree's users; -1: it does not know the user. */
export function placeOfUser({ users }: BucketTree, user: string): number {
  let low = 0;
  let high = users.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareIds(users[middle]!, user) < 0) low = middle + 1;
    else high = middle;
  }
  return low < users.length && users[low] === user ? low : -1;
}

/** [edge] the heaviest single bucket: no assignment can be more exact than about this. */
export function heaviestBuckets(weights: BucketWeights): Float64Array {
  return Float64Array.from(weights.byEdge, (cells) => cells.weight.reduce((a, b) => Math.max(a, b), 0));
}

/** [bucket] share of the edge's demand. */
export function denseOf({ bucket, weight }: EdgeCells, bucketCount: number): Float64Array {
  const dense = new Float64Array(bucketCount);
  for (let i = 0; i < bucket.length; i++) dense[bucket[i]!] = weight[i]!;
  return dense;
}

/** Dense sums to sparse shares; all zero means nobody knows, so every bucket alike. */
export function cellsOf(dense: Float64Array): EdgeCells {
  let count = 0;
  let total = 0;
  for (const sum of dense) {
    if (sum > 0) count += 1;
    total += sum;
  }
  if (count === 0) return cellsOf(new Float64Array(dense.length).fill(1));
  const bucket = new Uint16Array(count);
  const weight = new Float64Array(count);
  let i = 0;
  for (let b = 0; b < dense.length; b++) {
    if (dense[b]! > 0) {
      bucket[i] = b;
      weight[i] = dense[b]! / total;
      i += 1;
    }
  }
  return { bucket, weight };
}

/** Integers add up to the same sum in any order of the users file. */
export function fixedPoint(weight: number): number {
  return Math.max(1, Math.round(weight * 1_000_000));
}
