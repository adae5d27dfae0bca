/** Coarsening: clusters of friends become nodes, so that whole communities can be weighed against each other. Labels
 *  spread along ties within a size limit (Raghavan et al. 2007; Meyerhenke, Sanders, Schulz 2014), to where these weigh
 *  most, or most for what is there: weight squared over size and ties of the cluster (after Holtgrewe, Sanders, Schulz
 *  2010). The second keeps labels from following popular users (mean locality 1.013 of METIS's against 1.010 on a
 *  friendship graph of 47,538 users); the first suits graphs that are nothing but hubs and their followers. What is left
 *  alone is then paired through a common neighbour cluster ("two-hop", Karypis and Kumar in METIS 5) or, without
 *  ties, packed. Declined: heavy-edge matching, which stalls on graphs with hubs. */

import type { Random } from '../config/random.ts';
import { entriesLarge, everyNode, type Graph, graphOf, PackedWeights, type TieWeights } from './graph.ts';
import { Scratch } from './scratch.ts';

/** Nodes are visited in blocks that are shuffled; a whole shuffle costs a cache miss a node. */
const shuffleReach = 1024;

/** What labels go by: weight of ties, or that for the size and the ties of the cluster. */
export type Rating = 'weight' | 'density';

/** A label for every node; nodes that share one form a cluster of weight at most `weightMax` (single nodes excepted).
 *  `within`: clusters never cross its borders, where given. */
export function clusterFriends(
  graph: Graph,
  weightMax: number,
  rounds: number,
  random: Random,
  within: ArrayLike<number> | null = null,
  scratch: Scratch = new Scratch(),
  rating: Rating = 'density',
): Uint32Array {
  const n = graph.nodeCount;
  const label = everyNode(n);
  const size = scratch.doubles('size', n);
  size.set(graph.nodeWeight);
  const pull = scratch.sums('pull', n, graph.tieWeight).fill(0, 0, n); // [label] tie weight from the node at hand
  const order = fewestTiesFirst(graph);
  const degree = scratch.doubles('labelledDegree', n);
  addUpTies(graph, degree);
  const volume = scratch.doubles('volume', n);
  volume.set(degree.subarray(0, n));
  const work = { label, size, degree, volume, pull, seen: scratch.ints('seen', n), order };
  for (let round = 0; round < rounds; round++) {
    shuffleNearby(order, random);
    if (spreadLabels(graph, weightMax, within, rating === 'density', work) < n * 0.02) break;
  }
  return label;
}

function addUpTies({ nodeCount: n, rowStart, tieWeight }: Graph, degree: Float64Array): void {
  for (let v = 0; v < n; v++) {
    let sum = 0;
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) sum += tieWeight[k]!;
    degree[v] = sum;
  }
}

/** What rounds of one clustering share. */
interface Labelling {
  readonly label: Uint32Array;
  readonly size: Float64Array; // [label] weight
  readonly degree: Float64Array; // [node] tie weight
  readonly volume: Float64Array; // [label] tie weight of its nodes
  readonly pull: TieWeights; // [label] tie weight from the node at hand; 0 between nodes
  readonly seen: Int32Array; // labels that pull at the node at hand
  readonly order: Uint32Array;
}

/** One round: every node takes the label that suits it best; returns how many took another. */
function spreadLabels(
  { nodeCount: n, rowStart, neighbour, tieWeight, nodeWeight }: Graph,
  weightMax: number,
  within: ArrayLike<number> | null,
  byDensity: boolean,
  { label, size, degree, volume, pull, seen, order }: Labelling,
): number {
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
      if (sum === 0) seen[seenCount++] = l;
      pull[l] = sum + tieWeight[k]!;
    }
    if (seenCount === 0) continue;
    const own = label[v]!;
    const weight = nodeWeight[v]!;
    const ties = degree[v]!;
    const home = pull[own]!;
    let best = own;
    let bestRating = !byDensity || home === 0 ? home : (home * home) / (size[own]! * volume[own]!);
    for (let i = 0; i < seenCount; i++) {
      const l = seen[i]!;
      const here = pull[l]!;
      pull[l] = 0;
      const together = size[l]! + weight;
      if (l === own || together > weightMax) continue;
      const rating = byDensity ? (here * here) / (together * (volume[l]! + ties)) : here;
      if (rating <= bestRating) continue;
      best = l;
      bestRating = rating;
    }
    if (best === own) continue;
    size[own]! -= weight;
    size[best]! += weight;
    volume[own]! -= ties;
    volume[best]! += ties;
    label[v] = best;
    moved++;
  }
  return moved;
}

/** Joins nodes left alone, in place: those that lean most to the same cluster, and those without ties. */
export function joinLoners(graph: Graph, label: Uint32Array, weightMax: number): void {
  const n = graph.nodeCount;
  const size = new Float64Array(n);
  const members = new Uint32Array(n);
  weighLabels(graph, label, size, members);
  pairLoners(graph, label, weightMax, size, members);
}

