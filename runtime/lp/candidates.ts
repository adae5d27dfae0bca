/** Which columns of a program are worth an engine's time, told from the prices of an epoch ago: those that are nearly as
 *  cheap as what is used, and those that get load out of limits which settling at these prices overruns. */

import type { Settled } from './blocks.ts';
import { quantileOf } from './near-columns.ts';
import { activitiesOf, type LinearProgram } from './problem.ts';

/** So many columns for each row of all that has a price, and for a few more. */
const nearPerRow = 12;
const fewMore = 2;

/** Of what a limit is overrun by, what comes in could take away this much. */
const reliefs = 3;
const cheaperPart = 1 / 8;
const feasible = 1e-9;

/** [column] 1: in. A column of a block comes with the block's basic one, for alone neither could change. */
export function candidates(program: LinearProgram, settled: Settled, point: Float64Array): Uint8Array {
  const { lower, upper, ownRow } = program;
  const { basicOf } = settled;
  const isIn = new Uint8Array(point.length);
  const bring = (j: number): void => {
    const basic = ownRow[j]! >= 0 ? basicOf[ownRow[j]!]! : -1;
    if (basic === j || lower[j] === upper[j]) return;
    isIn[j] = 1;
    if (basic >= 0) isIn[basic] = 1;
  };
  const { reduced } = settled;
  const near = quantileOf(reduced, shareNear(settled));
  for (let j = 0; j < reduced.length; j++) if (Math.abs(reduced[j]!) <= near) bring(j);
  // What is near helps already; then the cheaper part of the others, then all.
  const overrun = new Overrun(program, settled, point);
  let [above, upTo] = [-1, near];
  while (!overrun.isNone) {
    for (let j = 0; j < reduced.length; j++) {
      const price = Math.abs(reduced[j]!);
      if (price > above && price <= upTo) overrun.offer(j);
    }
    for (const j of overrun.take()) bring(j);
    if (upTo === Number.POSITIVE_INFINITY) break;
    above = upTo;
    upTo = upTo === near ? Math.max(near, quantileOf(reduced, cheaperPart)) : Number.POSITIVE_INFINITY;
    if (upTo === above) upTo = Number.POSITIVE_INFINITY;
  }
  return isIn;
}

/** Share of the columns, those with the least to win or lose, that is brought in as it is. */
function shareNear({ prices, reduced, basicOf }: Settled): number {
  let wanted = fewMore * nearPerRow; // and the basic ones, which have nothing to lose
  for (let r = 0; r < prices.length; r++) {
    if (basicOf[r]! >= 0) wanted += 1;
    else if (prices[r] !== 0) wanted += nearPerRow;
  }
  return wanted / reduced.length;
}

/** Rows of all that the point overruns, and what columns offer to bring them back. A column that changes takes the basic
 *  one of its block along, and what it takes off one limit it puts on another, while that has room. */
class Overrun {
  readonly #program: LinearProgram;
  readonly #settled: Settled;
  readonly #point: Float64Array;
  readonly #over: Float64Array; // [row] still to be taken away; below 0: to be added
  readonly #room: Float64Array; // [row] for more
  readonly #change: Float64Array; // [row] by a unit of the column that is looked at; all 0 in between
  readonly #isBasicOver: Uint8Array; // [own row] 1 where its basic column is in a row that is overrun
  readonly #offers = new Map<number, { column: number; amount: number; price: number }[]>(); // [row]

