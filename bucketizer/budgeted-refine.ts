/** Refinement of a tree that must change little. Every move is paid from a budget, so moves are made in the order of what
 *  they gain for what they cost, and those that cost nothing (newcomers, users returning home) come first. A move must
 *  also be worth leaving home for: the price of it is the same for everyone, for so is what it takes from the budget.
 *  Where the leaf that a node wants is full, as leaves nearly all are where buckets are small, it changes places with
 *  whom both gain most by. Declined: visiting users in a shuffled order as the refinement of a build does; the budget is
 *  then spent on whoever comes first. */

import type { TreeBounds } from './balance.ts';
import type { Graph } from './graph.ts';
import { LeafWorth, leafValue, TreeRoom, worthByMeeting } from './leaf-worth.ts';
import { type Homes, leastShare, type MoveBudget, shareOf, wayFrom } from './move-budget.ts';
import { NodeQueue } from './node-queue.ts';
import { LeafMembers } from './swap.ts';

/** Whoever has more is asked again only when its turn comes, not whenever one of them moves, and gives up its place to nobody. */
const friendsMax = 64;

const leavesTried = 4;

/** The search ends after so many tries in vain for every newcomer and user whom the budget has room for (or is over by);
 *  where moves are found it goes on. */
const triesPerUser = 2;
const triesPerMove = 8;

/** Nobody is asked to change places any more once so many ties for each that there is were looked at: of popular users'
 *  leaves nearly everyone refuses. */
const weighedPerTie = 4;

export interface Stay {
  readonly homes: Homes;
  readonly budget: MoveBudget;
  readonly price: number; // what must be gained for every user that leaves home, in tie weight times levels
}

