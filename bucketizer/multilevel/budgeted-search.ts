/** Refinement of a tree that must change little. Every move is paid from a budget, so moves are made in the order of what
 *  they gain for what they cost, and those that cost nothing (newcomers, users returning home) come first. A move must
 *  also be worth leaving home for: the price of it is the same for everyone, for so is what it takes from the budget.
 *  Where the leaf that a node wants is full, as leaves nearly all are where buckets are small, it changes places with
 *  whom both gain most by. Declined: visiting users in a shuffled order as the refinement of a build does; the budget is
 *  then spent on whoever comes first. */

import { GainBounds } from './gain-bounds.ts';
import { degreesOf, type Graph } from './graph.ts';
import { LeafMembers } from './leaf-members.ts';
import { gainInPlaceOf, LeafWorth, leafValue, meetingOf, worthByMeeting } from './leaf-worth.ts';
import { type Doubles, doubles, type Nodes, type Sides, sides, toSide } from './memory.ts';
import { type Homes, type MoveBudget, wayFrom } from './move-budget.ts';
import { NodeQueue } from './node-queue.ts';
import { type TreeBounds, TreeRoom } from './tree-room.ts';
import { WantedLeaves } from './wanted-leaves.ts';

/** Whoever has more friends than these, and than so many times the mean, stays: popular users are at home nowhere, to ask
 *  them takes as long as to ask all others, and whom they come nearer to they leave as many behind. */
const movedFriendsMax: f64 = 64;
const movedTimesMean: f64 = 5;

/** Whoever has more than these gives up its place to nobody. */
const swappedFriendsMax: f64 = 24;
const swappedTimesMean: f64 = 2;

const leavesTried: i32 = 8;

/** Where a leaf is full another one is taken so near to it, if that is worth it. All levels find .0002 more on buckets of three
 *  users, for a twentieth more time on graphs of hubs. */
const nearLevels: i32 = 3;

/** Prices are multiples of one over this, or over less where ties are heavy, so that sums of prices and ties are exact (of
 *  users whose ties weigh less than 2^53 / 100 together): where a price that one paid and another got back left 1e-15,
 *  two users changed places again and again, each time for the better. */
const pricePartsMax: f64 = 1024;
const exactMax: f64 = 9_007_199_254_740_992; // 2^53

/** The search ends after so many tries in vain for every newcomer and user whom the budget has room for (or is over by);
 *  where moves are found it goes on. */
const triesPerUser: f64 = 2;
const triesPerMove: f64 = 4;

/** Nobody is asked to change places any more once so many ties for each that there is were looked at: of popular users'
 *  leaves nearly everyone refuses. */
const weighedPerTie: f64 = 1;

/** What is known of what a node gains at most: nothing, no more than so much, all. */
const unasked: i32 = 0;
const bounded: i32 = 1;
const exact: i32 = 2;

/** A search on `leafOf`, which it changes in place; it remembers what it knows of everyone from one price to the next. */
export class BudgetedSearch {
  private readonly graph: Graph;
  private readonly leafOf: Nodes;
  private readonly homes: Homes;
  private readonly budget: MoveBudget;
  private readonly height: i32;
  private readonly room: TreeRoom;
  private readonly worth: LeafWorth;
  private readonly worthAt: Doubles; // by meeting
  private readonly members: LeafMembers;
  private readonly queue: NodeQueue;
  private readonly friendsMax: f64; // of who moves
  private readonly friendsMaxSwapped: f64; // of who gives up its place
  private readonly gains: GainBounds;
  private readonly lean: Doubles; // [node] what it gains at most, in any other leaf
  private readonly known: Sides; // [node] of its lean
  private readonly toll: Doubles; // [node] price of going where it does not come home: below 0 where it is away
  private readonly leafMost: Doubles; // [leaf * height + levels up - 1] what anybody there gains at most by going so far; Infinity: not known
  private readonly wanted: WantedLeaves; // of the node at hand
  private readonly share: Doubles; // [node] of the budget, taken while it is away from home; 0: it has none
  private readonly least: f64;
  private readonly priceParts: f64;
  private price: f64 = 0; // what must be gained for every user that leaves home, in tie weight times levels
  private weighed: f64 = 0; // ties looked at to weigh up swaps
  private here: f64 = 0; // what its own leaf is worth to the node at hand
  private to: i32 = -1; // where it goes best; -1: nowhere
  private other: i32 = -1; // with whom it changes places there; -1: nobody has to make room

