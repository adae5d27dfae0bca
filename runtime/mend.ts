/** What cannot wait for two epochs to agree on it: a datacenter over its limit, or so far over the level that no noise
 *  put it there. Both are brought back by the least movement that does it; what latency wants besides has time. */

import type { Policy } from '../config/policy.ts';
import { calmestPlacement, lowestLevels, reachableLevels } from './balance.ts';
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
  return objective === 'balance' && isUneven ? evenedOut(services, model, levels, solve) : 'none';
}

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
    brokenBy(model, levels, want, s, policy).some(
      (limit) => limit === 'shareMax' || limit.endsWith('P95Max') || limit === 'emergencyMax',
    ),
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
  const { onloadMax } = policy.spec.guards;
  const mended = mendedAt(policy, levels);
  const most = model.churnWeight.reduce((a, b) => Math.max(a, b), 1);
  const within = churnMaxOf(services);
  const open = services.map(({ frozen }) => (frozen ? 0 : most));
  for (const relaxed of givingGuards) {
    for (const toward of [want, null]) {
      const limits: MoveLimits = {
        onloadMax: relaxed.includes('onloadMax') ? Number.POSITIVE_INFINITY : onloadMax,
        churnMax: relaxed.includes('churnMax') ? open : within,
        toward,
      };
      const enough = levels.map((level) => Math.max(level, mended));
      const reached = await seekLevels(model, limits, policy.spec.utilizationMax, solve, enough);
      if (!reached) return 'no-answer';
      if (Math.max(...reached) > mended + 1e-5) continue;
      const levelMax = enough.map((level, k) => Math.max(level, reached[k]!));
      const placement = await calmestPlacement(model, limits, levelMax, solve);
      return placement ? { placement, limits, relaxed } : 'no-answer';
    }
  }
  return 'none';
}

/** The utilization from which a datacenter is no longer over its limit. Where even the optimum is, coming near it is
 *  worth breaking guards for, and the rest is not. */
export function mendedAt({ spec }: Policy, levels: Float64Array): number {
  const { utilizationMax } = spec;
  const lowest = Math.max(...levels);
  return lowest > utilizationMax ? 1.05 * lowest : utilizationMax;
}

/** The least movement within the guards that brings datacenters back that are far over the level, and no further than
 *  that: what carried them there may carry them back. */
async function evenedOut(
  services: readonly RuntimeInputs[],
  model: Model,
  levels: Float64Array,
  solve: SolveCertified,
): Promise<Mend | 'no-answer'> {
  const { onloadMax, balanceTolerance } = services[0]!.policy.spec.guards;
  const limits: MoveLimits = { onloadMax, churnMax: churnMaxOf(services), toward: null };
  const enough = levels.map((level) => level + unevenAt * balanceTolerance);
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
