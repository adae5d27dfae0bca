import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateWorld, type WorldSize } from '../../config/generate.ts';
import { cities, sites } from '../../config/places.ts';
import type { World } from '../../config/world.ts';
import { formatWorld } from '../../config/world-files.ts';
import { worldNotes } from '../../config/world-notes.ts';
import { complaintOf } from './small-world.ts';

const sizes: WorldSize[] = [
  { seed: 1, days: 2 },
  { seed: 7, edges: 1, datacenters: 1, users: 1, days: 1 },
  { seed: 8, edges: 2, datacenters: 2, users: 2, days: 1 },
  { seed: 3, edges: 300, datacenters: 30, users: 5000, days: 1 },
];

test('the same seed gives the same bytes on every machine and Node version, another seed others', () => {
  const digest = (seed: number): string => {
    const texts = formatWorld(generateWorld({ seed, days: 2, users: 5000 }));
    return createHash('sha256').update(JSON.stringify(texts)).digest('hex');
  };
  // Recorded once; a change here is a change of every generated world, demo and benchmark.
  expect(digest(1)).toBe('fbc8e6ab4e79c35161269f1e169c9eb4530814fa44d005ed6f9dde819daf82e1');
  expect(digest(2)).not.toBe(digest(1));
});

describe.each(sizes)('a generated world %o', (size) => {
  const world = generateWorld(size);
  const { topology, demand, users, friends } = world;
  const edgeCount = topology.edges.length;

  test('has the size asked for', () => {
    expect(edgeCount).toBe(size.edges ?? 42);
    expect(topology.datacenters).toHaveLength(size.datacenters ?? 10);
    expect(users.ids).toHaveLength(size.users ?? 20_000);
    expect(demand.timesMs).toHaveLength((size.days ?? 7) * 288);
  });

  test('has capacity for 1.3 times the global peak, none of it 0', () => {
    const total = topology.datacenters.reduce((sum, dc) => sum + dc.capacityRps, 0);
    expect(total / Math.max(...totals(world))).toBeCloseTo(1.3, 1);
    expect(topology.datacenters.every((dc) => dc.capacityRps > 0)).toBe(true);
  });

  test('has demand that follows the sun, some tenfold between trough and peak at every edge', () => {
    for (let e = 0; e < edgeCount; e++) {
      const day = Array.from({ length: 288 }, (_, t) => demand.rps[t * edgeCount + e]!);
      const ratio = Math.max(...day) / Math.min(...day);
      expect(ratio).toBeGreaterThan(6);
      expect(ratio).toBeLessThan(15);
      const peakHourUtc = (day.indexOf(Math.max(...day)) * 5) / 60;
      const peakHourSolar = (peakHourUtc + topology.edges[e]!.lon / 15 + 48) % 24;
      expect(peakHourSolar).toBeGreaterThan(17);
      expect(peakHourSolar).toBeLessThan(24);
    }
  });

  test('gives a reader nothing to remark, and every edge a user where there are enough', () => {
    const nobody = (size.users ?? 20_000) < edgeCount ? 1 : 0;
    expect(worldNotes(world)).toHaveLength(nobody);
  });

  test('has friends that are other people, no tie twice', () => {
    const seen = new Set<string>();
    for (let i = 0; i < friends.length; i += 2) {
      const [a, b] = [friends[i]!, friends[i + 1]!];
      expect(a).not.toBe(b);
      seen.add(a < b ? `${a} ${b}` : `${b} ${a}`);
    }
    expect(seen.size).toBe(friends.length / 2);
  });
});

test('friends live together far more often than chance has it, and a few people have very many', () => {
  const { topology, users, friends } = generateWorld({ seed: 4, days: 1 });
  const residents = new Float64Array(topology.edges.length);
  for (const e of users.homeEdge) residents[e]! += 1 / users.ids.length;
  const byChance = residents.reduce((sum, share) => sum + share * share, 0);
  let together = 0;
  const degree = new Uint32Array(users.ids.length);
  for (let i = 0; i < friends.length; i += 2) {
    if (users.homeEdge[friends[i]!] === users.homeEdge[friends[i + 1]!]) together += 1;
    degree[friends[i]!]! += 1;
    degree[friends[i + 1]!]! += 1;
  }
  expect(together / (friends.length / 2)).toBeGreaterThan(10 * byChance);
  const sorted = degree.sort();
  expect(sorted[sorted.length - 1]!).toBeGreaterThan(10 * sorted[sorted.length >> 1]!);
});

test('a week has two outages, the largest datacenter first, and each ends', () => {
  const { events, topology } = generateWorld({ seed: 1, users: 100 });
  expect(events.map((event) => event.state)).toEqual(['abnormal', 'normal', 'abnormal', 'normal']);
  const largest = Math.max(...topology.datacenters.map((dc) => dc.capacityRps));
  expect(topology.datacenters.find((dc) => dc.id === events[0]!.datacenter)!.capacityRps).toBe(largest);
});

test.each([
  [{ seed: 1, edges: 0 }, '--edges is 0, expected a whole number, 1..1000'],
  [{ seed: 1, datacenters: 2.5 }, '--datacenters is 2.5, expected a whole number, 1..200'],
  [{ seed: 1, users: Number.NaN }, '--users is NaN, expected a whole number'],
  [{ seed: -1 }, '--seed is -1, expected a whole number'],
])('a size of %o is refused', (size, expected) => {
  expect(complaintOf(() => generateWorld(size))).toContain(expected);
});

test('places have unique names and stand on the globe', () => {
  expect(new Set(cities.map((city) => city.code)).size).toBe(cities.length);
  expect(new Set(sites.map((site) => site.name)).size).toBe(sites.length);
  for (const { lat, lon } of [...cities, ...sites]) {
    expect(Math.abs(lat)).toBeLessThan(70);
    expect(Math.abs(lon)).toBeLessThanOrEqual(180);
  }
  for (const city of cities) expect(city.weight).toBeGreaterThan(0);
});

function totals({ topology, demand }: World): number[] {
  const n = topology.edges.length;
  return Array.from(demand.timesMs, (_, t) => demand.rps.subarray(t * n, (t + 1) * n).reduce((sum, x) => sum + x, 0));
}
