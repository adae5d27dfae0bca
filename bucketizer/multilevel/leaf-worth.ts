/** What a leaf is worth to a node: the question of every search that moves nodes between leaves. A tie counts once for every
 *  level at which its two ends share a tree node, three times at the leaf. Most nodes have friends in a few leaves only:
 *  pairs of those are weighed up faster than paths to the root. */

import type { Graph } from './graph.ts';
import { type Doubles, doubles, leadingZeros, type Nodes, nodes, nowhere } from './memory.ts';

export const leafValue: i32 = 3;

/** So many times as many leaves as levels are weighed up pair by pair: a path up and down again takes about as long. */
const leavesPerLevelPaired: f64 = 1.5;

/** [levels above the leaves at which two leaves meet] = worth of a tie between them. */
export function worthByMeeting(height: i32): Doubles {
  const worth = doubles(height + 1);
  for (let up = 0; up <= height; up++) worth[up] = height - up;
  worth[0] = worth[0]! + (leafValue - 1);
  return worth;
}

/** Levels above the leaves at which two leaves meet. */
export function meetingOf(a: i32, b: i32): i32 {
  return 32 - leadingZeros(a ^ b);
}

/** What v gains by changing places with u, in tie weight times levels. A tie between the two gains nothing: they stay as far
 *  apart as they were. */
export function gainInPlaceOf(graph: Graph, leafOf: Nodes, worthAt: Doubles, v: i32, u: i32): f64 {
  const rowStart = graph.rowStart;
  const neighbour = graph.neighbour;
  const tieWeight = graph.tieWeight;
  const here = leafOf[v]!;
  const there = leafOf[u]!;
  let gain: f64 = 0;
  for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
    const friend = neighbour[k]!;
    const at = leafOf[friend]!;
    if (friend === u) gain -= tieWeight[k]! * (worthAt[0]! - worthAt[meetingOf(here, there)]!);
    else gain += tieWeight[k]! * (worthAt[meetingOf(at, there)]! - worthAt[meetingOf(at, here)]!);
  }
  return gain;
}

export class LeafWorth {
  readonly friendLeaf: Nodes; // the leaves where the node at hand has friends: the first `friendLeaves`
  friendLeaves: i32 = 0;
  tieWeight: f64 = 0; // of the node at hand, to friends who have a leaf
  private readonly graph: Graph;
  private readonly leafOf: Nodes;
  private readonly leaves: i32;
  private readonly pairedMax: f64;
  private readonly pull: Doubles; // [tree node] tie weight from the node at hand to nodes under it; where paired, of leaves only
  private readonly worthAt: Doubles; // by meeting

  constructor(graph: Graph, leafOf: Nodes, height: i32) {
    this.graph = graph;
    this.leafOf = leafOf;
    this.leaves = 1 << height;
    this.pairedMax = leavesPerLevelPaired * height;
    this.pull = doubles(2 << height);
    this.friendLeaf = nodes((1 << height) + 1); // one more is written to than counts
    this.worthAt = worthByMeeting(height);
  }

  /** Looks at the friends of `v`; `forget` before the next. */
  lookAt(v: i32): void {
    const rowStart = this.graph.rowStart;
    const neighbour = this.graph.neighbour;
    const tieWeight = this.graph.tieWeight;
    const pull = this.pull;
    const friendLeaf = this.friendLeaf;
    const leaves = this.leaves;
    const leafOf = this.leafOf;
    const end = rowStart[v + 1]!;
    let count = 0;
    let sum: f64 = 0;
    for (let k = rowStart[v]!; k < end; k++) {
      const leaf = leafOf[neighbour[k]!]!;
      if (leaf === nowhere) continue;
      const before = pull[leaves + leaf]!;
      friendLeaf[count] = leaf;
      count += before === 0 ? 1 : 0; // no branch to guess, as in `addUpRows`
      pull[leaves + leaf] = before + tieWeight[k]!;
      sum += tieWeight[k]!;
    }
    this.friendLeaves = count;
    this.tieWeight = sum;
    if (count > this.pairedMax) this.pullAbove(count);
  }

  of(leaf: i32): f64 {
    const pull = this.pull;
    const leaves = this.leaves;
    if (this.friendLeaves > this.pairedMax) {
      let sum = (leafValue - 1) * pull[leaves + leaf]!;
      for (let t = leaves + leaf; t > 1; t >>>= 1) sum += pull[t]!;
      return sum;
    }
    const friendLeaf = this.friendLeaf;
    const worthAt = this.worthAt;
    let sum: f64 = 0;
    for (let i = 0; i < this.friendLeaves; i++) {
      const other = friendLeaf[i]!;
      sum += pull[leaves + other]! * worthAt[meetingOf(leaf, other)]!;
    }
    return sum;
  }

  /** Tie weight to friends in this very leaf. */
  tieWeightIn(leaf: i32): f64 {
    return this.pull[this.leaves + leaf]!;
  }

  forget(): void {
    const pull = this.pull;
    const friendLeaf = this.friendLeaf;
    const leaves = this.leaves;
    const paired = this.friendLeaves <= this.pairedMax;
    for (let i = 0; i < this.friendLeaves; i++) {
      const leaf = leaves + friendLeaf[i]!;
      pull[leaf] = 0;
      if (!paired) for (let t = leaf >>> 1; t > 1; t >>>= 1) pull[t] = 0;
    }
  }

  private pullAbove(count: i32): void {
    const pull = this.pull;
    for (let i = 0; i < count; i++) {
      const leaf = this.leaves + this.friendLeaf[i]!;
      const here = pull[leaf]!;
      for (let t = leaf >>> 1; t > 1; t >>>= 1) pull[t] = pull[t]! + here;
    }
  }
}
