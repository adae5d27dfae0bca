/** Who may be where by weight. The promise, at every node of every level: it exceeds the even share by at most 5 %, or by
 *  no more than its heaviest user weighs. The second half is what keeps it possible where users are few or one is huge,
 *  and it can always be had: the lighter child of a node within its share is within its share, so from the root down
 *  there is always a leaf that may take one more user, whoever it is (`restoreBalance`).
 *  Declined: caps that hold by luck of the search; balance is then a matter of the graph. */

import { type Graph, sumOf } from './multilevel/graph.ts';
import { imbalanceMax, maxOf } from './multilevel/half.ts';
import { TreeBounds } from './multilevel/tree-room.ts';

/** Below this share of the even one the searches let nobody go: not a promise (who has a heavy user must be short of
 *  others elsewhere), but buckets nobody lives in are buckets nothing can be steered by. */
const lightMin = 0.9;

export function treeBounds(graph: Graph, height: number): TreeBounds {
  const total = sumOf(graph.nodeWeight);
  const even = Float64Array.from({ length: height + 1 }, (_, level) => total / (1 << level));
  return new TreeBounds(
    height,
    even,
    even.map((share, level) => share * (1 + imbalanceMax * (0.5 + level / (2 * height)))),
    even.map((share) => share * lightMin),
    total / graph.nodeCount,
  );
}

/** May a node with this even share weigh `weight`, its heaviest user weighing `heaviest`? */
function withinShare(weight: number, heaviest: number, evenShare: number): boolean {
  return weight <= (1 + imbalanceMax) * evenShare || weight - heaviest <= evenShare;
}

/** Weight of every tree node: the node of level l that holds leaf b is `2^l + (b >>> (height - l))`, its parent half of
 *  that, the root 1. */
export function treeWeights(nodeWeight: Float64Array, leafOf: Uint32Array, height: number): Float64Array {
  const leaves = 1 << height;
  const weight = new Float64Array(2 * leaves);
  for (let v = 0; v < leafOf.length; v++) weight[leaves + leafOf[v]!]! += nodeWeight[v]!;
  for (let t = leaves - 1; t >= 1; t--) weight[t] = weight[2 * t]! + weight[2 * t + 1]!;
  return weight;
}

/** [tree node, numbered as above] = weight of its heaviest user. */
export function heaviestUsers(nodeWeight: Float64Array, leafOf: Uint32Array, height: number): Float64Array {
  const leaves = 1 << height;
  const heaviest = new Float64Array(2 * leaves);
  for (let v = 0; v < leafOf.length; v++) {
    const leaf = leaves + leafOf[v]!;
    if (nodeWeight[v]! > heaviest[leaf]!) heaviest[leaf] = nodeWeight[v]!;
  }
  for (let t = leaves - 1; t >= 1; t--) heaviest[t] = Math.max(heaviest[2 * t]!, heaviest[2 * t + 1]!);
  return heaviest;
}

/** Who may be moved for the sake of balance. */
export interface Movable {
  first(v: number): boolean; // goes before others
  may(v: number, from: number, to: number): boolean;
  moved(v: number, from: number, to: number): void;
}

const anybody: Movable = { first: () => false, may: () => true, moved: () => {} };

/** Moves users, in place, until the promise holds at every tree node, or nobody may be moved any more; returns how many
 *  moved. From the tree node that is too heavy those go who have the least ties there for their weight, to the nearest
 *  leaf that may take them. */
