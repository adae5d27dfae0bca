/** Which columns of a program the dual simplex looks at: those whose reduced costs are near 0. All others are as dear (or
 *  as cheap) as before for as long as prices have not changed by what they are away, and of them it is enough to know at
 *  which bound they stand. So most steps look at a tenth of a program, and leave nothing out. */

import type { Scratch } from './scratch.ts';

/** Of the columns, and so many for each row of all. */
const shareNear = 1 / 16;
const nearPerRow = 24;
const further = 2;

/** What a change reaches is taken so much further. */
const margin = 2;

/** Times as many as there need be are too many. */
const tooMany = 4;

export class NearColumns {
  readonly list: Int32Array; // the first `count`
  count = 0;
  readonly #isNear: Uint8Array;
  readonly #least: number; // share
  #share: number;
  #reach = Number.POSITIVE_INFINITY; // reduced costs of all others were further from 0
  #drift = 0; // by which they may have come nearer

  constructor(columns: number, rows: number, scratch: Scratch) {
    this.list = scratch.anyIntegers(columns);
    this.#isNear = scratch.bytes(columns);
    this.#least = Math.max(shareNear, (nearPerRow * rows) / columns);
    this.#share = this.#least;
  }

  get isCrowded(): boolean {
    return this.#least < 1 && this.count > tooMany * this.#least * this.#isNear.length;
  }

  /** The nearest. `reduced` [column] as they are now. */
  choose(reduced: Float64Array): void {
    this.#nearest(reduced, this.#least);
  }

  /** All that a change by so much could bring to 0, and some more. */
  widen(reduced: Float64Array, change: number): void {
    if (Number.isFinite(change)) this.#within(reduced, Math.max(margin * change, quantileOf(reduced, this.#least)));
    else this.#nearest(reduced, further * this.#share);
  }

  /** Would all be in the list whose reduced costs a change by this much could bring to 0? */
  covers(change: number): boolean {
    return this.#drift + change <= this.#reach;
  }

  changed(change: number): void {
    this.#drift += change;
  }

  offer(j: number, reduced: number): void {
    if (Math.abs(reduced) <= this.#reach) this.add(j);
  }

  add(j: number): void {
    if (this.#isNear[j] === 1) return;
    this.#isNear[j] = 1;
    this.list[this.count++] = j;
  }

  #nearest(reduced: Float64Array, share: number): void {
    this.#share = share;
    this.#within(reduced, share < 1 ? quantileOf(reduced, share) : Number.POSITIVE_INFINITY);
  }

  #within(reduced: Float64Array, reach: number): void {
    this.#reach = reach;
    this.#drift = 0;
    this.count = 0;
    this.#isNear.fill(0);
    for (let j = 0; j < reduced.length; j++) this.offer(j, reduced[j]!);
  }
}

const samples = 128;

/** About: of some absolute values evenly spaced. */
export function quantileOf(values: Float64Array, share: number): number {
  const step = Math.max(1, Math.floor(values.length / samples));
  const some = new Float64Array(Math.floor(values.length / step));
  for (let i = 0; i < some.length; i++) some[i] = Math.abs(values[i * step]!);
  some.sort();
  return some[Math.min(some.length - 1, Math.floor(share * some.length))]!;
}
