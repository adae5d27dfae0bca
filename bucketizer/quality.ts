/** How good a tree is, level by level: locality (share of tie weight whose two users are in the same tree node) and
 *  balance. The mean of locality over the levels is the one figure two trees are compared by. */

import { heaviestUsers, treeWeights } from './balance.ts';
import { type Graph, sumOf } from './multilevel/graph.ts';
import { tiesByDistance } from './multilevel/tree-ties.ts';

export interface LevelQuality {
  readonly level: number; // 0 is the root, the last the leaves
  readonly nodes: number;
  readonly locality: number; // 0..1, of tie weight; 1 where there are no ties
  readonly cutWeight: number; // tie weight between nodes of this level: fixed point in a tree, as given in a report
  readonly heaviestShare: number; // weight of the heaviest node / weight of all
  readonly imbalance: number; // heaviest node / even share - 1
  readonly heaviestUserInIt: number; // heaviest user of the heaviest node / even share
}

/** One entry a level, root first. `keptAtDistance`: as of `treeTies`, which may have counted them already. */
export function levelQuality(
  graph: Graph,
  leafOf: Uint32Array,
  height: number,
  keptAtDistance = tiesByDistance(graph, leafOf, height),
): LevelQuality[] {
  const ties = sumOf(keptAtDistance);
  const weight = treeWeights(graph.nodeWeight, leafOf, height);
  const heaviestUser = heaviestUsers(graph.nodeWeight, leafOf, height);
  const levels: LevelQuality[] = [];
  let kept = 0;
  for (let level = height; level >= 0; level--) {
    kept += keptAtDistance[height - level]!;
    levels.push({
      level,
      nodes: 1 << level,
      locality: ties === 0 ? 1 : kept / ties,
      cutWeight: (ties - kept) / 2,
      ...heaviestNode(weight, heaviestUser, level),
    });
  }
  return levels.reverse();
}

/** Mean locality over the levels below the root. */
export function meanLocality(levels: readonly LevelQuality[]): number {
  const below = levels.slice(1);
  return below.length === 0 ? 1 : below.reduce((sum, { locality }) => sum + locality, 0) / below.length;
}

function heaviestNode(
  weight: Float64Array,
  heaviestUser: Float64Array,
  level: number,
): Pick<LevelQuality, 'heaviestShare' | 'imbalance' | 'heaviestUserInIt'> {
  const first = 1 << level;
  let node = first;
  for (let t = first; t < 2 * first; t++) if (weight[t]! > weight[node]!) node = t;
  const total = weight[1]!;
  if (total === 0) return { heaviestShare: 0, imbalance: 0, heaviestUserInIt: 0 };
  const share = total / first;
  return {
    heaviestShare: weight[node]! / total,
    imbalance: weight[node]! / share - 1,
    heaviestUserInIt: heaviestUser[node]! / share,
  };
}
