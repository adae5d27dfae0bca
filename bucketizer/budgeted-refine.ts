/** Refinement of a tree that must change little. Every move is paid from a budget, so moves are made in the order of what
 *  they gain for what they cost, and those that cost nothing (newcomers, users returning home) come first. A move must
 *  also be worth leaving home for: the price of it is the same for everyone, for so is what it takes from the budget.
 *  Where the leaf that a node wants is full, as leaves nearly all are where buckets are small, it changes places with
 *  whom both gain most by. Declined: visiting users in a shuffled order as the refinement of a build does; the budget is
 *  then spent on whoever comes first. */

import { GainBounds } from './gain-bounds.ts';
import { type Homes, leastShare, type MoveBudget, shareOf, wayFrom } from './move-budget.ts';
import type { Graph } from './multilevel/graph.ts';
import { LeafMembers } from './multilevel/leaf-members.ts';
import { LeafWorth, leafValue, worthByMeeting } from './multilevel/leaf-worth.ts';
import { type TreeBounds, TreeRoom } from './multilevel/tree-room.ts';
import { NodeQueue } from './node-queue.ts';

/** Whoever has more friends than these, and than so many times the mean, stays: popular users are at home nowhere, to ask
 *  them takes as long as to ask all others, and whom they come nearer to they leave as many behind. */
const movedMax = { friends: 64, timesMean: 5 };

/** Whoever has more than these gives up its place to nobody. */
const swappedMax = { friends: 24, timesMean: 2 };

const leavesTried = 16;

/** The search ends after so many tries in vain for every newcomer and user whom the budget has room for (or is over by);
 *  where moves are found it goes on. */
const triesPerUser = 4;
const triesPerMove = 8;

/** Nobody is asked to change places any more once so many ties for each that there is were looked at: of popular users'
 *  leaves nearly everyone refuses. */
const weighedPerTie = 3;

/** Of what a node gains at most: nothing, no more than so much, all. */
const [unknown, bounded, exact] = [0, 1, 2] as const;

/** A search on `leafOf`, which it changes in place; it remembers what it knows of everyone from one price to the next. */
export class BudgetedSearch {
  readonly leafOf: Uint32Array;
  readonly homes: Homes;
  readonly budget: MoveBudget;
  private readonly graph: Graph;
  private readonly room: TreeRoom;
  private readonly worth: LeafWorth;
  private readonly worthAt: Float64Array; // by meeting
  private readonly gains: GainBounds;
  private readonly members: LeafMembers;
  private readonly queue: NodeQueue;
  private readonly lean: Float64Array; // [node] what it gains at most, in any other leaf
  private readonly known: Uint8Array; // [node] of its lean
  private readonly toll: Float64Array; // [node] price of going where it does not come home: below 0 where it is away
  private readonly height: number;
  private readonly leafMost: Float64Array; // [leaf * height + levels up - 1] what anybody there gains at most by going so far; Infinity: not known
  private readonly wanted = new Uint32Array(leavesTried); // leaves where the node at hand would gain most, best first
  private readonly wantedGain = new Float64Array(leavesTried);
  private readonly share: Float64Array; // [node] of the budget, taken while it is away from home; 0: it has none
  private readonly least: number;
  private readonly friendsMax: number; // of who moves
  private readonly friendsMaxSwapped: number; // of who gives up its place
  private price = 0; // what must be gained for every user that leaves home, in tie weight times levels
  private weighed = 0; // ties looked at to weigh up swaps
  private to = -1; // where the node at hand goes best; -1: nowhere
  private other = -1; // with whom it changes places there; -1: nobody has to make room

  constructor(graph: Graph, leafOf: Uint32Array, bounds: TreeBounds, homes: Homes, budget: MoveBudget) {
    this.graph = graph;
    this.leafOf = leafOf;
    this.homes = homes;
    this.budget = budget;
    this.room = new TreeRoom(graph, leafOf, bounds);
    this.worth = new LeafWorth(graph, leafOf, bounds.height);
    this.worthAt = worthByMeeting(bounds.height);
    this.members = new LeafMembers(leafOf, 1 << bounds.height);
    this.queue = new NodeQueue(graph.nodeCount);
    this.lean = new Float64Array(graph.nodeCount);
    this.known = new Uint8Array(graph.nodeCount).fill(unknown);
    this.share = Float64Array.from(homes.leaf, (home, v) =>
      home < 0 ? 0 : Math.min(Number.MAX_VALUE, shareOf(budget, homes.users[v]!, homes.weight[v]!)),
    );
    this.least = leastShare(budget);
    this.height = bounds.height;
    this.toll = new Float64Array(graph.nodeCount);
    this.leafMost = new Float64Array(bounds.height << bounds.height);
    const friendsMean = graph.neighbour.length / graph.nodeCount;
    this.friendsMax = Math.max(movedMax.friends, movedMax.timesMean * friendsMean);
    this.friendsMaxSwapped = Math.max(swappedMax.friends, swappedMax.timesMean * friendsMean);
    this.gains = new GainBounds(graph, leafOf, bounds.height, this.friendsMax);
  }

