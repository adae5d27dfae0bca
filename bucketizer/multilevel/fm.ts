/** Fiduccia and Mattheyses' local search on a bisection: nodes change sides one by one, best gain first, each at most
 *  once a pass; the best prefix of the pass is kept. Gain buckets make a move cost its ties. A side may exceed its cap
 *  while a pass lasts, and only balanced prefixes are accepted: with the cap binding throughout, full sides block the
 *  very swaps that would help (leaf locality .416 against .439 on a friendship graph of 47,538 users). Gains are counted
 *  once and kept true through moves and their undoing, so that a second pass starts from the border alone; after the last
 *  pass nobody asks for them, and most moves of all are undone there. */

import { type Graph, sumOf } from './graph.ts';
import { type Ints, Scratch, type Sides, type TieSum, type TieWeights, toInt, toSide } from './memory.ts';

const unlisted: i32 = -1;
const moved: i32 = -2; // in this pass
const bucketsMax: i32 = 512; // each way; gains beyond share the last one

/** The search on one graph. Its arrays are the scratch's: it may be used until `scratch` serves another. */
export class BisectionSearch {
  private readonly graph: Graph;
  private readonly cap: f64; // most a side may weigh
  private readonly overflow: f64;
  private readonly degree: TieWeights; // [node] tie weight
  private readonly gain: TieWeights; // [node] tie weight across less tie weight inside
  private readonly bucketOf: Ints; // [node] or `unlisted`, `moved`
  private readonly next: Ints;
  private readonly previous: Ints;
  private readonly moves: Ints;
  private readonly head: Ints; // [side * buckets + bucket]
  private readonly buckets: i32;
  private readonly reach: i32;
  private readonly scale: f64;
  private top0: i32 = -1;
  private top1: i32 = -1;
  private weight0: f64 = 0;
  private weight1: f64 = 0;

  constructor(graph: Graph, cap: f64, scratch: Scratch = new Scratch()) {
    const n = graph.nodeCount;
    const degree = scratch.sums('degree', n, graph.tieWeight);
    const most = addUpTies(graph, degree);
    const mean = sumOfTies(n, degree) / Math.max(1, graph.rowStart[n]!);
    const scale = mean > 4 ? 4 / mean : 1; // heavy ties: four buckets a mean tie
    const reach = toInt(Math.max(1, Math.min(bucketsMax, Math.ceil(most * scale))));
    this.graph = graph;
    this.cap = cap;
    this.overflow = Math.max((2 * sumOf(graph.nodeWeight)) / Math.max(1, n), 0.02 * cap);
    this.degree = degree;
    this.scale = scale;
    this.reach = reach;
    this.buckets = 2 * reach + 1;
    this.gain = scratch.sums('gain', n, graph.tieWeight);
    this.bucketOf = scratch.ints('bucketOf', n);
    this.next = scratch.ints('next', n);
    this.previous = scratch.ints('previous', n);
    this.moves = scratch.ints('moves', n);
    this.head = scratch.ints('head', 2 * (2 * bucketsMax + 1));
  }

  /** Improves `side` in place: balance first, then cut. `patience`: moves without a new best before a pass ends. */
  improve(side: Sides, passes: i32, patience: i32): void {
    this.countGains(side);
    for (let p = 1; p <= passes && this.pass(side, patience, p === passes); p++);
  }

  private countGains(side: Sides): void {
    const n = this.graph.nodeCount;
    const rowStart = this.graph.rowStart;
    const neighbour = this.graph.neighbour;
    const tieWeight = this.graph.tieWeight;
    const nodeWeight = this.graph.nodeWeight;
    const gain = this.gain;
    const degree = this.degree;
    let weight0: f64 = 0;
    let weight1: f64 = 0;
    for (let v = 0; v < n; v++) {
      const s = side[v]!;
      if (s === 0) weight0 += nodeWeight[v]!;
      else weight1 += nodeWeight[v]!;
      const end = rowStart[v + 1]!;
      let across: TieSum = 0;
      for (let k = rowStart[v]!; k < end; k++) if (side[neighbour[k]!] !== s) across += tieWeight[k]!;
      gain[v] = 2 * across - degree[v]!;
    }
    this.weight0 = weight0;
    this.weight1 = weight1;
  }

  /** Returns whether the pass found anything better than what it was given. */
  private pass(side: Sides, patience: i32, last: boolean): boolean {
    const cap = this.cap;
    const overflow = this.overflow;
    const gain = this.gain;
    const bucketOf = this.bucketOf;
    const moves = this.moves;
    const head = this.head;
    const nodeWeight = this.graph.nodeWeight;
    this.fillBuckets(side);
    let gained: f64 = 0;
    let bestGained: f64 = 0;
    let moveCount = 0;
    let bestCount = 0;
    let bestExcess = Math.max(this.weight0, this.weight1) - cap;
    for (let s = this.sideToLeave(); s >= 0; s = this.sideToLeave()) {
      const v = head[s === 0 ? this.top0 : this.buckets + this.top1]!;
      this.remove(v, s);
      const here = s === 0 ? this.weight0 : this.weight1;
      const there = s === 0 ? this.weight1 : this.weight0;
      if (there + nodeWeight[v]! > cap + overflow && here <= cap) continue; // back when a friend moves
      bucketOf[v] = moved;
      gained += gain[v]!;
      moves[moveCount++] = v;
      this.move(v, s, side, true);
      const excess = Math.max(this.weight0, this.weight1) - cap;
      const better =
        excess <= 0
          ? bestExcess > 0 || gained > bestGained
          : bestExcess > 0 && (excess < bestExcess || (excess === bestExcess && gained > bestGained));
      if (better) {
        bestGained = gained;
        bestCount = moveCount;
        bestExcess = excess;
      }
      if (moveCount - bestCount > patience) break;
    }
    if (last || bestCount === 0) {
      putBack(moves, bestCount, moveCount, side);
    } else {
      for (let i = moveCount - 1; i >= bestCount; i--) this.move(moves[i]!, side[moves[i]!]!, side, false);
    }
    return bestCount > 0;
  }

