/** Where the friends of a cell (one bucket at one edge) are served right now: a graph of ties weighed by the table.
 *
 *      pull(n, d) = sum over neighbours n' of ties(n, n') x share of the users of n' who are served by d
 *
 *  Nodes are the cells themselves where ties are known per edge and bucket (`cell-ties.ts`); else buckets, by the tree's
 *  quotient graph, and a cell has the part of its bucket's ties that it has of its users. The latter costs about a point
 *  of locality at 32 ties a row and is a tenth of the data. Pulls are kept up to date as cells move: an epoch asks for
 *  many and moves few. Users count by where they live, not by who is awake: friendships last longer than a night. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { BucketWeights } from './bucket-weights.ts';
import type { CellTies } from './cell-ties.ts';

export interface TieSource {
  readonly tree: BucketTree;
  readonly weights: BucketWeights;
  readonly cellTies?: CellTies; // used where they are of these weights' cells
}

export class FriendTies {
  readonly width: number; // datacenters
  readonly pull: Float64Array; // [node * width + d]
  /** [edge] ties an average unit of the edge's demand has. */
  readonly tiesPerWeight: Float64Array;
  /** All ties there are. */
  readonly allTies: number;
  readonly #known: KnownTies;

  /** `byEdge`: the table to start from. */
  constructor(source: TieSource, byEdge: readonly Uint8Array[], width: number) {
    const known = knownTies(source);
    this.width = width;
    this.#known = known;
    this.tiesPerWeight = known.tiesPerWeight;
    this.allTies = known.tiesPerWeight.reduce((a, b) => a + b, 0) / 2;
    this.pull = pullsOf(known, source.weights, byEdge, width);
  }

  /** Where in `pull` the row of cell `i` of edge `e` begins. */
  rowOf(e: number, i: number): number {
    return this.#known.node[e]![i]! * this.width;
  }

  /** How much of its node the cell is: what the row's pulls are multiplied by. */
  shareOf(e: number, i: number): number {
    return this.#known.share[e]![i]!;
  }

  /** Cell `i` of edge `e` moves. */
  move(e: number, i: number, from: number, to: number): void {
    const { rowStart, neighbour, weight, node, share } = this.#known;
    const { pull, width } = this;
    const n = node[e]![i]!;
    const part = share[e]![i]!;
    const end = rowStart[n + 1]!;
    for (let k = rowStart[n]!; k < end; k++) {
      const row = neighbour[k]! * width;
      const ties = weight[k]! * part;
      pull[row + from]! -= ties;
      pull[row + to]! += ties;
    }
  }

  /** Tie weight, each tie counted from both ends, between those of the cells `first .. end - 1` of edge `e` that are on
   *  `datacenter`. */
  tiesInside(e: number, first: number, end: number, cells: Uint16Array, on: Uint8Array, datacenter: number): number {
    const { rowStart, neighbour, weight, node, share } = this.#known;
    const nodes = node[e]!;
    const shares = share[e]!;
    let sum = 0;
    for (let i = first; i < end; i++) {
      if (on[cells[i]!] !== datacenter) continue;
      const n = nodes[i]!;
      let ties = 0;
      let other = first;
      for (let k = lowerBound(neighbour, rowStart[n]!, rowStart[n + 1]!, nodes[first]!); k < rowStart[n + 1]!; k++) {
        while (other < end && nodes[other]! < neighbour[k]!) other += 1;
        if (other === end) break;
        if (nodes[other] === neighbour[k] && on[cells[other]!] === datacenter) ties += weight[k]! * shares[other]!;
      }
      sum += ties * shares[i]!;
    }
    return sum;
  }

  /** [segment] the same for whole segments of 2^shift buckets; worked out once for tree and weights. NaN: not yet. */
  wholeInside(e: number, shift: number, segmentCount: number): Float64Array {
    const key = `${e}/${shift}`;
    let inside = this.#known.insideSegments.get(key);
    if (!inside) {
      inside = new Float64Array(segmentCount).fill(Number.NaN);
      this.#known.insideSegments.set(key, inside);
    }
    return inside;
  }
}

