/** The limits of an epoch without guards, as a slow plain program over shares of all demand: by how much a placement
 *  misses each of them, and by how little it could. Knows nothing of how the runtime puts it or in which order it looks. */

import type { RuntimeInputs } from '../../runtime/inputs.ts';
import type { SolveProgram } from '../../runtime/lp/problem.ts';
import type { GivingLimit } from '../../runtime/model.ts';
import { PlainProgram } from '../scene.ts';

/** What has to be kept of a placement; absent: nothing. */
export interface Kept {
  readonly utilization: readonly number[]; // [d] at most
  readonly misses: Partial<Record<GivingLimit, number>>; // at most, share of all demand
}

interface Place {
  readonly c: number;
  readonly d: number;
  readonly tooFar: boolean;
  readonly held: boolean;
  readonly beyondP95: boolean;
  readonly open: boolean;
  readonly pin: number | null; // load
  readonly shareMax: number; // load; infinite where nothing is asked for
  readonly base: number; // load that stays unless it is moved
  readonly settled: number;
}

export interface Plain {
  readonly places: readonly Place[]; // [c * D + d]
  readonly load: readonly number[]; // [c] that a table places
  readonly capacity: readonly number[]; // [d]
  readonly emergencyMax: number | null;
  readonly falls: (d: number) => number; // weight by which a lost datacenter's load falls on it
}

/** `opened` [c * D + d]: hold-down gave there, so that shareMax counts. */
export function plainOf(services: readonly RuntimeInputs[], opened: Uint8Array): Plain {
  const { topology, states, policy } = services[0]!;
  const width = topology.datacenters.length;
  const total = services.reduce((sum, { demandRps }) => sum + demandRps.reduce((a, b) => a + b, 0), 0);
  const load: number[] = [];
  const places: Place[] = [];
  for (const { demandRps, established, served, policy: own } of services) {
    const { latencyMsMax, latencyMsP95Max, pins, guards } = own.spec;
    demandRps.forEach((demand, e) => {
      const rtt = (d: number): number => topology.rttMs[e * width + d]!;
      const stays = (d: number): number => (established?.[e * width + d] ?? 0) / total;
      const all = topology.datacenters.map((_, d) => d);
      const whole = demand / total - all.reduce((sum, d) => sum + stays(d), 0);
      const c = load.push(whole) - 1;
      const open = all.filter((d) => states[d]!.keep === 1 && states[d]!.refill);
      const isFar = (d: number): boolean => latencyMsMax !== null && rtt(d) > latencyMsMax;
      const someNear = open.some((d) => !isFar(d));
      const usual = open.filter((d) => !someNear || !isFar(d));
      const isSlow = (d: number): boolean => latencyMsP95Max !== null && rtt(d) > latencyMsP95Max;
      const someFast = usual.some((d) => !isSlow(d));
      for (const d of all) {
        const pin = pins.find(
          ({ edge, datacenter }) => edge === topology.edges[e]!.id && datacenter === topology.datacenters[d]!.id,
        );
        places.push({
          c,
          d,
          tooFar: someNear && isFar(d),
          held: states[d]!.keep === 1 && !states[d]!.refill,
          beyondP95: someFast && isSlow(d),
          open: states[d]!.keep === 1,
          pin: pin ? pin.fraction * whole : null,
          shareMax:
            guards.shareMax < 1 && opened[c * width + d] === 1 ? guards.shareMax * whole : Number.POSITIVE_INFINITY,
          base: served ? whole * served[e * width + d]! * states[d]!.keep : 0,
          settled: stays(d),
        });
      }
    });
  }
  const capacity = topology.datacenters.map(({ capacityRps }) => capacityRps / total);
  const falls = (d: number): number => (states[d]!.keep === 1 ? capacity[d]! : 0);
  return { places, load, capacity, emergencyMax: policy.spec.emergencyMax, falls };
}

/** Of a lost datacenter's load, what falls on another. */
function fallsOn({ capacity, falls }: Plain, lost: number, d: number): number {
  if (d === lost) return 0;
  const all = capacity.reduce((sum, _, k) => (k === lost ? sum : sum + falls(k)), 0);
  return all > 0 ? falls(d) / all : 0;
}

/** [d] `at` [c * D + d] share of all demand. */
export function utilizationOf(plain: Plain, at: ArrayLike<number>): number[] {
  return plain.capacity.map(
    (capacity, d) =>
      plain.places.reduce((sum, place, i) => (place.d === d ? sum + at[i]! + place.settled : sum), 0) / capacity,
  );
}

