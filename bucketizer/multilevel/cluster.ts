/** Coarsening: clusters of friends become nodes, so that whole communities can be weighed against each other. Labels
 *  spread along ties within a size limit (Raghavan et al. 2007; Meyerhenke, Sanders, Schulz 2014), to where these weigh
 *  most, or most for what is there: weight squared over size and ties of the cluster (after Holtgrewe, Sanders, Schulz
 *  2010). The second keeps labels from following popular users (mean locality 1.013 of METIS's against 1.010 on a
 *  friendship graph of 47,538 users); the first suits graphs that are nothing but hubs and their followers. What is left
 *  alone is then paired through a common neighbour cluster ("two-hop", LaSalle et al. 2015, in METIS 5) or, without
 *  ties, packed. Declined: heavy-edge matching, which stalls on graphs with hubs. */

import { degreesOf, everyNode, type Graph } from './graph.ts';
import {
  type Areas,
  below,
  type Chance,
  type Doubles,
  doubles,
  type Ints,
  ints,
  leadingZeros,
  type Nodes,
  nodes,
  Scratch,
  type TieWeights,
} from './memory.ts';

/** Nodes are visited in blocks that are shuffled; a whole shuffle costs a cache miss a node. */
const shuffleReach: i32 = 1024;

/** A label for every node; nodes that share one form a cluster of weight at most `weightMax` (single nodes excepted).
 *  `within`: clusters never cross its borders, where given. `byDensity`: labels go by weight of ties for the size and the
 *  ties of the cluster, else by weight alone. */
export function clusterFriends(
  graph: Graph,
  weightMax: f64,
  rounds: i32,
  chance: Chance,
  within: Areas | null = null,
  scratch: Scratch = new Scratch(),
  byDensity: boolean = true,
): Nodes {
  const n = graph.nodeCount;
  const work = new Labelling(graph, scratch);
  for (let round = 0; round < rounds; round++) {
    shuffleNearby(work.order, chance);
    if (spreadLabels(graph, weightMax, within, byDensity, work) < n * 0.02) break;
  }
  return work.label;
}

/** What rounds of one clustering share. */
class Labelling {
  readonly label: Nodes;
  readonly size: Doubles; // [label] weight
  readonly degree: TieWeights; // [node] tie weight
  readonly volume: Doubles; // [label] tie weight of its nodes
  readonly pull: TieWeights; // [label] tie weight from the node at hand; 0 between nodes
  readonly seen: Ints; // labels that pull at the node at hand
  readonly order: Nodes;

  constructor(graph: Graph, scratch: Scratch) {
    const n = graph.nodeCount;
    this.label = everyNode(n);
    this.size = scratch.doubles('size', n);
    this.degree = degreesOf(graph);
    this.volume = scratch.doubles('volume', n);
    this.pull = scratch.sums('pull', n, graph.tieWeight);
    this.seen = scratch.ints('seen', n + 1); // one more is written to than counts
    this.order = fewestTiesFirst(graph);
    this.pull.fill(0, 0, n);
    copyFirst(graph.nodeWeight, this.size, n);
    copySums(this.degree, this.volume, n);
  }
}

function copyFirst(from: Doubles, to: Doubles, n: i32): void {
  for (let v = 0; v < n; v++) to[v] = from[v]!;
}

function copySums(from: TieWeights, to: Doubles, n: i32): void {
  for (let v = 0; v < n; v++) to[v] = from[v]!;
}

/** One round: every node takes the label that suits it best; returns how many took another. */
function spreadLabels(graph: Graph, weightMax: f64, within: Areas | null, byDensity: boolean, work: Labelling): i32 {
  const n = graph.nodeCount;
  const rowStart = graph.rowStart;
  const neighbour = graph.neighbour;
  const tieWeight = graph.tieWeight;
  const nodeWeight = graph.nodeWeight;
  const label = work.label;
  const size = work.size;
  const degree = work.degree;
  const volume = work.volume;
  const pull = work.pull;
  const seen = work.seen;
  const order = work.order;
  let moved = 0;
  for (let q = 0; q < n; q++) {
    const v = order[q]!;
    const end = rowStart[v + 1]!;
    let seenCount = 0;
    for (let k = rowStart[v]!; k < end; k++) {
      const u = neighbour[k]!;
      if (within !== null && within[u] !== within[v]) continue;
      const l = label[u]!;
      const sum = pull[l]!;
      seen[seenCount] = l;
      seenCount += sum === 0 ? 1 : 0; // no branch to guess, as in `addUpRows`
      pull[l] = sum + tieWeight[k]!;
    }
    if (seenCount === 0) continue;
    const own = label[v]!;
    const weight = nodeWeight[v]!;
    const ties: f64 = degree[v]!;
    const home: f64 = pull[own]!;
    let best = own;
    let bestRating = !byDensity || home === 0 ? home : (home * home) / (size[own]! * volume[own]!);
    for (let i = 0; i < seenCount; i++) {
      const l = seen[i]!;
      const here: f64 = pull[l]!;
      pull[l] = 0;
      const together = size[l]! + weight;
      if (l === own || together > weightMax) continue;
      const rating = byDensity ? (here * here) / (together * (volume[l]! + ties)) : here;
      if (rating <= bestRating) continue;
      best = l;
      bestRating = rating;
    }
    if (best === own) continue;
    size[own] = size[own]! - weight;
    size[best] = size[best]! + weight;
    volume[own] = volume[own]! - ties;
    volume[best] = volume[best]! + ties;
    label[v] = best;
    moved++;
  }
  return moved;
}

