/** How much a control loop moves: under noise, and in the hour after a step. The real loop with its parts (solve, assign,
 *  pace, validate), on demand that is made up around a world's. For tests and for `npm run bench -- steady`. */

import type { Policy } from '../../config/policy.ts';
import type { Random } from '../../config/random.ts';
import type { Topology } from '../../config/topology.ts';
import type { EpochContext } from '../../pipeline/epoch/inputs.ts';
import type { EpochPlan } from '../../pipeline/epoch/plan.ts';
import { freshState, planEpoch } from '../../pipeline/epoch.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import { type DatacenterState, normalState } from '../../runtime/inputs.ts';

export interface Conditions {
  readonly demandRps: Float64Array;
  readonly topology?: Topology; // else the loop's
  readonly out?: readonly number[]; // datacenters that keep nothing
}

export class SteadyLoop {
  readonly #topology: Topology;
  readonly #policy: Policy;
  readonly #context: EpochContext;
  #epoch = 0;
  #last: Pick<EpochPlan, 'table' | 'carried' | 'served'> = {
    table: null,
    carried: freshState,
    served: new Float64Array(),
  };

  constructor(topology: Topology, policy: Policy, context: EpochContext) {
    this.#topology = topology;
    this.#policy = policy;
    this.#context = context;
  }

  get served(): FractionMatrix {
    return this.#last.served;
  }

  /** Another loop that goes on from where this one is. */
  branch(): SteadyLoop {
    const other = new SteadyLoop(this.#topology, this.#policy, this.#context);
    other.#epoch = this.#epoch;
    other.#last = this.#last;
    return other;
  }

  async epoch({ demandRps, topology = this.#topology, out = [] }: Conditions): Promise<EpochPlan> {
    const epoch = this.#epoch++;
    const states = topology.datacenters.map(
      (_, d): DatacenterState =>
        out.includes(d) ? { keep: 0, refill: false, cause: 'abnormal', untilMs: null } : normalState,
    );
    const { table: previous, carried } = this.#last;
    const inputs = { epoch, startMs: epoch * 300_000, topology, policy: this.#policy, demandRps, states, intents: [] };
    const plan = await planEpoch({ ...inputs, previous, carried }, this.#context);
    this.#last = plan;
    return plan;
  }

  /** Until nothing has moved for six epochs, 100 at most. */
  async settle(conditions: Conditions): Promise<void> {
    let still = 0;
    for (let i = 0; i < 100 && still < 6; i++) {
      const plan = await this.epoch(conditions);
      still = movedIn(plan) === 0 && plan.outcome !== 'initial' ? still + 1 : 0;
    }
  }
}

/** Share of all demand that changed target, forced or by choice. */
export function movedIn({ churn }: EpochPlan): number {
  return churn.forced + churn.elective;
}

/** Half the L1 distance, weighted by demand. */
export function distance(demandRps: Float64Array, a: FractionMatrix, b: FractionMatrix): number {
  const width = a.length / demandRps.length;
  let moved = 0;
  for (const [i, fraction] of a.entries())
    moved += (demandRps[Math.floor(i / width)]! * Math.abs(fraction - b[i]!)) / 2;
  return moved / demandRps.reduce((sum, rps) => sum + rps, 0);
}

/** Each edge's demand off by itself, by `sigma` of it in the mean square: twelve uniform draws make a normal one. */
export function noisy(demandRps: Float64Array, sigma: number, random: Random): Float64Array {
  return demandRps.map((rps) => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random();
    return Math.max(0, rps * (1 + sigma * sum));
  });
}

/** Mean share of all demand moved an epoch under noise, from a settled start. */
export async function movedByNoise(
  loop: SteadyLoop,
  demandRps: Float64Array,
  epochs: number,
  random: Random,
): Promise<number> {
  await loop.settle({ demandRps });
  let moved = 0;
  for (let i = 0; i < epochs; i++) moved += movedIn(await loop.epoch({ demandRps: noisy(demandRps, 0.02, random) }));
  return moved / epochs;
}

export interface StepMoves {
  readonly what: string;
  readonly moved: number; // in the hour after, forced and by choice
  readonly distance: number; // between the steady states before and after
}

/** The steps the project makes promises about, each from and to a steady state. */
export async function stepMoves(start: SteadyLoop, topology: Topology, demandRps: Float64Array): Promise<StepMoves[]> {
  const bySize = [...topology.datacenters.keys()].sort(
    (a, b) => topology.datacenters[b]!.capacityRps - topology.datacenters[a]!.capacityRps || a - b,
  );
  const [largest, smallest] = [bySize[0]!, bySize.at(-1)!];
  const usual: Conditions = { demandRps };
  await start.settle(usual);
  const found: StepMoves[] = [];
  const there = async (what: string, from: SteadyLoop, conditions: Conditions): Promise<SteadyLoop> => {
    const loop = from.branch();
    let moved = 0;
    for (let i = 0; i < 12; i++) moved += movedIn(await loop.epoch(conditions));
    await loop.settle(conditions);
    found.push({ what, moved, distance: distance(conditions.demandRps, from.served, loop.served) });
    return loop;
  };
  const thereAndBack = async (what: string, conditions: Conditions, back: string): Promise<void> => {
    await there(back, await there(what, start, conditions), usual);
  };
  await thereAndBack('flash crowd', { demandRps: crowded(topology, demandRps, 1.5) }, 'flash crowd over');
  await thereAndBack('largest halved', { demandRps, topology: halved(topology, largest) }, 'largest whole again');
  await thereAndBack('largest lost', { demandRps, out: [largest] }, 'largest back');
  await thereAndBack('smallest lost', { demandRps, out: [smallest] }, 'smallest back');
  return found;
}

/** The third of the edges, next to each other from west to east, that asks for most, asks for `factor` as much. */
export function crowded(topology: Topology, demandRps: Float64Array, factor: number): Float64Array {
  const order = [...topology.edges.keys()].sort((a, b) => topology.edges[a]!.lon - topology.edges[b]!.lon || a - b);
  const third = Math.ceil(order.length / 3);
  const regions = order.map((_, from) => order.map((__, i) => order[(from + i) % order.length]!).slice(0, third));
  const weight = (region: readonly number[]): number => region.reduce((sum, e) => sum + demandRps[e]!, 0);
  const busiest = regions.reduce((best, region) => (weight(region) > weight(best) ? region : best));
  return demandRps.map((rps, e) => (busiest.includes(e) ? rps * factor : rps));
}

function halved(topology: Topology, d: number): Topology {
  const datacenters = topology.datacenters.map((one, i) =>
    i === d ? { ...one, capacityRps: one.capacityRps / 2 } : one,
  );
  return { ...topology, datacenters };
}
