/** Series of wanted fractions over a world's week, made once and then delivered by every algorithm that is compared: what
 *  the linear programs want if every table delivered exactly what it is asked for, and fractions by nearness alone,
 *  levelled. So no series favours the algorithm whose tables it was planned on. */

import type { Policy } from '../../config/policy.ts';
import type { World } from '../../config/world.ts';
import { NeededMovement } from '../../pipeline/replay/needed.ts';
import { demandAt } from '../../pipeline/replay/planned-demand.ts';
import { type Ceilings, makeCeilings } from '../../pipeline/table/ceilings.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import { residency } from '../../runtime/grounds.ts';
import { freshState, observeStates, retainedFractions } from '../../runtime/guards.ts';
import type { DatacenterState, RuntimeInputs } from '../../runtime/inputs.ts';
import type { SolveCertified } from '../../runtime/lp/certified.ts';
import { solveFractions } from '../../runtime/solve.ts';
import { statesAt } from '../../runtime/states.ts';
import { levelledFractions } from './churn-levelled.ts';

export interface SeriesEpoch {
  readonly timeMs: number;
  readonly states: readonly DatacenterState[];
  readonly demandRps: Float64Array; // [edge] the epoch's own
  readonly edgeLoad: Float64Array; // [edge] shares of the demand planned on
  readonly wanted: FractionMatrix; // the same object as before where nothing is wanted
  readonly ceilings: Ceilings;
}

export interface FractionSeries {
  readonly name: string;
  readonly epochs: readonly SeriesEpoch[];
}

/** What `policy` wants of the first `count` epochs, each planned on the demand before, the last fractions served exactly. */
export async function plannedSeries(
  name: string,
  world: World,
  policy: Policy,
  count: number,
  solve: SolveCertified,
): Promise<FractionSeries> {
  let served: FractionMatrix | null = null;
  let carried = freshState;
  const epochs: SeriesEpoch[] = [];
  for (let t = 0; t < count; t++) {
    const setting = settingAt(world, t);
    const inputs = runtimeInputs(world, policy, t, served);
    const decision = await solveFractions(inputs, carried, solve);
    carried = decision.carried;
    if (decision.kind === 'move') served = decision.wanted;
    if (served === null) throw new Error(`series ${name}: nothing to start from`);
    const retained = retainedFractions(carried, world.topology, setting.states);
    epochs.push({ ...setting, wanted: served, ceilings: makeCeilings(world.topology, residency(inputs), retained) });
  }
  return { name, epochs };
}

/** Capacity by nearness, levelled for each epoch's demand. */
export function nearnessSeries(name: string, world: World, policy: Policy, count: number): FractionSeries {
  let served: FractionMatrix | null = null;
  let carried = freshState;
  const epochs: SeriesEpoch[] = [];
  for (let t = 0; t < count; t++) {
    const setting = settingAt(world, t);
    carried = observeStates(carried, world.topology, setting.states, served);
    served = levelledFractions(world.topology, setting.edgeLoad, setting.states);
    const retained = retainedFractions(carried, world.topology, setting.states);
    const resident = residency(runtimeInputs(world, policy, t, null));
    epochs.push({ ...setting, wanted: served, ceilings: makeCeilings(world.topology, resident, retained) });
  }
  return { name, epochs };
}

/** [t] the least movement that keeping the balance needs at all. */
export async function neededMovement(
  world: World,
  policy: Policy,
  count: number,
  solve: SolveCertified,
): Promise<readonly number[]> {
  const chain = new NeededMovement(solve);
  const needed: number[] = [];
  for (let t = 0; t < count; t++) {
    const { served: _, ...inputs } = runtimeInputs(world, policy, t, null);
    needed.push((await chain.next([inputs]))[0] ?? 0);
  }
  return needed;
}

function settingAt(world: World, t: number): Omit<SeriesEpoch, 'wanted' | 'ceilings'> {
  const timeMs = world.demand.timesMs[t]!;
  const planned = plannedRps(world, t);
  const total = planned.reduce((a, b) => a + b, 0);
  return {
    timeMs,
    states: statesAt(world, timeMs),
    demandRps: demandAt(world, t),
    edgeLoad: planned.map((rps) => rps / total),
  };
}

function runtimeInputs(world: World, policy: Policy, t: number, served: FractionMatrix | null): RuntimeInputs {
  const startMs = world.demand.timesMs[t]!;
  const { topology } = world;
  return {
    topology,
    policy,
    startMs,
    demandRps: plannedRps(world, t),
    states: statesAt(world, startMs),
    served,
    frozen: false,
  };
}

/** The demand of the epoch before; of the first its own. */
function plannedRps(world: World, t: number): Float64Array {
  return demandAt(world, Math.max(0, t - 1));
}
