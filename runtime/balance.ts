/** The `balance` policy (Taiji, SOSP'19, appendix): the lowest highest utilization first, then load-weighted squared
 *  latency within it. A single min-max stops at the first datacenter that is stuck and leaves the others as they fall,
 *  so the level is sought again over those that can still improve, until none can. */

import { aggregated } from './aggregate.ts';
import { calmPrices } from './calm-prices.ts';
import { everywhere } from './everywhere.ts';
import { amongFew, type Solved, type Whole } from './few.ts';
import { relevelled } from './levels.ts';
import type { SolveCertified } from './lp/certified.ts';
import { bytes, doubles } from './lp/pieces.ts';
import { hasAny, type Model, withoutPins } from './model.ts';
import type { PairColumns } from './pair-columns.ts';
import { type Formulation, formulate, type MoveLimits, type Placement, stepAfter } from './placement.ts';
import { type LimitPrices, type PriceMemory, rowPricesOf } from './prices.ts';
import { waterLevels } from './water-level.ts';

/** A placement with the program it is the answer to, for whoever asks why. */
export interface NearestPlacement extends Placement {
  readonly formulation: Formulation;
  readonly whole: () => Whole;
}

/** [k] the lowest utilization level of every pool that can be had, highest first; null: no certified answer. `enough` [k]:
 *  where all that are left can be as low as this, how low they can be is not sought. */
export async function lowestLevels(
  model: Model,
  limits: MoveLimits | null,
  solve: SolveCertified,
  enough: Float64Array | null = null,
): Promise<Float64Array | null> {
  let previous = Number.POSITIVE_INFINITY;
  // Two rounds within solver noise are one level, or the level would depend on the engine's choice of duals.
  const settle = (found: number): number => {
    if (previous - found > 2e-6) previous = roundedUp(found);
    return previous;
  };
  const water = limits ? null : waterLevels(model, settle);
  if (water) return water;
  const level = new Float64Array(model.capacity.length).fill(Number.NaN); // NaN: still sought
  const summed = aggregated(model, limits);
  const seeking = () => ({ levelMax: level, levelFloor: floorOf(level, enough) });
  const first = formulate(summed.sums, { limits: summed.limits, ...seeking(), seek: 'level' });
  const { layout } = first;
  let { program } = first;
  for (;;) {
    const answer = await solve(program);
    if (!answer) return null;
    const settled = settle(answer.columns[layout.levelColumn]!);
    const isEnough = enough !== null && level.every((known, k) => !Number.isNaN(known) || settled <= enough[k]!);
    let progress = false;
    for (let k = 0; k < level.length && !isEnough; k++) {
      const row = layout.levelRow[k]!;
      if (!Number.isNaN(level[k]!)) continue;
      const binding = row < 0 || -answer.rowDuals[row]! * model.capacity[k]! > 1e-6;
      if (!binding) continue;
      level[k] = settled;
      progress = true;
    }
    if (!progress) for (let k = 0; k < level.length; k++) if (Number.isNaN(level[k]!)) level[k] = settled;
    if (!level.some(Number.isNaN)) return level;
    program = relevelled(program, layout, summed.sums, seeking());
  }
}

/** Under the least that is enough where the level is still sought, by more than one level is told from the next: lower
 *  than that nobody asks for. */
function floorOf(level: Float64Array, enough: Float64Array | null): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let k = 0; enough && k < level.length; k++) if (Number.isNaN(level[k]!)) lowest = Math.min(lowest, enough[k]!);
  return enough ? Math.max(0, lowest - 1e-5) : 0;
}

/** The lowest levels that can be had while limits of lower rank give for those of higher: shareMax, pins and emergencyMax where
 *  they would lift a pool over `utilizationMax`, latencyMsP95Max where it would over capacity. Neither gives more than that:
 *  a pool may then fill to the limit given for, and the placement keeps as much of the others as there is room for. */