  constructor(graph: Graph, leafOf: Nodes, bounds: TreeBounds, homes: Homes, budget: MoveBudget) {
    const n = graph.nodeCount;
    const friendsMean: f64 = graph.rowStart[n]! / Math.max(1, n);
    const friendsMax = Math.max(movedFriendsMax, movedTimesMean * friendsMean);
    this.graph = graph;
    this.leafOf = leafOf;
    this.homes = homes;
    this.budget = budget;
    this.height = bounds.height;
    this.room = new TreeRoom(graph, leafOf, bounds);
    this.worth = new LeafWorth(graph, leafOf, bounds.height);
    this.worthAt = worthByMeeting(bounds.height);
    this.members = new LeafMembers(leafOf, 1 << bounds.height);
    this.queue = new NodeQueue(n);
    this.friendsMax = friendsMax;
    this.friendsMaxSwapped = Math.max(swappedFriendsMax, swappedTimesMean * friendsMean);
    this.gains = new GainBounds(graph, leafOf, bounds.height, friendsMax);
    this.lean = doubles(n);
    this.known = sides(n);
    this.toll = doubles(n);
    this.leafMost = doubles(bounds.height << bounds.height);
    this.wanted = new WantedLeaves(leavesTried);
    this.share = sharesOf(homes, budget, n);
    this.least = budget.leastShare();
    this.priceParts = pricePartsOf(graph, bounds.height);
  }

  /** Moves nodes between leaves; returns how many moved. */
  refine(price: f64): i32 {
    const queue = this.queue;
    this.askAll(Math.ceil(price * this.priceParts) / this.priceParts);
    this.weighed = 0;
    let moved = 0;
    let tries: f64 = triesPerUser * (this.newcomers() + Math.abs(this.budget.usersMax - this.budget.usersMoved));
    for (let v = queue.take(); v >= 0 && tries > 0; v = queue.take()) {
      this.choose(v);
      const to = this.to;
      const other = this.other;
      if (to < 0) {
        tries--;
        continue;
      }
      const from = this.leafOf[v]!;
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
  follow(v: i32, leaf: i32): void {
    const rowStart = this.graph.rowStart;
    const neighbour = this.graph.neighbour;
    const tieWeight = this.graph.tieWeight;
    const known = this.known;
    const from = this.leafOf[v]!;
    this.settle(v, from, leaf);
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      if (this.mayWant(neighbour[k]!, tieWeight[k]!, from, leaf)) known[neighbour[k]!] = toSide(unasked);
    }
  }

  private newcomers(): i32 {
    let count = 0;
    for (let v = 0; v < this.graph.nodeCount; v++) if (this.homes.leaf[v]! < 0) count++;
    return count;
  }

  /** Everyone is in the queue, or not, by the price. Those at home and newcomers want the same leaf at any price. */
  private askAll(price: f64): void {
    const lean = this.lean;
    const known = this.known;
    const homes = this.homes;
    const dearer = price - this.price;
    this.price = price;
    this.leafMost.fill(Infinity, 0, this.leafMost.length);
    for (let v = 0; v < this.graph.nodeCount; v++) {
      if (friendsOf(this.graph, v) > this.friendsMax) continue;
      this.toll[v] = this.tollOf(v);
      const home = homes.leaf[v]!;
      if (home >= 0) lean[v] = lean[v]! - dearer * homes.users[v]!;
      const away = home >= 0 && home !== this.leafOf[v]!;
      if (away || known[v] === unasked || (known[v] === bounded && lean[v]! > 0)) this.ask(v);
      else if (lean[v]! > 0) this.queue.put(v, lean[v]! / Math.max(this.least, this.share[v]!));
      else this.queue.remove(v);
    }
  }

  /** Puts v into the queue for the leaf it wants most, or out of it. A leaf without
   *  friends is worth no more than a friend's leaf beside it, or than the own one without the friends in it. */
  private ask(v: i32): void {
    const worth = this.worth;
    const toll = this.toll[v]!;
    const hope = this.gains.anywhere(v) - toll;
    if (hope <= 0) {
      this.known[v] = toSide(bounded);
      this.lean[v] = hope;
      this.queue.remove(v);
      return;
    }
    const own = this.leafOf[v]!;
    const home = this.homes.leaf[v]!;
    worth.lookAt(v);
    const here = worth.of(own);
    let most: f64 = -leafValue * worth.tieWeightIn(own);
    let best = -1;
    let bestGain: f64 = 0;
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      if (leaf === own) continue;
      const gain = worth.of(leaf) - here - (toll > 0 || leaf === home ? toll : 0);
      if (gain > most) most = gain;
      if (gain < bestGain || gain <= 0 || (gain === bestGain && leaf > best)) continue;
      best = leaf;
      bestGain = gain;
    }
    worth.forget();
    this.known[v] = toSide(exact);
    this.lean[v] = toll < 0 ? most - toll : most;
    if (best >= 0) this.queue.put(v, bestGain / Math.max(this.least, this.cost(v, best)));
    else this.queue.remove(v);
  }

