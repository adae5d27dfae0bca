/** A graph as the searches see it: compressed sparse rows in typed arrays. Nodes are users, or clusters of users once
 *  contracted. */

import { type Doubles, type Nodes, roomForNodes, sumsLike, type TieSum, type TieWeights } from './memory.ts';

/** One class for all: what comes in one shape is compiled once. */
export class Graph {
  readonly nodeCount: i32;
  readonly rowStart: Nodes; // [node + 1]
  readonly neighbour: Nodes; // [rowStart[v] .. rowStart[v + 1]), each tie in both rows, no self-ties
  readonly tieWeight: TieWeights; // beside neighbour; integer > 0
  readonly nodeWeight: Doubles; // [node] integer >= 0
  readonly heaviestUser: Doubles; // [node] weight of the heaviest user within; of a user, its own weight
  degree: TieWeights | null; // what `degreesOf` returns, once somebody knows

  constructor(
    rowStart: Nodes,
    neighbour: Nodes,
    tieWeight: TieWeights,
    nodeWeight: Doubles,
    heaviestUser: Doubles,
    degree: TieWeights | null = null,
  ) {
    this.nodeCount = nodeWeight.length;
    this.rowStart = rowStart;
    this.neighbour = neighbour;
    this.tieWeight = tieWeight;
    this.nodeWeight = nodeWeight;
    this.heaviestUser = heaviestUser;
    this.degree = degree;
  }
}

/** [node] tie weight. Not a method: what comes from another thread has none. */
export function degreesOf(graph: Graph): TieWeights {
  const known = graph.degree;
  if (known !== null) return known;
  const degree = sumsLike(graph.tieWeight, graph.nodeCount);
  addUpTies(graph.rowStart, graph.tieWeight, degree);
  graph.degree = degree;
  return degree;
}

function addUpTies(rowStart: Nodes, tieWeight: TieWeights, degree: TieWeights): void {
  for (let v = 0; v < degree.length; v++) {
    const end = rowStart[v + 1]!;
    let sum: TieSum = 0;
    for (let k = rowStart[v]!; k < end; k++) sum += tieWeight[k]!;
    degree[v] = sum;
  }
}

/** [v] = v. A loop, for `Uint32Array.from` takes as long as a search. */
export function everyNode(count: i32): Nodes {
  const all = roomForNodes(count);
  for (let v = 0; v < count; v++) all[v] = v;
  return all;
}

export function sumOf(values: Doubles): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}
