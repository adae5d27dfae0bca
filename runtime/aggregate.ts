/** Commodities that may go to the same places are one, as far as utilization is concerned: the program that seeks the
 *  lowest level has no other cost, so what it finds for their sum can be shared out to each in proportion. A level then
 *  costs a program of a few columns, however many edges there are. Commodities with limits of their own (pins, a cap on
 *  shares or on what is far) are not summed. */

import { bytes, doubles, integers } from './lp/pieces.ts';
import { hasAny, holdsAny, type Model } from './model.ts';
import type { MoveLimits } from './placement.ts';
import { standingOf } from './standing.ts';

/** The model of the sums, and the same limits on moves as they speak of it. The same levels are reached under them. Costs,
 *  which levels do not ask for, are left out. */
export function aggregated(model: Model, limits: MoveLimits | null): { sums: Model; limits: MoveLimits | null } {
  const { commodities, datacenters } = model;
  const toward = limits?.toward ?? null;
  const isOnTheWay = (c: number): boolean => model.forced[c]! > 0 || toward?.moves[c] === 1;
  const sumOf = integers(commodities);
  const members: number[] = []; // [sum] one of its commodities
  const sums = new Map<string, number>();
  const plainSums = integers(2 * model.services).fill(-1);
  const isPlain = plainOf(model, limits !== null);
  for (let c = 0; c < commodities; c++) {
    // What each edge may do by itself on the way cannot be said of a sum; what is not on it stays, and can.
    const isAlone = toward !== null && isOnTheWay(c);
    if (!isAlone && isPlain(c)) {
      const key = 2 * model.service[c]! + model.still[c]!;
      if (plainSums[key]! < 0) plainSums[key] = members.push(c) - 1;
      sumOf[c] = plainSums[key]!;
      continue;
    }
    const key = isAlone ? null : keyOf(model, c, limits !== null);
    const known = key === null ? undefined : sums.get(key);
    sumOf[c] = known ?? members.push(c) - 1;
    if (key !== null && known === undefined) sums.set(key, sumOf[c]!);
  }
  const count = members.length;
  const pairs = count * datacenters;
  const load = doubles(count);
  const forced = doubles(count);
  for (let c = 0; c < commodities; c++) {
    load[sumOf[c]!]! += model.load[c]!;
    forced[sumOf[c]!]! += model.forced[c]!;
  }
  const placeOf = (i: number): number => {
    const c = Math.floor(i / datacenters);
    return i + (sumOf[c]! - c) * datacenters;
  };
  const base = doubles(pairs);
  for (const i of standingOf(model.base, datacenters).pairs) base[placeOf(i)]! += model.base[i]!;
  const settled = doubles(pairs);
  for (let i = 0; i < model.settled.length && holdsAny(model.settled); i++) settled[placeOf(i)]! += model.settled[i]!;
  const ofMembers = <T extends Float64Array | Uint8Array>(values: T, taken: T): T => {
    members.forEach((c, sum) => {
      taken.set(values.subarray(c * datacenters, (c + 1) * datacenters), sum * datacenters);
    });
    return taken;
  };
  const ofOne = <T extends Float64Array | Int32Array | Uint8Array>(values: T, taken: T): T => {
    for (let sum = 0; sum < count; sum++) taken[sum] = values[members[sum]!]!;
    return taken;
  };
  const doublesOf = (values: Float64Array): Float64Array => ofMembers(values, doubles(pairs));
  const bytesOf = (values: Uint8Array): Uint8Array => ofMembers(values, bytes(pairs));
  const none = doubles(pairs);
  return {
    sums: {
      ...model,
      commodities: count,
      service: ofOne(model.service, integers(count)),
      load,
      forced,
      base,
      settled,
      still: ofOne(model.still, bytes(count)),
      churnWeight: ofOne(model.churnWeight, doubles(count)),
      mayGain: bytesOf(model.mayGain),
      pinned: model.hasPins ? doublesOf(model.pinned) : doubles(pairs).fill(Number.NaN),
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
        placed: holdsAny(toward.placed) ? doublesOf(toward.placed) : none,
        moves: ofOne(toward.moves, bytes(count)),
      },
    },
  };
}

/** Of nearly all commodities it is enough to know the service and whether they are still: they may go anywhere, and
 *  nothing is said of single pairs. Never two that `keyOf` would tell apart. */
function plainOf(model: Model, isGuarded: boolean): (c: number) => boolean {
  const { gives, hasPins, beyondP95, emergencyMax, shareMax, service, churnWeight } = model;
  if (gives.length > 0 || hasPins || hasAny(beyondP95) || Number.isFinite(emergencyMax)) return () => false;
  const isOpen = openRows(model.mayGain, model.datacenters);
  return (c) => isOpen[c] === 1 && shareMax[service[c]!]! >= 1 && (!isGuarded || churnWeight[c] === 1);
}

const openKnown = new WeakMap<Uint8Array, Uint8Array>();

/** [c] 1 where the load may go anywhere. */
function openRows(mayGain: Uint8Array, datacenters: number): Uint8Array {
  const before = openKnown.get(mayGain);
  if (before) return before;
  const isOpen = new Uint8Array(mayGain.length / datacenters);
  for (let c = 0, from = 0; c < isOpen.length; c++, from += datacenters)
    isOpen[c] = mayGain.subarray(from, from + datacenters).includes(0) ? 0 : 1;
  openKnown.set(mayGain, isOpen);
  return isOpen;
}

/** The same where two may be summed; null: with no other. */
function keyOf(model: Model, c: number, isGuarded: boolean): string | null {
  const { datacenters, pinned, beyondP95, mayGain } = model;
  const s = model.service[c]!;
  const from = c * datacenters;
  const to = from + datacenters;
  if (model.shareMax[s]! < 1) return null;
  for (let i = from; i < to; i++) if (!Number.isNaN(pinned[i]!) || beyondP95[i] === 1) return null;
  const where = mayGain.subarray(from, to).join('');
  const far = model.gives.length > 0 ? model.tooFar.subarray(from, to).join('') : '';
  const fallback = Number.isFinite(model.emergencyMax) ? model.fallbackWeight.subarray(from, to).join(' ') : '';
  const churn = isGuarded ? model.churnWeight[c]! : 1;
  return `${s} ${model.still[c]} ${where} ${far} ${churn} ${fallback}`;
}
