/** Where a dual simplex for programs of blocks (`dual-simplex.ts`) stands: which variables are basic, at which bounds the
 *  others are, what they cost. Of each block the key meets its own row; the working basis is as wide as there are rows of
 *  all. */

import { type Blocks, cheapest } from './blocks.ts';
import { NearColumns } from './near-columns.ts';
import type { LinearProgram, RowPrices } from './problem.ts';
import type { Scratch } from './scratch.ts';
import { WorkingBasis } from './working-basis.ts';

/** What `placeOf` says of a variable that has no place in the working basis. */
export const atBound = -1;
export const isKey = -2;

export const feasible = 1e-9;

/** Variables are the columns, then the slacks: slack i is the activity of the i-th row of all, its column there -1. */
export class Tableau {
  protected readonly program: LinearProgram;
  protected readonly blocks: Blocks;
  protected readonly shared: readonly number[]; // [i] row of all
  protected readonly sharedAt: Int32Array; // [row] i, -1 of own rows
  protected readonly columns: number;
  protected readonly basis: WorkingBasis;
  protected readonly basic: Int32Array; // [place] variable
  protected readonly placeOf: Int32Array; // [variable]
  protected readonly keyOf: Int32Array; // [own row], -1 of rows of all
  protected readonly busy: Int32Array; // [own row] basic columns beside the key
  protected readonly isUpper: Uint8Array; // [variable] 1: at its upper bound; 0 of basic ones
  protected readonly x: Float64Array; // [column] with the working basis at 0
  protected readonly withAmount: Int32Array; // columns whose x was once not 0, the first `amounts`
  protected amounts = 0;
  protected readonly reduced: Float64Array; // [variable] of a slack the price of its row; of columns that are not near, long ago
  protected readonly near: NearColumns;
  protected readonly alpha: Float64Array; // [variable] in the row of what leaves
  protected readonly values: Float64Array; // [place]
  protected readonly ofRow: Float64Array; // [row] scratch
  protected readonly column: Float64Array; // [i] scratch
  protected readonly inTerms: Float64Array; // [place] scratch
  protected readonly heaviest: number; // sum of a column's entries, at most
  protected costing: LinearProgram;
  protected readonly touched: number[] = []; // own rows in which something changed
  protected readonly isTouched: Uint8Array; // [row]
  readonly #isWithAmount: Uint8Array; // [column]

  constructor(program: LinearProgram, blocks: Blocks, shared: readonly number[], scratch: Scratch) {
    const [columns, rows, width] = [program.cost.length, program.rowLower.length, shared.length];
    const variables = columns + width;
    this.program = program;
    this.blocks = blocks;
    this.shared = shared;
    this.sharedAt = scratch.anyIntegers(rows).fill(-1);
    for (let i = 0; i < width; i++) this.sharedAt[shared[i]!] = i;
    this.columns = columns;
    this.basis = new WorkingBasis(width);
    this.basic = Int32Array.from(shared, (_, i) => columns + i);
    this.placeOf = scratch.anyIntegers(variables).fill(atBound);
    for (let i = 0; i < width; i++) this.placeOf[columns + i] = i;
    this.keyOf = scratch.anyIntegers(rows).fill(-1);
    this.busy = scratch.integers(rows);
    this.isUpper = scratch.bytes(variables);
    this.x = new Float64Array(columns);
    this.withAmount = scratch.anyIntegers(columns);
    this.#isWithAmount = scratch.bytes(columns);
    this.reduced = scratch.doubles(variables);
    this.near = new NearColumns(columns, width, scratch);
    this.alpha = scratch.anyDoubles(variables);
    this.values = new Float64Array(width);
    this.ofRow = scratch.doubles(rows);
    this.column = new Float64Array(width);
    this.inTerms = new Float64Array(width);
    this.costing = program;
    this.isTouched = scratch.bytes(rows);
    this.heaviest = heaviestOf(program);
  }

  protected ownRowOf(v: number, ownRow: Int32Array): number {
    return v < this.columns ? ownRow[v]! : -1;
  }

