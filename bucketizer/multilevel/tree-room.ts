/** Whether a tree has room for a node in a leaf: the other question of every search that moves nodes between leaves. */

import type { Graph } from './graph.ts';
import { type Doubles, doubles, type Nodes, nowhere } from './memory.ts';

/** What the searches keep to, which is tighter than the promise where that would let every heavy user sit on top of an
 *  even share (segments of 8 buckets at 1.73 x even on a world of log-normal users; 1.07 with this). */
export class TreeBounds {
  readonly height: i32;
  readonly even: Doubles; // [level] total weight / 2^level
  readonly most: Doubles; // [level] even, and half the imbalance allowed at the top, all of it at the leaves
  readonly least: Doubles; // [level]
  readonly userMean: f64; // room for one more average user, where 5 % are less than that

  constructor(height: i32, even: Doubles, most: Doubles, least: Doubles, userMean: f64) {
    this.height = height;
    this.even = even;
    this.most = most;
    this.least = least;
    this.userMean = userMean;
  }
}

export class TreeRoom {
  readonly weight: Doubles; // [tree node], numbered as in `treeWeights`; users who are nowhere weigh nothing
  private readonly graph: Graph;
  private readonly bounds: TreeBounds;
  private readonly leaves: i32;

  constructor(graph: Graph, leafOf: Nodes, bounds: TreeBounds) {
    this.graph = graph;
    this.bounds = bounds;
    this.leaves = 1 << bounds.height;
    this.weight = doubles(2 << bounds.height);
    weighTree(graph.nodeWeight, leafOf, this.weight);
  }

  /** Whether every tree node above `to`, and not above `from`, may take v, and every one above `from` may lose it. */
  allows(v: i32, from: i32, to: i32): boolean {
    return this.allowsShift(this.graph.nodeWeight[v]!, v, this.leaves + from, this.leaves + to);
  }

  /** Whether v, in leaf a, and u, in leaf b, may change places. */
  allowsSwap(v: i32, a: i32, u: i32, b: i32): boolean {
    const shift = this.graph.nodeWeight[v]! - this.graph.nodeWeight[u]!;
    if (shift === 0) return true;
    // the heavier one makes its new side heavier
    if (shift > 0) return this.allowsShift(shift, v, this.leaves + a, this.leaves + b);
    return this.allowsShift(-shift, u, this.leaves + b, this.leaves + a);
  }

  /** Whether v, who is nowhere yet, may enter. */
  admits(v: i32, to: i32): boolean {
    const w = this.graph.nodeWeight[v]!;
    let level = this.bounds.height;
    for (let t = this.leaves + to; t > 1; t >>>= 1) {
      if (this.weight[t]! + w > this.most(v, level)) return false;
      level--;
    }
    return true;
  }

  /** The leaf nearest to `leaf`, no more than so many levels up and down again, that has room for v, found by always taking
   *  the lighter child; where none of those does, `from`. `from` nowhere: v enters, and the lightest leaf found from the root
   *  is the last resort. */
  lightLeafNear(leaf: i32, v: i32, from: i32, levelsMax: i32): i32 {
    const enters = from === nowhere;
    let t = this.leaves + leaf;
    for (let up = 0; up < levelsMax && t > 1; up++) {
      const other = this.lightestUnder(t ^ 1);
      if (other === from || (enters ? this.admits(v, other) : this.allows(v, from, other))) return other;
      t >>>= 1;
    }
    return enters ? this.lightestUnder(1) : from;
  }

  /** `from` nowhere: v enters. */
  move(v: i32, from: i32, to: i32): void {
    const weight = this.weight;
    const w = this.graph.nodeWeight[v]!;
    if (from !== nowhere) for (let t = this.leaves + from; t >= 1; t >>>= 1) weight[t] = weight[t]! - w;
    for (let t = this.leaves + to; t >= 1; t >>>= 1) weight[t] = weight[t]! + w;
  }

  /** Whether `more` may go from under one tree node to under another, both of the leaves' level, with v who moves. */
  private allowsShift(more: f64, v: i32, from: i32, to: i32): boolean {
    const weight = this.weight;
    const even = this.bounds.even;
    const least = this.bounds.least;
    let level = this.bounds.height;
    let f = from;
    for (let t = to; t !== f; t >>>= 1) {
      if (weight[t]! + more > this.most(v, level)) return false;
      if (weight[f]! - more < least[level]! && weight[f]! < even[level]!) return false;
      f >>>= 1;
      level--;
    }
    return true;
  }

  private lightestUnder(node: i32): i32 {
    let t = node;
    while (t < this.leaves) t = this.weight[2 * t]! <= this.weight[2 * t + 1]! ? 2 * t : 2 * t + 1;
    return t - this.leaves;
  }

  private most(v: i32, level: i32): f64 {
    const even = this.bounds.even[level]!;
    const heaviest = this.graph.heaviestUser[v]!;
    return Math.max(this.bounds.most[level]!, Math.max(even + Math.min(this.bounds.userMean, heaviest), heaviest));
  }
}

function weighTree(nodeWeight: Doubles, leafOf: Nodes, weight: Doubles): void {
  const leaves: i32 = weight.length >>> 1;
  for (let v = 0; v < leafOf.length; v++) {
    const leaf = leafOf[v]!;
    if (leaf !== nowhere) weight[leaves + leaf] = weight[leaves + leaf]! + nodeWeight[v]!;
  }
  for (let t = leaves - 1; t >= 1; t--) weight[t] = weight[2 * t]! + weight[2 * t + 1]!;
}