/** Moves nodes of `graph` between leaves, in place; returns how many moved. */
export function refineWithin(
  graph: Graph,
  leafOf: Uint32Array,
  bounds: TreeBounds,
  { homes, budget, price }: Stay,
): number {
  const { nodeCount: n, rowStart, neighbour, tieWeight } = graph;
  const { height } = bounds;
  const room = new TreeRoom(graph, leafOf, bounds);
  const worth = new LeafWorth(graph, leafOf, height);
  const members = new LeafMembers(leafOf, 1 << height);
  const queue = new NodeQueue(n);
  const worthAt = worthByMeeting(height);
  const lean = new Float64Array(n).fill(Infinity); // [node] what it gained at most, in any other leaf, when last asked

  const priceOf = (v: number, leaf: number): number => wayFrom(homes, v, leafOf[v]!, leaf) * price * homes.users[v]!;
  const least = leastShare(budget);
  const cost = (v: number, to: number): number => {
    const way = wayFrom(homes, v, leafOf[v]!, to);
    return shareOf(budget, way * homes.users[v]!, way * homes.weight[v]!);
  };

  /** Puts v into the queue for the leaf it wants most, or out of it; returns the priority it has there. A leaf without
   *  friends is worth no more than a friend's leaf beside it, or than the own one without the friends in it. */
  const judge = (v: number): number => {
    const own = leafOf[v]!;
    worth.lookAt(v);
    const here = worth.of(own);
    let most = -leafValue * worth.tieWeightIn(own);
    let best = -1;
    let bestGain = 0;
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      if (leaf === own) continue;
      const gain = worth.of(leaf) - here - priceOf(v, leaf);
      if (gain > most) most = gain;
      if (gain < bestGain || gain <= 0 || (gain === bestGain && leaf > best)) continue;
      best = leaf;
      bestGain = gain;
    }
    worth.forget();
    lean[v] = homes.leaf[v] === own ? most : most + price * homes.users[v]!;
    const priority = best < 0 ? 0 : bestGain / Math.max(least, cost(v, best));
    if (priority > 0) queue.put(v, priority);
    else queue.remove(v);
    return priority;
  };

  /** Leaves of v's friends where v would gain, best first. */
  const wantedLeaves = (v: number): { leaf: number; gain: number }[] => {
    const own = leafOf[v]!;
    worth.lookAt(v);
    const here = worth.of(own);
    const wanted: { leaf: number; gain: number }[] = [];
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      const gain = worth.of(leaf) - here - priceOf(v, leaf);
      if (leaf !== own && gain > 0) wanted.push({ leaf, gain });
    }
    worth.forget();
    return wanted.sort((a, b) => b.gain - a.gain || a.leaf - b.leaf);
  };

  const weighedMax = (weighedPerTie * neighbour.length) / 2;
  let weighed = 0;

  /** What both gain by changing places, v alone gaining `gainV`. A tie between the two gains nothing. */
  const gainOfSwap = (v: number, u: number, gainV: number): number => {
    const here = leafOf[u]!;
    const there = leafOf[v]!;
    let gain = gainV - priceOf(u, there);
    weighed += rowStart[u + 1]! - rowStart[u]!;
    for (let k = rowStart[u]!; k < rowStart[u + 1]!; k++) {
      const friend = neighbour[k]!;
      const at = leafOf[friend]!;
      const worthHere = worthAt[32 - Math.clz32(at ^ here)]!;
      if (friend === v) gain -= tieWeight[k]! * (worthAt[0]! - worthAt[32 - Math.clz32(here ^ there)]!);
      else gain += tieWeight[k]! * (worthAt[32 - Math.clz32(at ^ there)]! - worthHere);
    }
    return gain;
  };

  let to = -1; // where the node at hand goes best; -1: nowhere
  let other = -1; // with whom it changes places there; -1: nobody has to make room

  const choose = (v: number): void => {
    to = -1;
    other = -1;
    let best = 0;
    const from = leafOf[v]!;
    for (const [i, { leaf, gain: gainV }] of wantedLeaves(v).entries()) {
      if (i >= leavesTried && to >= 0) break;
      const costV = cost(v, leaf);
      if (room.allows(v, from, leaf)) {
        const value = gainV / Math.max(least, costV);
        if (value <= best || !budget.allows(homes, v, from, leaf)) continue;
        best = value;
        to = leaf;
        other = -1;
        continue;
      }
      if (i >= leavesTried || weighed >= weighedMax) continue;
      for (let u = members.first(leaf); u >= 0; u = members.after(u)) {
        if (rowStart[u + 1]! - rowStart[u]! > friendsMax) continue;
        const costBoth = Math.max(least, costV + cost(u, from));
        if (gainV + lean[u]! <= best * costBoth || !room.allowsSwap(v, from, u, leaf)) continue;
        const value = gainOfSwap(v, u, gainV) / costBoth;
        if (value <= best || !budget.allowsSwap(homes, v, from, u, leaf)) continue;
        best = value;
        to = leaf;
        other = u;
      }
    }
  };

  const move = (v: number, from: number, to: number): void => {
    room.move(v, from, to);
    budget.spend(homes, v, from, to);
    members.move(v, from, to);
    leafOf[v] = to;
  };
  const askFriends = (v: number): void => {
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      const u = neighbour[k]!;
      if (rowStart[u + 1]! - rowStart[u]! <= friendsMax) judge(u);
    }
  };

  let newcomers = 0;
  for (let v = 0; v < n; v++) {
    judge(v);
    if (homes.leaf[v]! < 0) newcomers++;
  }
  let moved = 0;
  let tries = triesPerUser * (newcomers + Math.abs(budget.usersMax - budget.usersMoved));
  for (let v = queue.take(); v >= 0 && tries > 0; v = queue.take()) {
    if (rowStart[v + 1]! - rowStart[v]! > friendsMax) {
      const before = queue.priorityOf(v);
      if (judge(v) < before) continue;
      queue.remove(v);
    }
    choose(v);
    if (to < 0) {
      tries--;
      continue;
    }
    const from = leafOf[v]!;
    const partner = other;
    move(v, from, to);
    if (partner >= 0) move(partner, to, from);
    moved += partner < 0 ? 1 : 2;
    tries += triesPerMove;
    askFriends(v);
    if (partner >= 0) askFriends(partner);
  }
  return moved;
}
