/** What a node gains at most by moving, by how far it goes. In a leaf that meets its own so many levels up it is as far as
 *  before from friends beyond, loses what it has nearer than that, and comes into the leaf of its friends just there at
 *  best. Most have no friends just there, and for those it is what they gain. A few figures a node, kept true as friends
 *  move, tell who need not be looked at: to look at a node takes its friends, and all the leaves they are in. */

import type { Graph } from './graph.ts';
import { meetingOf, worthByMeeting } from './leaf-worth.ts';
import { type Doubles, doubles, type Floats, floats, type Nodes, toFloat } from './memory.ts';

export class GainBounds {
  private readonly graph: Graph;
  private readonly leafOf: Nodes;
  private readonly height: i32;
  private readonly worthAt: Doubles; // by meeting
  private readonly most: Floats; // [node * height + levels up - 1] in tie weight times levels
  private readonly ties: Doubles; // [levels up at which friends meet the node at hand] tie weight

  /** Of nodes with more friends than `friendsMax` nothing is kept. `leafOf`: as it changes. */
  constructor(graph: Graph, leafOf: Nodes, height: i32, friendsMax: f64) {
    this.graph = graph;
    this.leafOf = leafOf;
    this.height = height;
    this.worthAt = worthByMeeting(height);
    this.most = floats(graph.nodeCount * height);
    this.ties = doubles(height + 1);
    const rowStart = graph.rowStart;
    for (let v = 0; v < graph.nodeCount; v++) {
      if (rowStart[v + 1]! - rowStart[v]! <= friendsMax) this.recount(v);
    }
  }

  /** In any leaf that meets v's own `up` levels up. */
  at(v: i32, up: i32): f64 {
    return this.most[v * this.height + up - 1]!;
  }

  /** In any leaf. */
  anywhere(v: i32): f64 {
    const most = this.most;
    const first = v * this.height;
    let best = most[first]!;
    for (let i = first + 1; i < first + this.height; i++) if (most[i]! > best) best = most[i]!;
    return best;
  }

  /** v has moved. */
  recount(v: i32): void {
    const ties = this.ties;
    const worthAt = this.worthAt;
    const most = this.most;
    const height = this.height;
    this.countTies(v);
    let nearer: f64 = ties[0]!;
    let worth: f64 = nearer * worthAt[0]!; // of those nearer
    for (let up = 1; up <= height; up++) {
      const here = worthAt[up]!;
      most[v * height + up - 1] = toFloat(ties[up]! * (worthAt[0]! - here) - worth + nearer * here);
      nearer += ties[up]!;
      worth += ties[up]! * here;
    }
  }

  /** A friend of v has moved. Returns from how many levels up on v gains something else now; beyond the root: nowhere. */
  friendMoved(v: i32, tieWeight: f64, from: i32, to: i32): i32 {
    const own = this.leafOf[v]!;
    const before = meetingOf(own, from);
    const now = meetingOf(own, to);
    if (before === now) return this.height + 1;
    this.add(v, before, -tieWeight);
    this.add(v, now, tieWeight);
    return before < now ? before : now;
  }

  private countTies(v: i32): void {
    const neighbour = this.graph.neighbour;
    const tieWeight = this.graph.tieWeight;
    const leafOf = this.leafOf;
    const ties = this.ties;
    const own = leafOf[v]!;
    const end = this.graph.rowStart[v + 1]!;
    for (let up = 0; up <= this.height; up++) ties[up] = 0;
    for (let k = this.graph.rowStart[v]!; k < end; k++) {
      const up = meetingOf(own, leafOf[neighbour[k]!]!);
      ties[up] = ties[up]! + tieWeight[k]!;
    }
  }

  /** A friend who meets v `up` levels up comes, or goes. */
  private add(v: i32, up: i32, tieWeight: f64): void {
    const most = this.most;
    const worthAt = this.worthAt;
    const row = v * this.height - 1;
    if (up > 0) most[row + up] = toFloat(most[row + up]! + tieWeight * (worthAt[0]! - worthAt[up]!));
    for (let m = up + 1; m <= this.height; m++) {
      most[row + m] = toFloat(most[row + m]! - tieWeight * (worthAt[up]! - worthAt[m]!));
    }
  }
}