/** Joins nodes left alone, in place: those that lean most to the same cluster, and those without ties. */
export function joinLoners(graph: Graph, label: Nodes, weightMax: f64): void {
  const n = graph.nodeCount;
  const size = doubles(n);
  const members = ints(n);
  weighLabels(graph.nodeWeight, label, size, members);
  pairLoners(graph, label, weightMax, size, members);
}

function weighLabels(nodeWeight: Doubles, label: Nodes, size: Doubles, members: Ints): void {
  for (let v = 0; v < label.length; v++) {
    const l = label[v]!;
    size[l] = size[l]! + nodeWeight[v]!;
    members[l] = members[l]! + 1;
  }
}

function pairLoners(graph: Graph, label: Nodes, weightMax: f64, size: Doubles, members: Ints): void {
  const n = graph.nodeCount;
  const rowStart = graph.rowStart;
  const neighbour = graph.neighbour;
  const nodeWeight = graph.nodeWeight;
  const waiting = ints(n); // [cluster leaned to] = label of a loner that leans there
  waiting.fill(-1, 0, n);
  let pack: i32 = -1;
  for (let v = 0; v < n; v++) {
    if (members[label[v]!] !== 1) continue;
    const first = rowStart[v]!;
    const end = rowStart[v + 1]!;
    if (first === end) {
      if (pack >= 0 && size[pack]! + nodeWeight[v]! <= weightMax / 4) {
        size[pack] = size[pack]! + nodeWeight[v]!;
        label[v] = pack;
      } else {
        pack = label[v]!;
      }
      continue;
    }
    const leansTo = label[neighbour[heaviestTie(graph.tieWeight, first, end)]!]!;
    const mate = waiting[leansTo]!;
    if (mate >= 0 && size[mate]! + nodeWeight[v]! <= weightMax) {
      size[mate] = size[mate]! + nodeWeight[v]!;
      label[v] = mate;
    } else {
      waiting[leansTo] = label[v]!;
    }
  }
}

function heaviestTie(tieWeight: TieWeights, first: i32, end: i32): i32 {
  let heaviest = first;
  for (let k = first + 1; k < end; k++) if (tieWeight[k]! > tieWeight[heaviest]!) heaviest = k;
  return heaviest;
}

/** Small moves first: users with few friends know where they belong. Counting sort by the logarithm of the degree. */
function fewestTiesFirst(graph: Graph): Nodes {
  const start = ints(34);
  countRanks(graph, start);
  for (let r = 1; r < 34; r++) start[r] = start[r]! + start[r - 1]!;
  const order = nodes(graph.nodeCount);
  listByRank(graph, start, order);
  return order;
}

function countRanks(graph: Graph, start: Ints): void {
  for (let v = 0; v < graph.nodeCount; v++) {
    const rank = rankOf(graph.rowStart, v);
    start[rank + 1] = start[rank + 1]! + 1;
  }
}

function listByRank(graph: Graph, start: Ints, order: Nodes): void {
  for (let v = 0; v < graph.nodeCount; v++) {
    const rank = rankOf(graph.rowStart, v);
    const at = start[rank]!;
    start[rank] = at + 1;
    order[at] = v;
  }
}

function rankOf(rowStart: Nodes, v: i32): i32 {
  return 32 - leadingZeros(rowStart[v + 1]! - rowStart[v]!);
}

/** Swaps each place with one at most `shuffleReach` further on. */
export function shuffleNearby(order: Nodes, chance: Chance): void {
  const n = order.length;
  for (let i = 0; i < n; i++) {
    const there = i + below(chance, shuffleReach);
    const j = there < n ? there : n - 1;
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
}