export async function reachableLevels(
  model: Model,
  limits: MoveLimits | null,
  utilizationMax: number,
  solve: SolveCertified,
  enough: Float64Array | null = null,
): Promise<Float64Array | null> {
  let levels = await lowestLevels(model, limits, solve, enough);
  const give = async (limit: number, without: Model): Promise<void> => {
    if (!levels || without === model || !(Math.max(...levels) > limit + 1e-6)) return;
    const open = await lowestLevels(without, limits, solve, enough);
    const isLower = open !== null && Math.max(...open) < Math.max(...levels) - 1e-6;
    const before = levels;
    if (open === null) levels = null;
    else if (isLower) levels = open.map((level, k) => Math.max(level, Math.min(before[k]!, limit)));
  };
  const { hasPins } = model;
  const hasLow = model.shareMax.some((share) => share < 1) || Number.isFinite(model.emergencyMax) || hasPins;
  const low = {
    shareMax: model.shareMax.map(() => 1),
    emergencyMax: Number.POSITIVE_INFINITY,
    ...(hasPins && withoutPins(model)),
  };
  await give(utilizationMax, hasLow ? { ...model, ...low } : model);
  const hasFar = hasAny(model.beyondP95);
  await give(1, hasFar ? { ...model, ...low, beyondP95: new Uint8Array(model.beyondP95.length) } : model);
  return levels;
}

/** Least squared latency and movement with every datacenter at or under its level; null: no certified answer. `memory`:
 *  what limits cost an epoch ago, to start from, and now. */
export async function nearestPlacement(
  model: Model,
  limits: MoveLimits | null,
  levelMax: Float64Array,
  solve: SolveCertified,
  memory?: PriceMemory,
): Promise<NearestPlacement | null> {
  const formulation: Formulation = { limits, levelMax, seek: 'nearness' };
  const solved = await solvedFrom(memory?.known(limits !== null) ?? null, model, formulation, solve);
  if (!solved) return null;
  const { layout, answer, whole } = solved;
  // On the way to what is wanted, bounds and limits are often tight together, and whose the price is an engine may choose.
  if (!limits?.toward) memory?.learn(layout, answer.rowDuals, limits !== null);
  return { ...placementOf(solved, model), formulation, whole };
}

/** Least movement by choice with every datacenter at or under its level, latency aside: what calm alone would cost. */
export async function calmestPlacement(
  model: Model,
  limits: MoveLimits | null,
  levelMax: Float64Array,
  solve: SolveCertified,
): Promise<Placement | null> {
  const solved = await solvedFrom(calmPrices(model, levelMax), model, { limits, levelMax, seek: 'calm' }, solve);
  return solved && placementOf(solved, model);
}

/** The same where a few pairs can tell; null where they cannot, or there are no such levels. */
export async function calmestByFew(
  model: Model,
  limits: MoveLimits | null,
  levelMax: Float64Array,
  solve: SolveCertified,
): Promise<Placement | null> {
  const solved = await amongFew(model, { limits, levelMax, seek: 'calm' }, calmPrices(model, levelMax), solve);
  return solved && placementOf(solved, model);
}

/** Null: no certified answer. */
async function solvedFrom(
  known: LimitPrices | null,
  model: Model,
  formulation: Formulation,
  solve: SolveCertified,
): Promise<Solved | null> {
  const few = known && (await amongFew(model, formulation, known, solve));
  if (few) return few;
  const { program, layout } = formulate(model, formulation);
  const answer = await solve(program, known ? rowPricesOf(layout, program.rowLower.length, known) : undefined);
  return answer && { layout, answer, whole: () => ({ program, layout, rowDuals: answer.rowDuals }) };
}

function placementOf({ layout, answer }: Solved, { base, commodities, datacenters }: Model): Placement {
  const moves = bytes(commodities);
  const take = ({ pairs, columns }: PairColumns, isMove: boolean): Float64Array => {
    const taken = doubles(base.length);
    for (let at = 0; at < pairs.length; at++) {
      const i = pairs[at]!;
      for (let column = columns[at]!; column >= 0; column = stepAfter(layout, column)) {
        taken[i]! += Math.max(0, answer.columns[column]!);
      }
      if (isMove && taken[i]! > 0) moves[Math.floor(i / datacenters)] = 1;
    }
    return taken;
  };
  const placed = layout.placed.pairs.length > 0 ? take(layout.placed, false) : everywhere(0, base.length);
  return { gained: take(layout.gained, true), left: take(layout.left, true), placed, moves };
}

/** Up to a ten-millionth, and one more, so that the level found can be held as a limit; the thousandth of a step keeps
 *  round levels, which people's inputs make likely, away from the edge of the rounding. Far over any limit a unit of level
 *  is next to no load, which is what the engines' tolerances count in. */
function roundedUp(level: number): number {
  return (Math.ceil(level * 1e7 - 1e-3) + 1) / 1e7 + (level > 10 ? 1e-9 * level : 0);
}
