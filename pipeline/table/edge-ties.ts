/** Whose friends are where: share of all ties that run between the users of two edges. Read from what every epoch has at
 *  hand, the tree's quotient graph and the bucket weights in force, so that live counts count here as they do elsewhere,
 *  and a recorded epoch, which names both by digest, needs no record of its own.
 *
 *      ties(e, f) = sum over buckets b, b' of ties(b, b') x share of b's users at e x share of b' users at f
 *
 *  Ties inside a bucket are not in the quotient graph. They are counted inside one edge, where most of them are; how many
 *  there are the tree was told when it was built. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { BucketWeights } from './bucket-weights.ts';

const known = new WeakMap<BucketWeights, { readonly tree: BucketTree; readonly ties: Float64Array }>();

/** [e * E + f] symmetric, sums to 1; all zero where the tree knows no ties or nobody knows where users are. The same array
 *  as long as tree and weights are the same. */
export function edgeTies(tree: BucketTree, weights: BucketWeights): Float64Array {
  const before = known.get(weights);
  if (before?.tree === tree) return before.ties;
  const ties = addedUp(tree, weights);
  known.set(weights, { tree, ties });
  return ties;
}

function addedUp(tree: BucketTree, weights: BucketWeights): Float64Array {
  const edges = weights.byEdge.length;
  const { rowStart, neighbour, weight } = tree.quotient;
  const cells = cellsByBucket(weights, rowStart.length - 1);
  const ties = new Float64Array(edges * edges);
  const reach = new Float64Array(edges); // [f] ties from the bucket's users to users of f
  let all = 0;
  for (let b = 0; b < cells.length; b++) {
    if (cells[b]!.length === 0) continue;
    reach.fill(0);
    for (let k = rowStart[b]!; k < rowStart[b + 1]!; k++) {
      for (const { edge, share } of cells[neighbour[k]!]!) reach[edge]! += weight[k]! * share;
    }
    for (const { edge, share } of cells[b]!) {
      for (let f = 0; f < edges; f++) {
        ties[edge * edges + f]! += share * reach[f]!;
        all += share * reach[f]!;
      }
    }
  }
  if (all === 0) return ties;
  const inBuckets = tree.levels?.at(-1)?.locality ?? 0;
  for (let i = 0; i < ties.length; i++) ties[i]! *= (1 - inBuckets) / all;
  for (let e = 0; e < edges; e++) {
    // Row and column were added up in different orders.
    for (let f = 0; f < e; f++) {
      const mean = (ties[e * edges + f]! + ties[f * edges + e]!) / 2;
      ties[e * edges + f] = mean;
      ties[f * edges + e] = mean;
    }
  }
  const users = weights.edgeWeight.reduce((a, b) => a + b, 0);
  for (let e = 0; e < edges; e++) ties[e * edges + e]! += (inBuckets * weights.edgeWeight[e]!) / users;
  return ties;
}

/** A bucket's users at one edge. */
interface Cell {
  readonly edge: number;
  readonly share: number; // of the bucket's users
}

/** [bucket] its cells, by edge. */
function cellsByBucket({ byEdge, edgeWeight }: BucketWeights, buckets: number): readonly (readonly Cell[])[] {
  const users = new Float64Array(buckets);
  byEdge.forEach(({ bucket, weight }, e) => {
    for (let i = 0; i < bucket.length; i++) users[bucket[i]!]! += edgeWeight[e]! * weight[i]!;
  });
  const cells: Cell[][] = Array.from({ length: buckets }, () => []);
  byEdge.forEach(({ bucket, weight }, e) => {
    if (edgeWeight[e] === 0) return;
    for (let i = 0; i < bucket.length; i++) {
      cells[bucket[i]!]!.push({ edge: e, share: (edgeWeight[e]! * weight[i]!) / users[bucket[i]!]! });
    }
  });
  return cells;
}
