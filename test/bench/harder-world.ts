/** A world made harder in ways drawn from a seed, so that what is promised of one week is also seen where nobody chose a
 *  constant: demand that a few edges ask for most of, flash crowds, datacenters that fail and one of a third of its
 *  capacity, people with fewer friends. */

import { type Random, seededRandom } from '../../config/random.ts';
import type { Datacenter } from '../../config/topology.ts';
import { type DatacenterEvent, type DemandSeries, stepMs, type World } from '../../config/world.ts';

const hourMs = 3_600_000;

/** Capacity follows the demand: but for the crowds there is as much to spare as before. */
export function harder(world: World, seed: number): World {
  const random = seededRandom(`${seed}/harder`);
  const { topology, demand, events, friends } = world;
  const skewed = { ...demand, rps: random() < 0.5 ? skewedRps(demand, random) : demand.rps.slice() };
  const grown = peakRps(skewed) / peakRps(demand);
  const datacenters = topology.datacenters.map((datacenter): Datacenter => {
    return { ...datacenter, capacityRps: Math.round(datacenter.capacityRps * grown) };
  });
  if (random() < 0.5) cut(datacenters, random);
  const crowds = 1 + Math.floor(4 * random());
  for (let k = 0; k < crowds; k++) crowd(skewed, random);
  const outages = 1 + Math.floor(3 * random());
  const kept = 0.4 + 0.6 * random();
  return {
    ...world,
    topology: { ...topology, datacenters },
    demand: skewed,
    events: [...events, ...outagesOf(world, outages, random)].sort((a, b) => a.timeMs - b.timeMs),
    friends: Uint32Array.from(pairsOf(friends).flatMap((pair) => (random() < kept ? pair : []))),
  };
}

/** Each edge's demand times one to ten, small factors much more often. */
function skewedRps({ timesMs, rps }: DemandSeries, random: Random): Float64Array {
  const edges = rps.length / timesMs.length;
  const factors = Float64Array.from({ length: edges }, () => Math.min(10, 1 / (1 - random())));
  return rps.map((asks, i) => Math.round(asks * factors[i % edges]!));
}

/** One of the datacenters, not the largest: with a third of that one gone the rest might not do. */
function cut(datacenters: Datacenter[], random: Random): void {
  const d = Math.floor(random() * datacenters.length);
  const { capacityRps } = datacenters[d]!;
  if (datacenters.some((other) => other.capacityRps > capacityRps)) {
    datacenters[d] = { ...datacenters[d]!, capacityRps: Math.round(capacityRps / 3) };
  }
}

/** An edge asks for two to four times as much for an hour or two; it comes within a quarter of an hour and goes in one. */
function crowd(demand: DemandSeries, random: Random): void {
  const { timesMs, rps } = demand;
  const edges = rps.length / timesMs.length;
  const e = Math.floor(random() * edges);
  const first = Math.floor(random() * timesMs.length);
  const steps = Math.round(((1 + random()) * hourMs) / stepMs(demand));
  const factor = 2 + 2 * random();
  for (let t = first; t < Math.min(timesMs.length, first + steps); t++) {
    const come = Math.min(1, (t - first + 1) / 3, (first + steps - t) / 3);
    rps[t * edges + e] = Math.round(rps[t * edges + e]! * (1 + (factor - 1) * come));
  }
}

/** One after the other, of datacenters that have no events yet. */
function outagesOf({ topology, demand, events }: World, count: number, random: Random): readonly DatacenterEvent[] {
  const { timesMs } = demand;
  const calm = topology.datacenters.filter(({ id }) => !events.some(({ datacenter }) => datacenter === id));
  const slotMs = (timesMs.at(-1)! - timesMs[0]!) / count;
  return calm.slice(0, count).flatMap(({ id: datacenter }, k): DatacenterEvent[] => {
    const fromMs = timesMs[0]! + Math.floor(((k + 0.5 * random()) * slotMs) / 60_000) * 60_000;
    const minutes = 30 + Math.floor(90 * random());
    return [
      { timeMs: fromMs, datacenter, state: 'abnormal' },
      { timeMs: fromMs + minutes * 60_000, datacenter, state: 'normal' },
    ];
  });
}

function pairsOf(friends: Uint32Array): readonly (readonly [number, number])[] {
  return Array.from({ length: friends.length / 2 }, (_, k) => [friends[2 * k]!, friends[2 * k + 1]!] as const);
}

function peakRps({ timesMs, rps }: DemandSeries): number {
  const edges = rps.length / timesMs.length;
  let peak = 0;
  for (let i = 0; i < rps.length; i += edges) {
    peak = Math.max(
      peak,
      rps.subarray(i, i + edges).reduce((a, b) => a + b, 0),
    );
  }
  return peak;
}
