/** Swaps within a budget: two nodes change places where the leaf that one wants is full, as full leaves nearly all are
 *  where buckets are small. Both may cost; pairs are tried in the order of what the one who wants to go would gain. */

import type { TreeBounds } from './balance.ts';
import type { Stay } from './budgeted-refine.ts';
import type { Graph } from './graph.ts';
import { LeafWorth, TreeRoom, worthByMeeting } from './leaf-worth.ts';
import { leastShare, shareOf, wayFrom } from './move-budget.ts';
import { NodeQueue } from './node-queue.ts';
import { LeafMembers } from './swap.ts';

const friendsMax = 64; // whoever has more is dear to ask, and rarely gains by giving up a place
const leavesTried = 4;
const triesPerMove = 3; // of those the budget has room for: the search ends where the budget would not

/** Swaps nodes of `graph` between leaves, in place; returns how many swaps were made. */
export function swapWithin(graph: Graph, leafOf: Uint32Array, bounds: TreeBounds, stay: Stay): number {
  const { homes, budget, bonus } = stay;
  const { nodeCount: n, rowStart, neighbour, tieWeight } = graph;
  const { height } = bounds;
  const room = new TreeRoom(graph, leafOf, bounds);
  const worth = new LeafWorth(graph, leafOf, height);
  const members = new LeafMembers(leafOf, 1 << height);
  const queue = new NodeQueue(n);
  const worthAt = worthByMeeting(height);
  const worthOf = (a: number, b: number): number => worthAt[32 - Math.clz32(a ^ b)]!;
  const priceOfLeaving = (v: number, leaf: number, ties: number): number =>
    wayFrom(homes, v, leafOf[v]!, leaf) * bonus * ties;

  const least = leastShare(budget);
  const cost = (v: number, to: number): number => {
    const way = wayFrom(homes, v, leafOf[v]!, to);
    return way * shareOf(budget, homes.users[v]!, homes.weight[v]!);
  };

  /** Leaves of v's friends where v would gain, best first. */
  const wantedLeaves = (v: number): { leaf: number; gain: number }[] => {
    const own = leafOf[v]!;
    worth.lookAt(v);
    const here = worth.of(own);
    const wanted: { leaf: number; gain: number }[] = [];
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      const gain = worth.of(leaf) - here - priceOfLeaving(v, leaf, worth.tieWeight);
      if (gain > 0) wanted.push({ leaf, gain });
    }
    worth.forget();
    return wanted.sort((a, b) => b.gain - a.gain || a.leaf - b.leaf).slice(0, leavesTried);
  };

  const gainOfSwap = (v: number, u: number, gainV: number): number => {
    const here = leafOf[u]!;
    const there = leafOf[v]!;
    let gain = gainV;
    let ties = 0;
    for (let k = rowStart[u]!; k < rowStart[u + 1]!; k++) {
      const friend = neighbour[k]!;
      const at = leafOf[friend]!;
      ties += tieWeight[k]!;
      if (friend === v) gain -= tieWeight[k]! * (worthOf(here, here) - worthOf(here, there));
      else gain += tieWeight[k]! * (worthOf(at, there) - worthOf(at, here));
    }
    return gain - priceOfLeaving(u, there, ties);
  };

  /** By the first of its wanted leaves; looked for without a list of them, for all are asked and few are asked again. */
  const judge = (v: number): void => {
    const own = leafOf[v]!;
    worth.lookAt(v);
    const here = worth.of(own);
    let best = -1;
    let bestGain = 0;
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      const gain = worth.of(leaf) - here - priceOfLeaving(v, leaf, worth.tieWeight);
      if (gain < bestGain || gain <= 0 || (gain === bestGain && leaf > best)) continue;
      best = leaf;
      bestGain = gain;
    }
    worth.forget();
    if (best < 0) queue.remove(v);
    else queue.put(v, bestGain / Math.max(least, cost(v, best)));
  };

  for (let v = 0; v < n; v++) judge(v);
  let swaps = 0;
  let tries = triesPerMove * (budget.usersMax - budget.usersMoved);
  for (let v = queue.take(); v >= 0 && tries > 0; v = queue.take(), tries--) {
    const from = leafOf[v]!;
    let other = -1;
    let best = 0;
    for (const { leaf, gain: gainV } of wantedLeaves(v)) {
      const costV = cost(v, leaf);
      for (let u = members.first(leaf); u >= 0; u = members.after(u)) {
        if (rowStart[u + 1]! - rowStart[u]! > friendsMax) continue;
        const worthPaying = gainOfSwap(v, u, gainV) / Math.max(least, costV + cost(u, from));
        if (worthPaying <= best || !room.allowsSwap(v, from, u, leaf) || !budget.allowsSwap(homes, v, from, u, leaf))
          continue;
        best = worthPaying;
        other = u;
      }
    }
    if (other < 0) continue;
    const to = leafOf[other]!;
    room.move(v, from, to);
    room.move(other, to, from);
    budget.spend(homes, v, from, to);
    budget.spend(homes, other, to, from);
    members.move(v, from, to);
    members.move(other, to, from);
    leafOf[v] = to;
    leafOf[other] = from;
    swaps++;
    for (const w of [v, other]) {
      for (let k = rowStart[w]!; k < rowStart[w + 1]!; k++) {
        const u = neighbour[k]!;
        if (rowStart[u + 1]! - rowStart[u]! <= friendsMax) judge(u);
      }
    }
  }
  return swaps;
}