export function restoreBalance(graph: Graph, leafOf: Uint32Array, height: number, movable = anybody): number {
  const leaves = 1 << height;
  const weight = treeWeights(graph.nodeWeight, leafOf, height);
  const total = weight[1]!;
  let moved = 0;
  for (let level = 1; level <= height; level++) {
    const share = total / (1 << level);
    if (maxOf(weight.subarray(1 << level, 2 << level)) <= (1 + imbalanceMax) * share) continue;
    const members = membersByNode(leafOf, height, level);
    const arrived = new Float64Array(1 << level); // heaviest of those who moved in since, and are not among the members
    for (let i = 0; i < 1 << level; i++) {
      const node = (1 << level) + i;
      if (weight[node]! <= (1 + imbalanceMax) * share) continue;
      const leaving = easiestToMove(graph, members.user.subarray(members.start[i]!, members.start[i + 1]!), movable);
      let stayed = 0; // heaviest of those who were asked and may not be moved
      const heaviestAfter = (k: number): number => Math.max(leaving.heaviestFrom[k] ?? 0, arrived[i]!, stayed);
      for (let k = 0; k < leaving.user.length && !withinShare(weight[node]!, heaviestAfter(k), share); k++) {
        const v = leaving.user[k]!;
        const w = graph.nodeWeight[v]!;
        const leaf = nearestLeafFor(w, node, weight, height);
        if (leaf < 0 || !movable.may(v, leafOf[v]!, leaf)) {
          stayed = Math.max(stayed, w);
          continue;
        }
        movable.moved(v, leafOf[v]!, leaf);
        for (let t = leaves + leafOf[v]!; t >= 1; t >>>= 1) weight[t]! -= w;
        for (let t = leaves + leaf; t >= 1; t >>>= 1) weight[t]! += w;
        leafOf[v] = leaf;
        const host = leaf >>> (height - level);
        arrived[host] = Math.max(arrived[host]!, w);
        moved++;
      }
    }
  }
  return moved;
}

/** Users of every tree node of `level`, in user order. */
function membersByNode(leafOf: Uint32Array, height: number, level: number): { start: Uint32Array; user: Uint32Array } {
  const shift = height - level;
  const start = new Uint32Array((1 << level) + 1);
  for (let v = 0; v < leafOf.length; v++) start[(leafOf[v]! >>> shift) + 1]! += 1;
  for (let i = 0; i < 1 << level; i++) start[i + 1]! += start[i]!;
  const next = start.slice();
  const user = new Uint32Array(leafOf.length);
  for (let v = 0; v < leafOf.length; v++) user[next[leafOf[v]! >>> shift]!++] = v;
  return { start, user };
}

/** Those who go first, then by tie weight to the others per weight, ascending; weightless users never need to go.
 *  `heaviestFrom[k]`: the heaviest of `user[k]` and those after it. */
function easiestToMove(
  graph: Graph,
  users: Uint32Array,
  movable: Movable,
): { user: Uint32Array; heaviestFrom: Float64Array } {
  const among = new Set(users);
  const cost = new Map<number, number>();
  for (const v of users) {
    if (graph.nodeWeight[v] === 0) continue;
    let ties = 0;
    for (let k = graph.rowStart[v]!; k < graph.rowStart[v + 1]!; k++) {
      if (among.has(graph.neighbour[k]!)) ties += graph.tieWeight[k]!;
    }
    cost.set(v, ties / graph.nodeWeight[v]!);
  }
  const rank = (v: number): number => (movable.first(v) ? 0 : 1);
  const user = Uint32Array.from(
    [...cost.keys()].sort((a, b) => rank(a) - rank(b) || cost.get(a)! - cost.get(b)! || a - b),
  );
  const heaviestFrom = new Float64Array(user.length);
  for (let k = user.length - 1; k >= 0; k--) {
    heaviestFrom[k] = Math.max(graph.nodeWeight[user[k]!]!, heaviestFrom[k + 1] ?? 0);
  }
  return { user, heaviestFrom };
}

/** Climbs from `node`; on the far side of each ancestor walks down to the lighter child, and takes the first leaf whose
 *  path has room for `w` throughout. There always is one where the levels above are balanced: the lighter child of a node
 *  within its share is within its share. -1: none. */
function nearestLeafFor(w: number, node: number, weight: Float64Array, height: number): number {
  const leaves = 1 << height;
  const total = weight[1]!;
  const hasRoom = (t: number): boolean => {
    const share = total / (1 << (31 - Math.clz32(t)));
    return withinShare(weight[t]! + w, w, share);
  };
  for (let ancestor = node; ancestor > 1; ancestor >>>= 1) {
    let t = ancestor ^ 1;
    while (t < leaves && hasRoom(t)) t = weight[2 * t]! <= weight[2 * t + 1]! ? 2 * t : 2 * t + 1;
    if (t >= leaves && hasRoom(t)) return t - leaves;
  }
  return -1;
}
