/** A datacenter that fails again and again gains nothing for a while after it is back, so that a flapping one does not
 *  swing the table (as routers damp flapping routes). What it still serves it keeps: it is well again. The first outage
 *  within an hour costs nothing; after the n-th, n - 1 times the hold-down passes, from the end of it. Drains by operators
 *  do not count: they mean what they say. Where users have nowhere else to go, or others would be over their capacity, the
 *  solve does without it. */

import type { DatacenterId } from '../config/ids.ts';
import type { Topology } from '../config/topology.ts';
import type { DatacenterState } from './inputs.ts';

/** The recent outages of one datacenter. Carried from epoch to epoch. */
export interface Outages {
  readonly datacenter: DatacenterId;
  readonly startsMs: readonly number[]; // within `memoryMs`, ascending
  readonly lastOutMs: number; // start of the last epoch it was out in
  readonly isOut: boolean;
}

const memoryMs = 3_600_000;

/** What is observed, held down where it flaps. `before` is what the epoch before returned. */
export function holdDown(
  topology: Topology,
  observed: readonly DatacenterState[],
  before: readonly Outages[],
  nowMs: number,
  holdDownMs: number,
): { readonly states: readonly DatacenterState[]; readonly outages: readonly Outages[] } {
  const outages: Outages[] = [];
  const states = topology.datacenters.map(({ id }, d) => {
    const state = observed[d]!;
    const known = before.find(({ datacenter }) => datacenter === id);
    const recent = (known?.startsMs ?? []).filter((startMs) => startMs > nowMs - memoryMs);
    if (state.keep < 1) {
      const startsMs = known?.isOut ? recent : [...recent, nowMs];
      outages.push({ datacenter: id, startsMs, lastOutMs: nowMs, isOut: true });
      return state;
    }
    if (!known) return state;
    const untilMs = known.lastOutMs + holdDownMs * (recent.length - 1);
    if (recent.length > 0 || nowMs <= untilMs) outages.push({ ...known, startsMs: recent, isOut: false });
    if (nowMs > untilMs || recent.length < 2) return state;
    return { keep: 1, refill: false, cause: `held down after ${recent.length} outages within an hour`, untilMs };
  });
  return { states, outages };
}
