/** What a leaf is worth to a node, and whether the tree has room for it there: the two questions of every search that
 *  moves nodes one at a time. A tie counts once for every level at which its two ends share a tree node, three times at
 *  the leaf. Most nodes have friends in a few leaves only: pairs of those are weighed up faster than paths to the root. */

import type { TreeBounds } from './balance.ts';
import type { Graph } from './multilevel/graph.ts';

/** The leaf of a user who has none yet. */
export const nowhere = 0xffffffff;

export const leafValue = 3;

/** So many times as many leaves as levels are weighed up pair by pair: a path up and down again takes about as long. */
const leavesPerLevelPaired = 1.5;

/** [levels above the leaves at which two leaves meet] = worth of a tie between them. */
export function worthByMeeting(height: number): Float64Array {
  return Float64Array.from({ length: height + 1 }, (_, up) => height - up + (up === 0 ? leafValue - 1 : 0));
}

export class LeafWorth {
  readonly friendLeaf: Uint32Array; // the leaves where the node at hand has friends: the first `friendLeaves`
  friendLeaves = 0;
  tieWeight = 0; // of the node at hand, to friends who have a leaf
  private readonly graph: Graph;
  private readonly leafOf: Uint32Array;
  private readonly leaves: number;
  private readonly pairedMax: number;
  private readonly pull: Float64Array; // [tree node] tie weight from the node at hand to nodes under it; where paired, of leaves only
  private readonly worthAt: Float64Array; // by meeting

  constructor(graph: Graph, leafOf: Uint32Array, height: number) {
    this.graph = graph;
    this.leafOf = leafOf;
    this.leaves = 1 << height;
    this.pairedMax = leavesPerLevelPaired * height;
    this.pull = new Float64Array(2 * this.leaves);
    this.friendLeaf = new Uint32Array(this.leaves);
    this.worthAt = worthByMeeting(height);
  }

  /** Looks at the friends of `v`; `forget` before the next. */
  lookAt(v: number): void {
    const { rowStart, neighbour, tieWeight } = this.graph;
    const { pull, friendLeaf, leaves } = this;
    const leafOf = this.leafOf;
    const end = rowStart[v + 1]!;
    let count = 0;
    let sum = 0;
    for (let k = rowStart[v]!; k < end; k++) {
      const leaf = leafOf[neighbour[k]!]!;
      if (leaf === nowhere) continue;
      const before = pull[leaves + leaf]!;
      if (before === 0) friendLeaf[count++] = leaf;
      pull[leaves + leaf] = before + tieWeight[k]!;
      sum += tieWeight[k]!;
    }
    this.friendLeaves = count;
    this.tieWeight = sum;
    if (count <= this.pairedMax) return;
    for (let i = 0; i < count; i++) {
      const here = pull[leaves + friendLeaf[i]!]!;
      for (let t = (leaves + friendLeaf[i]!) >>> 1; t > 1; t >>>= 1) pull[t]! += here;
    }
  }

  of(leaf: number): number {
    const { pull, friendLeaf, leaves, friendLeaves } = this;
    if (friendLeaves <= this.pairedMax) {
      const worthAt = this.worthAt;
      let sum = 0;
      for (let i = 0; i < friendLeaves; i++) {
        const other = friendLeaf[i]!;
        sum += pull[leaves + other]! * worthAt[32 - Math.clz32(leaf ^ other)]!;
      }
      return sum;
    }
    let sum = (leafValue - 1) * pull[leaves + leaf]!;
    for (let t = leaves + leaf; t > 1; t >>>= 1) sum += pull[t]!;
    return sum;
  }

  /** Tie weight to friends in this very leaf. */
  tieWeightIn(leaf: number): number {
    return this.pull[this.leaves + leaf]!;
  }

  forget(): void {
    const { pull, friendLeaf, leaves, friendLeaves } = this;
    if (friendLeaves <= this.pairedMax) {
      for (let i = 0; i < friendLeaves; i++) pull[leaves + friendLeaf[i]!] = 0;
      return;
    }
    for (let i = 0; i < friendLeaves; i++) for (let t = leaves + friendLeaf[i]!; t > 1; t >>>= 1) pull[t] = 0;
  }
}

