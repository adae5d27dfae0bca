/** Tie weights of large graphs, in bytes where they fit. */

import { entriesLarge, mostIn, type TieWeights } from './memory.ts';

/** Weights in as few bytes as the largest so far needs, as they come. Where they turn out to be few, in 32 bits after all. */
export class PackedWeights {
  private weights: TieWeights;
  private end = 0;

  /** `like`: weights whose sums come; at most `length` of them. */
  constructor(like: TieWeights, length: number) {
    this.weights = like instanceof Float64Array ? new Float64Array(length) : new Uint8Array(length);
  }

  append(weights: TieWeights, count: number): void {
    let most = 0;
    for (let k = 0; k < count; k++) if (weights[k]! > most) most = weights[k]!;
    if (most > mostIn(this.weights)) {
      const wider = new (most > 65_535 ? Int32Array : Uint16Array)(this.weights.length);
      wider.set(this.weights.subarray(0, this.end));
      this.weights = wider;
    }
    this.weights.set(weights.subarray(0, count), this.end);
    this.end += count;
  }

  all(): TieWeights {
    const weights = this.weights.subarray(0, this.end);
    return this.end >= entriesLarge || weights instanceof Float64Array ? weights : new Int32Array(weights);
  }
}
