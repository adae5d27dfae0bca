/** What is wanted without guards, and which limits give for it (DESIGN section 4: limits give in a written order). Where
 *  all of them can be kept, that is all there is to it. Where not, they are gone through from the first, which gives last:
 *  each is kept as well as those before it allow, and what it gives is its bound for all that follow. So a limit gives no
 *  more than it has to, and none gives for one that comes after it.
 *
 *    capacity > latencyMsMax > holdDown > latencyMsP95Max > utilizationMax > emergencyMax > pins > shareMax > the objective
 *
 *  How well one is kept: capacity and utilizationMax by the highest utilization over them, then the next; latencyMsMax by
 *  the load beyond it; hold-down by the load that arrives; the others by the load that misses them, summed.
 *  Declined: one program with a price for each. Prices far enough apart for a chain of moves to respect their order are
 *  beyond what the engines' tolerances can tell apart; and a switch that lifts a limit for every edge at once lets it go
 *  where that helps nobody. */

import { lowestLevels, type NearestPlacement, nearestPlacement } from './balance.ts';
import { ceilingOf } from './guarded.ts';
import type { RuntimeInputs } from './inputs.ts';
import { brokenBy, nothing } from './limits.ts';
import type { SolveCertified } from './lp/certified.ts';
import {
  type Give,
  type GivingLimit,
  givingOrder,
  hasAny,
  isHeldDown,
  type Model,
  totalLoad,
  withoutPins,
} from './model.ts';
import { formulate, type Placement } from './placement.ts';
import type { PriceMemory } from './prices.ts';

/** What is wanted, and the model it is the answer to. */
export interface Unguarded {
  readonly model: Model;
  readonly levels: Float64Array; // [k] lowest utilizations
  readonly want: NearestPlacement;
}

/** Null: no certified answer. */
export async function wantUnguarded(
  services: readonly RuntimeInputs[],
  built: Model,
  solve: SolveCertified,
  memory: PriceMemory,
): Promise<Unguarded | null> {
  const { policy } = services[0]!;
  const { utilizationMax } = policy.spec;
  const wanted = async (of: { model: Model; levels: Float64Array | null } | null): Promise<Unguarded | null> => {
    if (!of?.levels) return null;
    const { model, levels } = of;
    const want = await nearestPlacement(model, null, ceilingOf(levels, levels, policy), solve, memory);
    return want && { model, levels, want };
  };
  const stated = givingOrder.filter((limit) => isStated(built, limit));
  const kept = keepingNear(built);
  const levels = await lowestLevels(kept, null, solve);
  if (!levels || stated.length === 0) return wanted({ model: kept, levels });
  const least = (): Promise<{ model: Model; levels: Float64Array | null } | null> =>
    leastGiven(built, stated, utilizationMax, solve);
  if (Math.max(...levels) > utilizationMax + 1e-6) return wanted(await least());
  const first = await wanted({ model: kept, levels });
  const isBroken = services.some(({ policy: own }, s) =>
    brokenBy(kept, levels, first?.want ?? null, s, own, 'want').some((limit) =>
      givingOrder.some((one) => one === limit),
    ),
  );
  // One alone gives no more than it has to as it is.
  return isBroken && stated.length > 1 ? wanted(await least()) : first;
}

/** The model in the epochs that follow on what is wanted: under guards no more arrives beyond latencyMsMax, or where it is
 *  held down, than is wanted there; what else gives is priced, for it may have to wait. */
export function asWanted(model: Model, want: Placement): Model {
  if (model.gives.length === 0) return model;
  const arriving = (counts: (i: number) => boolean): number => {
    let load = totalLoad * exactly;
    for (let i = 0; i < model.base.length; i++) if (counts(i)) load += want.gained[i]! + want.placed[i]!;
    return load;
  };
  const far: Give = { limit: 'latencyMsMax', most: arriving((i) => model.tooFar[i] === 1) };
  const held: Give = { limit: 'holdDown', most: arriving((i) => isHeldDown(model, i)) };
  return { ...model, gives: [far, held].filter(({ limit }) => model.gives.some((give) => give.limit === limit)) };
}

/** Of all load; a bound at the very minimum would leave the engines' tolerances no room. */
const exactly = 1e-8;

