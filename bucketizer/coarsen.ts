/** Coarsening: clusters of friends become nodes, so that whole communities can be weighed against each other. Labels
 *  spread along the heaviest ties within a size limit (Raghavan et al. 2007; Meyerhenke, Sanders, Schulz 2014); what is
 *  left alone is then paired through a common neighbour cluster ("two-hop", Karypis and Kumar in METIS 5) or, without
 *  ties, packed. Declined: heavy-edge matching, which stalls on graphs with hubs. */

import type { Random } from '../config/random.ts';
import { entriesLarge, type Graph, narrowed, sumsLike } from './graph.ts';
import { Scratch } from './scratch.ts';

/** Nodes are visited in blocks that are shuffled; a whole shuffle costs a cache miss a node. */
const shuffleReach = 1024;

/** A label for every node; nodes that share one form a cluster of weight at most `weightMax` (single nodes excepted).
 *  `within`: clusters never cross its borders, where given. */
export function clusterFriends(
  graph: Graph,
  weightMax: number,
  rounds: number,
  random: Random,
  within: ArrayLike<number> | null = null,
  scratch: Scratch = new Scratch(),
): Uint32Array {
  const { nodeCount: n, rowStart, neighbour, tieWeight, nodeWeight } = graph;
  const label = new Uint32Array(n);
  const size = scratch.doubles('size', n);
  const pull = scratch.sums('pull', n, tieWeight); // [label] tie weight from the node at hand
  for (let v = 0; v < n; v++) {
    label[v] = v;
    size[v] = nodeWeight[v]!;
    pull[v] = 0;
  }
  const seen = scratch.ints('seen', n);
  const order = fewestTiesFirst(graph);
  for (let round = 0; round < rounds; round++) {
    shuffleNearby(order, random);
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
      let best = own;
      let bestPull = pull[own]!;
      for (let i = 0; i < seenCount; i++) {
        const l = seen[i]!;
        const here = pull[l]!;
        pull[l] = 0;
        if (here < bestPull || l === own || size[l]! + weight > weightMax) continue;
        if (here > bestPull || random() < 0.5) {
          best = l;
          bestPull = here;
        }
      }
      if (best === own) continue;
      size[own]! -= weight;
      size[best]! += weight;
      label[v] = best;
      moved++;
    }
    if (moved < n * 0.02) break;
  }
  return label;
}

/** Joins nodes left alone, in place: those that lean most to the same cluster, and those without ties. */
export function joinLoners(graph: Graph, label: Uint32Array, weightMax: number): void {
  const { nodeCount: n, rowStart, neighbour, tieWeight, nodeWeight } = graph;
  const size = new Float64Array(n);
  const members = new Uint32Array(n);
  for (let v = 0; v < n; v++) {
    size[label[v]!]! += nodeWeight[v]!;
    members[label[v]!]! += 1;
  }
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
    let heaviest = first;
    for (let k = first + 1; k < end; k++) if (tieWeight[k]! > tieWeight[heaviest]!) heaviest = k;
    const leansTo = label[neighbour[heaviest]!]!;
    const mate = waiting[leansTo]!;
    if (mate >= 0 && size[mate]! + nodeWeight[v]! <= weightMax) {
      size[mate]! += nodeWeight[v]!;
      label[v] = mate;
    } else {
      waiting[leansTo] = label[v]!;
    }
  }
}

export interface Contraction {
  readonly coarse: Graph;
  readonly clusterOf: Uint32Array; // [node of the finer graph] = node of `coarse`
}

/** One node a label, numbered by first appearance; ties between two clusters are added up. */
export function contract(graph: Graph, label: Uint32Array, scratch: Scratch = new Scratch()): Contraction {
  const { nodeCount: n, rowStart, neighbour, tieWeight } = graph;
  const clusterOf = new Uint32Array(n);
  const number = scratch.ints('number', n).fill(-1, 0, n);
  let clusters = 0;
  for (let v = 0; v < n; v++) {
    const l = label[v]!;
    if (number[l] === -1) number[l] = clusters++;
    clusterOf[v] = number[l]!;
  }
  const memberStart = scratch.ints('memberStart', n + 2).fill(0, 0, clusters + 2);
  for (let v = 0; v < n; v++) memberStart[clusterOf[v]! + 2]! += 1;
  for (let c = 0; c < clusters; c++) memberStart[c + 2]! += memberStart[c + 1]!;
  const member = scratch.ints('member', n);
  for (let v = 0; v < n; v++) member[memberStart[clusterOf[v]! + 1]!++] = v;

  const entries = rowStart[n]!;
  const coarseStart = new Uint32Array(clusters + 1);
  const large = entries >= entriesLarge;
  const coarseNeighbour = large ? new Uint32Array(entries) : scratch.ints('coarseNeighbour', entries);
  const coarseTie = large ? sumsLike(tieWeight, entries) : scratch.sums('coarseTie', entries, tieWeight);
  const nodeWeight = new Float64Array(clusters);
  const heaviestUser = new Float64Array(clusters);
  const place = scratch.ints('place', n).fill(-1, 0, clusters); // [cluster] where the row at hand has it, if at or after its start
  let end = 0;
  for (let c = 0; c < clusters; c++) {
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
          coarseTie[at]! += tieWeight[k]!;
          continue;
        }
        place[d] = end;
        coarseNeighbour[end] = d;
        coarseTie[end] = tieWeight[k]!;
        end++;
      }
    }
    nodeWeight[c] = weight;
    heaviestUser[c] = heaviest;
    coarseStart[c + 1] = end;
  }
  const neighbours = coarseNeighbour.subarray(0, end);
  const ties = coarseTie.subarray(0, end);
  const coarse = {
    nodeCount: clusters,
    rowStart: coarseStart,
    neighbour: neighbours instanceof Uint32Array ? neighbours : new Uint32Array(neighbours),
    tieWeight: large ? narrowed(ties) : ties.slice(),
    nodeWeight,
    heaviestUser,
  };
  return { coarse, clusterOf };
}

/** Small moves first: users with few friends know where they belong. Counting sort by the logarithm of the degree. */
function fewestTiesFirst(graph: Graph): Uint32Array {
  const n = graph.nodeCount;
  const rank = (v: number): number => 32 - Math.clz32(graph.rowStart[v + 1]! - graph.rowStart[v]!);
  const start = new Uint32Array(34);
  for (let v = 0; v < n; v++) start[rank(v) + 1]! += 1;
  for (let r = 1; r < 34; r++) start[r]! += start[r - 1]!;
  const order = new Uint32Array(n);
  for (let v = 0; v < n; v++) order[start[rank(v)]!++] = v;
  return order;
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