function weighLabels(
  { nodeCount: n, nodeWeight }: Graph,
  label: Uint32Array,
  size: Float64Array,
  members: Uint32Array,
): void {
  for (let v = 0; v < n; v++) {
    size[label[v]!]! += nodeWeight[v]!;
    members[label[v]!]! += 1;
  }
}

function pairLoners(
  { nodeCount: n, rowStart, neighbour, tieWeight, nodeWeight }: Graph,
  label: Uint32Array,
  weightMax: number,
  size: Float64Array,
  members: Uint32Array,
): void {
  const waiting = new Int32Array(n).fill(-1); // [cluster leaned to] = label of a loner that leans there
  let pack = -1;
  for (let v = 0; v < n; v++) {
    if (members[label[v]!] !== 1) continue;
    const first = rowStart[v]!;
    const end = rowStart[v + 1]!;
    if (first === end) {
      if (pack >= 0 && size[pack]! + nodeWeight[v]! <= weightMax / 4) {
        size[pack]! += nodeWeight[v]!;
        label[v] = pack;
      } else {
        pack = label[v]!;
      }
      continue;
    }
    const leansTo = label[neighbour[heaviestTie(tieWeight, first, end)]!]!;
    const mate = waiting[leansTo]!;
    if (mate >= 0 && size[mate]! + nodeWeight[v]! <= weightMax) {
      size[mate]! += nodeWeight[v]!;
      label[v] = mate;
    } else {
      waiting[leansTo] = label[v]!;
    }
  }
}

function heaviestTie(tieWeight: TieWeights, first: number, end: number): number {
  let heaviest = first;
  for (let k = first + 1; k < end; k++) if (tieWeight[k]! > tieWeight[heaviest]!) heaviest = k;
  return heaviest;
}

export interface Contraction {
  readonly coarse: Graph;
  readonly clusterOf: Uint32Array; // [node of the finer graph] = node of `coarse`
}

/** One node a label, numbered by first appearance; ties between two clusters are added up. */
export function contract(graph: Graph, label: Uint32Array, scratch: Scratch = new Scratch()): Contraction {
  const { nodeCount: n, tieWeight } = graph;
  const clusterOf = new Uint32Array(n);
  const clusters = numberClusters(label, clusterOf, scratch.ints('number', n).fill(-1, 0, n));
  const members = membersOf(clusterOf, clusters, scratch);
  const place = scratch.ints('place', n).fill(-1, 0, clusters);
  const entries = graph.rowStart[n]!;
  const rowStart = new Uint32Array(clusters + 1);
  const nodeWeight = new Float64Array(clusters);
  const heaviestUser = new Float64Array(clusters);
  if (entries >= entriesLarge) {
    const coarse = { rowStart, nodeWeight, heaviestUser };
    return { coarse: contractLarge(graph, clusterOf, members, place, coarse, scratch), clusterOf };
  }
  const neighbour = scratch.ints('coarseNeighbour', entries);
  const ties = scratch.sums('coarseTie', entries, tieWeight);
  const room = { rowStart, neighbour, tieWeight: ties, nodeWeight, heaviestUser };
  const end = addUp(graph, clusterOf, members, place, room, 0, clusters);
  const coarse = graphOf(
    rowStart,
    new Uint32Array(neighbour.subarray(0, end)),
    ties.slice(0, end),
    nodeWeight,
    heaviestUser,
  );
  return { coarse, clusterOf };
}

const entriesAtATime = 1 << 20;

/** Some clusters at a time, so that no more than theirs of the ties are ever held in more bytes than they need. */
function contractLarge(
  graph: Graph,
  clusterOf: Uint32Array,
  members: Members,
  place: Int32Array,
  coarse: Pick<Rows, 'rowStart' | 'nodeWeight' | 'heaviestUser'>,
  scratch: Scratch,
): Graph {
  const clusters = coarse.nodeWeight.length;
  const entries = graph.rowStart[graph.nodeCount]!;
  const neighbour = new Uint32Array(entries);
  const ties = new PackedWeights(graph.tieWeight, entries);
  for (let from = 0; from < clusters; ) {
    let to = from;
    let most = 0; // entries they may have
    for (; to < clusters && (to === from || most <= entriesAtATime); to++) most += entriesOf(graph, members, to);
    const tieWeight = scratch.sums('coarseTie', most, graph.tieWeight);
    const end = addUp(graph, clusterOf, members, place, { ...coarse, neighbour, tieWeight }, from, to);
    ties.append(tieWeight, end - coarse.rowStart[from]!);
    from = to;
  }
  const end = coarse.rowStart[clusters]!;
  return graphOf(coarse.rowStart, neighbour.subarray(0, end), ties.all(), coarse.nodeWeight, coarse.heaviestUser);
}

