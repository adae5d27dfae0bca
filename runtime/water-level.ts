/** The lowest levels without a program, where load is like water: all that may move may go to the same places, and one
 *  resource says how full they are. It rises alike wherever it may go; what cannot leave a datacenter stands above it, and
 *  one that gains nothing holds no more than it has. Any limit on single edges, and it is no water: null. */

import type { Model } from './model.ts';

/** [k] highest first as they settle, each through `settle`, which rounds a level to what can be held as a limit. */
export function waterLevels(model: Model, settle: (found: number) => number): Float64Array | null {
  const basin = basinOf(model);
  if (!basin) return null;
  const { least, most, total, hasSay } = basin;
  const { capacity } = model;
  const level = new Float64Array(capacity.length).fill(Number.NaN);
  for (;;) {
    const sought: number[] = [];
    let rest = total;
    for (let k = 0; k < level.length; k++) {
      if (hasSay[k] === 0) continue;
      if (Number.isNaN(level[k]!)) sought.push(k);
      else rest -= Math.min(most[k]!, level[k]! * capacity[k]!);
    }
    if (sought.length === 0) break;
    const water = riseOf(sought, basin, capacity, rest);
    const found = sought.map((k) => Math.max(least[k]! / capacity[k]!, Math.min(water, most[k]! / capacity[k]!)));
    const highest = found.reduce((a, b) => Math.max(a, b));
    const settled = settle(highest);
    sought.forEach((k, i) => {
      if (found[i]! > highest - 1e-9) level[k] = settled;
    });
  }
  const highest = level.reduce((a, b) => (b > a ? b : a), 0);
  return level.map((value) => (Number.isNaN(value) ? highest : value)); // of what has no say
}

interface Basin {
  readonly least: Float64Array; // [k] load that cannot leave
  readonly most: Float64Array; // [k] load there can be
  readonly total: number;
  readonly hasSay: Uint8Array; // [k] 0 where there is nothing and nothing can come
}

function basinOf(model: Model): Basin | null {
  const { commodities, datacenters, resources, capacity, use, service, still, isNew, forced } = model;
  const { base, settled, mayGain, pinned, beyondP95 } = model;
  const isLimited =
    model.shareMax.some((share) => share < 1) || Number.isFinite(model.emergencyMax) || model.gives.length > 0;
  if (resources !== 1 || isLimited || use.some((each) => each !== 1)) return null;
  const least = new Float64Array(datacenters);
  const stays = new Float64Array(datacenters);
  const hasSay = new Uint8Array(datacenters);
  let total = 0;
  let open = -1; // where the first commodity with load to move may go
  for (let c = 0; c < commodities; c++) {
    const from = c * datacenters;
    const isFixed = still[c] === 1 || isNew[service[c]!] === 1;
    const isMoved = forced[c]! > 0 || !isFixed;
    if (isMoved && open < 0) open = from;
    total += forced[c]!;
    for (let d = 0; d < datacenters; d++) {
      const i = from + d;
      if (!Number.isNaN(pinned[i]!) || beyondP95[i] === 1) return null;
      if (isMoved && mayGain[i] !== mayGain[open + d]) return null;
      const fixed = settled[i]! + (isFixed ? base[i]! : 0);
      if (capacity[d] === 0 && fixed + base[i]! > 0) return null;
      least[d]! += fixed;
      if (!isFixed) stays[d]! += base[i]!;
      total += settled[i]! + base[i]!;
      if (capacity[d]! > 0 && (mayGain[i] === 1 || settled[i]! + base[i]! > 0)) hasSay[d] = 1;
    }
  }
  if (open < 0 || !mayGain.subarray(open, open + datacenters).includes(1)) return null;
  const most = least.map((load, d) => (mayGain[open + d] === 1 ? total : load + stays[d]!));
  return { least, most, total, hasSay };
}

/** The level to which water rises in some of the pools. Between two of the levels at which a pool begins or ceases to take
 *  more, what they hold grows evenly. */
function riseOf(sought: readonly number[], { least, most }: Basin, capacity: Float64Array, rest: number): number {
  const bends = sought.flatMap((k) => [
    { level: least[k]! / capacity[k]!, wider: capacity[k]! },
    { level: most[k]! / capacity[k]!, wider: -capacity[k]! },
  ]);
  bends.sort((a, b) => a.level - b.level || a.wider - b.wider);
  let held = sought.reduce((sum, k) => sum + least[k]!, 0);
  let width = 0;
  let at = 0;
  for (const { level, wider } of bends) {
    if (width > 0 && held + width * (level - at) >= rest) break;
    held += width * (level - at);
    at = level;
    width += wider;
  }
  return width > 0 ? at + (rest - held) / width : at;
}
