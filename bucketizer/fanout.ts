/** p-fanout (Kabiljo et al., "Social Hash Partitioner", VLDB 2017): a user's request asks every friend with probability p,
 *  and costs one for every tree node where somebody is asked: the sum over users of sum over nodes of 1 - (1 - p)^n, n
 *  friends there. As p goes to 0 it becomes the cut of ties between users with friends in common (their Lemma 2), as p
 *  goes to 1 the plain fanout, in which a search is blind to all but the last friend; hence p = 0.5. Refines one bisection
 *  as SHP-2 does, 20 rounds, users changing sides in pairs so that balance stays; sides are balanced by weight beforehand.
 *  Friends count, tie weights do not. Declined: their random start, which their own search needs 20 rounds to mend. */

import type { Graph } from './multilevel/graph.ts';

export const fanoutProbability = 0.5;
const roundsMax = 20;
const settledShare = 0.0001;

/** Mean p-fanout of users with friends over the parts named by `partOf`, >= p. */
export function meanFanout(graph: Graph, partOf: ArrayLike<number>, p: number): number {
  const friends = new Map<number, number>();
  let sum = 0;
  let asking = 0;
  for (let q = 0; q < graph.nodeCount; q++) {
    if (graph.rowStart[q] === graph.rowStart[q + 1]) continue;
    friends.clear();
    for (let k = graph.rowStart[q]!; k < graph.rowStart[q + 1]!; k++) {
      const part = partOf[graph.neighbour[k]!]!;
      friends.set(part, (friends.get(part) ?? 0) + 1);
    }
    for (const n of friends.values()) sum += 1 - missed(p, n);
    asking++;
  }
  return asking === 0 ? 0 : sum / asking;
}

/** (1 - p)^n by squaring: Math.pow differs between Node versions. */
function missed(p: number, n: number): number {
  let power = 1;
  for (let factor = 1 - p, left = n; left > 0; left >>>= 1, factor *= factor) if (left % 2 === 1) power *= factor;
  return power;
}

/** Lowers the p-fanout of a bisection, in place; no side outgrows `cap` by it, nor what it weighed. Returns moves made. */
export function refineFanout(graph: Graph, side: Uint8Array, p: number, cap: number): number {
  const { nodeCount: n, rowStart, neighbour, nodeWeight } = graph;
  const there = [new Uint32Array(n), new Uint32Array(n)] as const; // [side][user] friends there
  const weight = [0, 0];
  let most = 0;
  for (let q = 0; q < n; q++) {
    weight[side[q]!]! += nodeWeight[q]!;
    most = Math.max(most, rowStart[q + 1]! - rowStart[q]!);
    for (let k = rowStart[q]!; k < rowStart[q + 1]!; k++) there[side[neighbour[k]!] as 0 | 1][q]! += 1;
  }
  const power = Float64Array.from({ length: most + 1 }, (_, friends) => missed(p, friends));

  /** What the sum loses if v changes sides. */
  const gainOf = (v: number): number => {
    const own = there[side[v] as 0 | 1];
    const other = there[(1 - side[v]!) as 0 | 1];
    let gain = 0;
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      const q = neighbour[k]!;
      gain += power[own[q]! - 1]! - power[other[q]!]!;
    }
    return p * gain;
  };
  const change = (v: number): void => {
    const from = side[v] as 0 | 1;
    const to = (1 - from) as 0 | 1;
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      there[from][neighbour[k]!]! -= 1;
      there[to][neighbour[k]!]! += 1;
    }
    weight[from]! -= nodeWeight[v]!;
    weight[to]! += nodeWeight[v]!;
    side[v] = to;
  };
  const fits = (v: number, u: number): boolean => {
    const shift = nodeWeight[v]! - nodeWeight[u]!;
    const from = side[v]!;
    const room = Math.max(cap, weight[0]!, weight[1]!);
    return weight[1 - from]! + shift <= room && weight[from]! - shift <= room;
  };

  let moves = 0;
  for (let round = 0; round < roundsMax; round++) {
    const gain = Float64Array.from({ length: n }, (_, v) => gainOf(v));
    const wanting = [0, 1].map((s) => {
      const users = Uint32Array.from({ length: n }, (_, v) => v).filter((v) => side[v] === s);
      return users.sort((a, b) => gain[b]! - gain[a]! || a - b);
    });
    let moved = 0;
    for (let i = 0; i < Math.min(wanting[0]!.length, wanting[1]!.length); i++) {
      const [v, u] = [wanting[0]![i]!, wanting[1]![i]!];
      if (gain[v]! + gain[u]! <= 0) break;
      if (!fits(v, u)) continue;
      const gained = gainOf(v); // as it is by now: others have moved
      change(v);
      if (gained + gainOf(u) > 0) {
        change(u);
        moved += 2;
      } else {
        change(v);
      }
    }
    moves += moved;
    if (moved <= settledShare * n) break;
  }
  return moves;
}
