/** The dual simplex method for programs of blocks (`blocks.ts`), in this thread: begun from the prices of an epoch ago, an
 *  epoch's program is a few dozen steps away from its optimum, each one pass over the columns. An engine in another thread
 *  takes as long to be told the program.
 *
 *  Prices of the rows of all say where every column stands that is not basic, for all of them have two finite bounds. So
 *  any prices are a dual feasible start, and what remains is to bring basic values back between their bounds: the worst
 *  first (measured across its row of the basis: Goldfarb and Forrest's steepest edge), and past every column that can
 *  change its bound on the way (Maros's long step). A block with no more than its key basic is settled by itself. Nobody
 *  has to believe the result: it is certified like an engine's, and where the steps lead nowhere an engine is asked.
 *  Declined: values updated in place. A pass over what is not 0 costs as little, and errors do not add up. */

import { mix32 } from '../../config/random.ts';
import { type Blocks, blocksOf, settledAt } from './blocks.ts';
import { LongStep } from './long-step.ts';
import { type EngineAnswer, type LinearProgram, type RowPrices, reducedCosts } from './problem.ts';
import { Scratch } from './scratch.ts';
import { nearestToBasic } from './start.ts';
import { atBound, feasible, isKey, Tableau } from './tableau.ts';
import { pivotMin } from './working-basis.ts';

/** With more rows of all than this the basis is no longer small. */
const sharedMax = 160;

/** Of solves that are done. */
const idle: Scratch[] = [];

/** Null where it finds no optimum: there is none, or an engine may know better. */
export function dualSimplex(program: LinearProgram, prices: RowPrices): EngineAnswer | null {
  const steps = dualSteps(program, prices);
  let said = steps.next();
  while (!said.done) said = steps.next();
  return said.value;
}

/** The same, with a pause after every pass over the program: whoever solves large ones has other things to do too. */
export function* dualSteps(program: LinearProgram, prices: RowPrices): Steps {
  const scratch = idle.pop() ?? new Scratch();
  scratch.begin();
  const answer = yield* solvedIn(scratch, program, prices);
  idle.push(scratch); // nothing of it is in the answer
  return answer;
}

export type Steps = Generator<void, EngineAnswer | null, void>;

function* solvedIn(scratch: Scratch, program: LinearProgram, prices: RowPrices): Steps {
  const blocks = blocksOf(program, scratch);
  const shared: number[] = [];
  for (let r = 0; r < program.rowLower.length; r++) if (blocks.start[r] === blocks.start[r + 1]) shared.push(r);
  if (shared.length > sharedMax) return null;
  const simplex = new DualSimplex(program, blocks, shared, scratch);
  return (yield* simplex.begin(withoutTies(program), prices)) ? yield* simplex.run() : null;
}

/** Where most columns cost nothing (a level is sought, wherever the load goes) steps of no length go round in circles. A
 *  trace of cost tells one column from the other; the optimum's basis is the same, and its prices are read without it. */
const trace = 1e-7;

/** Where what costs is spread over more than this (the level of a pool a million times its load), a unit of anything else
 *  is worth so little of it that the trace would outweigh it: what costs is made dearer by as much. */
const wideMin = 1e4;

function withoutTies(program: LinearProgram): LinearProgram {
  const { cost, columnStart, value } = program;
  let free = 0;
  let widest = 0;
  for (let j = 0; j < cost.length; j++) {
    if (cost[j] === 0) free += 1;
    else for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) widest = Math.max(widest, Math.abs(value[k]!));
  }
  if (free < cost.length / 2) return program;
  const dearer = Math.max(1, widest / wideMin);
  return { ...program, cost: cost.map((each, j) => dearer * each + trace * (1 + mix32(j) / 4294967296)) };
}

interface Leaving {
  readonly place: number;
  readonly isBelow: boolean;
  readonly gap: number; // to the bound it goes to
}

class DualSimplex extends Tableau {
  readonly #longStep: LongStep;
  #patience = 4; // steps before columns are looked at anew because too many are near
  #narrowAt = this.#patience;

  constructor(program: LinearProgram, blocks: Blocks, shared: readonly number[], scratch: Scratch) {
    super(program, blocks, shared, scratch);
    this.#longStep = new LongStep(this.placeOf.length, scratch);
  }

