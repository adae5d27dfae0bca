/** Collects columns, rows and entries of a linear program in typed arrays, then packs the entries by row: a program of
 *  240,000 columns takes milliseconds, where an array of arrays takes most of an epoch. */

import type { LinearProgram } from './problem.ts';

export class ProgramBuilder {
  readonly #cost = new Doubles();
  readonly #lower = new Doubles();
  readonly #upper = new Doubles();
  readonly #rowLower = new Doubles();
  readonly #rowUpper = new Doubles();
  readonly #entryRow = new Doubles();
  readonly #entryColumn = new Doubles();
  readonly #entryValue = new Doubles();

  /** Bounds are finite: the certificate's dual bound needs them. Returns the column's index. */
  column(cost: number, lower: number, upper: number): number {
    this.#cost.push(cost);
    this.#lower.push(lower);
    return this.#upper.push(upper);
  }

  /** Returns the row's index; fill it with `put`, columns ascending. */
  row(lower: number, upper: number): number {
    this.#rowLower.push(lower);
    return this.#rowUpper.push(upper);
  }

  put(row: number, column: number, value: number): void {
    this.#entryRow.push(row);
    this.#entryColumn.push(column);
    this.#entryValue.push(value);
  }

  build(): LinearProgram {
    const rows = this.#rowLower.length;
    const entries = this.#entryRow.length;
    const [entryRow, entryColumn, entryValue] = [this.#entryRow.all, this.#entryColumn.all, this.#entryValue.all];
    const rowStart = new Uint32Array(rows + 1);
    for (let k = 0; k < entries; k++) rowStart[entryRow[k]! + 1]! += 1;
    for (let r = 0; r < rows; r++) rowStart[r + 1]! += rowStart[r]!;
    // Entries keep their order within a row.
    const next = rowStart.slice();
    const columnIndex = new Uint32Array(entries);
    const value = new Float64Array(entries);
    for (let k = 0; k < entries; k++) {
      const at = next[entryRow[k]!]!++;
      columnIndex[at] = entryColumn[k]!;
      value[at] = entryValue[k]!;
    }
    return {
      cost: this.#cost.taken(),
      lower: this.#lower.taken(),
      upper: this.#upper.taken(),
      rowLower: this.#rowLower.taken(),
      rowUpper: this.#rowUpper.taken(),
      rowStart,
      columnIndex,
      value,
    };
  }
}

/** A growing row of doubles. */
class Doubles {
  all = new Float64Array(256); // the first `length` count
  length = 0;

  /** Returns the index. */
  push(value: number): number {
    if (this.length === this.all.length) {
      const wider = new Float64Array(2 * this.length);
      wider.set(this.all);
      this.all = wider;
    }
    this.all[this.length] = value;
    return this.length++;
  }

  taken(): Float64Array {
    return this.all.slice(0, this.length);
  }
}
