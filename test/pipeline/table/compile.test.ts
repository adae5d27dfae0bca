import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fallbackFor } from '../../../config/fallback.ts';
import { seededRandom } from '../../../config/random.ts';
import { openCeilings } from '../../../pipeline/table/ceilings.ts';
import {
  canonicalEnvelope,
  compileBody,
  compileTable,
  type Envelope,
  makeFallbacks,
  parseBody,
  targetOf,
} from '../../../pipeline/table/compile.ts';
import { assignFriends } from '../../../pipeline/table/friends-assignment.ts';
import { makeTargets, type RoutingTable } from '../../../pipeline/table/routing-table.ts';
import { makeInstance, makePlaces, weightKinds } from './instance.ts';

test('parsing a body gives back what was compiled', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const shape = { edges: 2, datacenters: 1 + (seed % 18), height: seed % 11, weights: weightKinds[seed % 4]! };
    const instance = makeInstance(seed, shape);
    const table = assignFriends(instance).table;
    const fallbacks = makeFallbacks(instance.topology, shape.height, instance.ceilings);
    table.edges.forEach((edge, e) => {
      const parsed = parseBody(compileBody(table, e, fallbacks[e]!).body, 'test');
      expect(parsed, `seed ${seed}`).toEqual({
        edge,
        treeVersion: table.treeVersion,
        height: table.height,
        targets: table.targets,
        assignment: table.byEdge[e],
        fallback: fallbacks[e],
      });
    });
  }
});

test('a body is at most 15 KB gzipped for 16,384 buckets, though they go to 10 datacenters at random', () => {
  const topology = makePlaces(1, 10);
  const random = seededRandom(7);
  const assignment = Uint8Array.from({ length: 16_384 }, () => Math.floor(random() * 10));
  const table = tableOf(topology, 14, [assignment]);
  const { body } = compileBody(table, 0, makeFallbacks(topology, 14, openCeilings(1, 10))[0]!);
  expect(gzipSync(body).length).toBeLessThanOrEqual(15_000);
  expect(parseBody(body, 'test').assignment).toEqual(assignment);
});

test('the version is the SHA-256 of the body, the same for the same table and another for any other', () => {
  const topology = makePlaces(1, 3);
  const [fallback] = makeFallbacks(topology, 6, openCeilings(1, 3));
  const table = tableOf(topology, 6, [new Uint8Array(64)]);
  const compiled = compileBody(table, 0, fallback!);
  expect(compiled.version).toBe(createHash('sha256').update(compiled.body).digest('hex'));
  expect(compileBody(tableOf(topology, 6, [new Uint8Array(64)]), 0, fallback!)).toEqual(compiled);
  const moved = Uint8Array.from({ length: 64 }, (_, b) => (b === 63 ? 2 : 0));
  expect(compileBody(tableOf(topology, 6, [moved]), 0, fallback!).version).not.toBe(compiled.version);
});

test('edges that did not change keep their body; nothing else is kept', () => {
  const instance = makeInstance(1, { edges: 3, datacenters: 3, height: 8, weights: 'even' });
  const fallbacks = makeFallbacks(instance.topology, 8, instance.ceilings);
  const table = assignFriends(instance).table;
  const last = compileTable(table, fallbacks);
  const [first, ...others] = table.byEdge;
  const next = { ...table, byEdge: [first!.map((d) => (d + 1) % 3), ...others] };
  const again = compileTable(next, fallbacks, last);
  expect(again.bodies.map((body, e) => body === last.bodies[e])).toEqual([false, true, true]);
  expect(again.bodies).toEqual(compileTable(next, fallbacks).bodies);
  const retreed = { ...table, treeVersion: 'other' };
  expect(compileTable(retreed, fallbacks, last).bodies).toEqual(compileTable(retreed, fallbacks).bodies);
});

