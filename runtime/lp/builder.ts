/** Collects a linear program column by column in typed arrays: a program of 240,000 columns takes milliseconds, where an
 *  array of arrays takes most of an epoch. What is collected in is kept for the next program, and what is built lies in
 *  one piece of memory. */

import assert from 'node:assert/strict';
import type { LinearProgram } from './problem.ts';

export class ProgramBuilder {
  #parts: Parts | null = idle.pop() ?? partsFor(256, 1024, 256); // null: built
  #columns = 0;
  #entries = 0;
  #rows = 0;

  /** Returns the row's index. */
  row(lower: number, upper: number): number {
    let parts = this.#parts!;
    const row = this.#rows++;
    if (row === parts.rowLower.length) parts = this.#grown();
    parts.rowLower[row] = lower;
    parts.rowUpper[row] = upper;
    return row;
  }

  /** Bounds are finite: the certificate's dual bound needs them. `ownRow`: see `LinearProgram`; the column is in it
   *  already. Returns the column's index. */
  column(cost: number, lower: number, upper: number, ownRow = -1, ownValue = 1): number {
    let parts = this.#parts!;
    const column = this.#columns++;
    if (column === parts.cost.length) parts = this.#grown();
    parts.cost[column] = cost;
    parts.lower[column] = lower;
    parts.upper[column] = upper;
    parts.ownRow[column] = ownRow;
    parts.columnStart[column] = this.#entries;
    if (ownRow >= 0) this.put(ownRow, ownValue);
    return column;
  }

  /** Enters the last column into a row, once. */
  put(row: number, value: number): void {
    let parts = this.#parts!;
    const entry = this.#entries++;
    if (entry === parts.rowIndex.length) parts = this.#grown();
    parts.rowIndex[entry] = row;
    parts.value[entry] = value;
  }

  /** The next row, column and entry. */
  get next(): { readonly row: number; readonly column: number; readonly entry: number } {
    return { row: this.#rows, column: this.#columns, entry: this.#entries };
  }

  /** With room for so many more, for whoever writes them himself and then says what he used. */
  extend(rows: number, columns: number, entries: number): Parts {
    let parts = this.#parts!;
    while (
      this.#rows + rows >= parts.rowLower.length ||
      this.#columns + columns >= parts.cost.length ||
      this.#entries + entries >= parts.rowIndex.length
    ) {
      parts = this.#grown(rows, columns, entries);
    }
    return parts;
  }

  /** The next row, column and entry. */
  extended(row: number, column: number, entry: number): void {
    this.#rows = row;
    this.#columns = column;
    this.#entries = entry;
  }

  /** Once. */
  build(): LinearProgram {
    const parts = this.#parts;
    assert(parts, 'a program is built once');
    this.#parts = null;
    idle.push(parts);
    const [columns, rows, entries] = [this.#columns, this.#rows, this.#entries];
    const memory = new ArrayBuffer(8 * (3 * columns + 2 * rows + entries) + 4 * (2 * columns + 1 + entries));
    let at = 0;
    const doubles = (from: Float64Array, length: number): Float64Array => {
      const copy = new Float64Array(memory, at, length);
      at += 8 * length;
      copy.set(from.subarray(0, length));
      return copy;
    };
    const integers = (from: Int32Array, length: number): Int32Array => {
      const copy = new Int32Array(memory, at, length);
      at += 4 * length;
      copy.set(from.subarray(0, length));
      return copy;
    };
    parts.columnStart[columns] = entries;
    return {
      cost: doubles(parts.cost, columns),
      lower: doubles(parts.lower, columns),
      upper: doubles(parts.upper, columns),
      rowLower: doubles(parts.rowLower, rows),
      rowUpper: doubles(parts.rowUpper, rows),
      value: doubles(parts.value, entries),
      columnStart: integers(parts.columnStart, columns + 1),
      rowIndex: integers(parts.rowIndex, entries),
      ownRow: integers(parts.ownRow, columns),
    };
  }

  /** Twice the room for whatever has none for so many more. */
  #grown(rows = 0, columns = 0, entries = 0): Parts {
    const old = this.#parts!;
    const roomFor = (count: number, room: number): number => (count >= room ? 2 * room : room);
    const wider = partsFor(
      roomFor(this.#columns + columns, old.cost.length),
      roomFor(this.#entries + entries, old.value.length),
      roomFor(this.#rows + rows, old.rowLower.length),
    );
    for (const key of Object.keys(old)) wider[key as keyof Parts].set(old[key as keyof Parts]);
    this.#parts = wider;
    return wider;
  }
}

/** Room to collect in. `columnStart` has one more than there are columns. */
export interface Parts {
  readonly cost: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly ownRow: Int32Array;
  readonly columnStart: Int32Array;
  readonly rowIndex: Int32Array;
  readonly value: Float64Array;
  readonly rowLower: Float64Array;
  readonly rowUpper: Float64Array;
}

/** Of builders that are done. */
const idle: Parts[] = [];

function partsFor(columns: number, entries: number, rows: number): Parts {
  return {
    cost: new Float64Array(columns),
    lower: new Float64Array(columns),
    upper: new Float64Array(columns),
    ownRow: new Int32Array(columns),
    columnStart: new Int32Array(columns + 1),
    rowIndex: new Int32Array(entries),
    value: new Float64Array(entries),
    rowLower: new Float64Array(rows),
    rowUpper: new Float64Array(rows),
  };
}
