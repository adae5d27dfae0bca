/** Fiduccia and Mattheyses' local search on a bisection: nodes change sides one by one, best gain first, each at most
 *  once a pass; the best prefix of the pass is kept. Gain buckets make a move cost its ties. A side may exceed its cap
 *  while a pass lasts, and only balanced prefixes are accepted: with the cap binding throughout, full sides block the
 *  very swaps that would help (leaf locality .416 against .439 on a friendship graph of 47,538 users). Gains are counted
 *  once and kept true through moves and their undoing, so that a second pass starts from the border alone; after the last
 *  pass nobody asks for them, and most moves of all are undone there. */

import { degreesOf, type Graph, sumOf } from './graph.ts';
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
  private readonly next: Ints; // [node, then side * buckets + bucket]: the buckets close the rings of who is in them
  private readonly previous: Ints; // alike; of a bucket, never asked for
  private readonly moves: Ints;
  private readonly buckets: i32;
  private readonly reach: i32;
  private readonly scale: f64;
  private readonly top: Ints; // [side] no bucket above it has anybody in it
  private weight0: f64 = 0;
  private weight1: f64 = 0;

  constructor(graph: Graph, cap: f64, scratch: Scratch = new Scratch()) {
    const n = graph.nodeCount;
    const degree = degreesOf(graph);
    const mean = sumOfTies(degree, n) / Math.max(1, graph.rowStart[n]!);
    const scale = mean > 4 ? 4 / mean : 1; // heavy ties: four buckets a mean tie
    const reach = toInt(Math.max(1, Math.min(bucketsMax, Math.ceil(mostTies(degree, n) * scale))));
    this.graph = graph;
    this.cap = cap;
    this.overflow = Math.max((2 * sumOf(graph.nodeWeight)) / Math.max(1, n), 0.02 * cap);
    this.degree = degree;
    this.scale = scale;
    this.reach = reach;
    this.buckets = 2 * reach + 1;
    this.gain = scratch.sums('gain', n, graph.tieWeight);
    this.bucketOf = scratch.ints('bucketOf', n);
    this.next = scratch.ints('next', n + 2 * (2 * bucketsMax + 1));
    this.previous = scratch.ints('previous', n + 2 * (2 * bucketsMax + 1));
    this.moves = scratch.ints('moves', n);
    this.top = scratch.ints('top', 2);
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
      const s: i32 = side[v]!;
      if (s === 0) weight0 += nodeWeight[v]!;
      else weight1 += nodeWeight[v]!;
      const end = rowStart[v + 1]!;
      let across: TieSum = 0;
      for (let k = rowStart[v]!; k < end; k++) across += (side[neighbour[k]!]! ^ s) * tieWeight[k]!; // no branch to guess
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
    const nodeWeight = this.graph.nodeWeight;
    this.fillBuckets(side);
    let gained: f64 = 0;
    let bestGained: f64 = 0;
    let moveCount = 0;
    let bestCount = 0;
    let bestExcess = Math.max(this.weight0, this.weight1) - cap;
    for (let s = this.sideToLeave(); s >= 0; s = this.sideToLeave()) {
      const v = this.firstOf(s);
      this.remove(v);
      const here = s === 0 ? this.weight0 : this.weight1;
      const there = s === 0 ? this.weight1 : this.weight0;
      if (there + nodeWeight[v]! > cap + overflow && here <= cap) continue; // back when a friend moves
      bucketOf[v] = moved;
      gained += gain[v]!;
      moves[moveCount++] = v;
      this.move(v, s, side);
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
      for (let i = moveCount - 1; i >= bestCount; i--) this.moveBack(moves[i]!, side);
    }
    return bestCount > 0;
  }

  private fillBuckets(side: Sides): void {
    const cap = this.cap;
    const gain = this.gain;
    const degree = this.degree;
    const n = this.graph.nodeCount;
    this.emptyBuckets();
    this.bucketOf.fill(unlisted, 0, n);
    for (let v = 0; v < n; v++) {
      const s: i32 = side[v]!;
      if (gain[v]! + degree[v]! > 0 || (s === 0 ? this.weight0 : this.weight1) > cap) this.insert(v, s);
    }
  }

  private emptyBuckets(): void {
    const next = this.next;
    const first = this.graph.nodeCount;
    const end = first + 2 * this.buckets;
    for (let at = first; at < end; at++) next[at] = at;
    this.top[0] = -1;
    this.top[1] = -1;
  }

  /** The side to take from: an overweight one, else the one with the better gain, else the heavier; -1: none is left. */
  private sideToLeave(): i32 {
    const cap = this.cap;
    const t0 = this.lowerTop(0);
    const t1 = this.lowerTop(1);
    if (t0 < 0 && t1 < 0) return -1;
    if (this.weight0 > cap && t0 >= 0) return 0;
    if (this.weight1 > cap && t1 >= 0) return 1;
    if (t0 !== t1) return t0 > t1 ? 0 : 1;
    return this.weight0 > this.weight1 ? 0 : 1;
  }

  private lowerTop(s: i32): i32 {
    const next = this.next;
    const first = this.graph.nodeCount + s * this.buckets;
    let top = this.top[s]!;
    while (top >= 0 && next[first + top]! === first + top) top--;
    this.top[s] = top;
    return top;
  }

  private firstOf(s: i32): i32 {
    return this.next[this.graph.nodeCount + s * this.buckets + this.top[s]!]!;
  }

  /** `v` changes sides; gains and buckets of its friends follow. */
  private move(v: i32, from: i32, side: Sides): void {
    const rowStart = this.graph.rowStart;
    const neighbour = this.graph.neighbour;
    const tieWeight = this.graph.tieWeight;
    const gain = this.gain;
    const bucketOf = this.bucketOf;
    this.changeSide(v, from, side);
    const end = rowStart[v + 1]!;
    for (let k = rowStart[v]!; k < end; k++) {
      const u = neighbour[k]!;
      const s: i32 = side[u]!;
      gain[u] = gain[u]! + (s === from ? 2 : -2) * tieWeight[k]!;
      if (bucketOf[u] === moved) continue;
      if (bucketOf[u] !== unlisted) this.remove(u);
      this.insert(u, s);
    }
  }

  /** And back; nobody is in a bucket any more. */
  private moveBack(v: i32, side: Sides): void {
    const rowStart = this.graph.rowStart;
    const neighbour = this.graph.neighbour;
    const tieWeight = this.graph.tieWeight;
    const gain = this.gain;
    const from: i32 = side[v]!;
    this.changeSide(v, from, side);
    const end = rowStart[v + 1]!;
    for (let k = rowStart[v]!; k < end; k++) {
      const u = neighbour[k]!;
      gain[u] = gain[u]! + (side[u]! === from ? 2 : -2) * tieWeight[k]!;
    }
  }

  private changeSide(v: i32, from: i32, side: Sides): void {
    const nodeWeight = this.graph.nodeWeight;
    const weight = from === 0 ? nodeWeight[v]! : -nodeWeight[v]!;
    this.weight0 -= weight;
    this.weight1 += weight;
    side[v] = toSide(1 - from);
    this.gain[v] = -this.gain[v]!;
  }

  private insert(v: i32, s: i32): void {
    const next = this.next;
    const previous = this.previous;
    const top = this.top;
    const reach = this.reach;
    const gain = this.gain[v]!;
    const scaled = this.scale === 1 ? gain : toInt(Math.round(gain * this.scale));
    const bucket = scaled < -reach ? 0 : scaled > reach ? 2 * reach : scaled + reach;
    const at = this.graph.nodeCount + s * this.buckets + bucket;
    const first = next[at]!;
    this.bucketOf[v] = bucket;
    next[v] = first;
    previous[v] = at;
    previous[first] = v;
    next[at] = v;
    if (bucket > top[s]!) top[s] = bucket;
  }

  private remove(v: i32): void {
    const next = this.next;
    const previous = this.previous;
    const before = previous[v]!;
    const after = next[v]!;
    next[before] = after;
    previous[after] = before;
    this.bucketOf[v] = unlisted;
  }
}

/** Undoes moves after which nobody asks for gains. */
function putBack(moves: Ints, from: i32, to: i32, side: Sides): void {
  for (let i = from; i < to; i++) side[moves[i]!] = toSide(1 - side[moves[i]!]!);
}

function mostTies(degree: TieWeights, n: i32): TieSum {
  let most: TieSum = 0;
  for (let v = 0; v < n; v++) if (degree[v]! > most) most = degree[v]!;
  return most;
}

function sumOfTies(degree: TieWeights, n: i32): f64 {
  let sum: f64 = 0;
  for (let v = 0; v < n; v++) sum += degree[v]!;
  return sum;
}
