/** What the limits of all edges cost, carried from epoch to epoch: a few dozen numbers from which the next program starts
 *  near its optimum (`lp/start.ts`). They are plain data, so that the journal can freeze them and a restart or a replay
 *  starts as warm as the epoch before left it. Where they come from another world they cost time and nothing else. */

import { doubles } from './lp/pieces.ts';
import type { RowPrices } from './lp/problem.ts';
import type { Layout } from './placement.ts';

/** Change of the cost by a unit more of a limit; empty where all are 0. */
export interface LimitPrices {
  readonly level: readonly number[]; // [k]
  readonly onload: readonly number[]; // [k]
  readonly price: readonly number[]; // [k]
  readonly churn: readonly number[]; // [s]
}

/** Of the last solves without guards and under them, six digits of each; a group's are carried by its first service. */
export interface CarriedPrices {
  readonly want: LimitPrices | null;
  readonly guarded: LimitPrices | null;
}

/** The prices an epoch starts from, replaced by its own as it solves. */
export class PriceMemory {
  #want: LimitPrices | null;
  #guarded: LimitPrices | null;

  constructor(carried: CarriedPrices | undefined) {
    this.#want = carried?.want ?? null;
    this.#guarded = carried?.guarded ?? null;
  }

  get carried(): CarriedPrices {
    return { want: this.#want, guarded: this.#guarded };
  }

  /** Null where nothing is known. */
  known(isGuarded: boolean): LimitPrices | null {
    return isGuarded ? (this.#guarded ?? this.#want) : this.#want;
  }

  learn(layout: Layout, rowDuals: RowPrices, isGuarded: boolean): void {
    const { level, onload, price, churn } = limitPricesOf(layout, rowDuals);
    const brief = (prices: readonly number[]): number[] => prices.map((each) => Number(each.toPrecision(6)));
    const prices = { level: brief(level), onload: brief(onload), price: brief(price), churn: brief(churn) };
    if (isGuarded) this.#guarded = prices;
    else this.#want = prices;
  }
}

export function limitPricesOf({ levelRow, onloadRow, priceRow, churnRow }: Layout, rowDuals: RowPrices): LimitPrices {
  const each = (rows: Int32Array): number[] => {
    const prices: number[] = [];
    let isPriced = false;
    for (let k = 0; k < rows.length; k++) {
      const price = rows[k]! < 0 ? 0 : rowDuals[rows[k]!]!;
      prices.push(price);
      if (price !== 0) isPriced = true;
    }
    return isPriced ? prices : [];
  };
  return { level: each(levelRow), onload: each(onloadRow), price: each(priceRow), churn: each(churnRow) };
}

export function rowPricesOf(layout: Layout, rows: number, known: LimitPrices): RowPrices {
  const prices = doubles(rows);
  const put = (of: Int32Array, values: readonly number[]): void => {
    for (let i = 0; i < of.length; i++) {
      const price = values[i] ?? 0;
      if (of[i]! >= 0 && Number.isFinite(price)) prices[of[i]!] = price;
    }
  };
  put(layout.levelRow, known.level);
  put(layout.onloadRow, known.onload);
  put(layout.priceRow, known.price);
  put(layout.churnRow, known.churn);
  return prices;
}