  /** Whether there is a basis to begin from. `costing`: the program, without ties. */
  *begin(costing: LinearProgram, prices: RowPrices): Generator<void, boolean, void> {
    this.costing = costing;
    yield;
    if (!this.#settle(costing, prices)) return false;
    yield;
    if (this.#makeTight(prices)) {
      yield;
      if (!this.#signed(costing.cost) || !this.#settle(costing, this.rowPrices(costing.cost))) return false;
      for (let v = this.columns; v < this.placeOf.length; v++) {
        const isUp = this.reduced[v]! < 0 || !Number.isFinite(this.boundOf(v, false));
        if (this.placeOf[v] === atBound) this.isUpper[v] = isUp ? 1 : 0;
      }
    }
    yield;
    this.near.choose(this.reduced.subarray(0, this.columns));
    return this.#stand();
  }

  *run(): Steps {
    const stepsMax = 200 + 20 * this.basis.width;
    for (let step = 0; step < stepsMax; step++) {
      this.#evaluate();
      const leaving = this.#worst();
      if (!leaving) return this.#answer();
      if (this.near.isCrowded && step >= this.#narrowAt) this.#lookNearer(step);
      if (!this.#step(leaving)) return null;
      yield;
    }
    return null;
  }

  /** Reduced costs at these prices, and the keys at which blocks with nothing else basic are cheapest. */
  #settle(costing: LinearProgram, prices: RowPrices): boolean {
    const { start } = this.blocks;
    const { basicOf } = settledAt(costing, this.blocks, prices, this.busy, this.reduced.subarray(0, this.columns));
    for (let r = 0; r < this.busy.length; r++) {
      if (start[r] === start[r + 1] || this.busy[r]! > 0) continue;
      if (basicOf[r]! < 0) return false;
      if (this.keyOf[r]! >= 0) this.placeOf[this.keyOf[r]!] = atBound;
      this.keyOf[r] = basicOf[r]!;
      this.placeOf[basicOf[r]!] = isKey;
    }
    return true;
  }

  /** Gives rows of all that have a price a basic column in place of their slacks, as far as the basis stays regular.
   *  Returns whether there is any. */
  #makeTight(prices: RowPrices): boolean {
    const { lower, upper } = this.program;
    const isOpen = Uint8Array.from(this.shared, (row) => (prices[row] !== 0 ? 1 : 0)); // [place]: that of its slack
    let open = isOpen.reduce((sum, one) => sum + one, 0);
    if (open === 0) return false;
    const isOut = (j: number): boolean => this.placeOf[j] === isKey || lower[j] === upper[j];
    for (const j of nearestToBasic(this.reduced.subarray(0, this.columns), isOut, 8 * open)) {
      if (open === 0) break;
      const inTerms = this.termsOf(j);
      let place = -1;
      for (let p = 0; p < inTerms.length; p++) {
        if (isOpen[p] === 1 && (place < 0 || Math.abs(inTerms[p]!) > Math.abs(inTerms[place]!))) place = p;
      }
      if (place < 0 || Math.abs(inTerms[place]!) < 1e-6) continue;
      this.exchange(place, j, inTerms);
      isOpen[place] = 0;
      open -= 1;
    }
    return true;
  }

  /** The basis has prices of its own, near those it was made from. A slack whose price has the wrong sign becomes basic
   *  again. */
  #signed(cost: Float64Array): boolean {
    const { rowLower, rowUpper } = this.program;
    this.price(cost);
    for (let i = 0; i < this.shared.length; i++) {
      const slack = this.columns + i;
      const side = this.reduced[slack]! < 0 ? rowUpper[this.shared[i]!]! : rowLower[this.shared[i]!]!;
      if (this.placeOf[slack] !== atBound || this.reduced[slack] === 0 || Number.isFinite(side)) continue;
      const inTerms = this.termsOf(slack);
      let place = -1;
      for (let p = 0; p < inTerms.length; p++) {
        const isColumn = this.basic[p]! < this.columns;
        if (isColumn && (place < 0 || Math.abs(inTerms[p]!) > Math.abs(inTerms[place]!))) place = p;
      }
      if (place < 0 || Math.abs(inTerms[place]!) < pivotMin) return false;
      this.exchange(place, slack, inTerms);
      this.price(cost);
      i = -1;
    }
    return true;
  }

  /** Every variable that is not basic at the bound that its reduced cost says; false where that is infinitely far. */
  #stand(): boolean {
    const { upper, ownRow } = this.program;
    for (let j = 0; j < this.columns; j++) {
      if (this.placeOf[j] !== atBound) continue;
      const own = ownRow[j]!;
      const cost = this.reduced[j]!;
      // Of columns that cost alike, those before the key have had their turn.
      const isTied = cost === 0 && own >= 0 && this.busy[own] === 0;
      const isUp = isTied ? j < this.keyOf[own]! === this.ownOf(j) > 0 : cost < 0;
      if (isUp && !Number.isFinite(upper[j]!)) return false;
      this.putAt(j, isUp);
    }
    for (let r = 0; r < this.keyOf.length; r++) if (this.keyOf[r]! >= 0) this.fill(r);
    return true;
  }

