/** Ties as they are read. Repeated ones are added up along the way, whenever as many have come as there is room for, so
 *  that memory is in step with the distinct ties and not with the file: typed arrays that grow, no object a tie. */

import { staysWhole } from './fixed-point.ts';

export interface Ties {
  readonly ties: Uint32Array; // pairs, in no particular order
  readonly tieWeights: Float64Array | null; // [tie]; null: 1 each
  readonly repeated: number; // lines between two users already added to another one in the same direction
  readonly selfRepeated: number; // lines from a user to itself already added to another one
}

/** Arrays of a list. */
interface Held {
  readonly pairs: Uint32Array;
  readonly weights: Float64Array | null; // null: all 1 so far
  readonly lost: Float64Array | null; // what rounding took from the sums of weights; null: nothing so far
}

/** A tie that two lists do not have alike: what its lines weigh in each, 0 where there is none. */
export interface UnlikeTie {
  readonly from: number;
  readonly to: number;
  readonly here: number;
  readonly there: number;
}

const roomAtFirst = 1 << 20; // memory that is never written to is not there

export class TieList {
  length = 0; // ties held
  private repeated = 0;
  private selfRepeated = 0;
  private pairs: Uint32Array;
  private weights: Float64Array | null = null;
  private lost: Float64Array | null = null; // with it a sum is the same in whatever order its lines come
  private room: number; // ties

  constructor(room = roomAtFirst) {
    this.room = room;
    this.pairs = new Uint32Array(2 * room);
  }

  push(from: number, to: number, weight = 1): void {
    if (this.length === this.room) this.makeRoom();
    this.pairs[2 * this.length] = from;
    this.pairs[2 * this.length + 1] = to;
    if (weight !== 1) this.weights ??= this.roomForWeights();
    if (this.weights !== null) this.weights[this.length] = weight;
    if (this.lost !== null) this.lost[this.length] = 0;
    this.length++;
  }

  /** The first `count` of `pairs`, of weight 1 each. */
  pushPairs(pairs: Uint32Array, count: number): void {
    for (let at = 0; at < count; ) {
      if (this.length === this.room) this.makeRoom();
      const some = Math.min(count - at, this.room - this.length);
      this.pairs.set(pairs.subarray(2 * at, 2 * (at + some)), 2 * this.length);
      this.weights?.fill(1, this.length, this.length + some);
      this.lost?.fill(0, this.length, this.length + some);
      this.length += some;
      at += some;
    }
  }

  /** Ends the list. Where weights are rounded next all repeated ties are added up, for which of them had been added up by
   *  now would depend on their order. */
  finish(): Ties {
    if (this.weights !== null && !staysWhole(this.weights.subarray(0, this.length))) this.merge();
    for (let i = 0; this.lost !== null && i < this.length; i++) this.weights![i]! += this.lost[i]!;
    return {
      ties: this.pairs.subarray(0, 2 * this.length), // the room beyond was never written to: there is no memory behind it
      tieWeights: this.weights?.subarray(0, this.length) ?? null,
      repeated: this.repeated,
      selfRepeated: this.selfRepeated,
    };
  }

  /** The first tie to one of `ends` that is not in both with the same weight; null: all are. `other` has no other ties.
   *  Adds up what is repeated, in both. */
  firstUnlike(other: TieList, ends: ReadonlySet<number>): UnlikeTie | null {
    this.merge();
    other.merge();
    for (let i = 0, j = 0; i < this.length || j < other.length; i++) {
      if (i < this.length && !ends.has(this.pairs[2 * i + 1]!)) continue;
      const mine = this.tieAt(i);
      const theirs = other.tieAt(j++);
      const order = mine.from - theirs.from || mine.to - theirs.to;
      if (order === 0 && mine.weight === theirs.weight) continue;
      const { from, to } = order <= 0 ? mine : theirs;
      return { from, to, here: order <= 0 ? mine.weight : 0, there: order >= 0 ? theirs.weight : 0 };
    }
    return null;
  }

