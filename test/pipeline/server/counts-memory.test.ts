/** Counts that go through bytes are the same to seven digits, and what is not whole is not taken for counts. */

import { expect, test } from 'vitest';
import { edgeId } from '../../../config/ids.ts';
import { seededRandom } from '../../../config/random.ts';
import type { EdgeCount } from '../../../pipeline/server/bucket-counts.ts';
import { decodeCounts, encodeCounts } from '../../../pipeline/server/counts-memory.ts';
import { topologyOf } from '../../scene.ts';

const height = 5;
const topology = topologyOf(3, [10, 10]);

function counted(seed: number): (EdgeCount | null)[] {
  const random = seededRandom(seed);
  return [0, 1, 2].map((e) => {
    if (e === seed % 3) return null;
    const requests = Float64Array.from({ length: 1 << height }, () => (random() < 0.5 ? 0 : 1e6 * random() * random()));
    return { atMs: Math.floor(1e12 * random()), requests, allowed: 1e7 * random() };
  });
}

test('nothing is lost on the way through bytes', () => {
  for (let seed = 0; seed < 20; seed++) {
    const before = counted(seed);
    const after = decodeCounts(encodeCounts(before, topology, height), topology, height)!;
    expect(after).toEqual(before.map((one) => one && { ...one, requests: one.requests.map(Math.fround) }));
  }
});

test('edges are known by their names: one that is new counts, the others go on', () => {
  const before = counted(1); // nothing of the second
  const [a, b, c] = topology.edges;
  const grown = { ...topology, edges: [c!, { ...a!, id: edgeId('new', 'here') }, b!, a!] };
  const found = decodeCounts(encodeCounts(before, topology, height), grown, height)!;
  expect(found.map((one) => one?.atMs ?? null)).toEqual([before[2]!.atMs, null, null, before[0]!.atMs]);
});

test('bytes that were cut off, of other buckets or of another version are no counts', () => {
  const bytes = encodeCounts(counted(0), topology, height);
  expect(decodeCounts(bytes.slice(0, -1), topology, height)).toBe(null);
  expect(decodeCounts(bytes.slice(0, 3), topology, height)).toBe(null);
  expect(decodeCounts(bytes, topology, height + 1)).toBe(null);
  const other = new TextEncoder().encode('{"format":2}\n');
  expect(decodeCounts(other, topology, height)).toBe(null);
});
