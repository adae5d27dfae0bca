/** The basis of the rows of all (generalised upper bounding: Dantzig and Van Slyke, 1967). Of the thousands of rows of a
 *  program each block's own row is met by the block's key column; what is left to invert is as wide as there are rows of
 *  all, a few dozen. Kept as a dense inverse, changed pivot by pivot. */

/** Smaller pivots are no pivots. */
export const pivotMin = 1e-8;

export class WorkingBasis {
  readonly width: number;
  readonly #inverse: Float64Array; // [place * width + row]

  /** All slacks, whose columns are -1 in their own rows. */
  constructor(width: number) {
    this.width = width;
    this.#inverse = new Float64Array(width * width);
    for (let p = 0; p < width; p++) this.#inverse[p * width + p] = -1;
  }

  /** [row] of the inverse at a place. Valid until the next change. */
  rowAt(place: number): Float64Array {
    return this.#inverse.subarray(place * this.width, (place + 1) * this.width);
  }

  /** Squared length of the inverse's row. */
  normOf(place: number): number {
    let sum = 0;
    for (let at = place * this.width; at < (place + 1) * this.width; at++)
      sum += this.#inverse[at]! * this.#inverse[at]!;
    return sum;
  }

  /** [place] the column in terms of the basis. */
  inTermsOf(column: Float64Array, out: Float64Array): Float64Array {
    const { width } = this;
    for (let p = 0, at = 0; p < width; p++) {
      let sum = 0;
      for (let i = 0; i < width; i++, at++) sum += this.#inverse[at]! * column[i]!;
      out[p] = sum;
    }
    return out;
  }

  /** [row] prices of the rows at which the basis costs what it costs. */
  pricesOf(cost: Float64Array, out: Float64Array): Float64Array {
    const { width } = this;
    out.fill(0);
    for (let p = 0, at = 0; p < width; p++) {
      const each = cost[p]!;
      if (each === 0) at += width;
      else for (let i = 0; i < width; i++, at++) out[i]! += each * this.#inverse[at]!;
    }
    return out;
  }

  /** `column`, as `inTermsOf` says it, takes the place. */
  replace(place: number, column: Float64Array): void {
    const { width } = this;
    const lead = this.rowAt(place);
    const pivot = column[place]!;
    for (let i = 0; i < width; i++) lead[i]! /= pivot;
    for (let p = 0; p < width; p++) {
      const factor = column[p]!;
      if (p === place || factor === 0) continue;
      const from = p * width;
      for (let i = 0; i < width; i++) this.#inverse[from + i]! -= factor * lead[i]!;
    }
  }

  /** The column at `place` and its block's key change roles. `times` [place]: the own values of the block's columns here
   *  over the one's at `place`, 0 of others; `ofKey`: the key's. */
  exchangeKey(place: number, times: Float64Array, ofKey: number): void {
    const { width } = this;
    const lead = this.rowAt(place);
    for (let p = 0; p < width; p++) {
      const factor = times[p]!;
      if (p === place || factor === 0) continue;
      const from = p * width;
      for (let i = 0; i < width; i++) lead[i]! += factor * this.#inverse[from + i]!;
    }
    for (let i = 0; i < width; i++) lead[i]! /= -ofKey;
  }
}