  private fillBuckets(side: Sides): void {
    const cap = this.cap;
    const gain = this.gain;
    const degree = this.degree;
    const n = this.graph.nodeCount;
    this.head.fill(-1, 0, 2 * this.buckets);
    this.top0 = -1;
    this.top1 = -1;
    this.bucketOf.fill(unlisted, 0, n);
    for (let v = 0; v < n; v++) {
      const s: i32 = side[v]!;
      if (gain[v]! + degree[v]! > 0 || (s === 0 ? this.weight0 : this.weight1) > cap) this.insert(v, s);
    }
  }

  /** The side to take from: an overweight one, else the one with the better gain, else the heavier; -1: none is left. */
  private sideToLeave(): i32 {
    const head = this.head;
    const buckets = this.buckets;
    const cap = this.cap;
    let t0 = this.top0;
    let t1 = this.top1;
    while (t0 >= 0 && head[t0]! < 0) t0--;
    while (t1 >= 0 && head[buckets + t1]! < 0) t1--;
    this.top0 = t0;
    this.top1 = t1;
    if (t0 < 0 && t1 < 0) return -1;
    if (this.weight0 > cap && t0 >= 0) return 0;
    if (this.weight1 > cap && t1 >= 0) return 1;
    if (t0 !== t1) return t0 > t1 ? 0 : 1;
    return this.weight0 > this.weight1 ? 0 : 1;
  }

  /** `v` changes sides, gains follow; `listed`: and so do the buckets of its friends. */
  private move(v: i32, from: i32, side: Sides, listed: boolean): void {
    const rowStart = this.graph.rowStart;
    const neighbour = this.graph.neighbour;
    const tieWeight = this.graph.tieWeight;
    const nodeWeight = this.graph.nodeWeight;
    const gain = this.gain;
    const bucketOf = this.bucketOf;
    const weight = from === 0 ? nodeWeight[v]! : -nodeWeight[v]!;
    this.weight0 -= weight;
    this.weight1 += weight;
    side[v] = toSide(1 - from);
    gain[v] = -gain[v]!;
    const end = rowStart[v + 1]!;
    for (let k = rowStart[v]!; k < end; k++) {
      const u = neighbour[k]!;
      const s: i32 = side[u]!;
      gain[u] = gain[u]! + (s === from ? 2 * tieWeight[k]! : -2 * tieWeight[k]!);
      if (!listed || bucketOf[u] === moved) continue;
      if (bucketOf[u] !== unlisted) this.remove(u, s);
      this.insert(u, s);
    }
  }

  private insert(v: i32, s: i32): void {
    const head = this.head;
    const next = this.next;
    const previous = this.previous;
    const reach = this.reach;
    const gain = this.gain[v]!;
    const scaled = this.scale === 1 ? gain : toInt(Math.round(gain * this.scale));
    const bucket = scaled < -reach ? 0 : scaled > reach ? 2 * reach : scaled + reach;
    const at = s === 0 ? bucket : this.buckets + bucket;
    const first = head[at]!;
    this.bucketOf[v] = bucket;
    previous[v] = -1;
    next[v] = first;
    if (first >= 0) previous[first] = v;
    head[at] = v;
    if (s === 0) {
      if (bucket > this.top0) this.top0 = bucket;
    } else if (bucket > this.top1) {
      this.top1 = bucket;
    }
  }

  private remove(v: i32, s: i32): void {
    const next = this.next;
    const previous = this.previous;
    const bucketOf = this.bucketOf;
    const before = previous[v]!;
    const after = next[v]!;
    if (before >= 0) next[before] = after;
    else this.head[s === 0 ? bucketOf[v]! : this.buckets + bucketOf[v]!] = after;
    if (after >= 0) previous[after] = before;
    bucketOf[v] = unlisted;
  }
}

/** Undoes moves after which nobody asks for gains. */
function putBack(moves: Ints, from: i32, to: i32, side: Sides): void {
  for (let i = from; i < to; i++) side[moves[i]!] = toSide(1 - side[moves[i]!]!);
}

/** Fills in the tie weight of every node; returns that of the one with most. */
function addUpTies(graph: Graph, degree: TieWeights): TieSum {
  const rowStart = graph.rowStart;
  const tieWeight = graph.tieWeight;
  let most: TieSum = 0;
  for (let v = 0; v < graph.nodeCount; v++) {
    const end = rowStart[v + 1]!;
    let ties: TieSum = 0;
    for (let k = rowStart[v]!; k < end; k++) ties += tieWeight[k]!;
    degree[v] = ties;
    if (ties > most) most = ties;
  }
  return most;
}

function sumOfTies(n: i32, degree: TieWeights): f64 {
  let sum: f64 = 0;
  for (let v = 0; v < n; v++) sum += degree[v]!;
  return sum;
}
