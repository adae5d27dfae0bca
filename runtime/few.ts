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
import { doubles, integers } from './lp/pieces.ts';
import type { LinearProgram, RowPrices } from './lp/problem.ts';
import { hasAny, type Model } from './model.ts';
import { type Costs, costsOf } from './objective.ts';
import { type Formulation, formulate, hasLimitsOfPairs, type Layout } from './placement.ts';
import { type LimitPrices, limitPricesOf, rowPricesOf } from './prices.ts';
import { standingOf } from './standing.ts';

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
  const ways = new Ways(model, costsOf(model, formulation.seek), known);
  let few = ways.nearest(count);
  let prices = known;
  for (let round = 0; round < roundsMax; round++) {
    const { program, layout } = formulate(model, formulation, few);
    const answer = await solve(program, rowPricesOf(layout, program.rowLower.length, prices));
    if (!answer) return null;
    prices = limitPricesOf(layout, answer.rowDuals);
    const more = ways.bring(few, prices, layout, answer.rowDuals);
    if (more) {
      few = more;
      continue;
    }
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
let room = new Int32Array(0);

/** Sums are this exact, and then some. */
const rounding = 1e-6;

/** What a unit of load costs, at some prices. */
interface Weights {
  readonly leavingAt: Float64Array; // [c] of what would leave next; -Infinity where nothing may
  readonly price: Float64Array; // [s * D + d] of a unit of the service's load there; 0 or less
  readonly churn: Float64Array; // [s] of a unit of churn
}

/** What a unit of load costs where it is, and where it could go. A pair is dearer by its regret than what would leave. */
class Ways {
  readonly #model: Model;
  readonly #rttCost: Float64Array;
  readonly #moveCost: Float64Array;
  readonly #only: Int32Array; // [c] the pair where all of it is, and has no way to; else -1
  #before: Weights;
  #now: Weights;
  #most = 0; // all with no more regret than this, before, were the nearest

  constructor(model: Model, { rttCost, moveCost }: Costs, known: LimitPrices) {
    const { commodities, datacenters, base } = model;
    this.#model = model;
    this.#rttCost = rttCost;
    this.#moveCost = moveCost;
    const { start, pairs } = standingOf(base, datacenters);
    this.#only = integers(commodities);
    for (let c = 0; c < commodities; c++) this.#only[c] = start[c + 1]! - start[c]! === 1 ? pairs[start[c]!]! : -1;
    this.#before = this.#weigh(known, null);
    this.#now = this.#before;
    if (room.length < rttCost.length) room = new Int32Array(rttCost.length);
  }

  get leavingAt(): Float64Array {
    return this.#now.leavingAt;
  }

  /** About so many, those with the least regret, and all that have none. */
  nearest(count: number): Few {
    const { commodities, datacenters, service, mayGain, churnWeight } = this.#model;
    const [rttCost, moveCost, only] = [this.#rttCost, this.#moveCost, this.#only];
    const { leavingAt, price, churn } = this.#before;
    const most = this.#regretOf(count);
    let found = 0;
    for (let c = 0, from = 0; c < commodities; c++, from += datacenters) {
      const leaving = leavingAt[c]!;
      if (leaving === Number.NEGATIVE_INFINITY) continue;
      const own = service[c]! * datacenters;
      const churnCost = churn[service[c]!]! * churnWeight[c]!;
      for (let d = 0, i = from; d < datacenters; d++, i++) {
        const regret = rttCost[i]! + moveCost[i]! - price[own + d]! - churnCost - leaving;
        if (regret <= most && mayGain[i] === 1 && i !== only[c]) room[found++] = i;
      }
    }
    this.#most = most;
    const pairs = integers(found);
    pairs.set(room.subarray(0, found));
    return { pairs, missPrice: this.#missPrice() };
  }

  /** With what betters the answer most of each commodity and is not in; null where there is none. */
  bring({ pairs, missPrice }: Few, prices: LimitPrices, { movingRow }: Layout, rowDuals: RowPrices): Few | null {
    const { commodities, datacenters, service, mayGain, churnWeight } = this.#model;
    const [rttCost, moveCost, only] = [this.#rttCost, this.#moveCost, this.#only];
    this.#now = this.#weigh(prices, (c) => (movingRow[c]! >= 0 ? rowDuals[movingRow[c]!]! : Number.POSITIVE_INFINITY));
    const { leavingAt, price, churn } = this.#now;
    const cheaper = this.#cheaperBy();
    let [found, next] = [0, 0];
    for (let c = 0, from = 0; c < commodities; c++, from += datacenters) {
      const leaving = leavingAt[c]!;
      if (leaving === Number.NEGATIVE_INFINITY || this.#isFar(c, cheaper)) continue;
      const own = service[c]! * datacenters;
      const churnCost = churn[service[c]!]! * churnWeight[c]!;
      let best = -1;
      let least = 0;
      while (next < pairs.length && pairs[next]! < from) next += 1;
      for (let d = 0, i = from; d < datacenters; d++, i++) {
        if (pairs[next] === i) {
          next += 1;
          continue;
        }
        const regret = rttCost[i]! + moveCost[i]! - price[own + d]! - churnCost - leaving;
        if (!(regret < least) || mayGain[i] === 0 || i === only[c]) continue;
        best = i;
        least = regret;
      }
      if (best >= 0) room[found++] = best;
    }
    if (found === 0) return null;
    const all: Int32Array = integers(pairs.length + found);
    all.set(pairs);
    all.set(room.subarray(0, found), pairs.length);
    return { pairs: all.sort(), missPrice };
  }

  /** [s] by how much its load is cheaper anywhere than it was for the nearest, at most. */
  #cheaperBy(): Float64Array {
    const { services, datacenters } = this.#model;
    const [before, now] = [this.#before.price, this.#now.price];
    const cheaper = doubles(services).fill(Number.NEGATIVE_INFINITY);
    for (let s = 0, k = 0; s < services; s++) {
      for (let d = 0; d < datacenters; d++, k++) cheaper[s] = Math.max(cheaper[s]!, now[k]! - before[k]!);
    }
    return cheaper;
  }

  /** Have prices changed by so little that of what was not among the nearest nothing can be worth a move now? */
  #isFar(c: number, cheaper: Float64Array): boolean {
    const { service, churnWeight } = this.#model;
    const [before, now] = [this.#before, this.#now];
    const s = service[c]!;
    const less = cheaper[s]! + (now.churn[s]! - before.churn[s]!) * churnWeight[c]!;
    return this.#most - less - (now.leavingAt[c]! - before.leavingAt[c]!) > rounding;
  }

  /** At these prices. `marginal` [c]: of the unit that leaves next, where an answer says it; else the dearest does. (Where
   *  the answer says more than the dearest costs, nothing leaves, and any price down to that says so as well.) */
  #weigh(prices: LimitPrices, marginal: ((c: number) => number) | null): Weights {
    const { commodities, services, datacenters, service, isNew, still, base } = this.#model;
    const { start, pairs } = standingOf(base, datacenters);
    const rttCost = this.#rttCost;
    const price = this.#priceOfLoad(prices);
    const churn = doubles(services);
    for (let s = 0; s < services; s++) churn[s] = prices.churn[s] ?? 0;
    const leavingAt = doubles(commodities);
    for (let c = 0; c < commodities; c++) {
      const s = service[c]!;
      const mayLeave = isNew[s] === 0 && still[c] === 0;
      let dearest = Number.NEGATIVE_INFINITY;
      for (let at = start[c]!; at < start[c + 1]! && mayLeave; at++) {
        const i = pairs[at]!;
        dearest = Math.max(dearest, rttCost[i]! - price[i + (s - c) * datacenters]!);
      }
      leavingAt[c] = marginal ? Math.min(dearest, marginal(c)) : dearest;
    }
    return { leavingAt, price, churn };
  }

  #priceOfLoad({ level, onload, price }: LimitPrices): Float64Array {
    const { services, datacenters, resources, use } = this.#model;
    const ofLoad = doubles(services * datacenters);
    for (let s = 0; s < services; s++) {
      for (let d = 0; d < datacenters; d++) {
        let sum = 0;
        for (let r = 0, k = d; r < resources; r++, k += datacenters) {
          sum += use[s * resources + r]! * ((level[k] ?? 0) + (onload[k] ?? 0) + (price[k] ?? 0));
        }
        ofLoad[s * datacenters + d] = sum;
      }
    }
    return ofLoad;
  }

  /** A few times what any load could save by going elsewhere. (Were it a thousand times, engines would lose digits.) */
  #missPrice(): number {
    const least = this.#model.use.reduce((most, each) => (each > 0 ? Math.min(most, each) : most), 1);
    return (4 * dearestOf(this.#rttCost, this.#moveCost)) / least;
  }

  /** That of about the `count`th, told by some that are evenly spaced; at least 0. */
  #regretOf(count: number): number {
    const { datacenters, service, mayGain, churnWeight } = this.#model;
    const { leavingAt, price, churn } = this.#before;
    const stride = Math.max(1, count / samplesBelow);
    const samples = Math.floor(mayGain.length / stride);
    const place = Math.floor(count / stride);
    const least = doubles(place + 1).fill(Number.POSITIVE_INFINITY); // so far, ascending
    for (let at = 0; at < samples; at++) {
      const i = Math.floor(at * stride);
      const c = Math.floor(i / datacenters);
      if (mayGain[i] === 0 || i === this.#only[c]) continue; // where there is no way regret is infinite
      const s = service[c]!;
      const cost = this.#rttCost[i]! + this.#moveCost[i]! - price[s * datacenters + i - c * datacenters]!;
      const regret = cost - churn[s]! * churnWeight[c]! - leavingAt[c]!;
      if (!(regret < least[place]!)) continue;
      let to = place;
      for (; to > 0 && least[to - 1]! > regret; to--) least[to] = least[to - 1]!;
      least[to] = regret;
    }
    return Math.min(Math.max(0, least[place]!), Number.MAX_VALUE);
  }
}

/** By costs of moves, with those of latency: an epoch asks for several programs. */
const dearestKnown = new WeakMap<Float64Array, { readonly rttCost: Float64Array; readonly dearest: number }>();

function dearestOf(rttCost: Float64Array, moveCost: Float64Array): number {
  const before = dearestKnown.get(moveCost);
  if (before?.rttCost === rttCost) return before.dearest;
  let dearest = 0;
  for (let i = 0; i < rttCost.length; i++) dearest = Math.max(dearest, rttCost[i]! + moveCost[i]!);
  dearestKnown.set(moveCost, { rttCost, dearest });
  return dearest;
}

/** A count is told by so many samples of what is below it. No whole number: strides would fall in step with datacenters. */
const samplesBelow = 15.7;