  constructor(program: LinearProgram, settled: Settled, point: Float64Array) {
    this.#program = program;
    this.#settled = settled;
    this.#point = point;
    const { rowLower, rowUpper } = program;
    const activity = activitiesOf(program, point);
    this.#over = activity.map((amount, r) => {
      const over = Math.max(0, amount - rowUpper[r]!) - Math.max(0, rowLower[r]! - amount);
      return Math.abs(over) > feasible && settled.basicOf[r]! < 0 ? reliefs * over : 0;
    });
    this.#room = activity.map((amount, r) =>
      settled.basicOf[r]! < 0 ? reliefs * (rowUpper[r]! - amount) : Number.POSITIVE_INFINITY,
    );
    this.#change = new Float64Array(rowLower.length);
    const { columnStart, rowIndex } = program;
    this.#isBasicOver = Uint8Array.from(settled.basicOf, (basic) => {
      if (basic < 0) return 0;
      for (let k = columnStart[basic]!; k < columnStart[basic + 1]!; k++) if (this.#over[rowIndex[k]!] !== 0) return 1;
      return 0;
    });
  }

  get isNone(): boolean {
    return this.#over.every((over) => over === 0);
  }

  offer(j: number): void {
    const amount = this.#amountOf(j);
    if (!(amount > 0) || !this.#mayRelieve(j)) return;
    this.#try(j, (r, each) => {
      if (each * this.#over[r]! >= 0) return;
      const price = Math.abs(this.#settled.reduced[j]! / each);
      const offers = this.#offers.get(r);
      if (offers) offers.push({ column: j, amount, price });
      else this.#offers.set(r, [{ column: j, amount, price }]);
    });
  }

  /** The cheapest of what was offered and has room to go to, as much as is needed. */
  take(): readonly number[] {
    const taken: number[] = [];
    for (const [r, offers] of this.#offers) {
      offers.sort((a, b) => a.price - b.price || a.column - b.column);
      for (const { column, amount } of offers) {
        const over = this.#over[r]!;
        if (over === 0) break;
        let part = amount; // of it that there is room for
        let relief = 0;
        this.#try(column, (row, each) => {
          if (row === r) relief = Math.abs(each);
          else if (each > 0) part = Math.min(part, this.#room[row]! / each);
        });
        if (!(part > 0)) continue;
        part = Math.min(part, Math.abs(over) / relief);
        taken.push(column);
        this.#try(column, (row, each) => {
          if (row !== r && each > 0) this.#room[row]! -= part * each;
        });
        const rest = Math.abs(over) - part * relief;
        this.#over[r] = rest > feasible ? Math.sign(over) * rest : 0;
      }
    }
    this.#offers.clear();
    return taken;
  }

  #amountOf(j: number): number {
    const { lower, upper, ownRow } = this.#program;
    const own = ownRow[j]!;
    return own >= 0 && this.#settled.basicOf[own] === j ? 0 : upper[j]! - lower[j]!;
  }

  /** A quick look: it, or what it takes along, is in a row that is overrun. */
  #mayRelieve(j: number): boolean {
    const { ownRow, columnStart, rowIndex } = this.#program;
    const own = ownRow[j]!;
    if (own >= 0 && this.#settled.basicOf[own]! >= 0 && this.#isBasicOver[own] === 1) return true;
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) if (this.#over[rowIndex[k]!] !== 0) return true;
    return false;
  }

  /** What rows the column and the basic one of its block change together, a unit of the column. */
  #try(j: number, see: (row: number, each: number) => void): void {
    const { lower, ownRow, columnStart, rowIndex, value } = this.#program;
    const change = this.#change;
    const own = ownRow[j]!;
    const basic = own >= 0 ? this.#settled.basicOf[own]! : -1;
    const step = this.#point[j] === lower[j] ? 1 : -1;
    const [from, to] = [columnStart[j]!, columnStart[j + 1]!];
    for (let k = from; k < to; k++) change[rowIndex[k]!]! += step * value[k]!;
    if (basic >= 0) {
      const [first, end] = [columnStart[basic]!, columnStart[basic + 1]!];
      const along = -change[own]! / value[columnStart[basic]!]!;
      for (let k = first; k < end; k++) change[rowIndex[k]!]! += along * value[k]!;
      this.#tell(first, end, see);
    }
    this.#tell(from, to, see);
  }

  #tell(from: number, to: number, see: (row: number, each: number) => void): void {
    const { rowIndex } = this.#program;
    for (let k = from; k < to; k++) {
      const r = rowIndex[k]!;
      const each = this.#change[r]!;
      this.#change[r] = 0;
      if (Math.abs(each) > feasible) see(r, each);
    }
  }
}
