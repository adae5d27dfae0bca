/** Commodities that may go to the same places are one, as far as utilization is concerned: the program that seeks the
 *  lowest level has no other cost, so what it finds for their sum can be shared out to each in proportion. A level then
 *  costs a program of a few columns, however many edges there are. Commodities with limits of their own (pins, a cap on
 *  shares or on what is far) are not summed. */

import { bytes, doubles, integers } from './lp/pieces.ts';
import type { Model } from './model.ts';
import type { MoveLimits } from './placement.ts';

/** The model of the sums, and the same limits on moves as they speak of it. The same levels are reached under them. Costs,
 *  which levels do not ask for, are left out. */
export function aggregated(model: Model, limits: MoveLimits | null): { sums: Model; limits: MoveLimits | null } {
  const { commodities, datacenters } = model;
  const toward = limits?.toward ?? null;
  const isOnTheWay = (c: number): boolean => model.forced[c]! > 0 || toward?.moves[c] === 1;
  const sumOf = integers(commodities);
  const members: number[] = []; // [sum] one of its commodities
  const sums = new Map<string | number, number>();
  for (let c = 0; c < commodities; c++) {
    // What each edge may do by itself on the way cannot be said of a sum; what is not on it stays, and can.
    const key = toward && isOnTheWay(c) ? null : keyOf(model, c, limits !== null);
    const known = key === null ? undefined : sums.get(key);
    sumOf[c] = known ?? members.push(c) - 1;
    if (key !== null && known === undefined) sums.set(key, sumOf[c]!);
  }
  const count = members.length;
  const pairs = count * datacenters;
  const load = doubles(count);
  const forced = doubles(count);
  const base = doubles(pairs);
  const settled = doubles(pairs);
  for (let c = 0; c < commodities; c++) {
    const sum = sumOf[c]!;
    load[sum]! += model.load[c]!;
    forced[sum]! += model.forced[c]!;
    let from = c * datacenters;
    for (let to = sum * datacenters; to < (sum + 1) * datacenters; to++, from++) {
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
  const doublesOf = (values: Float64Array): Float64Array => ofMembers(values, doubles(pairs));
  const bytesOf = (values: Uint8Array): Uint8Array => ofMembers(values, bytes(pairs));
  const none = doubles(pairs);
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
      mayGain: bytesOf(model.mayGain),
      pinned: doublesOf(model.pinned),
      beyondP95: bytesOf(model.beyondP95),
      fallbackWeight: doublesOf(model.fallbackWeight),
      tooFar: bytesOf(model.tooFar),
      rttCost: none,
      moveCost: none,
    },
    limits: limits && {
      ...limits,
      toward: toward && {
        gained: doublesOf(toward.gained),
        left: doublesOf(toward.left),
        placed: doublesOf(toward.placed),
        moves: Uint8Array.from(members, (c) => toward.moves[c]!),
      },
    },
  };
}

/** The same where two may be summed; null: with no other. */
function keyOf(model: Model, c: number, isGuarded: boolean): string | number | null {
  const { datacenters, pinned, beyondP95, mayGain } = model;
  const s = model.service[c]!;
  const from = c * datacenters;
  const to = from + datacenters;
  if (model.shareMax[s]! < 1) return null;
  let open = 0;
  for (let i = from; i < to; i++) {
    if (!Number.isNaN(pinned[i]!) || beyondP95[i] === 1) return null;
    open += mayGain[i]!;
  }
  const isOpen = open === datacenters;
  const hasFallback = Number.isFinite(model.emergencyMax);
  const churn = isGuarded ? model.churnWeight[c]! : 1;
  if (isOpen && model.gives.length === 0 && !hasFallback && churn === 1) return 2 * s + model.still[c]!; // nearly all
  const where = isOpen ? 'anywhere' : mayGain.subarray(from, to).join('');
  const far = model.gives.length > 0 ? model.tooFar.subarray(from, to).join('') : '';
  const fallback = hasFallback ? model.fallbackWeight.subarray(from, to).join(' ') : '';
  return `${s} ${model.still[c]} ${where} ${far} ${churn} ${fallback}`;
}