  /** Values of the working basis, beside what stands at bounds. */
  #evaluate(): void {
    const { columnStart, rowIndex, value } = this.program;
    const activity = this.ofRow.fill(0);
    for (let at = 0; at < this.amounts; at++) {
      const j = this.withAmount[at]!;
      const amount = this.x[j]!;
      if (amount === 0) continue;
      for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) activity[rowIndex[k]!]! += value[k]! * amount;
    }
    for (let i = 0; i < this.shared.length; i++) {
      const slack = this.columns + i;
      const stands = this.placeOf[slack] === atBound ? this.boundOf(slack, this.isUpper[slack] === 1) : 0;
      this.column[i] = stands - activity[this.shared[i]!]!;
    }
    this.basis.inTermsOf(this.column, this.values);
  }

  /** The basic variable that is furthest outside its bounds; one of a block's key changes roles with it first. */
  #worst(): Leaving | null {
    const { ownRow } = this.program;
    const { width } = this.basis;
    let worst: Leaving | null = null;
    let most = 0;
    let ofKey = -1; // the own row whose key it is
    const look = (v: number, at: number, place: number, own: number): void => {
      const low = this.boundOf(v, false) - at;
      const high = at - this.boundOf(v, true);
      const gap = Math.max(low, high);
      if (!(gap > feasible)) return;
      const distance = (gap * gap) / this.basis.normOf(place);
      if (distance <= most) return;
      most = distance;
      worst = { place, isBelow: low > high, gap };
      ofKey = own;
    };
    const shift = this.ofRow; // [own row] what its working columns take of the key
    for (let p = 0; p < width; p++) {
      const own = this.ownRowOf(this.basic[p]!, ownRow);
      if (own >= 0) shift[own] = 0;
    }
    for (let p = 0; p < width; p++) {
      const v = this.basic[p]!;
      look(v, this.values[p]!, p, -1);
      const own = this.ownRowOf(v, ownRow);
      if (own >= 0) shift[own]! += this.ownOf(v) * this.values[p]!;
    }
    for (let p = 0; p < width; p++) {
      const own = this.ownRowOf(this.basic[p]!, ownRow);
      if (own < 0) continue;
      const key = this.keyOf[own]!;
      look(key, this.x[key]! - shift[own]! / this.ownOf(key), p, own);
    }
    if (worst && ofKey >= 0) this.changeRoles((worst as Leaving).place, ofKey);
    return worst;
  }

  /** One pivot. False where nothing can take the place of what leaves, or only by a hair. */
  #step({ place, isBelow, gap }: Leaving): boolean {
    let entering = this.#entering(place, isBelow ? -1 : 1, gap);
    let change = this.#changeMax(entering);
    while (!this.near.covers(change)) {
      this.#lookFurther(change);
      entering = this.#entering(place, isBelow ? -1 : 1, gap);
      change = this.#changeMax(entering);
    }
    if (entering < 0) return false;
    const inTerms = this.termsOf(entering);
    if (Math.abs(inTerms[place]!) < pivotMin) return false;
    const theta = this.reduced[entering]! / this.alpha[entering]!;
    if (theta !== 0) {
      this.near.changed(change);
      for (let at = 0; at < this.near.count; at++) {
        const v = this.near.list[at]!;
        if (this.placeOf[v] === atBound) this.reduced[v]! -= theta * this.alpha[v]!;
      }
      for (let v = this.columns; v < this.alpha.length; v++) this.reduced[v]! -= theta * this.alpha[v]!;
    }
    for (const v of this.#longStep.passed) {
      this.putAt(v, this.isUpper[v] === 0);
      this.touch(v);
    }
    const leaving = this.basic[place]!;
    this.exchange(place, entering, inTerms);
    this.reduced[entering] = 0;
    this.reduced[leaving] = -theta;
    this.putAt(leaving, !isBelow);
    if (leaving < this.columns) this.near.add(leaving);
    this.touch(leaving);
    this.touch(entering);
    return this.settleTouched();
  }

  /** By how much a step to what enters changes any reduced cost at most. */
  #changeMax(entering: number): number {
    if (entering < 0) return Number.POSITIVE_INFINITY;
    let dearest = 0;
    for (let r = 0; r < this.ofRow.length; r++) dearest = Math.max(dearest, Math.abs(this.ofRow[r]!));
    return Math.abs(this.reduced[entering]! / this.alpha[entering]!) * dearest * this.heaviest;
  }

  /** More columns near. */
  #lookFurther(change: number): void {
    this.near.widen(this.#reducedNow(), change);
  }

  /** Fewer again. Where that was too few before long, the next time is later. */
  #lookNearer(step: number): void {
    this.near.choose(this.#reducedNow());
    this.#patience *= 2;
    this.#narrowAt = step + this.#patience;
  }

  /** [column] of all of them. */
  #reducedNow(): Float64Array {
    const reduced = this.reduced.subarray(0, this.columns);
    reducedCosts(this.costing, this.rowPrices(this.costing.cost), reduced);
    for (let j = 0; j < reduced.length; j++) if (this.placeOf[j] !== atBound) reduced[j] = 0;
    return reduced;
  }

  /** What takes the place of what leaves it; -1: nothing can. What changes its bound on the way there has been passed. */
  #entering(place: number, sign: 1 | -1, gap: number): number {
    const { columnStart, rowIndex, value, lower, upper, rowLower, rowUpper } = this.program;
    const price = this.ofRow; // [row] of what leaves
    const lead = this.basis.rowAt(place);
    for (let i = 0; i < lead.length; i++) price[this.shared[i]!] = lead[i]!;
    for (let r = 0; r < price.length; r++) {
      const key = this.keyOf[r]!;
      if (key < 0) continue;
      let sum = 0;
      const from = columnStart[key]!;
      for (let k = from + 1; k < columnStart[key + 1]!; k++) sum += value[k]! * price[rowIndex[k]!]!;
      price[r] = -sum / value[from]!;
    }
    this.#longStep.begin();
    for (let at = 0; at < this.near.count; at++) {
      const j = this.near.list[at]!;
      let alpha = 0;
      if (this.placeOf[j] === atBound) {
        for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) alpha += value[k]! * price[rowIndex[k]!]!;
        const toward = sign * alpha;
        if ((this.isUpper[j] === 1 ? -toward : toward) > pivotMin)
          this.#longStep.offer(j, this.reduced[j]! / toward, Math.abs(alpha), upper[j]! - lower[j]!);
      }
      this.alpha[j] = alpha;
    }
    for (let i = 0; i < lead.length; i++) {
      const v = this.columns + i;
      let alpha = 0;
      if (this.placeOf[v] === atBound) {
        alpha = -lead[i]!;
        const toward = sign * alpha;
        const row = this.shared[i]!;
        if ((this.isUpper[v] === 1 ? -toward : toward) > pivotMin)
          this.#longStep.offer(v, this.reduced[v]! / toward, Math.abs(alpha), rowUpper[row]! - rowLower[row]!);
      }
      this.alpha[v] = alpha;
    }
    return this.#longStep.end(gap);
  }

  #answer(): EngineAnswer {
    const { ownRow, cost } = this.program;
    const columns = this.x;
    for (let p = 0; p < this.basic.length; p++) {
      const v = this.basic[p]!;
      if (v >= this.columns) continue;
      columns[v] = this.values[p]!;
      const key = ownRow[v]! >= 0 ? this.keyOf[ownRow[v]!]! : -1;
      if (key >= 0) columns[key]! -= (this.ownOf(v) / this.ownOf(key)) * columns[v]!;
    }
    this.price(cost);
    return { status: 'optimal', columns, rowDuals: this.rowPrices(cost) };
  }
}
