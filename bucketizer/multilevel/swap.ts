/** Swaps: two users change places. Where leaves hold two or three users each, almost all of them are full and a single
 *  move is blocked however much it would gain; a swap is not. Same worth as in refinement: one for every level at which
 *  two friends share a tree node, three at the leaf. What a user could gain at most by leaving is kept for everyone: in a
 *  leaf that is wanted, only those are weighed up whose leaving could leave a gain for both. */

import { shuffleNearby } from './cluster.ts';
import { everyNode, type Graph } from './graph.ts';
import { LeafMembers } from './leaf-members.ts';
import { gainInPlaceOf, LeafWorth, leafValue, worthByMeeting } from './leaf-worth.ts';
import { type Chance, type Doubles, doubles, type Nodes, type Sides, sides } from './memory.ts';
import { settledShare, wakeFriends } from './refine.ts';
import { type TreeBounds, TreeRoom } from './tree-room.ts';
import { WantedLeaves } from './wanted-leaves.ts';

const friendsMax: i32 = 64; // whoever has more is at home nowhere, and is asked again and again by all who want the leaf
const leavesTried: i32 = 2;
const weighedPerTie: f64 = 3; // ties looked at to weigh up swaps, in a round, for each tie there is; popular users would take any time

/** Swaps users of `graph`, in place; returns how many swaps were made. */
export function swapUsers(graph: Graph, leafOf: Nodes, bounds: TreeBounds, rounds: i32, chance: Chance): i32 {
  const search = new SwapSearch(graph, leafOf, bounds);
  const order = everyNode(graph.nodeCount);
  let swaps = 0;
  for (let round = 0; round < rounds; round++) {
    shuffleNearby(order, chance);
    const swapped = search.round(order);
    swaps += swapped;
    if (swapped < graph.nodeCount * settledShare) break;
  }
  return swaps;
}

class SwapSearch {
  private readonly graph: Graph;
  private readonly leafOf: Nodes;
  private readonly room: TreeRoom;
  private readonly worth: LeafWorth;
  private readonly members: LeafMembers;
  private readonly worthAt: Doubles; // by meeting
  private readonly lean: Doubles; // [user] what it gained at most, in any other leaf, when last looked at
  private readonly asleep: Sides; // [user] 1: wants nothing, and no friend has moved since
  private readonly wanted: WantedLeaves; // of the user at hand
  private weighed: f64 = 0; // ties looked at to weigh up swaps, in this round

  constructor(graph: Graph, leafOf: Nodes, bounds: TreeBounds) {
    this.graph = graph;
    this.leafOf = leafOf;
    this.room = new TreeRoom(graph, leafOf, bounds);
    this.worth = new LeafWorth(graph, leafOf, bounds.height);
    this.members = new LeafMembers(leafOf, 1 << bounds.height);
    this.worthAt = worthByMeeting(bounds.height);
    this.lean = doubles(graph.nodeCount);
    this.asleep = sides(graph.nodeCount);
    this.wanted = new WantedLeaves(leavesTried);
    for (let v = 0; v < graph.nodeCount; v++) this.lookAround(v);
  }

  /** Everyone in turn; returns how many swapped. */
  round(order: Nodes): i32 {
    const asleep = this.asleep;
    const weighedMax = weighedPerTie * this.graph.neighbour.length;
    this.weighed = 0;
    let swapped = 0;
    for (let q = 0; q < order.length && this.weighed <= weighedMax; q++) {
      const v = order[q]!;
      if (asleep[v] === 1) continue;
      const other = this.bestSwap(v);
      if (other < 0) {
        if (this.lean[v]! <= 0) asleep[v] = 1;
        continue;
      }
      this.swap(v, other);
      asleep[v] = 0;
      wakeFriends(this.graph, v, asleep);
      asleep[other] = 0;
      wakeFriends(this.graph, other, asleep);
      swapped++;
    }
    return swapped;
  }

  /** The user with whom v should change places; -1: nobody. */
  private bestSwap(v: i32): i32 {
    const rowStart = this.graph.rowStart;
    const lean = this.lean;
    const members = this.members;
    const own = this.leafOf[v]!;
    this.lookAround(v);
    let best: i32 = -1;
    let bestGain: f64 = 0;
    for (let i = 0; i < this.wanted.count; i++) {
      const gainV = this.wanted.gain[i]!;
      const leaf = this.wanted.leaf[i]!;
      for (let u = members.first(leaf); u >= 0; u = members.after(u)) {
        if (gainV + lean[u]! <= bestGain || rowStart[u + 1]! - rowStart[u]! > friendsMax) continue;
        if (!this.room.allowsSwap(v, own, u, leaf)) continue;
        const gain = this.gainOfSwap(v, u, gainV);
        if (gain <= bestGain) continue;
        best = u;
        bestGain = gain;
      }
    }
    return best;
  }

  /** Notes the leaves that v wants, and how v leans. A leaf without friends is worth no more than a
   *  friend's leaf beside it, or than the own one without the friends in it. */
  private lookAround(v: i32): void {
    const worth = this.worth;
    const own = this.leafOf[v]!;
    worth.lookAt(v);
    const worthNow = worth.of(own);
    let most = -leafValue * worth.tieWeightIn(own);
    this.wanted.clear();
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      if (leaf === own) continue;
      const gain = worth.of(leaf) - worthNow;
      if (gain > most) most = gain;
      if (gain > 0) this.wanted.note(leaf, gain);
    }
    worth.forget();
    this.lean[v] = most;
  }

  /** What both gain by changing places, v alone gaining `gainV`. */
  private gainOfSwap(v: i32, u: i32, gainV: f64): f64 {
    this.weighed += this.graph.rowStart[u + 1]! - this.graph.rowStart[u]!;
    return gainV + gainInPlaceOf(this.graph, this.leafOf, this.worthAt, u, v);
  }

  private swap(v: i32, u: i32): void {
    const leafOf = this.leafOf;
    const a = leafOf[v]!;
    const b = leafOf[u]!;
    this.room.move(v, a, b);
    this.room.move(u, b, a);
    this.members.move(v, a, b);
    this.members.move(u, b, a);
    leafOf[v] = b;
    leafOf[u] = a;
  }
}
