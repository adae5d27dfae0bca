/** What the epochs of a world are planned on: the demand of the epoch before, or a forecast from all before, whatever of
 *  the world is replayed; with `oracle`, the epoch's own. */

import type { Policy } from '../../config/policy.ts';
import { stepMs, type World } from '../../config/world.ts';
import { Forecaster } from '../../runtime/forecast.ts';

/** Asked in order of time. */
export class PlannedDemand {
  readonly #world: World;
  readonly #forecaster: Forecaster | null; // null: the epoch's own demand
  #known = 0; // steps observed

  constructor(world: World, policy: Policy, oracle: boolean) {
    this.#world = world;
    const edges = world.topology.edges.length;
    const options = { edges, epochMs: stepMs(world.demand), kind: policy.spec.forecast };
    this.#forecaster = oracle ? null : new Forecaster(options);
  }

  /** [edge] rps to plan step `t` on. Before the first step nothing is known: its own demand then. */
  at(t: number): Float64Array {
    const { timesMs } = this.#world.demand;
    if (!this.#forecaster || t === 0) return demandAt(this.#world, t);
    for (; this.#known < t; this.#known++) {
      this.#forecaster.observe(timesMs[this.#known]!, demandAt(this.#world, this.#known));
    }
    return this.#forecaster.next(timesMs[t]!);
  }
}

/** [edge] rps of step `t`. */
export function demandAt({ topology, demand }: World, t: number): Float64Array {
  const edges = topology.edges.length;
  return demand.rps.slice(t * edges, (t + 1) * edges);
}
