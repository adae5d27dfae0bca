/** Rows of a graph contracted: the ties of a cluster's members, those to the same cluster added up. */

import { degreesOf, type Graph } from './graph.ts';
import type { Doubles, Entries, Ints, Nodes, Scratch, TieSum, TieWeights } from './memory.ts';

/** Members of cluster c: `member[start[c] .. start[c + 1])`. */
export class Members {
  readonly start: Ints;
  readonly member: Ints;

  constructor(clusterOf: Nodes, clusters: i32, scratch: Scratch) {
    this.start = scratch.ints('memberStart', clusterOf.length + 2);
    this.member = scratch.ints('member', clusterOf.length);
    this.start.fill(0, 0, clusters + 2);
    countMembers(clusterOf, this.start);
    addUpCounts(this.start, clusters);
    listMembers(clusterOf, this.start, this.member);
  }
}

function countMembers(clusterOf: Nodes, start: Ints): void {
  for (let v = 0; v < clusterOf.length; v++) start[clusterOf[v]! + 2] = start[clusterOf[v]! + 2]! + 1;
}

function addUpCounts(start: Ints, clusters: i32): void {
  for (let c = 0; c < clusters; c++) start[c + 2] = start[c + 2]! + start[c + 1]!;
}

function listMembers(clusterOf: Nodes, start: Ints, member: Ints): void {
  for (let v = 0; v < clusterOf.length; v++) {
    const at = start[clusterOf[v]! + 1]!;
    start[clusterOf[v]! + 1] = at + 1;
    member[at] = v;
  }
}

/** Room for the rows of a coarse graph. */
export class Rows {
  readonly rowStart: Nodes;
  readonly neighbour: Entries;
  readonly tieWeight: TieWeights;
  readonly nodeWeight: Doubles;
  readonly heaviestUser: Doubles;
  readonly degree: TieWeights;

  constructor(
    rowStart: Nodes,
    neighbour: Entries,
    tieWeight: TieWeights,
    nodeWeight: Doubles,
    heaviestUser: Doubles,
    degree: TieWeights,
  ) {
    this.rowStart = rowStart;
    this.neighbour = neighbour;
    this.tieWeight = tieWeight;
    this.nodeWeight = nodeWeight;
    this.heaviestUser = heaviestUser;
    this.degree = degree;
  }
}

/** The rows of the clusters `from` to before `to`, into `room`, their ties from its start; returns where the last one ends.
 *  `pull`, `seen`: scratch, [cluster]; `pull` is all 0 before and after. */
export function addUpRows(
  graph: Graph,
  clusterOf: Nodes,
  members: Members,
  pull: TieWeights,
  seen: Ints,
  room: Rows,
  from: i32,
  to: i32,
): i32 {
  const rowStart = graph.rowStart;
  const neighbour = graph.neighbour;
  const tieWeight = graph.tieWeight;
  const degree = degreesOf(graph);
  const memberStart = members.start;
  const member = members.member;
  const coarseNeighbour = room.neighbour;
  const coarseTie = room.tieWeight;
  const first: i32 = room.rowStart[from]!;
  let end: i32 = first;
  for (let c = from; c < to; c++) {
    let weight: f64 = 0;
    let heaviest: f64 = 0;
    let ties: TieSum = 0;
    let seenCount = 0;
    for (let m = memberStart[c]!; m < memberStart[c + 1]!; m++) {
      const v = member[m]!;
      weight += graph.nodeWeight[v]!;
      ties += degree[v]!;
      if (graph.heaviestUser[v]! > heaviest) heaviest = graph.heaviestUser[v]!;
      const rowEnd = rowStart[v + 1]!;
      for (let k = rowStart[v]!; k < rowEnd; k++) {
        const d = clusterOf[neighbour[k]!]!;
        const sum = pull[d]!;
        seen[seenCount] = d;
        seenCount += sum === 0 ? 1 : 0; // no branch to guess: half of the guesses would be wrong
        pull[d] = sum + tieWeight[k]!;
      }
    }
    room.degree[c] = ties - pull[c]!; // without those within
    pull[c] = 0;
    for (let i = 0; i < seenCount; i++) {
      const d = seen[i]!;
      if (d === c) continue;
      coarseNeighbour[end] = d;
      coarseTie[end - first] = pull[d]!;
      pull[d] = 0;
      end++;
    }
    room.nodeWeight[c] = weight;
    room.heaviestUser[c] = heaviest;
    room.rowStart[c + 1] = end;
  }
  return end;
}