  /** The working column at `place` becomes its block's key, and the key takes its place. */
  protected changeRoles(place: number, own: number): void {
    const { ownRow } = this.program;
    const column = this.basic[place]!;
    const key = this.keyOf[own]!;
    const times = this.column.fill(0);
    for (let p = 0; p < times.length; p++) {
      if (this.ownRowOf(this.basic[p]!, ownRow) === own) {
        times[p] = this.ownOf(this.basic[p]!) / this.ownOf(column);
      }
    }
    this.basis.exchangeKey(place, times, this.ownOf(key) / this.ownOf(column));
    this.basic[place] = key;
    this.placeOf[key] = place;
    this.x[key] = 0;
    this.keyOf[own] = column;
    this.placeOf[column] = isKey;
    this.fill(own);
  }

  /** `entering` takes the place of the variable there, which stands at a bound from now on. */
  protected exchange(place: number, entering: number, inTerms: Float64Array): void {
    const { ownRow } = this.program;
    const leaving = this.basic[place]!;
    this.basis.replace(place, inTerms);
    this.placeOf[leaving] = atBound;
    const left = this.ownRowOf(leaving, ownRow);
    if (left >= 0) this.busy[left]! -= 1;
    this.basic[place] = entering;
    this.placeOf[entering] = place;
    this.isUpper[entering] = 0;
    if (entering < this.columns) this.x[entering] = 0;
    const entered = this.ownRowOf(entering, ownRow);
    if (entered >= 0) this.busy[entered]! += 1;
  }

  protected touch(v: number): void {
    const own = this.ownRowOf(v, this.program.ownRow);
    if (own < 0 || this.isTouched[own] === 1) return;
    this.isTouched[own] = 1;
    this.touched.push(own);
  }

  /** Keys make up for what changed in their blocks; where one cannot, its block finds another. */
  protected settleTouched(): boolean {
    const { lower, upper } = this.program;
    let all = true;
    for (const own of this.touched) {
      this.isTouched[own] = 0;
      this.fill(own);
      const key = this.keyOf[own]!;
      const isIn = this.x[key]! >= lower[key]! - feasible && this.x[key]! <= upper[key]! + feasible;
      if (!isIn && this.busy[own] === 0) all = this.findKey(own) && all;
    }
    this.touched.length = 0;
    return all;
  }

  protected findKey(own: number): boolean {
    const { columns, start } = this.blocks;
    const [from, to] = [start[own]!, start[own + 1]!];
    for (let at = from; at < to; at++) this.reduced[columns[at]!] = this.costBeside(columns[at]!);
    const key = cheapest(this.program, columns, from, to, this.program.rowLower[own]!, this.reduced);
    if (key < 0) return false;
    this.placeOf[this.keyOf[own]!] = atBound;
    this.keyOf[own] = key;
    this.placeOf[key] = isKey;
    this.isUpper[key] = 0;
    const price = this.reduced[key]! / this.ownOf(key);
    for (let at = from; at < to; at++) {
      const j = columns[at]!;
      if (j === key) continue;
      const its = this.ownOf(j);
      const itsPrice = this.reduced[j]! / its;
      const hadTurn = itsPrice < price || (itsPrice === price && j < key);
      this.reduced[j]! -= price * its;
      this.putAt(j, hadTurn === its > 0);
      this.near.offer(j, this.reduced[j]!);
    }
    this.reduced[key] = 0;
    this.fill(own);
    return true;
  }

  /** What a column costs at the prices of the rows of all. */
  protected costBeside(j: number): number {
    const { columnStart, rowIndex, value } = this.program;
    let cost = this.costing.cost[j]!;
    for (let k = columnStart[j]! + 1; k < columnStart[j + 1]!; k++) {
      cost -= value[k]! * this.reduced[this.columns + this.sharedAt[rowIndex[k]!]!]!;
    }
    return cost;
  }

