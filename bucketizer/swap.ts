/** Swaps: two users change places. Where leaves hold two or three users each, almost all of them are full and a single
 *  move is blocked however much it would gain; a swap is not. Same worth as in refinement: one for every level at which
 *  two friends share a tree node, three at the leaf. What a user could gain at most by leaving is kept for everyone: in a
 *  leaf that is wanted, only those are weighed up whose leaving could leave a gain for both. */

import type { Random } from '../config/random.ts';
import type { TreeBounds } from './balance.ts';
import { LeafWorth, leafValue, TreeRoom, worthByMeeting } from './leaf-worth.ts';
import { shuffleNearby } from './multilevel/cluster.ts';
import { everyNode, type Graph } from './multilevel/graph.ts';

const friendsMax = 64; // whoever has more is at home nowhere, and is asked again and again by all who want the leaf
const leavesTried = 2;
const weighedPerTie = 3; // ties looked at to weigh up swaps, in a round, for each tie there is; popular users would take any time
const settledShare = 0.001; // a round that swaps fewer ends the search

/** Swaps users of `graph`, in place; returns how many swaps were made. */
export function swapUsers(
  graph: Graph,
  leafOf: Uint32Array,
  bounds: TreeBounds,
  rounds: number,
  random: Random,
): number {
  const { nodeCount: n, rowStart, neighbour, tieWeight } = graph;
  const { height } = bounds;
  const room = new TreeRoom(graph, leafOf, bounds);
  const worth = new LeafWorth(graph, leafOf, height);
  const members = new LeafMembers(leafOf, 1 << height);
  const worthAt = worthByMeeting(height);
  const worthOf = (a: number, b: number): number => worthAt[32 - Math.clz32(a ^ b)]!;
  let weighed = 0; // ties looked at to weigh up swaps, in this round

  /** What both gain by changing places, v alone gaining `gainV`. A tie between the two gains nothing: they stay as far
   *  apart as they were. */
  const gainOfSwap = (v: number, u: number, gainV: number): number => {
    weighed += rowStart[u + 1]! - rowStart[u]!;
    const here = leafOf[u]!;
    const there = leafOf[v]!;
    let gain = gainV;
    for (let k = rowStart[u]!; k < rowStart[u + 1]!; k++) {
      const friend = neighbour[k]!;
      const at = leafOf[friend]!;
      if (friend === v) gain -= tieWeight[k]! * (worthOf(here, here) - worthOf(here, there));
      else gain += tieWeight[k]! * (worthOf(at, there) - worthOf(at, here));
    }
    return gain;
  };

  const wanted = new Uint32Array(leavesTried); // leaves where the user at hand would gain, best first
  const wantedGain = new Float64Array(leavesTried);
  const lean = new Float64Array(n); // [user] what it gained at most, in any other leaf, when last looked at

  /** Notes the leaves that v wants, returns how many; and how v leans. A leaf without friends is worth no more than a
   *  friend's leaf beside it, or than the own one without the friends in it. */
  const lookAround = (v: number): number => {
    const own = leafOf[v]!;
    worth.lookAt(v);
    const worthNow = worth.of(own);
    let most = -leafValue * worth.tieWeightIn(own);
    let count = 0;
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      if (leaf === own) continue;
      const gain = worth.of(leaf) - worthNow;
      if (gain > most) most = gain;
      if (gain > 0) count = noteWanted(leaf, gain, count);
    }
    worth.forget();
    lean[v] = most;
    return count;
  };

  const noteWanted = (leaf: number, gain: number, count: number): number => {
    let at = count;
    while (at > 0 && (wantedGain[at - 1]! < gain || (wantedGain[at - 1] === gain && wanted[at - 1]! > leaf))) at--;
    if (at === leavesTried) return count;
    const after = Math.min(count, leavesTried - 1);
    wanted.copyWithin(at + 1, at, after);
    wantedGain.copyWithin(at + 1, at, after);
    wanted[at] = leaf;
    wantedGain[at] = gain;
    return after + 1;
  };

  /** The user with whom v should change places; -1: nobody. */
  const bestSwap = (v: number): number => {
    let best = -1;
    let bestGain = 0;
    const own = leafOf[v]!;
    const count = lookAround(v);
    for (let i = 0; i < count; i++) {
      const gainV = wantedGain[i]!;
      const leaf = wanted[i]!;
      for (let u = members.first(leaf); u >= 0; u = members.after(u)) {
        if (gainV + lean[u]! <= bestGain || rowStart[u + 1]! - rowStart[u]! > friendsMax) continue;
        if (!room.allowsSwap(v, own, u, leaf)) continue;
        const gain = gainOfSwap(v, u, gainV);
        if (gain <= bestGain) continue;
        best = u;
        bestGain = gain;
      }
    }
    return best;
  };

  const swap = (v: number, u: number): void => {
    const a = leafOf[v]!;
    const b = leafOf[u]!;
    room.move(v, a, b);
    room.move(u, b, a);
    members.move(v, a, b);
    members.move(u, b, a);
    leafOf[v] = b;
    leafOf[u] = a;
  };

  for (let v = 0; v < n; v++) lookAround(v);
  const order = everyNode(n);
  const asleep = new Uint8Array(n); // wants nothing, and no friend has moved since
  let swaps = 0;
  for (let round = 0; round < rounds; round++) {
    shuffleNearby(order, random);
    let swapped = 0;
    weighed = 0;
    for (let q = 0; q < n && weighed <= weighedPerTie * neighbour.length; q++) {
      const v = order[q]!;
      if (asleep[v] === 1) continue;
      const other = bestSwap(v);
      if (other < 0) {
        if (lean[v]! <= 0) asleep[v] = 1;
        continue;
      }
      swap(v, other);
      for (const mover of [v, other]) {
        asleep[mover] = 0;
        for (let k = rowStart[mover]!; k < rowStart[mover + 1]!; k++) asleep[neighbour[k]!] = 0;
      }
      swapped++;
    }
    swaps += swapped;
    if (swapped < n * settledShare) break;
  }
  return swaps;
}

/** Who lives in which leaf, as linked lists in typed arrays. */
export class LeafMembers {
  private readonly head: Int32Array;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;

  constructor(leafOf: Uint32Array, leaves: number) {
    this.head = new Int32Array(leaves).fill(-1);
    this.next = new Int32Array(leafOf.length);
    this.previous = new Int32Array(leafOf.length);
    for (let v = leafOf.length - 1; v >= 0; v--) this.add(v, leafOf[v]!);
  }

  /** -1: nobody. */
  first(leaf: number): number {
    return this.head[leaf]!;
  }

  /** -1: nobody else. */
  after(v: number): number {
    return this.next[v]!;
  }

  move(v: number, from: number, to: number): void {
    if (this.previous[v]! >= 0) this.next[this.previous[v]!] = this.next[v]!;
    else this.head[from] = this.next[v]!;
    if (this.next[v]! >= 0) this.previous[this.next[v]!] = this.previous[v]!;
    this.add(v, to);
  }

  private add(v: number, leaf: number): void {
    const first = this.head[leaf]!;
    this.next[v] = first;
    this.previous[v] = -1;
    if (first >= 0) this.previous[first] = v;
    this.head[leaf] = v;
  }
}
