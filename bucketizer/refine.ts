/** Refinement of a whole tree. A tie is worth one for every level at which its two users share a tree node, three at the
 *  leaf; users move to the leaf worth most to them, if every tree node on the way may take them. Bisections cannot see
 *  this: each looks at one level. Then the same on clusters of friends inside leaves (a V-cycle), which crosses valleys
 *  that single users do not. Declined: pricing a tie by distance squared and the like; the sum over levels is what the
 *  level report shows. */

import type { Random } from '../config/random.ts';
import type { TreeBounds } from './balance.ts';
import { LeafWorth, TreeRoom } from './leaf-worth.ts';
import { clusterFriends, shuffleNearby } from './multilevel/cluster.ts';
import { type Contraction, contract } from './multilevel/contract.ts';
import { everyNode, type Graph, sumOf } from './multilevel/graph.ts';

const settledShare = 0.001; // a round that moves fewer ends the refinement

/** Moves nodes of `graph` between leaves, in place; returns how many moves were made. */
export function refineTree(
  graph: Graph,
  leafOf: Uint32Array,
  bounds: TreeBounds,
  rounds: number,
  random: Random,
): number {
  const { nodeCount: n, rowStart, neighbour } = graph;
  const room = new TreeRoom(graph, leafOf, bounds);
  const worth = new LeafWorth(graph, leafOf, bounds.height);
  const order = everyNode(n);
  const asleep = new Uint8Array(n); // since it was last looked at, no friend has moved

  /** The leaf worth most to v among those that may take it; its own where none is worth more. */
  const bestLeaf = (v: number, own: number): number => {
    worth.lookAt(v);
    let best = own;
    if (worth.friendLeaves > 1 || worth.tieWeightIn(own) === 0) {
      let bestWorth = worth.of(own);
      for (let i = 0; i < worth.friendLeaves; i++) {
        const leaf = worth.friendLeaf[i]!;
        const there = worth.of(leaf);
        if (there <= bestWorth || !room.allows(v, own, leaf)) continue;
        best = leaf;
        bestWorth = there;
      }
    }
    worth.forget();
    return best;
  };

  let moves = 0;
  for (let round = 0; round < rounds; round++) {
    shuffleNearby(order, random);
    let moved = 0;
    for (let q = 0; q < n; q++) {
      const v = order[q]!;
      if (asleep[v] === 1) continue;
      asleep[v] = 1;
      const own = leafOf[v]!;
      const best = bestLeaf(v, own);
      if (best === own) continue;
      room.move(v, own, best);
      leafOf[v] = best;
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