export function missesOf(plain: Plain, at: ArrayLike<number>): Record<GivingLimit, number> {
  const { places, load, capacity, emergencyMax } = plain;
  const sum = (of: (place: Place, units: number) => number): number =>
    places.reduce((total, place, i) => total + of(place, at[i]!), 0);
  const standing = utilizationOf(plain, at).map((share, d) => share * capacity[d]!);
  let excess = 0;
  for (const [lost, falling] of standing.entries()) {
    for (const [d, has] of capacity.entries()) {
      if (emergencyMax === null || d === lost) continue;
      excess += Math.max(0, standing[d]! + falling * fallsOn(plain, lost, d) - emergencyMax * has);
    }
  }
  return {
    latencyMsMax: sum(({ tooFar }, units) => (tooFar ? units : 0)),
    holdDown: sum(({ held, base }, units) => (held ? Math.max(0, units - base) : 0)),
    latencyMsP95Max: load.reduce((total, whole, c) => {
      const slow = sum((place, units) => (place.c === c && place.beyondP95 ? units : 0));
      return total + Math.max(0, slow - 0.05 * whole);
    }, 0),
    emergencyMax: excess,
    pins: sum(({ pin }, units) => (pin === null ? 0 : Math.abs(units - pin))),
    shareMax: sum(({ shareMax }, units) => Math.max(0, units - shareMax)),
  };
}

/** The least miss of a limit, or the lowest utilization of a datacenter, beside what is kept; null where that cannot be. */
export function leastOf(plain: Plain, kept: Kept, sought: GivingLimit | number, engine: SolveProgram): number | null {
  const { places, load, capacity, emergencyMax } = plain;
  const lp = new PlainProgram();
  const free = Number.NEGATIVE_INFINITY;
  const missRows = new Map<GivingLimit, number>();
  const missRow = (limit: GivingLimit): number => {
    const row = missRows.get(limit) ?? lp.row(free, kept.misses[limit] ?? 1e3);
    missRows.set(limit, row);
    return row;
  };
  const at = places.map(({ d, open }) => {
    const costs = sought === d ? 1 / capacity[d]! : 0;
    return lp.column(costs, 0, open ? 1 : 0);
  });
  /** What the terms come to over `most` is a miss of the limit. */
  const over = (
    limit: GivingLimit,
    terms: readonly (readonly [column: number, times: number])[],
    most: number,
  ): void => {
    const row = lp.row(free, most);
    for (const [column, times] of terms) lp.put(row, column, times);
    const miss = lp.column(sought === limit ? 1 : 0, 0, 1e3);
    lp.put(row, miss, -1);
    lp.put(missRow(limit), miss, 1);
  };
  load.forEach((whole, c) => {
    const row = lp.row(whole, whole);
    places.forEach((place, i) => {
      if (place.c === c) lp.put(row, at[i]!, 1);
    });
  });
  const settled = capacity.map((_, d) => places.reduce((sum, place) => (place.d === d ? sum + place.settled : sum), 0));
  capacity.forEach((has, d) => {
    const row = lp.row(free, (kept.utilization[d] ?? 1e3) * has - settled[d]!);
    places.forEach((place, i) => {
      if (place.d === d) lp.put(row, at[i]!, 1);
    });
  });
  places.forEach(({ tooFar, held, base, pin, shareMax }, i) => {
    if (tooFar) over('latencyMsMax', [[at[i]!, 1]], 0);
    if (held) over('holdDown', [[at[i]!, 1]], base);
    if (pin !== null) {
      over('pins', [[at[i]!, 1]], pin);
      over('pins', [[at[i]!, -1]], -pin);
    }
    if (Number.isFinite(shareMax)) over('shareMax', [[at[i]!, 1]], shareMax);
  });
  load.forEach((whole, c) => {
    const slow = places.flatMap((place, i) => (place.c === c && place.beyondP95 ? [[at[i]!, 1] as const] : []));
    if (slow.length > 0) over('latencyMsP95Max', slow, 0.05 * whole);
  });
  if (emergencyMax !== null) {
    for (const lost of capacity.keys()) {
      for (const [d, has] of capacity.entries()) {
        if (d === lost) continue;
        const share = fallsOn(plain, lost, d);
        const terms = places.flatMap((place, i) =>
          place.d === d ? [[at[i]!, 1] as const] : place.d === lost ? [[at[i]!, share] as const] : [],
        );
        over('emergencyMax', terms, emergencyMax * has - settled[d]! - settled[lost]! * share);
      }
    }
  }
  const answer = engine(lp.build());
  if (answer.status !== 'optimal') return null;
  const found = at.map((column) => answer.columns[column]!);
  return typeof sought === 'number' ? utilizationOf(plain, found)[sought]! : missesOf(plain, found)[sought];
}
