/** The graph on some of a graph's nodes. */

import { Graph } from './graph.ts';
import {
  type Doubles,
  doubles,
  type Ints,
  type Nodes,
  nodes,
  roomForNodes,
  sumsLike,
  type TieSum,
  type TieWeights,
  tiesLike,
} from './memory.ts';

/** Nodes are renumbered 0.. in the order of `some`. `renumber`: scratch, [node of graph], all 0 before and after. */
export function subgraph(graph: Graph, some: Nodes, renumber: Ints): Graph {
  numberFromOne(some, renumber);
  const rowStart = partStarts(graph, some, renumber);
  const entries = rowStart[some.length]!;
  const neighbour = roomForNodes(entries);
  const tieWeight = tiesLike(graph.tieWeight, entries);
  const degree = sumsLike(tieWeight, some.length);
  copyRows(graph, some, renumber, neighbour, tieWeight, degree);
  clearNumbers(some, renumber);
  const nodeWeight = pick(graph.nodeWeight, some);
  const heaviestUser = graph.heaviestUser === graph.nodeWeight ? nodeWeight : pick(graph.heaviestUser, some);
  return new Graph(rowStart, neighbour, tieWeight, nodeWeight, heaviestUser, degree);
}

/** A loop a function, here and in the searches: they are called again and again on small graphs, and an engine that
 *  compiles a function in the midst of its first loop knows nothing of the second. */
function numberFromOne(some: Nodes, renumber: Ints): void {
  for (let i = 0; i < some.length; i++) renumber[some[i]!] = i + 1;
}

function clearNumbers(some: Nodes, renumber: Ints): void {
  for (let i = 0; i < some.length; i++) renumber[some[i]!] = 0;
}

function partStarts(graph: Graph, some: Nodes, renumber: Ints): Nodes {
  const rowStart = graph.rowStart;
  const neighbour = graph.neighbour;
  const start = nodes(some.length + 1);
  let count = 0;
  for (let i = 0; i < some.length; i++) {
    const end = rowStart[some[i]! + 1]!;
    for (let k = rowStart[some[i]!]!; k < end; k++) count += renumber[neighbour[k]!] === 0 ? 0 : 1;
    start[i + 1] = count;
  }
  return start;
}

function copyRows(
  graph: Graph,
  some: Nodes,
  renumber: Ints,
  partNeighbour: Nodes,
  partTie: TieWeights,
  partDegree: TieWeights,
): void {
  const rowStart = graph.rowStart;
  const neighbour = graph.neighbour;
  const tieWeight = graph.tieWeight;
  const entries = partNeighbour.length;
  let at = 0;
  for (let i = 0; i < some.length; i++) {
    const end = rowStart[some[i]! + 1]!;
    let sum: TieSum = 0;
    for (let k = rowStart[some[i]!]!; k < end && at < entries; k++) {
      const u = renumber[neighbour[k]!]!;
      const stays = u === 0 ? 0 : 1;
      partNeighbour[at] = u - 1; // no branch to guess: written over by the next where the friend is not among them
      partTie[at] = tieWeight[k]!;
      sum += stays * tieWeight[k]!;
      at += stays;
    }
    partDegree[i] = sum;
  }
}

function pick(values: Doubles, some: Nodes): Doubles {
  const picked = doubles(some.length);
  for (let i = 0; i < some.length; i++) picked[i] = values[some[i]!]!;
  return picked;
}
