/** The two sides of a bisection: what they cut and weigh, and the best of several. */

import type { Graph } from './graph.ts';
import { type Nodes, type Sides, sides, type TieSum } from './memory.ts';

/** Tie weight between the two sides. */
export function cutOf(graph: Graph, side: Sides): f64 {
  const rowStart = graph.rowStart;
  const neighbour = graph.neighbour;
  const tieWeight = graph.tieWeight;
  let cut: f64 = 0;
  for (let v = 0; v < graph.nodeCount; v++) {
    if (side[v] !== 0) continue;
    const end = rowStart[v + 1]!;
    let across: TieSum = 0;
    for (let k = rowStart[v]!; k < end; k++) across += side[neighbour[k]!]! * tieWeight[k]!; // no branch to guess
    cut += across;
  }
  return cut;
}

/** What the heavier side weighs. */
export function heavierSide(graph: Graph, side: Sides): f64 {
  const nodeWeight = graph.nodeWeight;
  let one: f64 = 0;
  let both: f64 = 0;
  for (let v = 0; v < graph.nodeCount; v++) {
    both += nodeWeight[v]!;
    if (side[v] === 1) one += nodeWeight[v]!;
  }
  return Math.max(one, both - one);
}

export function sidesOfMembers(clusterOf: Nodes, clusterSide: Sides): Sides {
  const side = sides(clusterOf.length);
  for (let v = 0; v < clusterOf.length; v++) side[v] = clusterSide[clusterOf[v]!]!;
  return side;
}

export function sidesOfClusters(clusterOf: Nodes, side: Sides, clusters: i32): Sides {
  const clusterSide = sides(clusters);
  for (let v = 0; v < clusterOf.length; v++) clusterSide[clusterOf[v]!] = side[v]!;
  return clusterSide;
}

/** The balanced sides with the smallest cut, of those seen; without any, the least unbalanced. */
export class BestSides {
  side: Sides;
  private readonly graph: Graph;
  private readonly cap: f64;
  private excess: f64 = Infinity;
  private cut: f64 = Infinity;

  constructor(graph: Graph, cap: f64) {
    this.graph = graph;
    this.cap = cap;
    this.side = sides(graph.nodeCount);
  }

  /** Returns 1 where these are the best so far, 0 where they are as good as those, else -1. */
  see(side: Sides): i32 {
    const excess = Math.max(0, heavierSide(this.graph, side) - this.cap);
    if (excess > this.excess) return -1;
    const cut = cutOf(this.graph, side);
    if (excess === this.excess && cut >= this.cut) return cut === this.cut ? 0 : -1;
    this.side = side;
    this.excess = excess;
    this.cut = cut;
    return 1;
  }
}
