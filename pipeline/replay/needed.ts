/** The least movement of fractions that keeping the balance needs at all: a chain of its own beside the replay, that
 *  each epoch moves as little as it can and still has every datacenter within the tolerance. Against it one sees what
 *  latency, guards and damping cost in movement. Epoch by epoch, not over the whole week at once: a plan that knows the
 *  future could move less, but nobody knows it. */

import { calmestPlacement, lowestLevels, nearestPlacement } from '../../runtime/balance.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import { type CarriedState, freshState, observeStates, retainedFractions } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import type { SolveCertified } from '../../runtime/lp/certified.ts';
import { buildModel, type Model, totalLoad } from '../../runtime/model.ts';
import type { Placement } from '../../runtime/placement.ts';

export class NeededMovement {
  readonly #solve: SolveCertified;
  #fractions: FractionMatrix | null = null;
  #carried: CarriedState = freshState;

  constructor(solve: SolveCertified) {
    this.#solve = solve;
  }

  /** Share of all load that has to move in this epoch, forced moves included; null where nothing can be said (no answer,
   *  nowhere to go), 0 in the first epoch. `inputs.served` is not looked at. */
  async next(inputs: Omit<RuntimeInputs, 'served'>): Promise<number | null> {
    const { topology, states, policy } = inputs;
    this.#carried = observeStates(this.#carried, topology, states, this.#fractions);
    const retained = retainedFractions(this.#carried, topology, states);
    const built = buildModel({ ...inputs, served: this.#fractions }, retained);
    if (built.kind === 'nowhere') return null;
    const { model } = built;
    const levels = await lowestLevels(model, null, this.#solve);
    if (!levels) return null;
    const levelMax = levels.map((level) => level + policy.spec.guards.balanceTolerance);
    const placement = model.initial
      ? await nearestPlacement(model, null, levelMax, this.#solve)
      : await calmestPlacement(model, null, levelMax, this.#solve);
    if (!placement) return null;
    this.#fractions = fractionsAfter(model, placement);
    if (model.initial) return 0;
    let moved = 0;
    model.forced.forEach((load, c) => {
      moved += load * model.churnWeight[c]!;
    });
    placement.gained.forEach((load, i) => {
      moved += load * model.churnWeight[Math.floor(i / model.datacenters)]!;
    });
    return moved / totalLoad;
  }
}

function fractionsAfter(model: Model, { placed, gained, left }: Placement): FractionMatrix {
  return model.base.map((load, i) => {
    const edgeLoad = model.load[Math.floor(i / model.datacenters)]!;
    return Math.max(0, load + placed[i]! + gained[i]! - left[i]!) / edgeLoad;
  });
}
