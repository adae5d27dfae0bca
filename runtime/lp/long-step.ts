/** How far a dual step goes, and what enters. With two finite bounds a column whose reduced cost would change its sign on
 *  the way need not stop it: it goes to its other bound, and the step goes on for as long as what leaves is still outside
 *  (the long-step rule; Maros, 2003). The step ends at the column that would be one too many. */

import type { Scratch } from './scratch.ts';

/** Candidates this near to the end of the step are as good. */
const tie = 1e-12;

/** A pivot so much smaller than the largest among those is not worth its errors. */
const smallPart = 1e-3;

/** So few are sorted. */
const few = 32;

export class LongStep {
  readonly #offered: Int32Array; // variables, in no order
  readonly #ratio: Float64Array; // [variable] length of the step at which its reduced cost is 0
  readonly #pivot: Float64Array; // [variable] > 0
  readonly #relief: Float64Array; // [variable] by how much the gap is smaller once it has passed
  #count = 0;
  #passed = 0;

  constructor(variables: number, scratch: Scratch) {
    this.#offered = scratch.anyIntegers(variables);
    this.#ratio = scratch.anyDoubles(variables);
    this.#pivot = scratch.anyDoubles(variables);
    this.#relief = scratch.anyDoubles(variables);
  }

  /** What goes to its other bound on the way. */
  get passed(): Int32Array {
    return this.#offered.subarray(0, this.#passed);
  }

  begin(): void {
    this.#count = 0;
    this.#passed = 0;
  }

  /** `width`: between its bounds. */
  offer(v: number, ratio: number, pivot: number, width: number): void {
    if (width === 0) return; // it has one bound only
    this.#offered[this.#count++] = v;
    this.#ratio[v] = Math.max(0, ratio);
    this.#pivot[v] = pivot;
    this.#relief[v] = pivot * width;
  }

  /** What enters; -1: not even all that is offered closes the gap. */
  end(gap: number): number {
    let all = 0;
    for (let at = 0; at < this.#count; at++) all += this.#relief[this.#offered[at]!]!;
    if (!(all > gap)) return -1;
    const { from, to, rest } = this.#narrowed(gap);
    const ends = Array.from(this.#offered.subarray(from, to)).sort(
      (a, b) => this.#ratio[a]! - this.#ratio[b]! || this.#pivot[b]! - this.#pivot[a]! || a - b,
    );
    let last = 0;
    for (let slope = rest; ; last++) {
      slope -= this.#relief[ends[last]!]!;
      if (slope < 0 || last === ends.length - 1) break;
    }
    // Of those at which the step is as long, one with a small pivot gives way to the one with the largest.
    const length = this.#ratio[ends[last]!]!;
    let first = last;
    while (first > 0 && this.#ratio[ends[first - 1]!]! >= length - tie) first -= 1;
    let largest = first;
    for (let at = first; at < ends.length && this.#ratio[ends[at]!]! <= length; at++) {
      if (this.#pivot[ends[at]!]! > this.#pivot[ends[largest]!]!) largest = at;
    }
    const isSmall = this.#pivot[ends[last]!]! < smallPart * this.#pivot[ends[largest]!]!;
    const entering = ends[isSmall ? largest : last]!;
    this.#offered.set(ends, from);
    this.#passed = from + (isSmall ? first : last);
    return entering;
  }

  /** Few among which the step ends, all before them passed: what is offered, parted again and again. `rest`: of the gap. */
  #narrowed(gap: number): { from: number; to: number; rest: number } {
    let [from, to, rest] = [0, this.#count, gap];
    while (to - from > few) {
      const middle = this.#middleOf(from, to);
      let split = from;
      let relief = 0;
      for (let at = from; at < to; at++) {
        const v = this.#offered[at]!;
        if (this.#ratio[v]! > middle) continue;
        relief += this.#relief[v]!;
        this.#offered[at] = this.#offered[split]!;
        this.#offered[split++] = v;
      }
      if (relief > rest) {
        if (split === to) break;
        to = split;
      } else {
        from = split;
        rest -= relief;
      }
    }
    return { from, to, rest };
  }

  /** The middle one of three ratios. */
  #middleOf(from: number, to: number): number {
    const [a, b, c] = [from, (from + to) >> 1, to - 1].map((at) => this.#ratio[this.#offered[at]!]!) as [
      number,
      number,
      number,
    ];
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }
}