test('when datacenters die an edge sends their buckets where the rule of config/fallback.ts does, by the body alone', () => {
  const instance = makeInstance(2, { edges: 2, datacenters: 5, height: 11, weights: 'exponential' });
  const table = assignFriends(instance).table;
  const fallbacks = makeFallbacks(instance.topology, 11, instance.ceilings);
  const rule = instance.topology.datacenters.map(({ id, capacityRps }) => ({ datacenter: id, weight: capacityRps }));
  for (const dead of [[0], [1, 3], [0, 1, 2], [0, 1, 2, 3, 4]]) {
    const isAlive = (d: number): boolean => !dead.includes(d);
    table.edges.forEach((edge, e) => {
      const parsed = parseBody(compileBody(table, e, fallbacks[e]!).body, 'test');
      for (let b = 0; b < 2 ** 11; b++) {
        const own = table.byEdge[e]![b]!;
        const expected = isAlive(own) ? own : fallbackFor(edge, b, 11, rule, isAlive);
        expect(targetOf(parsed, b, isAlive), `dead ${dead} edge ${e} bucket ${b}`).toBe(expected);
      }
    });
  }
});

test('nothing falls back to a datacenter that is drained or that residency forbids', () => {
  const topology = makePlaces(2, 3);
  const ceilings = Float64Array.from([1, 0, 1, 0.4, 1, 1]);
  const [first, second] = makeFallbacks(topology, 10, ceilings);
  expect(first!.weights).toEqual([1000, 0, 1000]);
  expect(second!.weights).toEqual([0, 1000, 1000]);
  expect(new Set([...first!.first, ...first!.second])).toEqual(new Set([0, 2]));
  expect(new Set([...second!.first, ...second!.second])).toEqual(new Set([1, 2]));
});

test.each([
  ['{', 'test: not JSON; the body is cut short or damaged'],
  ['[]', 'test: found [], expected an object'],
  ['{"format":"x"}', 'test: format is "x", expected "taiji-edge-table/1"'],
  [spoil({ height: 99 }), 'test: height is 99, expected a whole number 0..16'],
  [spoil({ assignment: '0*3' }), 'test: assignment: runs cover 3 buckets, expected 4'],
  [
    spoil({ fallback: { weights: [1], first: '0*4', second: '0*4' } }),
    'fallback weights are not 2 numbers of 0 or more',
  ],
  [spoil({ fallback: { weights: [1, 1], first: '5*4', second: '0*4' } }), 'bucket 0 goes to target 5, expected 0..1'],
])('a body that is none is refused in one line: %s', (body, complaint) => {
  expect(() => parseBody(body, 'test')).toThrow(complaint);
});

test('what is signed depends on the fields of the envelope alone, not on their order or on what else is there', () => {
  const envelope: Envelope = {
    format: 'taiji-envelope/1',
    service: 'web',
    edge: 'fra',
    epoch: 7,
    term: 2,
    sequence: 9,
    generatedAtMs: 1000,
    freshUntilMs: 2000,
    bodySha256: 'ab',
  };
  const shuffled = Object.fromEntries(Object.entries({ ...envelope, signature: 'x' }).reverse()) as unknown as Envelope;
  expect(canonicalEnvelope(shuffled)).toBe(canonicalEnvelope(envelope));
  expect(canonicalEnvelope(envelope)).toBe(
    '{"bodySha256":"ab","edge":"fra","epoch":7,"format":"taiji-envelope/1","freshUntilMs":2000,"generatedAtMs":1000,"sequence":9,"service":"web","term":2}',
  );
});

function tableOf(topology: ReturnType<typeof makePlaces>, height: number, byEdge: readonly Uint8Array[]): RoutingTable {
  const edges = topology.edges.map(({ id }) => id);
  return { treeVersion: 'tree', height, targets: makeTargets(topology), edges, byEdge };
}

function spoil(change: Readonly<Record<string, unknown>>): string {
  const topology = makePlaces(1, 2);
  const table = tableOf(topology, 2, [new Uint8Array(4)]);
  const { body } = compileBody(table, 0, makeFallbacks(topology, 2, openCeilings(1, 2))[0]!);
  return JSON.stringify({ ...JSON.parse(body), ...change });
}
