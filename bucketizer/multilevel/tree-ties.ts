/** What a tree's report and its file say of ties, measured in one go. */

import type { Graph } from './graph.ts';
import { meetingOf } from './leaf-worth.ts';
import { type Doubles, doubles, type Nodes } from './memory.ts';
import { type BucketTies, quotientGraph } from './quotient.ts';

export class TreeTies {
  readonly byDistance: Doubles; // [levels above the leaves at which two friends first meet] = weight of such ties, from both their ends
  readonly quotient: BucketTies;

  constructor(byDistance: Doubles, quotient: BucketTies) {
    this.byDistance = byDistance;
    this.quotient = quotient;
  }
}

export function treeTies(graph: Graph, leafOf: Nodes, height: i32): TreeTies {
  return new TreeTies(tiesByDistance(graph, leafOf, height), quotientGraph(graph, leafOf, height));
}

/** As `TreeTies.byDistance`. */
export function tiesByDistance(graph: Graph, leafOf: Nodes, height: i32): Doubles {
  const rowStart = graph.rowStart;
  const neighbour = graph.neighbour;
  const tieWeight = graph.tieWeight;
  const ties = doubles(height + 1);
  for (let v = 0; v < graph.nodeCount; v++) {
    const end = rowStart[v + 1]!;
    const leaf = leafOf[v]!;
    for (let k = rowStart[v]!; k < end; k++) {
      const distance = meetingOf(leaf, leafOf[neighbour[k]!]!);
      ties[distance] = ties[distance]! + tieWeight[k]!;
    }
  }
  return ties;
}
