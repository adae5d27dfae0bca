/** Collects columns and rows of a linear program, then packs them. */

import type { LinearProgram } from './problem.ts';

export class ProgramBuilder {
  readonly #cost: number[] = [];
  readonly #lower: number[] = [];
  readonly #upper: number[] = [];
  readonly #rows: { lower: number; upper: number; columns: number[]; values: number[] }[] = [];

  /** Bounds are finite: the certificate's dual bound needs them. Returns the column's index. */
  column(cost: number, lower: number, upper: number): number {
    this.#cost.push(cost);
    this.#lower.push(lower);
    this.#upper.push(upper);
    return this.#cost.length - 1;
  }

  /** Returns the row's index; fill it with `put`, columns ascending. */
  row(lower: number, upper: number): number {
    this.#rows.push({ lower, upper, columns: [], values: [] });
    return this.#rows.length - 1;
  }

  put(row: number, column: number, value: number): void {
    const { columns, values } = this.#rows[row]!;
    columns.push(column);
    values.push(value);
  }

  build(): LinearProgram {
    const rowStart = new Uint32Array(this.#rows.length + 1);
    this.#rows.forEach((row, r) => {
      rowStart[r + 1] = rowStart[r]! + row.columns.length;
    });
    return {
      cost: Float64Array.from(this.#cost),
      lower: Float64Array.from(this.#lower),
      upper: Float64Array.from(this.#upper),
      rowLower: Float64Array.from(this.#rows, (row) => row.lower),
      rowUpper: Float64Array.from(this.#rows, (row) => row.upper),
      rowStart,
      columnIndex: Uint32Array.from(this.#rows.flatMap((row) => row.columns)),
      value: Float64Array.from(this.#rows.flatMap((row) => row.values)),
    };
  }
}
