/** A smaller graph of the same ties: one node a cluster, ties between two clusters added up. */

import { contractLarge } from './contract-large.ts';
import { Graph } from './graph.ts';
import {
  doubles,
  entriesLarge,
  firstNodes,
  firstTies,
  type Ints,
  type Nodes,
  nodes,
  roomForNodes,
  Scratch,
  sumsLike,
} from './memory.ts';
import { addUpRows, Members, Rows } from './rows.ts';

export class Contraction {
  readonly coarse: Graph;
  readonly clusterOf: Nodes; // [node of the finer graph] = node of `coarse`

  constructor(coarse: Graph, clusterOf: Nodes) {
    this.coarse = coarse;
    this.clusterOf = clusterOf;
  }
}

/** One node a label, numbered by first appearance; ties between two clusters are added up. */
export function contract(graph: Graph, label: Nodes, scratch: Scratch = new Scratch()): Contraction {
  const n = graph.nodeCount;
  const clusterOf = roomForNodes(n);
  const number = scratch.ints('number', n);
  number.fill(-1, 0, n);
  const clusters = numberClusters(label, clusterOf, number);
  const members = new Members(clusterOf, clusters, scratch);
  const pull = scratch.sums('pull', n, graph.tieWeight);
  const seen = scratch.ints('seen', n + 1); // one more is written to than counts
  pull.fill(0, 0, n);
  const entries = graph.rowStart[n]!;
  const rowStart = nodes(clusters + 1);
  const nodeWeight = doubles(clusters);
  const heaviestUser = doubles(clusters);
  const degree = sumsLike(graph.tieWeight, clusters);
  if (entries >= entriesLarge) {
    const large = contractLarge(
      graph,
      clusterOf,
      members,
      pull,
      seen,
      rowStart,
      nodeWeight,
      heaviestUser,
      degree,
      scratch,
    );
    return new Contraction(large, clusterOf);
  }
  const neighbour = scratch.ints('coarseNeighbour', entries);
  const ties = scratch.sums('coarseTie', entries, graph.tieWeight);
  const rows = new Rows(rowStart, neighbour, ties, nodeWeight, heaviestUser, degree);
  const end = addUpRows(graph, clusterOf, members, pull, seen, rows, 0, clusters);
  const coarse = new Graph(
    rowStart,
    firstNodes(neighbour, end),
    firstTies(ties, end),
    nodeWeight,
    heaviestUser,
    degree,
  );
  return new Contraction(coarse, clusterOf);
}

/** By first appearance; returns how many there are. */
function numberClusters(label: Nodes, clusterOf: Nodes, number: Ints): i32 {
  let clusters = 0;
  for (let v = 0; v < label.length; v++) {
    const l = label[v]!;
    if (number[l] === -1) number[l] = clusters++;
    clusterOf[v] = number[l]!;
  }
  return clusters;
}