  /** v has come from `from`: of its friends those are asked who may want something now. Of v itself nothing is known. */
  private askAround(v: i32, from: i32): void {
    const rowStart = this.graph.rowStart;
    const neighbour = this.graph.neighbour;
    const tieWeight = this.graph.tieWeight;
    this.lean[v] = Infinity;
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      if (this.mayWant(neighbour[k]!, tieWeight[k]!, from, this.leafOf[v]!)) this.ask(neighbour[k]!);
    }
  }

  /** Whether u may gain by moving, now that a friend has gone from one leaf to another. The most that can add to what any
   *  leaf gains it is what it adds to the friend's new one. */
  private mayWant(u: i32, tieWeight: f64, from: i32, to: i32): boolean {
    const lean = this.lean;
    const worthAt = this.worthAt;
    if (friendsOf(this.graph, u) > this.friendsMax) return false;
    if (this.known[u] === unasked) return true;
    const own = this.leafOf[u]!;
    const nearer = worthAt[0]! - worthAt[meetingOf(from, to)]!;
    const lost = worthAt[meetingOf(own, to)]! - worthAt[meetingOf(own, from)]!;
    if (nearer > lost) lean[u] = lean[u]! + tieWeight * (nearer - lost); // what it takes may be in the lean already: both of two who swap have friends
    if (lean[u]! > 0) return true;
    this.known[u] = toSide(bounded);
    this.queue.remove(u);
    return false;
  }

  /** Sets `to` and `other`. */
  private choose(v: i32): void {
    const from = this.leafOf[v]!;
    this.to = -1;
    this.other = -1;
    let best: f64 = 0;
    this.worth.lookAt(v);
    this.noteWanted(v);
    for (let i = 0; i < this.wanted.count; i++) {
      const leaf = this.wanted.leaf[i]!;
      const gain = this.wanted.gain[i]!;
      if (!this.room.allows(v, from, leaf)) {
        best = this.chooseSwap(v, leaf, gain, this.chooseNear(v, leaf, gain, best));
        continue;
      }
      const value = gain / Math.max(this.least, this.cost(v, leaf));
      if (value <= best || !this.budget.allows(this.homes, v, from, leaf)) continue;
      best = value;
      this.to = leaf;
      this.other = -1;
    }
    if (this.to < 0 && this.wanted.isFull()) this.to = this.roomElsewhere(v);
    this.worth.forget();
  }

  /** Puts the leaves of v's friends where v would gain into `wanted`. */
  private noteWanted(v: i32): void {
    const worth = this.worth;
    const wanted = this.wanted;
    const own = this.leafOf[v]!;
    const here = worth.of(own);
    this.here = here;
    wanted.clear();
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      if (leaf === own) continue;
      const gain = worth.of(leaf) - here - this.priceOf(v, leaf);
      if (gain > 0) wanted.note(leaf, gain);
    }
  }

  /** Whether v should go to the nearest leaf with room, for `leaf` has none, for more than `best` a share of the budget;
   *  returns the more. */
  private chooseNear(v: i32, leaf: i32, gainThere: f64, best: f64): f64 {
    if (gainThere / Math.max(this.least, this.cost(v, leaf)) <= best) return best; // what is near is rarely worth more
    const own = this.leafOf[v]!;
    const near = this.room.lightLeafNear(leaf, v, own, nearLevels);
    if (near === own) return best;
    const gain = this.worth.of(near) - this.here - this.priceOf(v, near);
    const value = gain / Math.max(this.least, this.cost(v, near));
    if (value <= best || !this.budget.allows(this.homes, v, own, near)) return best;
    this.to = near;
    this.other = -1;
    return value;
  }

  /** Whether somebody in `leaf` should change places with v, for more than `best` a share of the budget; returns the more. */
  private chooseSwap(v: i32, leaf: i32, gainV: f64, best: f64): f64 {
    const members = this.members;
    const from = this.leafOf[v]!;
    const up = meetingOf(from, leaf);
    const place = leaf * this.height + up - 1;
    if (gainV + this.leafMost[place]! <= 0 || this.weighed >= (weighedPerTie / 2) * this.graph.neighbour.length)
      return best;
    const costV = this.cost(v, leaf);
    let most = best;
    let gainsMost: f64 = -Infinity;
    for (let u = members.first(leaf); u >= 0; u = members.after(u)) {
      const gainU = this.gains.at(u, up) - this.toll[u]!;
      if (gainU <= gainsMost && gainV + gainU <= 0) continue;
      if (friendsOf(this.graph, u) > this.friendsMaxSwapped) continue;
      if (gainU > gainsMost) gainsMost = gainU;
      if (gainV + gainU <= 0) continue;
      const costBoth = Math.max(this.least, costV + this.cost(u, from));
      if (gainV + gainU < most * costBoth || !this.room.allowsSwap(v, from, u, leaf)) continue;
      const value = this.gainOfSwap(v, u, gainV) / costBoth;
      if (value < most || (value === most && (this.to !== leaf || u > this.other))) continue;
      if (!this.budget.allowsSwap(this.homes, v, from, u, leaf)) continue;
      most = value;
      this.to = leaf;
      this.other = u;
    }
    this.leafMost[place] = gainsMost;
    return most;
  }

  /** What both gain by changing places, v alone gaining `gainV`. */
  private gainOfSwap(v: i32, u: i32, gainV: f64): f64 {
    this.weighed += this.graph.rowStart[u + 1]! - this.graph.rowStart[u]!;
    const gainU = gainInPlaceOf(this.graph, this.leafOf, this.worthAt, u, v);
    return gainV + gainU - this.priceOf(u, this.leafOf[v]!);
  }

  /** Of all leaves where v would gain, the one where it gains most among those that may take it; -1: none. */
  private roomElsewhere(v: i32): i32 {
    const worth = this.worth;
    const own = this.leafOf[v]!;
    let best = -1;
    let bestGain: f64 = 0;
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      if (leaf === own) continue;
      const gain = worth.of(leaf) - this.here - this.priceOf(v, leaf);
      if (gain < bestGain || gain <= 0 || (gain === bestGain && leaf > best)) continue;
      if (!this.room.allows(v, own, leaf) || !this.budget.allows(this.homes, v, own, leaf)) continue;
      best = leaf;
      bestGain = gain;
    }
    return best;
  }

  private move(v: i32, to: i32): void {
    const from = this.leafOf[v]!;
    this.budget.spend(this.homes, v, from, to);
    this.settle(v, from, to);
    this.toll[v] = this.tollOf(v);
    this.raise(v, 1);
  }

  /** v lives in another leaf now: what it and its friends gain at most is another. */
  private settle(v: i32, from: i32, to: i32): void {
    const graph = this.graph;
    const tieWeight = graph.tieWeight;
    this.room.move(v, from, to);
    this.members.move(v, from, to);
    this.known[v] = toSide(unasked);
    this.leafOf[v] = to;
    if (friendsOf(graph, v) <= this.friendsMax) this.gains.recount(v);
    for (let k = graph.rowStart[v]!; k < graph.rowStart[v + 1]!; k++) {
      const u = graph.neighbour[k]!;
      if (friendsOf(graph, u) > this.friendsMax) continue;
      this.raise(u, this.gains.friendMoved(u, tieWeight[k]!, from, to));
    }
  }

  /** u may gain more than anybody in its leaf did by going so many levels up, or more. */
  private raise(u: i32, least: i32): void {
    if (friendsOf(this.graph, u) > this.friendsMaxSwapped) return;
    const leafMost = this.leafMost;
    const row = this.leafOf[u]! * this.height - 1;
    for (let up = least > 0 ? least : 1; up <= this.height; up++) {
      const gain = this.gains.at(u, up) - this.toll[u]!;
      if (gain > leafMost[row + up]!) leafMost[row + up] = gain;
    }
  }

  private tollOf(v: i32): f64 {
    const home = this.homes.leaf[v]!;
    if (home < 0) return 0;
    return this.homes.users[v]! * (home === this.leafOf[v]! ? this.price : -this.price);
  }

  private priceOf(v: i32, leaf: i32): f64 {
    return wayFrom(this.homes, v, this.leafOf[v]!, leaf) * this.price * this.homes.users[v]!;
  }

  private cost(v: i32, to: i32): f64 {
    return wayFrom(this.homes, v, this.leafOf[v]!, to) * this.share[v]!;
  }
}

function friendsOf(graph: Graph, v: i32): i32 {
  return graph.rowStart[v + 1]! - graph.rowStart[v]!;
}

function sharesOf(homes: Homes, budget: MoveBudget, n: i32): Doubles {
  const share = doubles(n);
  for (let v = 0; v < n; v++) if (homes.leaf[v]! >= 0) share[v] = budget.shareOf(homes.users[v]!, homes.weight[v]!);
  return share;
}

/** Two users' gains and prices make four sums at most. */
function pricePartsOf(graph: Graph, height: i32): f64 {
  const degree = degreesOf(graph);
  let most: f64 = 0;
  for (let v = 0; v < degree.length; v++) most = Math.max(most, degree[v]!);
  let parts = pricePartsMax;
  while (parts > 1 && 4 * most * (height + leafValue) * parts > exactMax) parts /= 2;
  return parts;
}