  /** Moves nodes between leaves; returns how many moved. */
  refine(price: number): number {
    const { leafOf, budget, queue } = this;
    this.askAll(price);
    this.weighed = 0;
    let moved = 0;
    let tries = triesPerUser * (this.newcomers() + Math.abs(budget.usersMax - budget.usersMoved));
    for (let v = queue.take(); v >= 0 && tries > 0; v = queue.take()) {
      this.choose(v);
      const { to, other } = this;
      if (to < 0) {
        tries--;
        continue;
      }
      const from = leafOf[v]!;
      this.move(v, to);
      if (other >= 0) this.move(other, from);
      moved += other < 0 ? 1 : 2;
      tries += triesPerMove;
      this.askAround(v, from);
      if (other >= 0) this.askAround(other, to);
    }
    return moved;
  }

  /** Somebody else moves v. The budget is not asked, and not told. */
  follow(v: number, leaf: number): void {
    const { known, leafOf } = this;
    const { rowStart, neighbour, tieWeight } = this.graph;
    const from = leafOf[v]!;
    this.room.move(v, from, leaf);
    this.members.move(v, from, leaf);
    leafOf[v] = leaf;
    known[v] = unknown;
    this.tellFriends(v, from);
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      if (this.mayWant(neighbour[k]!, tieWeight[k]!, from, leaf)) known[neighbour[k]!] = unknown;
    }
  }

  private newcomers(): number {
    let count = 0;
    for (let v = 0; v < this.graph.nodeCount; v++) if (this.homes.leaf[v]! < 0) count++;
    return count;
  }

  /** Everyone is in the queue, or not, by the price. Those at home and newcomers want the same leaf at any price. */
  private askAll(price: number): void {
    const { graph, homes, leafOf, lean, known, queue } = this;
    const dearer = price - this.price;
    this.price = price;
    this.leafMost.fill(Infinity);
    for (let v = 0; v < graph.nodeCount; v++) {
      if (friendsOf(graph, v) > this.friendsMax) continue;
      this.toll[v] = this.tollOf(v);
      const home = homes.leaf[v]!;
      if (home >= 0) lean[v]! -= dearer * homes.users[v]!;
      const away = home >= 0 && home !== leafOf[v];
      if (away || known[v] === unknown || (known[v] === bounded && lean[v]! > 0)) this.ask(v);
      else if (lean[v]! > 0) queue.put(v, lean[v]! / Math.max(this.least, this.share[v]!));
      else queue.remove(v);
    }
  }

  /** Puts v into the queue for the leaf it wants most, or out of it. A leaf without
   *  friends is worth no more than a friend's leaf beside it, or than the own one without the friends in it. */
  private ask(v: number): void {
    const { homes, queue, price } = this;
    const hope = this.gains.anywhere(v) - this.toll[v]!;
    if (hope <= 0) {
      this.known[v] = bounded;
      this.lean[v] = hope;
      queue.remove(v);
      return;
    }
    const worth = this.worth;
    const own = this.leafOf[v]!;
    const home = homes.leaf[v]!;
    const atHome = home === own;
    const charge = price * homes.users[v]!;
    worth.lookAt(v);
    const here = worth.of(own);
    let most = -leafValue * worth.tieWeightIn(own);
    let best = -1;
    let bestGain = 0;
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      if (leaf === own) continue;
      const gain = worth.of(leaf) - here - (atHome ? charge : leaf === home ? -charge : 0);
      if (gain > most) most = gain;
      if (gain < bestGain || gain <= 0 || (gain === bestGain && leaf > best)) continue;
      best = leaf;
      bestGain = gain;
    }
    worth.forget();
    this.known[v] = exact;
    this.lean[v] = atHome || home < 0 ? most : most + charge;
    if (best >= 0) queue.put(v, bestGain / Math.max(this.least, this.cost(v, best)));
    else queue.remove(v);
  }

  /** v has come from `from`: of its friends those are asked who may want something now. Of v itself nothing is known. */
  private askAround(v: number, from: number): void {
    const { rowStart, neighbour, tieWeight } = this.graph;
    this.lean[v] = Infinity;
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      if (this.mayWant(neighbour[k]!, tieWeight[k]!, from, this.leafOf[v]!)) this.ask(neighbour[k]!);
    }
  }

  /** Whether u may gain by moving, now that a friend has gone from one leaf to another. The most that can add to what any
   *  leaf gains it is what it adds to the friend's new one. */
  private mayWant(u: number, tieWeight: number, from: number, to: number): boolean {
    const { graph, lean } = this;
    const worthAt = this.worthAt;
    if (friendsOf(graph, u) > this.friendsMax) return false;
    if (this.known[u] === unknown) return true;
    const own = this.leafOf[u]!;
    const nearer = worthAt[0]! - worthAt[32 - Math.clz32(from ^ to)]!;
    const lost = worthAt[32 - Math.clz32(own ^ to)]! - worthAt[32 - Math.clz32(own ^ from)]!;
    if (nearer > lost) lean[u]! += tieWeight * (nearer - lost); // what it takes may be in the lean already: both of two who swap have friends
    if (lean[u]! > 0) return true;
    this.known[u] = bounded;
    this.queue.remove(u);
    return false;
  }

  /** Sets `to` and `other`. */
  private choose(v: number): void {
    const { worth, room, budget, homes, leafOf, wanted, wantedGain } = this;
    this.to = -1;
    this.other = -1;
    let best = 0;
    const from = leafOf[v]!;
    worth.lookAt(v);
    const count = this.noteWanted(v);
    for (let i = 0; i < count; i++) {
      const leaf = wanted[i]!;
      const gain = wantedGain[i]!;
      if (!room.allows(v, from, leaf)) {
        best = this.chooseSwap(v, leaf, gain, best);
        continue;
      }
      const value = gain / Math.max(this.least, this.cost(v, leaf));
      if (value <= best || !budget.allows(homes, v, from, leaf)) continue;
      best = value;
      this.to = leaf;
      this.other = -1;
    }
    if (this.to < 0 && count === leavesTried) this.to = this.roomElsewhere(v);
    worth.forget();
  }

  /** Leaves of v's friends where v would gain; returns how many. */
  private noteWanted(v: number): number {
    const { worth } = this;
    const wanted = this.wanted;
    const wantedGain = this.wantedGain;
    const own = this.leafOf[v]!;
    const here = worth.of(own);
    let count = 0;
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      if (leaf === own) continue;
      const gain = worth.of(leaf) - here - this.priceOf(v, leaf);
      if (gain <= 0) continue;
      let at = count;
      while (at > 0 && (wantedGain[at - 1]! < gain || (wantedGain[at - 1] === gain && wanted[at - 1]! > leaf))) at--;
      if (at === leavesTried) continue;
      count = Math.min(count + 1, leavesTried);
      wanted.copyWithin(at + 1, at, count - 1);
      wantedGain.copyWithin(at + 1, at, count - 1);
      wanted[at] = leaf;
      wantedGain[at] = gain;
    }
    return count;
  }

  /** Whether somebody in `leaf` should change places with v, for more than `best` a share of the budget; returns the more. */
  private chooseSwap(v: number, leaf: number, gainV: number, best: number): number {
    const { graph, members, gains, toll, leafMost, room, budget, homes } = this;
    const from = this.leafOf[v]!;
    const up = 32 - Math.clz32(from ^ leaf);
    const place = leaf * this.height + up - 1;
    if (gainV + leafMost[place]! <= 0 || this.weighed >= (weighedPerTie * graph.neighbour.length) / 2) return best;
    const costV = this.cost(v, leaf);
    let most = best;
    let gainsMost = -Infinity;
    for (let u = members.first(leaf); u >= 0; u = members.after(u)) {
      const gainU = gains.at(u, up) - toll[u]!;
      if (gainU <= gainsMost && gainV + gainU <= 0) continue;
      if (friendsOf(graph, u) > this.friendsMaxSwapped) continue;
      if (gainU > gainsMost) gainsMost = gainU;
      const gainMost = gainV + gainU;
      if (gainMost <= 0) continue;
      const costBoth = Math.max(this.least, costV + this.cost(u, from));
      if (gainMost < most * costBoth || !room.allowsSwap(v, from, u, leaf)) continue;
      const value = this.gainOfSwap(v, u, gainV) / costBoth;
      if (value < most || (value === most && (this.to !== leaf || u > this.other))) continue;
      if (!budget.allowsSwap(homes, v, from, u, leaf)) continue;
      most = value;
      this.to = leaf;
      this.other = u;
    }
    leafMost[place] = gainsMost;
    return most;
  }

  /** What both gain by changing places, v alone gaining `gainV`. A tie between the two gains nothing. */
  private gainOfSwap(v: number, u: number, gainV: number): number {
    const { leafOf, worthAt } = this;
    const { rowStart, neighbour, tieWeight } = this.graph;
    const here = leafOf[u]!;
    const there = leafOf[v]!;
    const end = rowStart[u + 1]!;
    this.weighed += end - rowStart[u]!;
    let gain = gainV - this.priceOf(u, there);
    for (let k = rowStart[u]!; k < end; k++) {
      const friend = neighbour[k]!;
      const at = leafOf[friend]!;
      const worthHere = worthAt[32 - Math.clz32(at ^ here)]!;
      if (friend === v) gain -= tieWeight[k]! * (worthAt[0]! - worthAt[32 - Math.clz32(here ^ there)]!);
      else gain += tieWeight[k]! * (worthAt[32 - Math.clz32(at ^ there)]! - worthHere);
    }
    return gain;
  }

  /** Of all leaves where v would gain, the one where it gains most among those that may take it; -1: none. */
  private roomElsewhere(v: number): number {
    const { worth, room, budget, homes } = this;
    const own = this.leafOf[v]!;
    const here = worth.of(own);
    let best = -1;
    let bestGain = 0;
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      if (leaf === own) continue;
      const gain = worth.of(leaf) - here - this.priceOf(v, leaf);
      if (gain < bestGain || gain <= 0 || (gain === bestGain && leaf > best)) continue;
      if (!room.allows(v, own, leaf) || !budget.allows(homes, v, own, leaf)) continue;
      best = leaf;
      bestGain = gain;
    }
    return best;
  }

  private move(v: number, to: number): void {
    const { leafOf } = this;
    const from = leafOf[v]!;
    this.room.move(v, from, to);
    this.budget.spend(this.homes, v, from, to);
    this.members.move(v, from, to);
    this.known[v] = unknown;
    leafOf[v] = to;
    this.toll[v] = this.tollOf(v);
    this.tellFriends(v, from);
  }

  /** v has come from `from`: what it and its friends gain at most is another. */
  private tellFriends(v: number, from: number): void {
    const { graph, gains, leafOf } = this;
    const { rowStart, neighbour, tieWeight } = graph;
    const to = leafOf[v]!;
    if (friendsOf(graph, v) <= this.friendsMax) gains.recount(v);
    this.raise(v);
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      const u = neighbour[k]!;
      if (friendsOf(graph, u) > this.friendsMax) continue;
      gains.friendMoved(u, tieWeight[k]!, from, to);
      this.raise(u);
    }
  }

  /** u may gain more than anybody in its leaf did. */
  private raise(u: number): void {
    const { graph, gains, toll, leafMost, height } = this;
    if (friendsOf(graph, u) > this.friendsMaxSwapped) return;
    const row = this.leafOf[u]! * height - 1;
    for (let up = 1; up <= height; up++) {
      const gain = gains.at(u, up) - toll[u]!;
      if (gain > leafMost[row + up]!) leafMost[row + up] = gain;
    }
  }

  private tollOf(v: number): number {
    const home = this.homes.leaf[v]!;
    if (home < 0) return 0;
    return home === this.leafOf[v] ? this.price * this.homes.users[v]! : -this.price * this.homes.users[v]!;
  }

  private priceOf(v: number, leaf: number): number {
    return wayFrom(this.homes, v, this.leafOf[v]!, leaf) * this.price * this.homes.users[v]!;
  }

  private cost(v: number, to: number): number {
    return wayFrom(this.homes, v, this.leafOf[v]!, to) * this.share[v]!;
  }
}

function friendsOf({ rowStart }: Graph, v: number): number {
  return rowStart[v + 1]! - rowStart[v]!;
}
