/** Contraction where memory is what counts. */

import { Graph } from './graph.ts';
import type { Doubles, Ints, Nodes, Scratch, TieWeights } from './memory.ts';
import { PackedWeights } from './packed-weights.ts';
import { addUpRows, type Members, Rows } from './rows.ts';

const entriesAtATime = 1 << 20;

/** Some clusters at a time, so that no more than theirs of the ties are ever held in more bytes than they need. Fills in
 *  `rowStart`, `nodeWeight`, `heaviestUser` and `degree` of the graph it returns. */
export function contractLarge(
  graph: Graph,
  clusterOf: Nodes,
  members: Members,
  pull: TieWeights,
  seen: Ints,
  rowStart: Nodes,
  nodeWeight: Doubles,
  heaviestUser: Doubles,
  degree: TieWeights,
  scratch: Scratch,
): Graph {
  const clusters = nodeWeight.length;
  const entries = graph.rowStart[graph.nodeCount]!;
  const neighbour = new Uint32Array(entries);
  const ties = new PackedWeights(graph.tieWeight, entries);
  for (let from = 0; from < clusters; ) {
    let to = from;
    let most = 0; // entries they may have
    for (; to < clusters && (to === from || most <= entriesAtATime); to++) most += entriesOf(graph, members, to);
    const tieWeight = scratch.sums('coarseTie', most, graph.tieWeight);
    const rows = new Rows(rowStart, neighbour, tieWeight, nodeWeight, heaviestUser, degree);
    const end = addUpRows(graph, clusterOf, members, pull, seen, rows, from, to);
    ties.append(tieWeight, end - rowStart[from]!);
    from = to;
  }
  return new Graph(rowStart, neighbour.subarray(0, rowStart[clusters]!), ties.all(), nodeWeight, heaviestUser, degree);
}

function entriesOf({ rowStart }: Graph, { start, member }: Members, cluster: number): number {
  let entries = 0;
  for (let m = start[cluster]!; m < start[cluster + 1]!; m++)
    entries += rowStart[member[m]! + 1]! - rowStart[member[m]!]!;
  return entries;
}