  /** What is left of a block's own row is its key's. */
  protected fill(own: number): void {
    const { columns, start } = this.blocks;
    const key = this.keyOf[own]!;
    let rest = this.program.rowLower[own]!;
    for (let at = start[own]!; at < start[own + 1]!; at++) {
      const j = columns[at]!;
      if (j !== key && this.x[j] !== 0) rest -= this.ownOf(j) * this.x[j]!;
    }
    this.#take(key, rest / this.ownOf(key));
  }

  protected putAt(v: number, isUp: boolean): void {
    this.isUpper[v] = isUp ? 1 : 0;
    if (v < this.columns) this.#take(v, this.boundOf(v, isUp));
  }

  #take(j: number, amount: number): void {
    this.x[j] = amount;
    if (amount === 0 || this.#isWithAmount[j] === 1) return;
    this.#isWithAmount[j] = 1;
    this.withAmount[this.amounts++] = j;
  }

  protected boundOf(v: number, isUp: boolean): number {
    const { lower, upper, rowLower, rowUpper } = this.program;
    if (v < this.columns) return isUp ? upper[v]! : lower[v]!;
    const row = this.shared[v - this.columns]!;
    return isUp ? rowUpper[row]! : rowLower[row]!;
  }

  /** What a column enters its own row with. */
  protected ownOf(j: number): number {
    return this.program.value[this.program.columnStart[j]!]!;
  }

  /** A variable in terms of the working basis; of a column its block's key makes up for it. */
  protected termsOf(v: number): Float64Array {
    this.column.fill(0);
    if (v >= this.columns) this.column[v - this.columns] = -1;
    else {
      const own = this.program.ownRow[v]!;
      this.addTo(this.column, v, 1);
      if (own >= 0) this.addTo(this.column, this.keyOf[own]!, -this.ownOf(v) / this.ownOf(this.keyOf[own]!));
    }
    return this.basis.inTermsOf(this.column, this.inTerms);
  }

  protected addTo(column: Float64Array, j: number, times: number): void {
    const { columnStart, rowIndex, value } = this.program;
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) {
      const i = this.sharedAt[rowIndex[k]!]!;
      if (i >= 0) column[i]! += times * value[k]!;
    }
  }

  /** Prices of the rows of all at which the working basis costs nothing. */
  protected price(cost: Float64Array): void {
    const { ownRow } = this.program;
    const costs = this.values;
    for (let p = 0; p < costs.length; p++) {
      const v = this.basic[p]!;
      const own = this.ownRowOf(v, ownRow);
      costs[p] = v < this.columns ? cost[v]! : 0;
      if (own >= 0) costs[p]! -= (this.ownOf(v) / this.ownOf(this.keyOf[own]!)) * cost[this.keyOf[own]!]!;
    }
    this.basis.pricesOf(costs, this.reduced.subarray(this.columns));
    for (const v of this.basic) if (v >= this.columns) this.reduced[v] = 0;
  }

  /** [row] with those of own rows, at which their keys cost nothing. */
  protected rowPrices(cost: Float64Array): RowPrices {
    const { columnStart, rowIndex, value } = this.program;
    const prices = new Float64Array(this.keyOf.length);
    for (let i = 0; i < this.shared.length; i++) prices[this.shared[i]!] = this.reduced[this.columns + i]!;
    for (let r = 0; r < prices.length; r++) {
      const key = this.keyOf[r]!;
      if (key < 0) continue;
      let rest = cost[key]!;
      const from = columnStart[key]!;
      for (let k = from + 1; k < columnStart[key + 1]!; k++) rest -= value[k]! * prices[rowIndex[k]!]!;
      prices[r] = rest / value[from]!;
    }
    return prices;
  }
}

function heaviestOf({ columnStart, value }: LinearProgram): number {
  let heaviest = 0;
  for (let j = 0, k = 0; j + 1 < columnStart.length; j++) {
    let weight = 0;
    for (; k < columnStart[j + 1]!; k++) weight += Math.abs(value[k]!);
    heaviest = Math.max(heaviest, weight);
  }
  return heaviest;
}