function isStated(model: Model, limit: GivingLimit): boolean {
  switch (limit) {
    case 'latencyMsMax':
      return hasAny(model.tooFar);
    case 'holdDown':
      return hasAny(model.heldDown);
    case 'latencyMsP95Max':
      return hasAny(model.beyondP95);
    case 'emergencyMax':
      return Number.isFinite(model.emergencyMax);
    case 'pins':
      return model.hasPins;
    case 'shareMax':
      return model.shareMax.some((share) => share < 1);
  }
}

/** What is too far already goes elsewhere, as far as it may move. */
function keepingNear(model: Model): Model {
  const far = farLoad(model, () => true);
  if (far === 0) return model;
  const most = farLoad(model, (c) => model.still[c] === 1) + exactly * totalLoad;
  return { ...model, gives: [{ limit: 'latencyMsMax', most }] };
}

function farLoad({ base, tooFar, datacenters }: Model, counts: (c: number) => boolean): number {
  if (!hasAny(tooFar)) return 0;
  return base.reduce((sum, load, i) => (tooFar[i] === 1 && counts(Math.floor(i / datacenters)) ? sum + load : sum), 0);
}

async function leastGiven(
  built: Model,
  stated: readonly GivingLimit[],
  utilizationMax: number,
  solve: SolveCertified,
): Promise<{ model: Model; levels: Float64Array | null } | null> {
  const open = { latencyMsMax: true, holdDown: true };
  let gives: readonly Give[] = [];
  const keeping = (limits: readonly GivingLimit[]): Model => ({
    ...withOnly(built, limits),
    mayGain: mayGainWith(built, open),
    gives,
  });
  const lowest = await lowestLevels(keeping([]), null, solve);
  if (!lowest) return null;
  let ceiling = lowest.map((level) => Math.max(level, 1));
  const kept: GivingLimit[] = [];
  for (const limit of givingOrder) {
    if (limit === 'emergencyMax' && utilizationMax < 1) {
      const levels = await lowestLevels(keeping(kept), null, solve);
      if (!levels) return null;
      ceiling = levels.map((level) => Math.max(level, utilizationMax));
    }
    if (!stated.includes(limit)) continue;
    kept.push(limit);
    const { program } = formulate(keeping(kept), { limits: null, levelMax: ceiling, seek: limit });
    const answer = await solve(program);
    if (!answer) return null;
    const before = limit === 'latencyMsMax' ? farLoad(built, () => true) : 0;
    const least = answer.objective + before;
    gives = [...gives, { limit, most: Math.max(0, least) + exactly * totalLoad }];
    // What nobody needs stays closed, and is no detour for anybody.
    const anyway = limit === 'latencyMsMax' ? farLoad(built, (c) => built.still[c] === 1) : 0;
    if (limit in open && least <= anyway + nothing * totalLoad) {
      open[limit as keyof typeof open] = false;
      const trace = Math.max(0, least - anyway);
      ceiling = ceiling.map((level, k) => (built.capacity[k]! > 0 ? level + trace / built.capacity[k]! : level));
    }
  }
  const model = keeping(kept);
  return { model, levels: await lowestLevels(model, null, solve) };
}

/** [c * D + d] where load may go, with latencyMsMax or hold-down open. */
function mayGainWith(model: Model, open: { readonly latencyMsMax: boolean; readonly holdDown: boolean }): Uint8Array {
  return model.mayGain.map((may, i) => {
    if (may === 1 || model.couldGain[i] === 0) return may;
    const isBarred = (model.tooFar[i] === 1 && !open.latencyMsMax) || (!open.holdDown && isHeldDown(model, i));
    return isBarred ? 0 : 1;
  });
}

/** The model with no other limits of those that are misses than these. */
function withOnly(model: Model, limits: readonly GivingLimit[]): Model {
  return {
    ...model,
    ...(!limits.includes('latencyMsP95Max') && { beyondP95: new Uint8Array(model.beyondP95.length) }),
    ...(!limits.includes('emergencyMax') && { emergencyMax: Number.POSITIVE_INFINITY }),
    ...(!limits.includes('pins') && withoutPins(model)),
    ...(!limits.includes('shareMax') && { shareMax: model.shareMax.map(() => 1) }),
  };
}
