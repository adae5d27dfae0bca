/** What cannot wait for two epochs to agree on it: a datacenter over its limit, or so far over the level that no noise
 *  put it there. Both are brought back by the least movement that does it; what latency wants besides has time. */

import type { Policy } from '../config/policy.ts';
import { calmestByFew, calmestPlacement, lowestLevels, reachableLevels } from './balance.ts';
import type { RuntimeInputs } from './inputs.ts';
import { brokenBy, type Limit, utilizations } from './limits.ts';
import type { SolveCertified } from './lp/certified.ts';
import type { Model } from './model.ts';
import type { MoveLimits, Placement } from './placement.ts';

export interface Mend {
  readonly placement: Placement;
  readonly limits: MoveLimits;
  readonly relaxed: readonly Limit[]; // guards that had to give for it
}

/** Where even the optimum is over the limit, this near to it is near enough: noise moves the optimum by as much, and guards
 *  would give in every epoch to follow it. */
const hopelessWithin = 0.005;

/** A datacenter this many tolerances over the level is not there by noise. */
const unevenAt = 3;

/** `none`: nothing is over its limit, nor far over the level; or there is no movement that helps. */
export async function mendOf(
  services: readonly RuntimeInputs[],
  model: Model,
  levels: Float64Array,
  want: Placement,
  solve: SolveCertified,
): Promise<Mend | 'none' | 'no-answer'> {
  const { objective, utilizationMax, guards } = services[0]!.policy.spec;
  const staying = utilizations(model, (i) => model.base[i]!);
  if (staying.some((utilization) => utilization > utilizationMax)) {
    return calmestMend(services, model, levels, want, seekingLevels(services, model, levels, want), solve);
  }
  const isUneven = staying.some((utilization, k) => utilization > levels[k]! + unevenAt * guards.balanceTolerance);
  return objective === 'balance' && isUneven ? evenedOut(services, model, levels, want, solve) : 'none';
}

/** Limits that give under guards by a price. */
const givingAlone: readonly Limit[] = ['latencyMsP95Max', 'emergencyMax', 'pins', 'shareMax'];

export type SeekLevels = typeof reachableLevels;

/** How levels are sought under guards. What can be kept beside the higher limits without guards is kept under them too: the
 *  guards give before shareMax does. */
export function seekingLevels(
  services: readonly RuntimeInputs[],
  model: Model,
  levels: Float64Array,
  want: Placement,
): SeekLevels {
  const giveAnyway = services.some(({ policy }, s) =>
    brokenBy(model, levels, want, s, policy, 'want').some((limit) => givingAlone.some((one) => one === limit)),
  );
  return giveAnyway ? reachableLevels : (of, limits, _, solve, enough) => lowestLevels(of, limits, solve, enough);
}

/** In the order in which they are tried: churnMax gives before onloadMax, and neither where the other alone will do. */
const givingGuards: readonly (readonly Limit[])[] = [[], ['churnMax'], ['onloadMax'], ['onloadMax', 'churnMax']];

/** The least movement that brings every datacenter under its limit. As much of it as can is on the way to what is wanted,
 *  which will not take it back. The guards give where they must, churnMax first. `none`: there is no such movement. */
export async function calmestMend(
  services: readonly RuntimeInputs[],
  model: Model,
  levels: Float64Array,
  want: Placement,
  seekLevels: SeekLevels,
  solve: SolveCertified,
): Promise<Mend | 'none' | 'no-answer'> {
  const { policy } = services[0]!;
  const { utilizationMax, guards } = policy.spec;
  const enough = levels.map((level) => Math.max(level, utilizationMax));
  const most = model.churnWeight.reduce((a, b) => Math.max(a, b), 1);
  const within = churnMaxOf(services);
  const open = services.map(({ frozen }) => (frozen ? 0 : most));
  for (const relaxed of givingGuards) {
    for (const toward of [want, null]) {
      const limits: MoveLimits = {
        onloadMax: relaxed.includes('onloadMax') ? Number.POSITIVE_INFINITY : guards.onloadMax,
        churnMax: relaxed.includes('churnMax') ? open : within,
        toward,
      };
      const reached = await seekLevels(model, limits, utilizationMax, solve, enough);
      if (!reached) return 'no-answer';
      if (!isMended(policy, reached, levels)) continue;
      const levelMax = reached.map((level) => (level > utilizationMax ? level + hopelessWithin : utilizationMax));
      const placement = await calmestPlacement(model, limits, levelMax, solve);
      return placement ? { placement, limits, relaxed } : 'no-answer';
    }
  }
  return 'none';
}

/** Is every datacenter under its limit that can be, and the others as near to theirs as they can? The highest is compared
 *  with the highest, then the next: which of equals it is does not matter. */
export function isMended({ spec }: Policy, reached: Float64Array, levels: Float64Array): boolean {
  const { utilizationMax } = spec;
  const over = (of: Float64Array): number[] =>
    [...of].map((level) => Math.max(level, utilizationMax)).sort((a, b) => b - a);
  const best = over(levels);
  return over(reached).every((level, k) => level <= best[k]! + (best[k]! > utilizationMax ? hopelessWithin : 1e-5));
}

/** The least movement within the guards that brings datacenters back that are far over the level, and no further than
 *  that: what carried them there may carry them back. On the way to what is wanted, where that will do: should nothing carry
 *  them back, nobody moves twice. */
async function evenedOut(
  services: readonly RuntimeInputs[],
  model: Model,
  levels: Float64Array,
  want: Placement,
  solve: SolveCertified,
): Promise<Mend | 'no-answer'> {
  const { onloadMax, balanceTolerance } = services[0]!.policy.spec.guards;
  const limits: MoveLimits = { onloadMax, churnMax: churnMaxOf(services), toward: null };
  const enough = levels.map((level) => level + unevenAt * balanceTolerance);
  const onTheWay: MoveLimits = { ...limits, toward: want };
  const least = await lowestLevels(model, onTheWay, solve, enough);
  if (!least) return 'no-answer';
  if (least.every((level, k) => level <= enough[k]!)) {
    const placement = await calmestPlacement(model, onTheWay, enough, solve);
    return placement ? { placement, limits: onTheWay, relaxed: [] } : 'no-answer';
  }
  // Whether one level for all can be had, the placement under it says itself.
  const isEven = enough.every((level) => level === enough[0]);
  const even = isEven ? await calmestByFew(model, limits, enough, solve) : null;
  if (even) return { placement: even, limits, relaxed: [] };
  const reached = await lowestLevels(model, limits, solve, enough);
  if (!reached) return 'no-answer';
  const levelMax = enough.map((level, k) => Math.max(level, reached[k]!));
  const placement = await calmestPlacement(model, limits, levelMax, solve);
  return placement ? { placement, limits, relaxed: [] } : 'no-answer';
}

/** [s] A freeze moves nothing by choice. */
export function churnMaxOf(services: readonly RuntimeInputs[]): readonly number[] {
  return services.map(({ frozen, policy }) => (frozen ? 0 : policy.spec.guards.churnMax));
}