export class TreeRoom {
  readonly weight: Float64Array; // [tree node], numbered as in `treeWeights`; users who are nowhere weigh nothing
  private readonly graph: Graph;
  private readonly bounds: TreeBounds;
  private readonly leaves: number;

  constructor(graph: Graph, leafOf: Uint32Array, bounds: TreeBounds) {
    this.graph = graph;
    this.bounds = bounds;
    this.leaves = 1 << bounds.height;
    this.weight = new Float64Array(2 * this.leaves);
    for (let v = 0; v < graph.nodeCount; v++) {
      if (leafOf[v] !== nowhere) this.weight[this.leaves + leafOf[v]!]! += graph.nodeWeight[v]!;
    }
    for (let t = this.leaves - 1; t >= 1; t--) this.weight[t] = this.weight[2 * t]! + this.weight[2 * t + 1]!;
  }

  /** Whether every tree node above `to`, and not above `from`, may take v, and every one above `from` may lose it. */
  allows(v: number, from: number, to: number): boolean {
    const { even, least } = this.bounds;
    const w = this.graph.nodeWeight[v]!;
    let f = this.leaves + from;
    for (let t = this.leaves + to, level = this.bounds.height; t !== f; t >>>= 1, f >>>= 1, level--) {
      if (this.weight[t]! + w > this.most(v, level)) return false;
      if (this.weight[f]! - w < least[level]! && this.weight[f]! < even[level]!) return false;
    }
    return true;
  }

  /** Whether v, in leaf a, and u, in leaf b, may change places. */
  allowsSwap(v: number, a: number, u: number, b: number): boolean {
    const { even, least } = this.bounds;
    const shift = this.graph.nodeWeight[v]! - this.graph.nodeWeight[u]!;
    if (shift === 0) return true;
    const enters = shift > 0 ? v : u; // the heavier one, who makes its new side heavier
    const more = Math.abs(shift);
    let f = this.leaves + (shift > 0 ? a : b);
    for (let t = this.leaves + (shift > 0 ? b : a), level = this.bounds.height; t !== f; t >>>= 1, f >>>= 1, level--) {
      if (this.weight[t]! + more > this.most(enters, level)) return false;
      if (this.weight[f]! - more < least[level]! && this.weight[f]! < even[level]!) return false;
    }
    return true;
  }

  /** Whether v, who is nowhere yet, may enter. */
  admits(v: number, to: number): boolean {
    for (let t = this.leaves + to, level = this.bounds.height; t > 1; t >>>= 1, level--) {
      if (this.weight[t]! + this.graph.nodeWeight[v]! > this.most(v, level)) return false;
    }
    return true;
  }

  /** The leaf nearest to `leaf` that admits v, found by always taking the lighter child; where none of those does, the
   *  one found from the root. */
  lightLeafNear(leaf: number, v: number): number {
    for (let t = this.leaves + leaf; t > 1; t >>>= 1) {
      const other = this.lightestUnder(t ^ 1);
      if (this.admits(v, other)) return other;
    }
    return this.lightestUnder(1);
  }

  /** `from` nowhere: v enters. */
  move(v: number, from: number, to: number): void {
    const w = this.graph.nodeWeight[v]!;
    if (from !== nowhere) for (let t = this.leaves + from; t >= 1; t >>>= 1) this.weight[t]! -= w;
    for (let t = this.leaves + to; t >= 1; t >>>= 1) this.weight[t]! += w;
  }

  private lightestUnder(node: number): number {
    let t = node;
    while (t < this.leaves) t = this.weight[2 * t]! <= this.weight[2 * t + 1]! ? 2 * t : 2 * t + 1;
    return t - this.leaves;
  }

  private most(v: number, level: number): number {
    const { even, most, userMean } = this.bounds;
    const heaviest = this.graph.heaviestUser[v]!;
    return Math.max(most[level]!, even[level]! + Math.min(userMean, heaviest), heaviest);
  }
}
