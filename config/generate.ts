/** A seeded world: plausible places, a week of demand that follows the sun, datacenters unevenly large with 1.3 times the
 *  highest demand between them, and people whose friends mostly live where they do. The same seed gives the same bytes:
 *  arithmetic and square roots throughout; the few sines of the distances (their last bit may differ between Node
 *  versions) end in tenths of a millisecond. Declined: real data sets, which a product may not ship. */

import { ConfigError } from './errors.ts';
import { generateFriends } from './generate-friends.ts';
import { compareIds, datacenterId, edgeId } from './ids.ts';
import { cities, distanceKm, sites } from './places.ts';
import { type Random, seededRandom } from './random.ts';
import { type Datacenter, type Edge, makeTopology } from './topology.ts';
import { largestRemainder } from './units.ts';
import type { DatacenterEvent, DemandSeries, World } from './world.ts';

export interface WorldSize {
  readonly edges?: number; // 42
  readonly datacenters?: number; // 10
  readonly users?: number; // 20,000
  readonly days?: number; // 7
  readonly seed: number;
}

const startMs = Date.UTC(2026, 2, 2); // a Monday
const stepMs = 5 * 60_000;
const dayMs = 24 * 3_600_000;
const capacityOverPeak = 1.3;

/** Share of its daily peak that an edge asks for at each full hour of its solar time: a trough near 4, a peak near 21. */
const hourly = [
  0.62, 0.42, 0.24, 0.14, 0.11, 0.13, 0.2, 0.32, 0.46, 0.56, 0.62, 0.66, 0.7, 0.69, 0.67, 0.68, 0.71, 0.76, 0.83, 0.91,
  0.97, 1, 0.94, 0.8,
];
const weekdays = [0.94, 0.93, 0.94, 0.95, 0.97, 1, 0.99]; // Monday first

/** Throws a ConfigError where a size is out of range. */
export function generateWorld(size: WorldSize): World {
  const edgeCount = count(size.edges, 42, 'edges', 1, 1000);
  const datacenterCount = count(size.datacenters, 10, 'datacenters', 1, 200);
  const userCount = count(size.users, 20_000, 'users', 1, 5_000_000);
  const days = count(size.days, 7, 'days', 1, 366);
  const seed = count(size.seed, 1, 'seed', 0, Number.MAX_SAFE_INTEGER);
  const chance = (part: string): Random => seededRandom(`${seed}/${part}`);

  const { edges, weights } = generateEdges(edgeCount, chance('edges'));
  const demand = generateDemand(edges, weights, days, chance('demand'));
  const datacenters = generateDatacenters(datacenterCount, peakRps(demand, edgeCount), chance('datacenters'));
  const topology = makeTopology(
    edges,
    datacenters,
    generateRtts(edges, datacenters, chance('latency')),
    'generated world',
  );
  const events = generateEvents(datacenters, days);
  const people = generateFriends(eastwards(edges), weights, userCount, chance('friends'));
  return { topology, demand, events, ...people };
}

/** Metropolises drawn by weight; where the list ends, further edges stand near those it has. Sorted by id. */
function generateEdges(n: number, random: Random): { edges: Edge[]; weights: Float64Array } {
  const drawn = cities
    .map((city) => ({ city, key: city.weight * (0.4 + random()) }))
    .sort((a, b) => b.key - a.key || compareIds(a.city.code, b.city.code));
  const placed = Array.from({ length: n }, (_, i) => {
    const { city } = drawn[i % drawn.length]!;
    const round = Math.floor(i / drawn.length);
    const id = edgeId(round === 0 ? city.code : `${city.code}${round + 1}`, 'generated edge');
    const lat = round === 0 ? city.lat : hundredths(city.lat + 3 * (random() - 0.5));
    const lon = round === 0 ? city.lon : hundredths(wrapLon(city.lon + 3 * (random() - 0.5)));
    const weight = (city.weight * (0.7 + 0.6 * random())) / (1 + 2 * round);
    return { edge: { id, city: city.name, lat, lon }, weight };
  }).sort((a, b) => compareIds(a.edge.id, b.edge.id));
  return { edges: placed.map((p) => p.edge), weights: Float64Array.from(placed, (p) => p.weight) };
}

/** Solar time, weekday and slow noise; about 100,000 rps an edge at the global peak. */
function generateDemand(edges: readonly Edge[], weights: Float64Array, days: number, random: Random): DemandSeries {
  const steps = (days * dayMs) / stepMs;
  const n = edges.length;
  const timesMs = Float64Array.from({ length: steps }, (_, t) => startMs + t * stepMs);
  const rps = new Float64Array(steps * n);
  const mean = weights.reduce((sum, w) => sum + w, 0) / n;
  const slow = new Float64Array(n); // first-order noise: bursts of about an hour, 3 % or so
  const dayFactor = Array.from({ length: n }, () => weekdays.map((share) => share * (0.96 + 0.06 * random())));
  for (let t = 0; t < steps; t++) {
    for (let e = 0; e < n; e++) {
      const solarHour = (timesMs[t]! - startMs) / 3_600_000 + edges[e]!.lon / 15 + 7 * 24;
      const today = Math.floor(solarHour / 24);
      const intoDay = solarHour / 24 - today;
      // The turn of the day blends over the last two hours, so that no edge jumps at its midnight.
      const blend = Math.max(0, (intoDay - 22 / 24) * 12);
      const factors = dayFactor[e]!;
      const factor = factors[today % 7]! * (1 - blend) + factors[(today + 1) % 7]! * blend;
      slow[e] = 0.92 * slow[e]! + 0.04 * (random() + random() - 1);
      const jitter = 1 + slow[e]! + 0.03 * (random() - 0.5);
      rps[t * n + e] = Math.round((weights[e]! / mean) * 150_000 * profile(intoDay * 24) * factor * jitter);
    }
  }
  return { timesMs, rps };
}

