/** Refinement of a tree that must change little. Every move is paid from a budget, so moves are made in the order of what
 *  they gain for what they cost, and those that cost nothing (newcomers, users returning home) come first. A move must
 *  also be worth leaving home for: a soft bonus on the old leaf, in proportion to the ties a user has. Declined: visiting
 *  users in a shuffled order as the refinement of a build does; the budget is then spent on whoever comes first. */

import type { TreeBounds } from './balance.ts';
import type { Graph } from './graph.ts';
import { LeafWorth, TreeRoom } from './leaf-worth.ts';
import { type Homes, leastShare, type MoveBudget, shareOf, wayFrom } from './move-budget.ts';
import { NodeQueue } from './node-queue.ts';

/** Whoever has more friends is asked again only when its turn comes, not whenever one of them moves. */
const friendsMax = 256;

export interface Stay {
  readonly homes: Homes;
  readonly budget: MoveBudget;
  readonly bonus: number; // levels a user must come nearer to the average friend before it leaves home
}

/** Moves nodes of `graph` between leaves, in place; returns how many moves were made. */
export function refineWithin(graph: Graph, leafOf: Uint32Array, bounds: TreeBounds, stay: Stay): number {
  const { homes, budget, bonus } = stay;
  const { rowStart, neighbour } = graph;
  const room = new TreeRoom(graph, leafOf, bounds);
  const worth = new LeafWorth(graph, leafOf, bounds.height);
  const queue = new NodeQueue(graph.nodeCount);
  const target = new Uint32Array(graph.nodeCount); // [node in the queue] where it would go

  const least = leastShare(budget);
  const cost = (v: number, to: number): number => {
    const way = wayFrom(homes, v, leafOf[v]!, to);
    return Math.max(least, shareOf(budget, way * homes.users[v]!, way * homes.weight[v]!));
  };

  /** Puts v into the queue for its best move, or out of it; returns the priority it has there. */
  const judge = (v: number): number => {
    const own = leafOf[v]!;
    worth.lookAt(v);
    let bestPriority = 0;
    const here = worth.of(own);
    const leaving = homes.leaf[v] === own ? bonus * worth.tieWeight : 0;
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      if (leaf === own) continue;
      const gain = worth.of(leaf) - here - leaving;
      if (gain <= 0) continue;
      const priority = gain / cost(v, leaf);
      if (priority <= bestPriority || !room.allows(v, own, leaf) || !budget.allows(homes, v, own, leaf)) continue;
      bestPriority = priority;
      target[v] = leaf;
    }
    worth.forget();
    if (bestPriority > 0) queue.put(v, bestPriority);
    else queue.remove(v);
    return bestPriority;
  };

  for (let v = 0; v < graph.nodeCount; v++) judge(v);
  let moves = 0;
  for (let v = queue.take(); v >= 0; v = queue.take()) {
    if (rowStart[v + 1]! - rowStart[v]! > friendsMax) {
      const before = queue.priorityOf(v);
      if (judge(v) < before) continue;
      queue.remove(v);
    }
    const from = leafOf[v]!;
    const to = target[v]!;
    if (!room.allows(v, from, to) || !budget.allows(homes, v, from, to)) {
      judge(v); // something else may do
      continue;
    }
    room.move(v, from, to);
    budget.spend(homes, v, from, to);
    leafOf[v] = to;
    moves++;
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      const u = neighbour[k]!;
      if (rowStart[u + 1]! - rowStart[u]! <= friendsMax) judge(u);
    }
  }
  return moves;
}
