/** The least movement of fractions that keeping the balance needs at all: a chain of its own beside the replay, that
 *  each epoch moves as little as it can and still has every datacenter within the tolerance. Against it one sees what
 *  latency, guards and damping cost in movement. Services that are solved together have one chain, which may move either of
 *  them in any epoch, due or not; each has its part of it. Epoch by epoch, not over the whole week at once: a plan that
 *  knows the future could move less, but nobody knows it. */

import { calmestPlacement, lowestLevels, nearestPlacement } from '../../runtime/balance.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import { type CarriedState, freshState, observeStates, retainedFractions } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import type { SolveCertified } from '../../runtime/lp/certified.ts';
import { buildGroupModel, type Model } from '../../runtime/model.ts';
import { demandOf, type Placement } from '../../runtime/placement.ts';

type Needing = Omit<RuntimeInputs, 'served'>;

interface Link {
  readonly fractions: FractionMatrix | null;
  readonly carried: CarriedState;
}

export class NeededMovement {
  readonly #solve: SolveCertified;
  #chain: readonly Link[] = []; // [s]

  constructor(solve: SolveCertified) {
    this.#solve = solve;
  }

  /** [s] share of the service's load that has to move in this epoch, forced moves included; null where nothing can be said
   *  (no answer, nowhere to go), 0 in the first epoch. Asked for the same services every time. */
  async next(services: readonly Needing[]): Promise<readonly (number | null)[]> {
    const nothing = services.map(() => null);
    const before = services.map((inputs, s): Link => {
      const { fractions, carried } = this.#chain[s] ?? { fractions: null, carried: freshState };
      return { fractions, carried: observeStates(carried, inputs.topology, inputs.states, fractions) };
    });
    this.#chain = before;
    const built = buildGroupModel(
      services.map((inputs, s) => {
        const { fractions, carried } = before[s]!;
        const retained = retainedFractions(carried, inputs.topology, inputs.states);
        return { inputs: { ...inputs, served: fractions }, retained };
      }),
    );
    if (built.kind === 'nowhere') return nothing;
    const { model } = built;
    const levels = await lowestLevels(model, null, this.#solve);
    if (!levels) return nothing;
    const levelMax = levels.map((level) => level + services[0]!.policy.spec.guards.balanceTolerance);
    const placement = model.initial
      ? await nearestPlacement(model, null, levelMax, this.#solve)
      : await calmestPlacement(model, null, levelMax, this.#solve);
    if (!placement) return nothing;
    const fractions = fractionsAfter(model, placement);
    const pairs = model.edges * model.datacenters;
    const isLost = (s: number): boolean => model.nowhere[s] !== null;
    this.#chain = before.map((link, s) =>
      isLost(s) ? link : { ...link, fractions: fractions.slice(s * pairs, (s + 1) * pairs) },
    );
    return services.map((_, s) => (isLost(s) ? null : model.isNew[s] === 1 ? 0 : movedBy(model, placement, s)));
  }
}

function movedBy(model: Model, placement: Placement, s: number): number {
  const { edges, datacenters, forced, churnWeight } = model;
  let moved = 0;
  for (let c = s * edges; c < (s + 1) * edges; c++) moved += forced[c]! * churnWeight[c]!;
  for (let i = s * edges * datacenters; i < (s + 1) * edges * datacenters; i++) {
    moved += placement.gained[i]! * churnWeight[Math.floor(i / datacenters)]!;
  }
  return moved / demandOf(model, s);
}

function fractionsAfter(model: Model, { placed, gained, left }: Placement): FractionMatrix {
  return model.base.map((load, i) => {
    const edgeLoad = model.load[Math.floor(i / model.datacenters)]!;
    return Math.max(0, load + placed[i]! + gained[i]! - left[i]!) / edgeLoad;
  });
}
