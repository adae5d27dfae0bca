/** What the levels of pools that are over them cost, as far as arithmetic tells: where a program that seeks calm starts.
 *  What has to leave a pool leaves it by the cheapest ways there are, and what the last of it pays is the price. Ways into
 *  pools that are full as well are none; that others fill up on the way, and guards, the solve finds out. */

import type { Model } from './model.ts';
import { costsOf } from './objective.ts';
import { poolsNow } from './pools-now.ts';
import type { LimitPrices } from './prices.ts';

/** `levelMax`: [k] utilization. */
export function calmPrices(model: Model, levelMax: Float64Array): LimitPrices {
  const { datacenters, capacity } = model;
  const { staying } = poolsNow(model);
  const excess = capacity.map((units, k) => (units > 0 ? Math.max(0, staying[k]! - levelMax[k]! * units) : 0));
  const isFull = new Uint8Array(datacenters);
  for (let k = 0; k < excess.length; k++) if (excess[k]! > 0) isFull[k % datacenters] = 1;
  const arriving = cheapestArrivals(model, isFull);
  const level = Array.from(excess, (load, k) => (load > 0 ? -priceOf(k, load, arriving, model) : 0));
  return { level, onload: [], price: [], churn: [] };
}

/** [c] a unit of load, where there is room; infinite where nothing of it may move. */
function cheapestArrivals(model: Model, isFull: Uint8Array): Float64Array {
  const { commodities, datacenters, service, isNew, still, mayGain } = model;
  const { rttCost, moveCost } = costsOf(model, 'calm');
  const cheapest = new Float64Array(commodities).fill(Number.POSITIVE_INFINITY);
  for (let c = 0, i = 0; c < commodities; c++) {
    const mayMove = isNew[service[c]!] === 0 && still[c] === 0;
    for (let d = 0; d < datacenters; d++, i++) {
      if (!mayMove || mayGain[i] === 0 || isFull[d] === 1) continue;
      cheapest[c] = Math.min(cheapest[c]!, rttCost[i]! + moveCost[i]!);
    }
  }
  return cheapest;
}

/** A unit of the pool's load, when `excess` of it has left; that of the dearest way where that is not all. */
function priceOf(k: number, excess: number, arriving: Float64Array, model: Model): number {
  const { commodities, datacenters, resources, use, service, base } = model;
  const { rttCost } = costsOf(model, 'calm');
  const d = k % datacenters;
  const ways: { readonly cost: number; readonly load: number }[] = [];
  for (let c = 0; c < commodities; c++) {
    const i = c * datacenters + d;
    const each = use[service[c]! * resources + (k - d) / datacenters]!;
    if (!(base[i]! > 0) || each === 0 || arriving[c] === Number.POSITIVE_INFINITY) continue;
    ways.push({ cost: (arriving[c]! - rttCost[i]!) / each, load: base[i]! * each });
  }
  ways.sort((a, b) => a.cost - b.cost);
  let [price, rest] = [0, excess];
  for (const way of ways) {
    price = way.cost;
    rest -= way.load;
    if (rest <= 0) break;
  }
  return Math.max(0, price);
}
