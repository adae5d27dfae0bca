/** Collects columns, rows and entries of a linear program in typed arrays, then packs the entries by row: a program of
 *  240,000 columns takes milliseconds, where an array of arrays takes most of an epoch.
 *  What is collected in is kept for the next program, and what is packed lies in one piece of memory, handed to another
 *  thread in one go. Declined: shared memory. It is freed when both threads have collected their garbage, and a program
 *  copied in ten milliseconds is not worth hundreds of megabytes (measured). */

import assert from 'node:assert/strict';
import type { LinearProgram } from './problem.ts';

export class ProgramBuilder {
  #parts: Parts | null = idle.pop() ?? newParts(); // null: built

  /** Bounds are finite: the certificate's dual bound needs them. Returns the column's index. */
  column(cost: number, lower: number, upper: number): number {
    const parts = this.#parts!;
    parts.cost.push(cost);
    parts.lower.push(lower);
    return parts.upper.push(upper);
  }

  /** Returns the row's index; fill it with `put`, columns ascending. */
  row(lower: number, upper: number): number {
    const parts = this.#parts!;
    parts.rowLower.push(lower);
    return parts.rowUpper.push(upper);
  }

  put(row: number, column: number, value: number): void {
    const parts = this.#parts!;
    parts.entryRow.push(row);
    parts.entryColumn.push(column);
    parts.entryValue.push(value);
  }

  /** Once. */
  build(): LinearProgram {
    const parts = this.#parts;
    assert(parts, 'a program is built once');
    this.#parts = null;
    const program = packed(parts);
    for (const key of Object.keys(parts)) parts[key as keyof Parts].length = 0;
    idle.push(parts);
    return program;
  }
}

interface Parts {
  readonly cost: Growing<Float64Array>;
  readonly lower: Growing<Float64Array>;
  readonly upper: Growing<Float64Array>;
  readonly rowLower: Growing<Float64Array>;
  readonly rowUpper: Growing<Float64Array>;
  readonly entryRow: Growing<Int32Array>;
  readonly entryColumn: Growing<Int32Array>;
  readonly entryValue: Growing<Float64Array>;
}

/** Of builders that are done. */
const idle: Parts[] = [];

function newParts(): Parts {
  const doubles = (): Growing<Float64Array> => new Growing((length) => new Float64Array(length));
  const integers = (): Growing<Int32Array> => new Growing((length) => new Int32Array(length));
  return {
    cost: doubles(),
    lower: doubles(),
    upper: doubles(),
    rowLower: doubles(),
    rowUpper: doubles(),
    entryRow: integers(),
    entryColumn: integers(),
    entryValue: doubles(),
  };
}

function packed(parts: Parts): LinearProgram {
  const { entryRow, entryColumn, entryValue } = parts;
  const [columns, rows, entries] = [parts.cost.length, parts.rowLower.length, entryRow.length];
  const memory = new ArrayBuffer(8 * (3 * columns + 2 * rows + entries) + 4 * (rows + 1 + entries));
  let at = 0;
  const doubles = (length: number): Float64Array => {
    at += 8 * length;
    return new Float64Array(memory, at - 8 * length, length);
  };
  const integers = (length: number): Uint32Array => {
    at += 4 * length;
    return new Uint32Array(memory, at - 4 * length, length);
  };
  const copied = (part: Growing<Float64Array>): Float64Array => {
    const copy = doubles(part.length);
    copy.set(part.all.subarray(0, part.length));
    return copy;
  };
  const [cost, lower, upper] = [copied(parts.cost), copied(parts.lower), copied(parts.upper)];
  const [rowLower, rowUpper] = [copied(parts.rowLower), copied(parts.rowUpper)];
  const value = doubles(entries);
  const rowStart = integers(rows + 1);
  const columnIndex = integers(entries);
  for (let k = 0; k < entries; k++) rowStart[entryRow.all[k]! + 1]! += 1;
  for (let r = 0; r < rows; r++) rowStart[r + 1]! += rowStart[r]!;
  // Entries keep their order within a row.
  const next = rowStart.slice();
  for (let k = 0; k < entries; k++) {
    const to = next[entryRow.all[k]!]!++;
    columnIndex[to] = entryColumn.all[k]!;
    value[to] = entryValue.all[k]!;
  }
  return { cost, lower, upper, rowLower, rowUpper, rowStart, columnIndex, value };
}

/** A row of numbers; the first `length` of `all` count. */
class Growing<T extends Float64Array | Int32Array> {
  all: T;
  length = 0;
  readonly #make: (length: number) => T;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.all = make(256);
  }

  /** Returns the index. */
  push(value: number): number {
    if (this.length === this.all.length) {
      const wider = this.#make(2 * this.length);
      wider.set(this.all);
      this.all = wider;
    }
    this.all[this.length] = value;
    return this.length++;
  }
}
