/** The start of a bisection: one side grows from a random node by whoever adds least to the cut, until it has half the
 *  weight. It is for graphs of a few hundred nodes, so the frontier is a plain list. */

import { degreesOf, type Graph } from './graph.ts';
import {
  below,
  type Chance,
  type Doubles,
  doubles,
  type Ints,
  ints,
  type Sides,
  sides,
  type TieWeights,
  toSide,
} from './memory.ts';

export class HalfGrower {
  private readonly graph: Graph;
  private readonly degree: TieWeights; // [node] tie weight
  private readonly side: Sides; // 0: taken
  private readonly gain: Doubles; // of taking the node in: ties to side 0 minus ties to side 1
  private readonly frontier: Ints;
  private readonly inFrontier: Sides;
  private frontierLength: i32 = 0;
  private weight: f64 = 0;

  constructor(graph: Graph) {
    const n = graph.nodeCount;
    this.graph = graph;
    this.degree = degreesOf(graph);
    this.side = sides(n);
    this.gain = doubles(n);
    this.frontier = ints(n);
    this.inFrontier = sides(n);
    this.side.fill(1, 0, n);
  }

  /** Once. Takes nobody who would make it heavier than `cap`, the first excepted. */
  grow(half: f64, cap: f64, chance: Chance): Sides {
    const n = this.graph.nodeCount;
    const side = this.side;
    const nodeWeight = this.graph.nodeWeight;
    const first = below(chance, n);
    let scanned = 0; // nodes after `first` already found unfit for a fresh start
    let next = first;
    while (next >= 0) {
      this.take(next);
      if (this.weight >= half) break;
      next = this.bestOfFrontier(cap);
      for (; scanned < n && next < 0; scanned++) {
        const u = (first + scanned) % n; // another component
        if (side[u] === 1 && this.weight + nodeWeight[u]! <= cap) next = u;
      }
    }
    return side;
  }

  /** -1: none fits. */
  private bestOfFrontier(cap: f64): i32 {
    const side = this.side;
    const gain = this.gain;
    const frontier = this.frontier;
    const nodeWeight = this.graph.nodeWeight;
    let best: i32 = -1;
    for (let i = 0; i < this.frontierLength; ) {
      const u = frontier[i]!;
      if (side[u] === 0) {
        frontier[i] = frontier[--this.frontierLength]!;
        continue;
      }
      if (this.weight + nodeWeight[u]! <= cap && (best < 0 || gain[u]! > gain[frontier[best]!]!)) best = i;
      i++;
    }
    return best >= 0 ? frontier[best]! : -1;
  }

  private take(v: i32): void {
    const rowStart = this.graph.rowStart;
    const neighbour = this.graph.neighbour;
    const tieWeight = this.graph.tieWeight;
    const side = this.side;
    const gain = this.gain;
    side[v] = toSide(0);
    this.weight += this.graph.nodeWeight[v]!;
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      const u = neighbour[k]!;
      if (side[u] === 0) continue;
      gain[u] = gain[u]! + 2.0 * tieWeight[k]!;
      if (this.inFrontier[u] === 1) continue;
      gain[u] = gain[u]! - this.degree[u]!;
      this.inFrontier[u] = 1;
      this.frontier[this.frontierLength++] = u;
    }
  }
}
