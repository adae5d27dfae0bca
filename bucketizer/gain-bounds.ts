/** What a node gains at most by moving, by how far it goes. In a leaf that meets its own so many levels up it is as far as
 *  before from friends beyond, loses what it has nearer than that, and comes into the leaf of its friends just there at
 *  best. Most have no friends just there, and for those it is what they gain. A few figures a node, kept true as friends
 *  move, tell who need not be looked at: to look at a node takes its friends, and all the leaves they are in. */

import type { Graph } from './multilevel/graph.ts';
import { worthByMeeting } from './multilevel/leaf-worth.ts';

export class GainBounds {
  private readonly graph: Graph;
  private readonly leafOf: Uint32Array;
  private readonly height: number;
  private readonly worthAt: Float64Array; // by meeting
  private readonly most: Float32Array; // [node * height + levels up - 1] in tie weight times levels
  private readonly ties: Float64Array; // [levels up at which friends meet the node at hand] tie weight

  /** Of nodes with more friends than `friendsMax` nothing is kept. `leafOf`: as it changes. */
  constructor(graph: Graph, leafOf: Uint32Array, height: number, friendsMax: number) {
    this.graph = graph;
    this.leafOf = leafOf;
    this.height = height;
    this.worthAt = worthByMeeting(height);
    this.most = new Float32Array(graph.nodeCount * height);
    this.ties = new Float64Array(height + 1);
    for (let v = 0; v < graph.nodeCount; v++) {
      if (graph.rowStart[v + 1]! - graph.rowStart[v]! <= friendsMax) this.recount(v);
    }
  }

  /** In any leaf that meets v's own `up` levels up. */
  at(v: number, up: number): number {
    return this.most[v * this.height + up - 1]!;
  }

  /** In any leaf. */
  anywhere(v: number): number {
    const { most, height } = this;
    let best = most[v * height]!;
    for (let i = v * height + 1; i < (v + 1) * height; i++) if (most[i]! > best) best = most[i]!;
    return best;
  }

  /** v has moved. */
  recount(v: number): void {
    const { leafOf, most, height } = this;
    const ties = this.ties;
    const worthAt = this.worthAt;
    const { rowStart, neighbour, tieWeight } = this.graph;
    const own = leafOf[v]!;
    ties.fill(0);
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      ties[32 - Math.clz32(own ^ leafOf[neighbour[k]!]!)]! += tieWeight[k]!;
    }
    let nearer = ties[0]!;
    let worth = nearer * worthAt[0]!; // of those nearer
    for (let up = 1; up <= height; up++) {
      const here = worthAt[up]!;
      most[v * height + up - 1] = ties[up]! * (worthAt[0]! - here) - worth + nearer * here;
      nearer += ties[up]!;
      worth += ties[up]! * here;
    }
  }

  /** A friend of v has moved. */
  friendMoved(v: number, tieWeight: number, from: number, to: number): void {
    const own = this.leafOf[v]!;
    const before = 32 - Math.clz32(own ^ from);
    const now = 32 - Math.clz32(own ^ to);
    if (before === now) return;
    this.add(v, before, -tieWeight);
    this.add(v, now, tieWeight);
  }

  /** A friend who meets v `up` levels up comes, or goes. */
  private add(v: number, up: number, tieWeight: number): void {
    const { most, height } = this;
    const worthAt = this.worthAt;
    const row = v * height - 1;
    if (up > 0) most[row + up]! += tieWeight * (worthAt[0]! - worthAt[up]!);
    for (let m = up + 1; m <= height; m++) most[row + m]! -= tieWeight * (worthAt[up]! - worthAt[m]!);
  }
}