function lowerBound(sorted: Uint32Array, from: number, to: number, least: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What stays as long as tree, weights and ties do. */
interface KnownTies {
  readonly rowStart: Uint32Array; // CSR over nodes, rows sorted by neighbour
  readonly neighbour: Uint32Array;
  readonly weight: Float64Array;
  readonly node: readonly (Uint32Array | Uint16Array)[]; // [edge][cell] ascending
  readonly share: readonly Float64Array[]; // [edge][cell] of the node's users
  readonly tiesPerWeight: Float64Array; // [edge]
  readonly insideSegments: Map<string, Float64Array>;
}

const known = new WeakMap<BucketWeights, { readonly of: object; readonly ties: KnownTies }>();

function knownTies({ tree, weights, cellTies: given }: TieSource): KnownTies {
  const cellTies = given?.of === weights ? given : undefined; // another tree is taking over: its quotient graph knows
  const of = cellTies ?? tree;
  const before = known.get(weights);
  if (before?.of === of) return before.ties;
  const ties = cellTies ? tiesOfCells(weights, cellTies) : tiesOfBuckets(weights, tree);
  known.set(weights, { of, ties });
  return ties;
}

function tiesOfCells(weights: BucketWeights, { rowStart, neighbour, weight }: CellTies): KnownTies {
  let first = 0;
  const node = weights.byEdge.map(({ bucket }) => {
    const nodes = Uint32Array.from(bucket, (_, i) => first + i);
    first += bucket.length;
    return nodes;
  });
  const share = weights.byEdge.map(({ bucket }) => new Float64Array(bucket.length).fill(1));
  const tiesPerWeight = Float64Array.from(node, (nodes) => {
    let ties = 0;
    for (const n of nodes) for (let k = rowStart[n]!; k < rowStart[n + 1]!; k++) ties += weight[k]!;
    return ties;
  });
  return { rowStart, neighbour, weight, node, share, tiesPerWeight, insideSegments: new Map() };
}

function tiesOfBuckets(weights: BucketWeights, tree: BucketTree): KnownTies {
  const { rowStart, neighbour, weight } = tree.quotient;
  const users = new Float64Array(1 << tree.height); // [bucket] over all edges
  weights.byEdge.forEach((cells, e) => {
    const atEdge = weights.edgeWeight[e]!;
    for (let i = 0; i < cells.bucket.length; i++) users[cells.bucket[i]!]! += atEdge * cells.weight[i]!;
  });
  const share = weights.byEdge.map((cells, e) => {
    const atEdge = weights.edgeWeight[e]!;
    return cells.weight.map((part, i) => (atEdge === 0 ? 0 : (atEdge * part) / users[cells.bucket[i]!]!));
  });
  const tiesPerWeight = Float64Array.from(share, (shares, e) => {
    const { bucket } = weights.byEdge[e]!;
    let ties = 0;
    for (let i = 0; i < bucket.length; i++) {
      const b = bucket[i]!;
      for (let k = rowStart[b]!; k < rowStart[b + 1]!; k++) ties += weight[k]! * shares[i]!;
    }
    return ties;
  });
  const node = weights.byEdge.map(({ bucket }) => bucket);
  return { rowStart, neighbour, weight, node, share, tiesPerWeight, insideSegments: new Map() };
}

function pullsOf(known: KnownTies, weights: BucketWeights, byEdge: readonly Uint8Array[], width: number): Float64Array {
  const { rowStart, neighbour, weight, node, share } = known;
  const nodes = rowStart.length - 1;
  const served = new Float64Array(nodes * width); // share of the node's users
  byEdge.forEach((assignment, e) => {
    const { bucket } = weights.byEdge[e]!;
    for (let i = 0; i < bucket.length; i++) served[node[e]![i]! * width + assignment[bucket[i]!]!]! += share[e]![i]!;
  });
  const pull = new Float64Array(nodes * width);
  for (let n = 0; n < nodes; n++) {
    const own = n * width;
    for (let k = rowStart[n]!; k < rowStart[n + 1]!; k++) {
      const row = neighbour[k]! * width;
      const ties = weight[k]!;
      for (let d = 0; d < width; d++) pull[own + d]! += ties * served[row + d]!;
    }
  }
  return pull;
}
