/** Which column of a program speaks of which pair of an edge and a datacenter. A list, for most programs speak of few. */

import { integers } from './lp/pieces.ts';

export interface PairColumns {
  readonly pairs: Int32Array; // c * D + d, ascending
  readonly columns: Int32Array; // of each the first
}

export const noColumns: PairColumns = { pairs: new Int32Array(0), columns: new Int32Array(0) };

/** -1 where there is none. */
export function columnOf({ pairs, columns }: PairColumns, pair: number): number {
  let [from, to] = [0, pairs.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (pairs[middle]! < pair) from = middle + 1;
    else to = middle;
  }
  return pairs[from] === pair ? columns[from]! : -1;
}

/** Takes pairs in ascending order. */
export class PairColumnsBuilder {
  #pairs: Int32Array;
  #columns: Int32Array;
  #count = 0;

  constructor(room: number) {
    this.#pairs = integers(room);
    this.#columns = integers(room);
  }

  put(pair: number, column: number): void {
    const at = this.#count++;
    if (at === this.#pairs.length) {
      this.#pairs = doubled(this.#pairs);
      this.#columns = doubled(this.#columns);
    }
    this.#pairs[at] = pair;
    this.#columns[at] = column;
  }

  /** What was put. Nothing may be put later. */
  build(): PairColumns {
    return { pairs: this.#pairs.subarray(0, this.#count), columns: this.#columns.subarray(0, this.#count) };
  }
}

function doubled(values: Int32Array): Int32Array {
  const wider = integers(Math.max(16, 2 * values.length));
  wider.set(values);
  return wider;
}
