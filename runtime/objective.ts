/** What a program minimises, as costs of a unit of load. */

import { everywhere } from './everywhere.ts';
import type { GivingLimit, Model } from './model.ts';

/** The level, latency and movement, movement alone, or what a limit gives. */
export type Sought = 'level' | 'nearness' | 'calm' | GivingLimit;

/** [c * D + d] */
export interface Costs {
  readonly rttCost: Float64Array; // of load that is there
  readonly moveCost: Float64Array; // of load that is moved there by choice
}

export function costsOf(model: Model, sought: Sought): Costs {
  if (sought === 'nearness') return model;
  if (sought === 'calm') return calmCostsOf(model);
  const none = everywhere(0, model.rttCost.length);
  return { rttCost: none, moveCost: none };
}

/** By latencies. */
const calmCostsKnown = new WeakMap<Model['rttCost'], Costs>();

/** Movement alone has many optima; a trace of latency makes one of them the answer of every engine. */
function calmCostsOf(model: Model): Costs {
  const before = calmCostsKnown.get(model.rttCost);
  if (before) return before;
  const { rttCost, services } = model;
  // Services at one edge have the same latencies: between them the tie-break has to be seen above the engines' tolerances.
  const pairs = rttCost.length / services;
  const trace = new Float64Array(rttCost.length);
  const calm = new Float64Array(rttCost.length);
  for (let i = 0; i < calm.length; i++) {
    const cost = rttCost[i]!;
    trace[i] = 1e-4 * cost;
    calm[i] = 1 + 1e-3 * cost + (cost - rttCost[i % pairs]!);
  }
  const costs = { rttCost: trace, moveCost: calm };
  calmCostsKnown.set(rttCost, costs);
  return costs;
}
