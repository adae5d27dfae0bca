/** A V-cycle of a tree's refinement: clusters of friends inside leaves move as a whole, which crosses valleys that single
 *  users do not. */

import type { Random } from '../config/random.ts';
import { clusterFriends } from './multilevel/cluster.ts';
import { type Contraction, contract } from './multilevel/contract.ts';
import { type Graph, sumOf } from './multilevel/graph.ts';
import { refineTree } from './multilevel/refine.ts';
import type { TreeBounds } from './multilevel/tree-room.ts';

/** Contracts clusters that lie within leaves, refines them as a whole, projects back, refines; in place. Returns how many
 *  moves were made. */
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
