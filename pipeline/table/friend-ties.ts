/** Where the friends of a bucket are served right now: the quotient graph of the tree weighed by the table.
 *
 *      pull(b, d) = sum over buckets b' of ties(b, b') x share of the users of b' who are served by d, over all edges
 *
 *  Shares are kept up to date as cells move; pulls are added up when asked for, because an epoch asks for few of them.
 *  The graph is edge-agnostic (bucket to bucket), 92 % of the tie weight at 32 ties a row; knowing the ties of every
 *  (edge, bucket) cell would win about a point of locality for ten times the data. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { BucketWeights } from './bucket-weights.ts';

export class FriendTies {
  readonly width: number; // datacenters
  /** [edge][cell] share of the bucket's users who are at this edge. */
  readonly shareOfBucket: readonly Float64Array[];
  /** [edge] all ties of the tree times the edge's share of the users: ties an average unit of the edge's weight has. */
  readonly tiesPerWeight: Float64Array;
  readonly #tree: BucketTree;
  readonly #served: Float64Array; // [b * width + d] share of the bucket's users served by d

  /** `edgeLoad`: [edge] share of the service's demand. `byEdge`: the table to start from. */
  constructor(
    tree: BucketTree,
    weights: BucketWeights,
    edgeLoad: Float64Array,
    byEdge: readonly Uint8Array[],
    width: number,
  ) {
    this.#tree = tree;
    this.width = width;
    this.shareOfBucket = sharesOfBuckets(tree, weights, edgeLoad);
    this.#served = new Float64Array((1 << tree.height) * width);
    for (let e = 0; e < byEdge.length; e++) {
      const { bucket } = weights.byEdge[e]!;
      const share = this.shareOfBucket[e]!;
      const assignment = byEdge[e]!;
      for (let i = 0; i < bucket.length; i++) {
        const b = bucket[i]!;
        this.#served[b * width + assignment[b]!]! += share[i]!;
      }
    }
    const ties = allTies(tree);
    this.tiesPerWeight = edgeLoad.map((load) => ties * load);
  }

  /** Cell `i` of edge `e`, of bucket `bucket`, moves. */
  move(e: number, i: number, bucket: number, from: number, to: number): void {
    const share = this.shareOfBucket[e]![i]!;
    this.#served[bucket * this.width + from]! -= share;
    this.#served[bucket * this.width + to]! += share;
  }

  /** Fills `pull` [d] with the tie weight that runs from `bucket` to users served by d. */
  pullOf(bucket: number, pull: Float64Array): void {
    const { rowStart, neighbour, weight } = this.#tree.quotient;
    const { width } = this;
    const served = this.#served;
    pull.fill(0);
    for (let k = rowStart[bucket]!; k < rowStart[bucket + 1]!; k++) {
      const row = neighbour[k]! * width;
      const ties = weight[k]!;
      for (let d = 0; d < width; d++) pull[d]! += ties * served[row + d]!;
    }
  }

  /** Tie weight from cell `i` of edge `e` to the cells `first .. end - 1` of the same edge that are on `datacenter`. */
  tiesInside(
    e: number,
    buckets: Uint16Array,
    first: number,
    end: number,
    i: number,
    onDatacenter: Uint8Array,
    datacenter: number,
  ): number {
    const { rowStart, neighbour, weight } = this.#tree.quotient;
    const share = this.shareOfBucket[e]!;
    const bucket = buckets[i]!;
    let ties = 0;
    let cell = first;
    for (let k = rowStart[bucket]!; k < rowStart[bucket + 1]! && cell < end; k++) {
      while (cell < end && buckets[cell]! < neighbour[k]!) cell += 1;
      if (cell < end && buckets[cell] === neighbour[k] && onDatacenter[neighbour[k]!] === datacenter) {
        ties += weight[k]! * share[cell]!;
      }
    }
    return ties;
  }
}

const known = new WeakMap<BucketTree, number>(); // a tree is asked every epoch, and does not change

function allTies(tree: BucketTree): number {
  let ties = known.get(tree);
  if (ties === undefined) {
    ties = 0;
    for (const weight of tree.quotient.weight) ties += weight;
    known.set(tree, ties);
  }
  return ties;
}

function sharesOfBuckets(tree: BucketTree, weights: BucketWeights, edgeLoad: Float64Array): Float64Array[] {
  const users = new Float64Array(1 << tree.height); // [bucket] over all edges
  weights.byEdge.forEach(({ bucket, weight }, e) => {
    const load = edgeLoad[e]!;
    for (let i = 0; i < bucket.length; i++) users[bucket[i]!]! += load * weight[i]!;
  });
  return weights.byEdge.map(({ bucket, weight }, e) => {
    const load = edgeLoad[e]!;
    const share = new Float64Array(bucket.length);
    for (let i = 0; i < bucket.length; i++) {
      const all = users[bucket[i]!]!;
      share[i] = all > 0 ? (load * weight[i]!) / all : 0;
    }
    return share;
  });
}
