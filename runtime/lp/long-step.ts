/** How far a dual step goes, and what enters. With two finite bounds a column whose reduced cost would change its sign on
 *  the way need not stop it: it goes to its other bound, and the step goes on for as long as what leaves is still outside
 *  (the long-step rule; Maros, 2003). The step ends at the column that would be one too many. */

/** Candidates this near to the end of the step are as good. */
const tie = 1e-12;
const smallPart = 1e-3;

export class LongStep {
  readonly #offered: Int32Array;
  readonly #ratio: Float64Array; // [variable] length of the step at which its reduced cost is 0
  readonly #pivot: Float64Array; // [variable] > 0
  readonly #width: Float64Array; // [variable] between its bounds
  #count = 0;
  #passed: readonly number[] = [];

  constructor(variables: number) {
    this.#offered = new Int32Array(variables);
    this.#ratio = new Float64Array(variables);
    this.#pivot = new Float64Array(variables);
    this.#width = new Float64Array(variables);
  }

  /** What goes to its other bound on the way. */
  get passed(): readonly number[] {
    return this.#passed;
  }

  begin(): void {
    this.#count = 0;
  }

  offer(v: number, ratio: number, pivot: number, width: number): void {
    if (width === 0) return; // it has one bound only
    this.#offered[this.#count++] = v;
    this.#ratio[v] = Math.max(0, ratio);
    this.#pivot[v] = pivot;
    this.#width[v] = width;
  }

  /** What enters; -1: not even all that is offered closes the gap. */
  end(gap: number): number {
    const near = this.#near(gap);
    if (!near) return -1;
    near.sort((a, b) => this.#ratio[a]! - this.#ratio[b]! || this.#pivot[b]! - this.#pivot[a]! || a - b);
    let slope = gap;
    let last = 0;
    while (slope >= 0) {
      const v = near[last++]!;
      slope -= this.#pivot[v]! * this.#width[v]!;
    }
    // Of those at which the step is as long, one with a small pivot gives way to the one with the largest.
    const length = this.#ratio[near[last - 1]!]!;
    let first = last - 1;
    while (first > 0 && this.#ratio[near[first - 1]!]! >= length - tie) first -= 1;
    let largest = first;
    for (let at = first; at < near.length && this.#ratio[near[at]!]! <= length; at++) {
      if (this.#pivot[near[at]!]! > this.#pivot[near[largest]!]!) largest = at;
    }
    const isSmall = this.#pivot[near[last - 1]!]! < smallPart * this.#pivot[near[largest]!]!;
    const entering = near[isSmall ? largest : last - 1]!;
    this.#passed = near.slice(0, isSmall ? first : last - 1);
    return entering;
  }

  /** Those among which the step ends: few, of what may be thousands. */
  #near(gap: number): number[] | null {
    let least = Number.POSITIVE_INFINITY;
    let all = 0;
    for (let at = 0; at < this.#count; at++) {
      const v = this.#offered[at]!;
      least = Math.min(least, this.#ratio[v]!);
      all += this.#pivot[v]! * this.#width[v]!;
    }
    if (!(all > gap)) return null;
    for (let within = 2 * least + 1e-9; ; within *= 4) {
      const near: number[] = [];
      let sum = 0;
      for (let at = 0; at < this.#count; at++) {
        const v = this.#offered[at]!;
        if (this.#ratio[v]! > within) continue;
        near.push(v);
        sum += this.#pivot[v]! * this.#width[v]!;
      }
      if (sum > gap) return near;
    }
  }
}
