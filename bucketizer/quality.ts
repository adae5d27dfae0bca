/** How good a tree is, level by level: locality (share of tie weight whose two users are in the same tree node) and
 *  balance. The mean of locality over the levels is the one figure two trees are compared by. */

import { treeWeights } from './balance.ts';
import type { Graph } from './multilevel/graph.ts';

export interface LevelQuality {
  readonly level: number; // 0 is the root, the last the leaves
  readonly nodes: number;
  readonly locality: number; // 0..1, of tie weight; 1 where there are no ties
  readonly cutWeight: number; // fixed-point tie weight between nodes of this level
  readonly heaviestShare: number; // weight of the heaviest node / weight of all
  readonly imbalance: number; // heaviest node / even share - 1
  readonly heaviestUserInIt: number; // heaviest user of the heaviest node / even share
}

/** One entry a level, root first. */
export function levelQuality(graph: Graph, leafOf: Uint32Array, height: number): LevelQuality[] {
  const keptAtDistance = new Float64Array(height + 1); // [levels above the leaves at which two friends first meet]
  let ties = 0;
  for (let v = 0; v < graph.nodeCount; v++) {
    for (let k = graph.rowStart[v]!; k < graph.rowStart[v + 1]!; k++) {
      const differ = leafOf[v]! ^ leafOf[graph.neighbour[k]!]!;
      keptAtDistance[32 - Math.clz32(differ)]! += graph.tieWeight[k]!;
      ties += graph.tieWeight[k]!;
    }
  }
  const weight = treeWeights(graph.nodeWeight, leafOf, height);
  const levels: LevelQuality[] = [];
  let kept = 0;
  for (let level = height; level >= 0; level--) {
    kept += keptAtDistance[height - level]!;
    levels.push({
      level,
      nodes: 1 << level,
      locality: ties === 0 ? 1 : kept / ties,
      cutWeight: (ties - kept) / 2,
      ...heaviestNode(graph, leafOf, weight, height, level),
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
  graph: Graph,
  leafOf: Uint32Array,
  weight: Float64Array,
  height: number,
  level: number,
): Pick<LevelQuality, 'heaviestShare' | 'imbalance' | 'heaviestUserInIt'> {
  const first = 1 << level;
  let node = first;
  for (let t = first; t < 2 * first; t++) if (weight[t]! > weight[node]!) node = t;
  const total = weight[1]!;
  if (total === 0) return { heaviestShare: 0, imbalance: 0, heaviestUserInIt: 0 };
  const user = heaviestUserIn(graph, leafOf, node - first, height - level);
  const share = total / first;
  return { heaviestShare: weight[node]! / total, imbalance: weight[node]! / share - 1, heaviestUserInIt: user / share };
}

/** In the tree node `index` of its level, `above` the leaves. */
function heaviestUserIn({ nodeWeight }: Graph, leafOf: Uint32Array, index: number, above: number): number {
  let heaviest = 0;
  for (let v = 0; v < leafOf.length; v++) {
    if (leafOf[v]! >>> above === index && nodeWeight[v]! > heaviest) heaviest = nodeWeight[v]!;
  }
  return heaviest;
}
