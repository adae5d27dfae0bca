/** Refinement of a whole tree. A tie is worth one for every level at which its two users share a tree node, three at the
 *  leaf; users move to the leaf worth most to them, if every tree node on the way may take them. Bisections cannot see
 *  this: each looks at one level. Then the same on clusters of friends inside leaves (a V-cycle), which crosses valleys
 *  that single users do not. Declined: pricing a tie by distance squared and the like; the sum over levels is what the
 *  level report shows. */

import type { Random } from '../config/random.ts';
import { type TreeBounds, treeWeights } from './balance.ts';
import { type Contraction, clusterFriends, contract, shuffleNearby } from './coarsen.ts';
import { type Graph, sumOf } from './graph.ts';

export const leafValue = 3;
const settledShare = 0.001; // a round that moves fewer ends the refinement

/** Moves nodes of `graph` between leaves, in place; returns how many moves were made. */
export function refineTree(
  graph: Graph,
  leafOf: Uint32Array,
  bounds: TreeBounds,
  rounds: number,
  random: Random,
): number {
  const { nodeCount: n, rowStart, neighbour, tieWeight, nodeWeight, heaviestUser } = graph;
  const { height, even, most, least } = bounds;
  const leaves = 1 << height;
  const weight = treeWeights(nodeWeight, leafOf, height); // tree nodes numbered as there: parent = half
  const pull = new Float64Array(2 * leaves); // [tree node] tie weight from the node at hand to users under it
  const friendLeaf = new Uint32Array(leaves);
  const order = Uint32Array.from({ length: n }, (_, v) => v);
  const asleep = new Uint8Array(n); // since it was last looked at, no friend has moved

  const worth = (leafNode: number): number => {
    let sum = (leafValue - 1) * pull[leafNode]!;
    for (let t = leafNode; t > 1; t >>>= 1) sum += pull[t]!;
    return sum;
  };

  /** Whether every tree node above `to`, and not above `from`, may take v, and every one above `from` may lose it. */
  const fits = (v: number, from: number, to: number): boolean => {
    const w = nodeWeight[v]!;
    const heaviest = heaviestUser[v]!;
    for (let t = to, f = from, level = height; t !== f; t >>>= 1, f >>>= 1, level--) {
      const room = Math.max(most[level]!, even[level]! + Math.min(bounds.userMean, heaviest), heaviest);
      if (weight[t]! + w > room) return false;
      if (weight[f]! - w < least[level]! && weight[f]! < even[level]!) return false;
    }
    return true;
  };

  let moves = 0;
  for (let round = 0; round < rounds; round++) {
    shuffleNearby(order, random);
    let moved = 0;
    for (let q = 0; q < n; q++) {
      const v = order[q]!;
      if (asleep[v] === 1) continue;
      asleep[v] = 1;
      const own = leaves + leafOf[v]!;
      let friendLeaves = 0;
      for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
        const leafNode = leaves + leafOf[neighbour[k]!]!;
        if (pull[leafNode] === 0) friendLeaf[friendLeaves++] = leafNode;
        pull[leafNode]! += tieWeight[k]!;
      }
      if (friendLeaves === 0 || (friendLeaves === 1 && friendLeaf[0] === own)) {
        pull[own] = 0;
        continue;
      }
      for (let i = 0; i < friendLeaves; i++) {
        const here = pull[friendLeaf[i]!]!;
        for (let t = friendLeaf[i]! >>> 1; t > 1; t >>>= 1) pull[t]! += here;
      }
      let best = own;
      let bestWorth = worth(own);
      for (let i = 0; i < friendLeaves; i++) {
        const leafNode = friendLeaf[i]!;
        const there = worth(leafNode);
        if (there > bestWorth && fits(v, own, leafNode)) {
          best = leafNode;
          bestWorth = there;
        }
      }
      for (let i = 0; i < friendLeaves; i++) for (let t = friendLeaf[i]!; t > 1; t >>>= 1) pull[t] = 0;
      if (best === own) continue;
      for (let t = own; t >= 1; t >>>= 1) weight[t]! -= nodeWeight[v]!;
      for (let t = best; t >= 1; t >>>= 1) weight[t]! += nodeWeight[v]!;
      leafOf[v] = best - leaves;
      for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) asleep[neighbour[k]!] = 0;
      asleep[v] = 0;
      moved++;
    }
    moves += moved;
    if (moved < n * settledShare) break;
  }
  return moves;
}

/** One V-cycle: contract clusters that lie within leaves, refine them as a whole, project back, refine; in place. */
export function refineClusters(
  graph: Graph,
  leafOf: Uint32Array,
  bounds: TreeBounds,
  rounds: number,
  random: Random,
): number {
  const clusterMax = bounds.even[bounds.height]! / 3;
  const stages: { finer: Graph; leafOf: Uint32Array; contraction: Contraction }[] = [];
  let finer = graph;
  let place = leafOf;
  for (let depth = 0; depth < 4; depth++) {
    const weightMax = Math.min(clusterMax, (4 * sumOf(finer.nodeWeight)) / finer.nodeCount);
    const contraction = contract(finer, clusterFriends(finer, weightMax, 2, random, place));
    if (contraction.coarse.nodeCount > 0.9 * finer.nodeCount) break;
    stages.push({ finer, leafOf: place, contraction });
    const coarsePlace = new Uint32Array(contraction.coarse.nodeCount);
    for (let v = 0; v < finer.nodeCount; v++) coarsePlace[contraction.clusterOf[v]!] = place[v]!;
    finer = contraction.coarse;
    place = coarsePlace;
  }
  let moves = stages.length === 0 ? 0 : refineTree(finer, place, bounds, rounds, random);
  for (const stage of stages.reverse()) {
    for (let v = 0; v < stage.finer.nodeCount; v++) stage.leafOf[v] = place[stage.contraction.clusterOf[v]!]!;
    place = stage.leafOf;
    moves += refineTree(stage.finer, place, bounds, rounds, random);
  }
  return moves;
}