function profile(hour: number): number {
  const before = Math.floor(hour) % 24;
  const share = hour - Math.floor(hour);
  return hourly[before]! * (1 - share) + hourly[(before + 1) % 24]! * share;
}

function peakRps(demand: DemandSeries, edgeCount: number): number {
  let peak = 0;
  for (let base = 0; base < demand.rps.length; base += edgeCount) {
    let sum = 0;
    for (let e = 0; e < edgeCount; e++) sum += demand.rps[base + e]!;
    peak = Math.max(peak, sum);
  }
  return peak;
}

/** Capacities differ up to fourfold and sum to 1.3 times the peak. Sorted by id. */
function generateDatacenters(n: number, peak: number, random: Random): Datacenter[] {
  const drawn = sites
    .map((site, rank) => ({ site, key: rank + 4 * random() }))
    .sort((a, b) => a.key - b.key || compareIds(a.site.name, b.site.name));
  const unitRps = peak > 100_000 * n ? 100 : 1;
  const units = largestRemainder(
    Float64Array.from({ length: n }, () => 0.4 + 1.2 * random()),
    Math.ceil((capacityOverPeak * peak) / unitRps),
  );
  return Array.from({ length: n }, (_, i) => {
    const { site } = drawn[i % drawn.length]!;
    const round = Math.floor(i / drawn.length);
    return {
      id: datacenterId(round === 0 ? site.name : `${site.name}${round + 1}`, 'generated datacenter'),
      lat: round === 0 ? site.lat : hundredths(site.lat + 2 * (random() - 0.5)),
      lon: round === 0 ? site.lon : hundredths(wrapLon(site.lon + 2 * (random() - 0.5))),
      capacityRps: units[i]! * unitRps,
    };
  }).sort((a, b) => compareIds(a.id, b.id));
}

/** Light in fibre takes 1 ms for 100 km there and back; cables take detours, 20 to 70 % and less over long ways. */
function* generateRtts(edges: readonly Edge[], datacenters: readonly Datacenter[], random: Random) {
  for (const edge of edges) {
    const accessMs = 1 + 3 * random();
    for (const datacenter of datacenters) {
      const km = distanceKm(edge, datacenter);
      const detour = 1.2 + (0.5 * random() * 4000) / (4000 + km);
      yield {
        edge: edge.id,
        datacenter: datacenter.id,
        rttMs: Math.round(((km / 100) * detour + accessMs + 2 * random()) * 10) / 10,
      };
    }
  }
}

/** The largest datacenter fails in the afternoon of the middle day, the smallest before dawn two days later. */
function generateEvents(datacenters: readonly Datacenter[], days: number): DatacenterEvent[] {
  if (datacenters.length < 2) return [];
  const bySize = [...datacenters].sort((a, b) => b.capacityRps - a.capacityRps || compareIds(a.id, b.id));
  const outages = [
    { datacenter: bySize[0]!, day: Math.min(2, days - 1), startMinute: 16 * 60 + 50, minutes: 90 },
    { datacenter: bySize[bySize.length - 1]!, day: 4, startMinute: 3 * 60, minutes: 6 * 60 },
  ];
  return outages
    .filter((outage) => outage.day < days)
    .flatMap(({ datacenter, day, startMinute, minutes }): DatacenterEvent[] => {
      const fromMs = startMs + day * dayMs + startMinute * 60_000;
      return [
        { timeMs: fromMs, datacenter: datacenter.id, state: 'abnormal' },
        { timeMs: fromMs + minutes * 60_000, datacenter: datacenter.id, state: 'normal' },
      ];
    });
}

/** Indices of edges from west to east: who is next in it is a neighbour, roughly. */
function eastwards(edges: readonly Edge[]): Uint32Array {
  const order = Uint32Array.from(edges, (_, e) => e);
  return order.sort((a, b) => edges[a]!.lon - edges[b]!.lon || a - b);
}

function count(value: number | undefined, standard: number, name: string, min: number, max: number): number {
  const n = value ?? standard;
  if (!(Number.isSafeInteger(n) && n >= min && n <= max)) {
    throw new ConfigError(`--${name} is ${n}, expected a whole number, ${min}..${max}`);
  }
  return n;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

function wrapLon(lon: number): number {
  return lon > 180 ? lon - 360 : lon < -180 ? lon + 360 : lon;
}
