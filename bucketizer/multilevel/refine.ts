/** Refinement of a whole tree. A tie is worth one for every level at which its two users share a tree node, three at the
 *  leaf; users move to the leaf worth most to them, if every tree node on the way may take them. Bisections cannot see
 *  this: each looks at one level. Declined: pricing a tie by distance squared and the like; the sum over levels is what the
 *  level report shows. */

import { shuffleNearby } from './cluster.ts';
import { everyNode, type Graph } from './graph.ts';
import { LeafWorth } from './leaf-worth.ts';
import { type Chance, type Nodes, type Sides, sides } from './memory.ts';
import { type TreeBounds, TreeRoom } from './tree-room.ts';

export const settledShare: f64 = 0.001; // a round that moves fewer ends a search

/** Moves nodes of `graph` between leaves, in place; returns how many moves were made. */
export function refineTree(graph: Graph, leafOf: Nodes, bounds: TreeBounds, rounds: i32, chance: Chance): i32 {
  const refinement = new Refinement(graph, leafOf, bounds);
  const order = everyNode(graph.nodeCount);
  let moves = 0;
  for (let round = 0; round < rounds; round++) {
    shuffleNearby(order, chance);
    const moved = refinement.round(order);
    moves += moved;
    if (moved < graph.nodeCount * settledShare) break;
  }
  return moves;
}

class Refinement {
  private readonly graph: Graph;
  private readonly leafOf: Nodes;
  private readonly room: TreeRoom;
  private readonly worth: LeafWorth;
  private readonly asleep: Sides; // [node] 1: since it was last looked at, no friend has moved

  constructor(graph: Graph, leafOf: Nodes, bounds: TreeBounds) {
    this.graph = graph;
    this.leafOf = leafOf;
    this.room = new TreeRoom(graph, leafOf, bounds);
    this.worth = new LeafWorth(graph, leafOf, bounds.height);
    this.asleep = sides(graph.nodeCount);
  }

  /** Everyone in turn; returns how many moved. */
  round(order: Nodes): i32 {
    const asleep = this.asleep;
    const leafOf = this.leafOf;
    let moved = 0;
    for (let q = 0; q < order.length; q++) {
      const v = order[q]!;
      if (asleep[v] === 1) continue;
      asleep[v] = 1;
      const own = leafOf[v]!;
      const best = this.bestLeaf(v, own);
      if (best === own) continue;
      this.room.move(v, own, best);
      leafOf[v] = best;
      wakeFriends(this.graph, v, asleep);
      asleep[v] = 0;
      moved++;
    }
    return moved;
  }

  /** The leaf worth most to v among those that may take it; its own where none is worth more. */
  private bestLeaf(v: i32, own: i32): i32 {
    const worth = this.worth;
    worth.lookAt(v);
    let best = own;
    if (worth.friendLeaves > 1 || worth.tieWeightIn(own) === 0) {
      let bestWorth = worth.of(own);
      for (let i = 0; i < worth.friendLeaves; i++) {
        const leaf = worth.friendLeaf[i]!;
        const there = worth.of(leaf);
        if (there <= bestWorth || !this.room.allows(v, own, leaf)) continue;
        best = leaf;
        bestWorth = there;
      }
    }
    worth.forget();
    return best;
  }
}

export function wakeFriends(graph: Graph, v: i32, asleep: Sides): void {
  const rowStart = graph.rowStart;
  const neighbour = graph.neighbour;
  for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) asleep[neighbour[k]!] = 0;
}