  /** Beyond the end, one that comes after all others. */
  private tieAt(i: number): { readonly from: number; readonly to: number; readonly weight: number } {
    if (i >= this.length) return { from: Infinity, to: Infinity, weight: 0 };
    return {
      from: this.pairs[2 * i]!,
      to: this.pairs[2 * i + 1]!,
      weight: (this.weights?.[i] ?? 1) + (this.lost?.[i] ?? 0),
    };
  }

  private makeRoom(): void {
    this.merge();
    if (this.length <= this.room / 2) return;
    this.room *= 2;
    const pairs = new Uint32Array(2 * this.room);
    pairs.set(this.pairs.subarray(0, 2 * this.length));
    this.pairs = pairs;
    if (this.weights !== null) this.weights = this.grown(this.weights);
    if (this.lost !== null) this.lost = this.grown(this.lost);
  }

  private grown(values: Float64Array): Float64Array {
    const grown = new Float64Array(this.room);
    grown.set(values.subarray(0, this.length));
    return grown;
  }

  /** Of the ties held each weighs 1 so far. */
  private roomForWeights(): Float64Array {
    return new Float64Array(this.room).fill(1, 0, this.length);
  }

  /** Sorts by both ends (two counting sorts, each stable) and adds up what is equal. */
  private merge(): void {
    const { length, pairs, weights, lost } = this;
    const spare: Held = {
      pairs: new Uint32Array(2 * length),
      weights: weights === null ? null : new Float64Array(length),
      lost: lost === null ? null : new Float64Array(length),
    };
    sortBy(1, length, { pairs, weights, lost }, spare);
    sortBy(0, length, spare, { pairs, weights, lost });
    let end = 0;
    for (let i = 0; i < length; i++) {
      const from = pairs[2 * i]!;
      const to = pairs[2 * i + 1]!;
      if (end > 0 && pairs[2 * end - 2] === from && pairs[2 * end - 1] === to) {
        this.addTo(end - 1, this.weights?.[i] ?? 1, this.lost?.[i] ?? 0);
        if (from === to) this.selfRepeated++;
        else this.repeated++;
        continue;
      }
      pairs[2 * end] = from;
      pairs[2 * end + 1] = to;
      if (this.weights !== null) this.weights[end] = this.weights[i]!;
      if (this.lost !== null) this.lost[end] = this.lost[i]!;
      end++;
    }
    this.length = end;
  }

  /** What rounding takes from the sum is exact (Knuth's TwoSum), and added up beside it. */
  private addTo(tie: number, weight: number, lost: number): void {
    this.weights ??= this.roomForWeights();
    const before = this.weights[tie]!;
    const sum = before + weight;
    const added = sum - before;
    const taken = before - (sum - added) + (weight - added) + lost;
    this.weights[tie] = sum;
    if (taken === 0) return;
    this.lost ??= new Float64Array(this.room);
    this.lost[tie]! += taken;
  }
}

/** By the ties' ends of one side. */
function sortBy(side: 0 | 1, length: number, held: Held, sorted: Held): void {
  const { pairs, weights, lost } = held;
  let most = 0;
  for (let i = 0; i < length; i++) if (pairs[2 * i + side]! > most) most = pairs[2 * i + side]!;
  const next = new Uint32Array(most + 2);
  for (let i = 0; i < length; i++) next[pairs[2 * i + side]! + 1]! += 1;
  for (let v = 0; v <= most; v++) next[v + 1]! += next[v]!;
  for (let i = 0; i < length; i++) {
    const at = next[pairs[2 * i + side]!]!++;
    sorted.pairs[2 * at] = pairs[2 * i]!;
    sorted.pairs[2 * at + 1] = pairs[2 * i + 1]!;
    if (weights !== null) sorted.weights![at] = weights[i]!;
    if (lost !== null) sorted.lost![at] = lost[i]!;
  }
}
