import { expect, test } from 'vitest';
import { assignFriends } from '../../../pipeline/table/friends-assignment.ts';
import {
  decodeTable,
  encodeTable,
  type RoutingTable,
  sameTable,
  servedFractions,
  tableDigest,
} from '../../../pipeline/table/routing-table.ts';
import { makeInstance, weightKinds } from './instance.ts';

function randomTable(seed: number): { table: RoutingTable; scattered: RoutingTable } {
  const shape = { edges: 3, datacenters: 1 + (seed % 20), height: seed % 9, weights: weightKinds[seed % 4]! };
  const instance = makeInstance(seed, shape);
  const table = assignFriends(instance).table;
  const byEdge = table.byEdge.map((row) => row.map(() => Math.floor(instance.random() * shape.datacenters)));
  return { table, scattered: { ...table, byEdge } };
}

test('served fractions of every edge sum to 1', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const instance = makeInstance(seed, { edges: 3, datacenters: 5, height: 10, weights: weightKinds[seed % 4]! });
    const served = servedFractions(assignFriends(instance).table, instance.weights);
    for (let e = 0; e < 3; e++) {
      const sum = served.subarray(e * 5, e * 5 + 5).reduce((a, b) => a + b, 0);
      expect(Math.abs(sum - 1), `seed ${seed} edge ${e}`).toBeLessThan(1e-9);
    }
  }
});

test('a table survives being encoded as JSON, whole or scattered', () => {
  for (let seed = 1; seed <= 40; seed++) {
    for (const table of Object.values(randomTable(seed))) {
      const back = decodeTable(JSON.parse(JSON.stringify(encodeTable(table))), 'test');
      expect(sameTable(back, table), `seed ${seed}`).toBe(true);
      expect(tableDigest(back), `seed ${seed}`).toBe(tableDigest(table));
    }
  }
});

test('one bucket, target, edge or tree version more or less changes the digest', () => {
  const { table } = randomTable(24);
  const [first, ...others] = table.byEdge;
  const changed = Uint8Array.from(first!, (d, b) => (b === 0 ? (d + 1) % table.targets.length : d));
  const variants: RoutingTable[] = [
    { ...table, byEdge: [changed, ...others] },
    { ...table, treeVersion: 'another' },
    { ...table, targets: [{ ...table.targets[0]!, via: table.targets[1]!.datacenter }, ...table.targets.slice(1)] },
    { ...table, edges: [...table.edges].reverse() },
  ];
  expect(new Set([table, ...variants].map(tableDigest)).size).toBe(5);
  for (const variant of variants) expect(sameTable(variant, table)).toBe(false);
});

test.each([
  ['another format', { format: 'taiji-table/9' }, 'test: format is "taiji-table/9", expected "taiji-table/1"'],
  ['a height out of range', { height: 33 }, 'test: height is 33, expected a whole number 0..16'],
  ['no targets', { targets: [] }, 'test: 0 targets, expected 1..256'],
  ['no edges', { edges: [] }, 'test: no edges; a table has at least one'],
  [
    'an edge without assignment',
    { edges: [{ edge: 'fra' }] },
    'assignment of edge "fra": found nothing, expected text',
  ],
  ['a short assignment', { edges: [{ edge: 'fra', assignment: '0*3' }] }, 'runs cover 3 buckets, expected 4'],
  ['a long assignment', { edges: [{ edge: 'fra', assignment: '0*3 1*2' }] }, 'runs cover more than 4 buckets'],
  [
    'an unknown target',
    { edges: [{ edge: 'fra', assignment: '0*3 7*1' }] },
    'bucket 3 goes to target 7, expected 0..1',
  ],
  ['a damaged run', { edges: [{ edge: 'fra', assignment: '0*3 1*-1' }] }, 'run "1*-1", expected target*length'],
  ['no code at all', { edges: [{ edge: 'fra', assignment: '' }] }, 'expected runs or "1:"'],
  ['damaged base64', { edges: [{ edge: 'fra', assignment: '1:=!==' }] }, 'not base64'],
  ['packed bytes missing', { edges: [{ edge: 'fra', assignment: '1:' }] }, '0 packed bytes, expected 1'],
  ['an edge twice', { edges: [fra(), fra()] }, 'edge "fra" is given twice'],
])('%s is refused in one line', (_, change, complaint) => {
  const encoded = {
    format: 'taiji-table/1',
    treeVersion: 't',
    height: 2,
    targets: [{ datacenter: 'a' }, { datacenter: 'b' }],
    edges: [fra()],
  };
  expect(decodeTable(encoded, 'test').byEdge).toHaveLength(1);
  expect(() => decodeTable({ ...encoded, ...change }, 'test')).toThrow(complaint);
  expect(() => decodeTable({ ...encoded, ...change }, 'test')).toThrow(
    expect.objectContaining({ name: 'ConfigError' }),
  );
});

function fra(): { edge: string; assignment: string } {
  return { edge: 'fra', assignment: '0*3 1*1' };
}
