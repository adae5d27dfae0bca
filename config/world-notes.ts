/** What is legal in a world and yet probably not meant: worth a line to whoever checks it, no reason to refuse it. */

import { formatTime } from './duration.ts';
import { distanceKm } from './places.ts';
import type { World } from './world.ts';

/** One line each, without the place they are about; the first of a kind stands for all. */
export function worldNotes(world: World): string[] {
  return [fasterThanLight(world), overCapacity(world), spike(world), eventsOutside(world), nobodyHome(world)].filter(
    (note) => note !== null,
  );
}

/** Round trips in seconds instead of milliseconds look like this. */
function fasterThanLight({ topology: { edges, datacenters, rttMs } }: World): string | null {
  const kmPerMs = 299.8 / 2; // there and back
  for (const [e, edge] of edges.entries()) {
    for (const [d, datacenter] of datacenters.entries()) {
      const km = distanceKm(edge, datacenter);
      const rtt = rttMs[e * datacenters.length + d]!;
      if (rtt * kmPerMs < km - 100) {
        return `rtt_ms of ${edge.id} to ${datacenter.id} is ${rtt}, light needs ${Math.round(km / kmPerMs)} ms for the ${Math.round(km)} km; check unit and places`;
      }
    }
  }
  return null;
}

function overCapacity({ topology: { edges, datacenters }, demand: { timesMs, rps } }: World): string | null {
  const capacityRps = datacenters.reduce((sum, datacenter) => sum + datacenter.capacityRps, 0);
  for (const [t, timeMs] of timesMs.entries()) {
    const asked = rps.subarray(t * edges.length, (t + 1) * edges.length).reduce((sum, value) => sum + value, 0);
    if (asked > capacityRps) {
      return `demand at ${formatTime(timeMs)} is ${Math.round(asked)} rps, more than all capacity, ${capacityRps} rps`;
    }
  }
  return null;
}

/** One step far above the steps around it is a slip of the pen more often than a crowd. Against what an edge has at its
 *  busiest otherwise, so that a quiet edge's first users are none. */
function spike({ topology: { edges }, demand: { timesMs, rps } }: World): string | null {
  const width = edges.length;
  for (const [e, { id }] of edges.entries()) {
    let highest = 0;
    for (let t = 1; t < timesMs.length; t++) if (rps[t * width + e]! > rps[highest * width + e]!) highest = t;
    let otherwise = 0;
    for (let t = 0; t < timesMs.length; t++) if (t !== highest) otherwise = Math.max(otherwise, rps[t * width + e]!);
    const most = rps[highest * width + e]!;
    if (otherwise > 0 && most > spikeFactor * otherwise) {
      return `demand of ${id} at ${formatTime(timesMs[highest]!)} is ${most} rps, at no other time more than ${otherwise}; it is believed and planned on: if it is a slip, mend that row of demand.csv`;
    }
  }
  return null;
}

const spikeFactor = 10;

function eventsOutside({ demand: { timesMs }, events }: World): string | null {
  const outside = events.find(({ timeMs }) => timeMs < timesMs[0]! || timeMs > timesMs[timesMs.length - 1]!);
  return outside === undefined
    ? null
    : `the event of ${outside.datacenter} at ${formatTime(outside.timeMs)} is outside the times of the demand`;
}

function nobodyHome({ topology: { edges }, users }: World): string | null {
  const inhabited = new Set(users.homeEdge);
  const empty = edges.filter((_, e) => !inhabited.has(e));
  return empty.length === 0
    ? null
    : `nobody lives at ${empty.length} of ${edges.length} edges, ${empty[0]!.id} the first`;
}
