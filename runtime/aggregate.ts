/** Commodities that may go to the same places are one, as far as utilization is concerned: the program that seeks the
 *  lowest level has no other cost, so what it finds for their sum can be shared out to each in proportion. A level then
 *  costs a program of a few columns, however many edges there are. Commodities with limits of their own (pins, a cap on
 *  shares or on what is far) are not summed. */

import type { Model } from './model.ts';
import type { MoveLimits, Placement } from './placement.ts';

/** The model of the sums, and the same limits on moves as they speak of it. The same levels are reached under them. Costs,
 *  which levels do not ask for, are left out. */
export function aggregated(model: Model, limits: MoveLimits | null): { sums: Model; limits: MoveLimits | null } {
  const { commodities, datacenters } = model;
  const toward = limits?.toward ?? null;
  const sumOf = new Int32Array(commodities);
  const members: number[] = []; // [sum] one of its commodities
  const sums = new Map<string, number>();
  for (let c = 0; c < commodities; c++) {
    const key = toward ? keyOnTheWay(model, c, toward) : keyOf(model, c, limits !== null);
    const sum = sums.get(key) ?? sums.size;
    if (sum === sums.size) {
      members.push(c);
      sums.set(key, sum);
    }
    sumOf[c] = sum;
  }
  const count = members.length;
  const pairs = count * datacenters;
  const load = new Float64Array(count);
  const forced = new Float64Array(count);
  const base = new Float64Array(pairs);
  const settled = new Float64Array(pairs);
  for (let c = 0; c < commodities; c++) {
    const sum = sumOf[c]!;
    load[sum]! += model.load[c]!;
    forced[sum]! += model.forced[c]!;
    for (let d = 0; d < datacenters; d++) {
      const [from, to] = [c * datacenters + d, sum * datacenters + d];
      base[to]! += model.base[from]!;
      settled[to]! += model.settled[from]!;
    }
  }
  const ofMembers = <T extends Float64Array | Uint8Array>(values: T, taken: T): T => {
    members.forEach((c, sum) => {
      taken.set(values.subarray(c * datacenters, (c + 1) * datacenters), sum * datacenters);
    });
    return taken;
  };
  const doubles = (values: Float64Array): Float64Array => ofMembers(values, new Float64Array(pairs));
  const bytes = (values: Uint8Array): Uint8Array => ofMembers(values, new Uint8Array(pairs));
  const none = new Float64Array(pairs);
  return {
    sums: {
      ...model,
      commodities: count,
      service: Int32Array.from(members, (c) => model.service[c]!),
      load,
      forced,
      base,
      settled,
      still: Uint8Array.from(members, (c) => model.still[c]!),
      churnWeight: Float64Array.from(members, (c) => model.churnWeight[c]!),
      mayGain: bytes(model.mayGain),
      pinned: doubles(model.pinned),
      beyondP95: bytes(model.beyondP95),
      fallbackWeight: doubles(model.fallbackWeight),
      tooFar: bytes(model.tooFar),
      rttCost: none,
      moveCost: none,
    },
    limits: limits && {
      ...limits,
      toward: toward && {
        gained: doubles(toward.gained),
        left: doubles(toward.left),
        placed: doubles(toward.placed),
      },
    },
  };
}

/** What each edge may do by itself on the way cannot be said of a sum; what is not on it stays, and can. */
function keyOnTheWay(model: Model, c: number, { gained, left }: Placement): string {
  let isOnIt = model.forced[c]! > 0;
  const end = (c + 1) * model.datacenters;
  for (let i = c * model.datacenters; i < end && !isOnIt; i++) isOnIt = gained[i] !== 0 || left[i] !== 0;
  return isOnIt ? `own ${c}` : keyOf(model, c, true);
}

/** The same where two may be summed. */
function keyOf(model: Model, c: number, isGuarded: boolean): string {
  const { datacenters, shareMax, emergencyMax } = model;
  const s = model.service[c]!;
  const [from, to] = [c * datacenters, (c + 1) * datacenters];
  let isLimited = shareMax[s]! < 1;
  let open = 0;
  for (let i = from; i < to; i++) {
    isLimited ||= !Number.isNaN(model.pinned[i]!) || model.beyondP95[i] === 1;
    open += model.mayGain[i]!;
  }
  if (isLimited) return `own ${c}`;
  const where = open === datacenters ? 'anywhere' : model.mayGain.subarray(from, to).join('');
  const far = model.gives.length > 0 ? model.tooFar.subarray(from, to).join('') : '';
  const churn = isGuarded ? model.churnWeight[c] : '';
  const fallback = Number.isFinite(emergencyMax) ? model.fallbackWeight.subarray(from, to).join(' ') : '';
  return `${s} ${model.still[c]} ${where} ${far} ${churn} ${fallback}`;
}