function entriesOf({ rowStart }: Graph, { start, member }: Members, cluster: number): number {
  let entries = 0;
  for (let m = start[cluster]!; m < start[cluster + 1]!; m++)
    entries += rowStart[member[m]! + 1]! - rowStart[member[m]!]!;
  return entries;
}

/** By first appearance; returns how many there are. */
function numberClusters(label: Uint32Array, clusterOf: Uint32Array, number: Int32Array): number {
  let clusters = 0;
  for (let v = 0; v < label.length; v++) {
    const l = label[v]!;
    if (number[l] === -1) number[l] = clusters++;
    clusterOf[v] = number[l]!;
  }
  return clusters;
}

/** Members of cluster c: `member[start[c] .. start[c + 1])`. */
interface Members {
  readonly start: Int32Array;
  readonly member: Int32Array;
}

function membersOf(clusterOf: Uint32Array, clusters: number, scratch: Scratch): Members {
  const start = scratch.ints('memberStart', clusters + 2).fill(0, 0, clusters + 2);
  countMembers(clusterOf, start);
  addUpCounts(start, clusters);
  const member = scratch.ints('member', clusterOf.length);
  listMembers(clusterOf, start, member);
  return { start, member };
}

function countMembers(clusterOf: Uint32Array, start: Int32Array): void {
  for (let v = 0; v < clusterOf.length; v++) start[clusterOf[v]! + 2]! += 1;
}

function addUpCounts(start: Int32Array, clusters: number): void {
  for (let c = 0; c < clusters; c++) start[c + 2]! += start[c + 1]!;
}

function listMembers(clusterOf: Uint32Array, start: Int32Array, member: Int32Array): void {
  for (let v = 0; v < clusterOf.length; v++) member[start[clusterOf[v]! + 1]!++] = v;
}

interface Rows {
  readonly rowStart: Uint32Array;
  readonly neighbour: Uint32Array | Int32Array;
  readonly tieWeight: TieWeights;
  readonly nodeWeight: Float64Array;
  readonly heaviestUser: Float64Array;
}

/** The rows of the clusters `from` to before `to`, into `room`, their ties from its start; returns where the last one ends.
 *  `place`: [cluster] where the row at hand has it, if at or after its start; all -1 before the first. */
function addUp(
  graph: Graph,
  clusterOf: Uint32Array,
  { start: memberStart, member }: Members,
  place: Int32Array,
  room: Rows,
  from: number,
  to: number,
): number {
  const { rowStart, neighbour, tieWeight } = graph;
  const coarseNeighbour = room.neighbour;
  const coarseTie = room.tieWeight;
  const first = room.rowStart[from]!;
  let end = first;
  for (let c = from; c < to; c++) {
    const start = end;
    let weight = 0;
    let heaviest = 0;
    for (let m = memberStart[c]!; m < memberStart[c + 1]!; m++) {
      const v = member[m]!;
      weight += graph.nodeWeight[v]!;
      if (graph.heaviestUser[v]! > heaviest) heaviest = graph.heaviestUser[v]!;
      const rowEnd = rowStart[v + 1]!;
      for (let k = rowStart[v]!; k < rowEnd; k++) {
        const d = clusterOf[neighbour[k]!]!;
        if (d === c) continue;
        const at = place[d]!;
        if (at >= start) {
          coarseTie[at - first]! += tieWeight[k]!;
          continue;
        }
        place[d] = end;
        coarseNeighbour[end] = d;
        coarseTie[end - first] = tieWeight[k]!;
        end++;
      }
    }
    room.nodeWeight[c] = weight;
    room.heaviestUser[c] = heaviest;
    room.rowStart[c + 1] = end;
  }
  return end;
}

/** Small moves first: users with few friends know where they belong. Counting sort by the logarithm of the degree. */
function fewestTiesFirst({ nodeCount: n, rowStart }: Graph): Uint32Array {
  const start = new Uint32Array(34);
  countRanks(rowStart, n, start);
  for (let r = 1; r < 34; r++) start[r]! += start[r - 1]!;
  const order = new Uint32Array(n);
  listByRank(rowStart, start, order);
  return order;
}

function countRanks(rowStart: Uint32Array, n: number, start: Uint32Array): void {
  for (let v = 0; v < n; v++) start[33 - Math.clz32(rowStart[v + 1]! - rowStart[v]!)]! += 1;
}

function listByRank(rowStart: Uint32Array, start: Uint32Array, order: Uint32Array): void {
  for (let v = 0; v < order.length; v++) order[start[32 - Math.clz32(rowStart[v + 1]! - rowStart[v]!)]!++] = v;
}

/** Swaps each place with one at most `shuffleReach` further on. */
export function shuffleNearby(order: Uint32Array, random: Random): void {
  const n = order.length;
  for (let i = 0; i < n; i++) {
    const j = Math.min(n - 1, i + Math.floor(random() * shuffleReach));
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
}
