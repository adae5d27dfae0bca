/** Nearly all pairs of an edge and a datacenter are far from being worth a move: at what limits cost an epoch ago, load
 *  would be so much dearer there than where it is that no noise makes up for it. So a program is asked about the few that
 *  come nearest to it, and the prices of its answer are put to all others, which takes no program: a pair's worth is a
 *  sum of five numbers. Those that would better the answer come in, until none would. Then it is the answer to the whole
 *  program, by the same argument that certifies it: prices at which nobody has anything to win. What parts are to an engine
 *  (`lp/sift.ts`), this is to those who write programs down, read them and certify them.
 *
 *  Only where all that moves does so by choice, and no limit is of single pairs. Levels that few pairs cannot keep may be
 *  missed, at a price that calls for others. Where that leads nowhere the whole program is asked.
 *  Declined: changing last epoch's program in place. In delta form its columns are others, and of what is left to write
 *  most would have changed. */

import type { Few } from './few-columns.ts';
import type { CertifiedAnswer, SolveCertified } from './lp/certified.ts';
import type { LinearProgram, RowPrices } from './lp/problem.ts';
import { hasAny, type Model } from './model.ts';
import { type Costs, costsOf } from './objective.ts';
import { type Formulation, formulate, hasLimitsOfPairs, type Layout } from './placement.ts';
import { type LimitPrices, limitPricesOf, rowPricesOf } from './prices.ts';

/** An answer to the program of all pairs, or to that of few which is one to it, too. */
export interface Solved {
  readonly layout: Layout; // of the program that was asked
  readonly answer: CertifiedAnswer;
  readonly whole: () => Whole; // written down when it is asked for
}

/** The program of all pairs, and what its rows cost. */
export interface Whole {
  readonly program: LinearProgram;
  readonly layout: Layout;
  readonly rowDuals: RowPrices;
}

/** So many pairs for each pool, and times the root of them all: of more pairs more are near, but not as many more. */
const fewPerPool = 3;
const fewPerRoot = 4;

const roundsMax = 8;
const missedMax = 1e-8;

/** Null where the whole has to be asked. `known`: what limits cost, about; no answer depends on it. */
export async function amongFew(
  model: Model,
  formulation: Formulation,
  known: LimitPrices,
  solve: SolveCertified,
  count = fewPerPool * model.capacity.length + fewPerRoot * Math.sqrt(model.mayGain.length),
): Promise<Solved | null> {
  if (!isEachByItself(model, formulation)) return null;
  const ways = new Ways(model, costsOf(model, formulation.seek));
  const few = ways.nearest(known, count);
  let prices = known;
  for (let round = 0; round < roundsMax; round++) {
    const { program, layout } = formulate(model, formulation, few);
    const answer = await solve(program, rowPricesOf(layout, program.rowLower.length, prices));
    if (!answer) return null;
    prices = limitPricesOf(layout, answer.rowDuals);
    if (ways.bring(few, prices, layout, answer.rowDuals)) continue;
    const isMissed = layout.missColumn.some((column) => column >= 0 && answer.columns[column]! > missedMax);
    let whole: Whole | null = null;
    const write = (): Whole => (whole ??= wholeOf(model, formulation, prices, ways.leavingAt));
    return isMissed ? null : { layout, answer, whole: write };
  }
  return null;
}

/** `leavingAt` [c]: what a unit costs that leaves. */
function wholeOf(model: Model, formulation: Formulation, prices: LimitPrices, leavingAt: Float64Array): Whole {
  const { program, layout } = formulate(model, formulation);
  const rowDuals = rowPricesOf(layout, program.rowLower.length, prices);
  layout.movingRow.forEach((row, c) => {
    if (row >= 0) rowDuals[row] = leavingAt[c]!;
  });
  return { program, layout, rowDuals };
}

/** Is a pair worth what it costs, what its pools take, and no more? */
function isEachByItself(model: Model, { limits, seek }: Formulation): boolean {
  if (seek !== 'nearness' && seek !== 'calm') return false;
  if (limits?.toward || model.meeting || hasLimitsOfPairs(model) || Number.isFinite(model.emergencyMax)) return false;
  return !hasAny(model.tooFar) && !model.forced.some((load) => load > 0);
}

/** Nothing is kept here from one call to the next. */
let room = new Float64Array(0);

/** What a unit of load costs where it is, and where it could go. */
class Ways {
  readonly leavingAt: Float64Array; // [c] of what would leave next
  readonly #model: Model;
  readonly #rttCost: Float64Array;
  readonly #moveCost: Float64Array;
  readonly #price: Float64Array; // [s * D + d] of a unit of the service's load there; 0 or less
  readonly #regret: Float64Array; // [c * D + d] by how much it is dearer there than what leaves; infinite where there is no way

  constructor(model: Model, { rttCost, moveCost }: Costs) {
    this.leavingAt = new Float64Array(model.commodities);
    this.#model = model;
    this.#rttCost = rttCost;
    this.#moveCost = moveCost;
    this.#price = new Float64Array(model.services * model.datacenters);
    if (room.length < rttCost.length) room = new Float64Array(rttCost.length);
    this.#regret = room.subarray(0, rttCost.length);
  }

