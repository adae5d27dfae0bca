/** What the guards make of what is wanted (DESIGN section 4). */

import type { Policy } from '../config/policy.ts';
import { type NearestPlacement, nearestPlacement, reachableLevels } from './balance.ts';
import type { RuntimeInputs } from './inputs.ts';
import { emergencyExcess, type Limit, loadAt, mendMin } from './limits.ts';
import type { SolveCertified } from './lp/certified.ts';
import { calmestMend, churnMaxOf, isMended, type SeekLevels } from './mend.ts';
import type { Model } from './model.ts';
import { type MoveLimits, movedShare, type Placement } from './placement.ts';
import type { PriceMemory } from './prices.ts';

/** The best placement on the way `toward` what is wanted, under the guards; all of it where they allow it and `want`, what
 *  is wanted without them, is this very way. (Were it free to leave the way, an epoch that may not go all of it would
 *  balance by moves that later epochs take back for latency: half as much again moved after a drain.) Where datacenters
 *  would stay over their limits, the way is left by as much as a mend needs, and then the guards give by what it needs. */
export async function withinGuards(
  services: readonly RuntimeInputs[],
  model: Model,
  levels: Float64Array,
  want: Placement | null,
  toward: Placement,
  seekLevels: SeekLevels,
  solve: SolveCertified,
  memory: PriceMemory,
  onPlaced: (placement: NearestPlacement) => void,
): Promise<{ placement: Placement; relaxed: readonly Limit[] } | null> {
  const { policy } = services[0]!;
  const churnMax = churnMaxOf(services);
  const hasForced = model.forced.some((load) => load > 0);
  const full: MoveLimits = { onloadMax: policy.spec.guards.onloadMax, churnMax, toward };
  if (toward === want && obeys(model, want, full)) return { placement: want, relaxed: [] };
  const within = async (limits: MoveLimits, relaxed: readonly Limit[], seek = seekLevels) => {
    const enough = ceilingOf(new Float64Array(levels.length), levels, policy);
    const reached = await seek(model, limits, policy.spec.utilizationMax, solve, enough);
    if (!reached) return null;
    const mended = isMended(policy, reached, levels);
    const ceiling = ceilingOf(reached, levels, policy);
    const first = await nearestPlacement(model, limits, ceiling, solve, memory);
    const placement = first && hasForced ? ((await exchanged(model, limits, first, ceiling, solve)) ?? first) : first;
    if (placement) onPlaced(placement);
    return placement && { placement, relaxed, mended };
  };
  const onTheWay = await within(full, []);
  if (!onTheWay) return null;
  // What a loss would lift too high is brought back by whatever route the guards leave, not by the wanted one alone.
  const excess = (placement: Placement): number => emergencyExcess(model, (i) => loadAt(model, placement, i));
  const isOff = excess(onTheWay.placement) > mendMin;
  const free = isOff ? await within({ ...full, toward: null }, []) : null;
  const kept = free && excess(free.placement) < excess(onTheWay.placement) ? free : onTheWay;
  if (kept.mended) return kept;
  const mayGive = services.some(({ frozen }) => !frozen);
  const mend = mayGive ? await calmestMend(services, model, levels, toward, seekLevels, solve) : 'none';
  if (mend === 'no-answer') return null;
  if (mend === 'none') return seekLevels === reachableLevels ? kept : within(full, [], reachableLevels);
  const needed = churnMax.map((most, s) =>
    services[s]!.frozen ? 0 : Math.max(most, movedShare(model, mend.placement, s) * (1 + 1e-9) + 1e-9),
  );
  return within({ ...mend.limits, churnMax: needed, toward: joined(toward, mend.placement) }, mend.relaxed);
}

/** The same with no pool filling faster, and more of the forced load where it is wanted: a datacenter that takes in what a
 *  failure drove out may take others' load in its place, which makes room where they come from. (With all of onloadMax and
 *  no more for moves by choice, forced load took the room that others were wanted in, and both moved again.) */
function exchanged(
  model: Model,
  limits: MoveLimits,
  { gained, left, placed, moves }: Placement,
  ceiling: Float64Array,
  solve: SolveCertified,
): Promise<NearestPlacement | null> {
  const arriving = gained.map((load, i) => load + placed[i]!);
  const gain = gainOf(model, { gained: arriving, left, placed, moves: moves.map(() => 1) });
  const arrivals = gain.map((most) => Math.max(0, most) * (1 + 1e-9));
  return nearestPlacement(model, { ...limits, arrivals }, ceiling, solve);
}

/** The way that goes as far as either; forced load goes as on the first. */
export function joined(way: Placement, other: Placement): Placement {
  const further = (a: Float64Array, b: Float64Array): Float64Array => a.map((load, i) => Math.max(load, b[i]!));
  return {
    gained: further(way.gained, other.gained),
    left: further(way.left, other.left),
    placed: way.placed,
    moves: way.moves.map((move, c) => move | other.moves[c]!),
  };
}

function obeys(model: Model, placement: Placement, limits: MoveLimits): boolean {
  if (limits.churnMax.some((most, s) => movedShare(model, placement, s) > most * (1 + 1e-9))) return false;
  return gainOf(model, placement).every((gain) => gain <= limits.onloadMax + 1e-9);
}

/** [k] utilization gained by choice. */
export function gainOf(model: Model, placement: Placement): Float64Array {
  const { commodities, datacenters, resources, capacity, use } = model;
  const { gained, left, moves } = placement;
  const gain = new Float64Array(capacity.length);
  for (let c = 0; c < commodities; c++) {
    if (moves[c] === 0) continue;
    const s = model.service[c]!;
    for (let d = 0, i = c * datacenters; d < datacenters; d++, i++) {
      const moved = gained[i]! - left[i]!;
      if (moved === 0) continue;
      for (let r = 0, k = d; r < resources; r++, k += datacenters) {
        if (capacity[k]! > 0) gain[k]! += (moved * use[s * resources + r]!) / capacity[k]!;
      }
    }
  }
  return gain;
}

/** [k] utilization the placement may reach. Under `balance` the lowest level that can be had, opened to latency by the
 *  tolerance (over the unguarded level: over the guarded one it would ratchet); else the policy's threshold, or what can
 *  be had where that is higher. */
export function ceilingOf(reached: Float64Array, levels: Float64Array, { spec }: Policy): Float64Array {
  const { objective, utilizationMax, guards } = spec;
  return reached.map((level, d) => {
    const most = Math.max(level, utilizationMax);
    return objective === 'balance' ? Math.min(most, Math.max(level, levels[d]! + guards.balanceTolerance)) : most;
  });
}
