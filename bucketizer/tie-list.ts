/** Ties as they are read. Repeated ones are added up along the way, whenever as many have come as there is room for, so
 *  that memory is in step with the distinct ties and not with the file: typed arrays that grow, no object a tie. */

export interface Ties {
  readonly ties: Uint32Array; // pairs, in no particular order
  readonly tieWeights: Float64Array | null; // [tie]; null: 1 each
  readonly repeated: number; // lines already added to another one in the same direction
}

const roomAtFirst = 1 << 18;

export class TieList {
  length = 0; // ties held
  repeated = 0;
  private pairs: Uint32Array;
  private weights: Float64Array | null = null; // null: all 1 so far
  private room: number; // ties

  constructor(room = roomAtFirst) {
    this.room = room;
    this.pairs = new Uint32Array(2 * room);
  }

  push(from: number, to: number, weight = 1): void {
    if (this.length === this.room) this.makeRoom();
    this.pairs[2 * this.length] = from;
    this.pairs[2 * this.length + 1] = to;
    if (weight !== 1 && this.weights === null) this.weights = new Float64Array(this.room).fill(1);
    if (this.weights !== null) this.weights[this.length] = weight;
    this.length++;
  }

  /** Ends the list. Where weights have fractions all repeated ties are added up, for they are rounded next, and which of
   *  them had been added up by now would depend on their order. */
  finish(): Ties {
    if (this.weights?.subarray(0, this.length).every(Number.isInteger) === false) this.merge();
    return {
      ties: this.pairs.slice(0, 2 * this.length),
      tieWeights: this.weights?.slice(0, this.length) ?? null,
      repeated: this.repeated,
    };
  }

  private makeRoom(): void {
    this.merge();
    if (this.length <= this.room / 2) return;
    this.room *= 2;
    const pairs = new Uint32Array(2 * this.room);
    pairs.set(this.pairs.subarray(0, 2 * this.length));
    this.pairs = pairs;
    if (this.weights === null) return;
    const weights = new Float64Array(this.room).fill(1);
    weights.set(this.weights.subarray(0, this.length));
    this.weights = weights;
  }

  /** Sorts by both ends (two counting sorts, each stable) and adds up what is equal, in the order it came. */
  private merge(): void {
    const order = this.sortedBy(
      0,
      this.sortedBy(
        1,
        Uint32Array.from({ length: this.length }, (_, i) => i),
      ),
    );
    const pairs = new Uint32Array(2 * this.room);
    let weights = this.weights === null ? null : new Float64Array(this.room).fill(1);
    let end = 0;
    for (const i of order) {
      const from = this.pairs[2 * i]!;
      const to = this.pairs[2 * i + 1]!;
      const weight = this.weights?.[i] ?? 1;
      if (end > 0 && pairs[2 * end - 2] === from && pairs[2 * end - 1] === to) {
        weights ??= new Float64Array(this.room).fill(1);
        weights[end - 1]! += weight;
        continue;
      }
      pairs[2 * end] = from;
      pairs[2 * end + 1] = to;
      if (weights !== null) weights[end] = weight;
      end++;
    }
    this.repeated += this.length - end;
    this.length = end;
    this.pairs = pairs;
    this.weights = weights;
  }

  private sortedBy(side: 0 | 1, order: Uint32Array): Uint32Array {
    let most = 0;
    for (let i = 0; i < this.length; i++) most = Math.max(most, this.pairs[2 * i + side]!);
    const next = new Uint32Array(most + 2);
    for (let i = 0; i < this.length; i++) next[this.pairs[2 * i + side]! + 1]! += 1;
    for (let v = 0; v <= most; v++) next[v + 1]! += next[v]!;
    const sorted = new Uint32Array(this.length);
    for (const i of order) sorted[next[this.pairs[2 * i + side]!]!++] = i;
    return sorted;
  }
}