  /** About so many, those with the least regret, and all that have none. */
  nearest(known: LimitPrices, count: number): Few {
    const { commodities, datacenters } = this.#model;
    this.#weigh(known, null);
    const isIn = new Uint8Array(this.#regret.length);
    const isAny = new Uint8Array(commodities);
    const most = this.#regretOf(count);
    for (let c = 0, i = 0; c < commodities; c++) {
      for (let d = 0; d < datacenters; d++, i++) if (this.#regret[i]! <= most) isIn[i] = isAny[c] = 1;
    }
    return { isIn, isAny, missPrice: this.#missPrice() };
  }

  /** Of each commodity, what betters the answer most and is not in comes in. Returns whether there is any. */
  bring({ isIn, isAny }: Few, prices: LimitPrices, { movingRow }: Layout, rowDuals: RowPrices): boolean {
    const { commodities, datacenters } = this.#model;
    this.#weigh(prices, (c) => (movingRow[c]! >= 0 ? rowDuals[movingRow[c]!]! : Number.POSITIVE_INFINITY));
    let isBrought = false;
    for (let c = 0, i = 0; c < commodities; c++) {
      let best = -1;
      let least = 0;
      for (let d = 0; d < datacenters; d++, i++) {
        if (this.#regret[i]! >= least || isIn[i] === 1) continue;
        best = i;
        least = this.#regret[i]!;
      }
      if (best < 0) continue;
      isIn[best] = isAny[c] = 1;
      isBrought = true;
    }
    return isBrought;
  }

  /** At these prices. `marginal` [c]: of the unit that leaves next, where an answer says it; else the dearest does. (Where
   *  the answer says more than the dearest costs, nothing leaves, and any price down to that says so as well.) */
  #weigh(prices: LimitPrices, marginal: ((c: number) => number) | null): void {
    const { commodities, datacenters, service, isNew, still, base, mayGain, churnWeight } = this.#model;
    const [rttCost, moveCost, price, regret] = [this.#rttCost, this.#moveCost, this.#price, this.#regret];
    this.#priceLoad(prices);
    for (let c = 0, from = 0; c < commodities; c++, from += datacenters) {
      const s = service[c]!;
      const own = s * datacenters;
      let dearest = Number.NEGATIVE_INFINITY;
      let [places, only] = [0, -1]; // where all of it is, and has no way to
      for (let d = 0; d < datacenters && isNew[s] === 0 && still[c] === 0; d++) {
        if (!(base[from + d]! > 0)) continue;
        dearest = Math.max(dearest, rttCost[from + d]! - price[own + d]!);
        only = places++ === 0 ? d : -1;
      }
      const leaving = marginal ? Math.min(dearest, marginal(c)) : dearest;
      this.leavingAt[c] = leaving;
      const churn = (prices.churn[s] ?? 0) * churnWeight[c]!;
      for (let d = 0, i = from; d < datacenters; d++, i++) {
        const isWay = mayGain[i] === 1 && d !== only;
        regret[i] = isWay ? rttCost[i]! + moveCost[i]! - price[own + d]! - churn - leaving : Number.POSITIVE_INFINITY;
      }
    }
  }

  #priceLoad({ level, onload, price }: LimitPrices): void {
    const { services, datacenters, resources, use } = this.#model;
    for (let s = 0; s < services; s++) {
      for (let d = 0; d < datacenters; d++) {
        let sum = 0;
        for (let r = 0, k = d; r < resources; r++, k += datacenters) {
          sum += use[s * resources + r]! * ((level[k] ?? 0) + (onload[k] ?? 0) + (price[k] ?? 0));
        }
        this.#price[s * datacenters + d] = sum;
      }
    }
  }

  /** A few times what any load could save by going elsewhere. (Were it a thousand times, engines would lose digits.) */
  #missPrice(): number {
    let dearest = 0;
    for (let i = 0; i < this.#rttCost.length; i++) dearest = Math.max(dearest, this.#rttCost[i]! + this.#moveCost[i]!);
    const least = this.#model.use.reduce((most, each) => (each > 0 ? Math.min(most, each) : most), 1);
    return (4 * dearest) / least;
  }

  /** That of about the `count`th, told by some that are evenly spaced; at least 0. */
  #regretOf(count: number): number {
    const stride = Math.max(1, count / samplesBelow);
    const some = new Float64Array(Math.floor(this.#regret.length / stride));
    for (let at = 0; at < some.length; at++) some[at] = this.#regret[Math.floor(at * stride)]!;
    some.sort();
    const found = some[Math.floor(count / stride)] ?? Number.POSITIVE_INFINITY;
    return Math.min(Math.max(0, found), Number.MAX_VALUE); // where there is no way regret is infinite
  }
}

/** A count is told by so many samples of what is below it. No whole number: strides would fall in step with datacenters. */
const samplesBelow = 15.7;
