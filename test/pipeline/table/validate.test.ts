import { expect, test } from 'vitest';
import { assignFriends } from '../../../pipeline/table/friends-assignment.ts';
import { type ValidateInputs, validate } from '../../../pipeline/table/validate.ts';
import { metersOf } from '../../../runtime/meters.ts';
import { policyOf } from '../../scene.ts';
import { makeInstance, makePlaces } from './instance.ts';

/** Datacenters of this capacity each, and nothing on them yet. */
const placesOf = (capacityRps: number, datacenters = 3, edges = 2) => {
  const topology = makePlaces(edges, datacenters, capacityRps);
  return { topology, meters: metersOf(topology, { policy: policyOf() }, new Float64Array(datacenters)) };
};

const instance = makeInstance(4, { edges: 2, datacenters: 3, height: 5, weights: 'exponential' });
const table = assignFriends(instance).table;
const good: ValidateInputs = {
  ...instance,
  table,
  previous: null,
  ...placesOf(10_000),
  utilizationMax: 1,
  isUtilizationRelaxed: false,
};

test('a good table passes, with the utilizations it means', () => {
  const result = validate(good);
  if (result.kind !== 'valid') throw new Error(result.problems.join('\n'));
  expect(result.table).toBe(table);
  const load = result.utilization.reduce((sum, share) => sum + share * 10_000, 0);
  expect(load).toBeCloseTo(
    instance.demandRps.reduce((a, b) => a + b, 0),
    6,
  );
});

test('no demand at all is no problem', () => {
  expect(validate({ ...good, demandRps: new Float64Array(2) }).kind).toBe('valid');
});

const row = table.byEdge[0]!;
const barred = (e: number, d: number): Float64Array => instance.ceilings.map((most, i) => (i === e * 3 + d ? 0 : most));

test.each<[string, Partial<ValidateInputs>, RegExp]>([
  ['height', { table: { ...table, height: 4 } }, /height is 4, the tree's is 5/],
  ['tree', { table: { ...table, treeVersion: 'old' } }, /made for tree old, the active tree is/],
  ['targets', { table: { ...table, targets: table.targets.slice(1) } }, /targets are \[dc1 dc2\], the datacenters are/],
  ['no edges', { table: { ...table, edges: [], byEdge: [] } }, /the table is empty/],
  ['edges', { table: { ...table, edges: [...table.edges].reverse() } }, /the table has 2 edges, not the 2/],
  ['an assignment missing', { table: { ...table, byEdge: [row] } }, /1 assignments for 2 edges/],
  ['a bucket missing', { table: { ...table, byEdge: [row.slice(1), row] } }, /edge edge000: 31 buckets, expected 32/],
  [
    'an unknown target',
    { table: { ...table, byEdge: [row.map(() => 9), row] } },
    /32 buckets on target 9, which does not/,
  ],
  ['a barred datacenter', { ceilings: barred(0, row[0]!) }, /edge edge000: \d+ buckets on dc\d, which may hold none/],
  [
    'negative demand',
    { demandRps: Float64Array.from([-1, 5]) },
    /demand of edge edge000 is -1 rps, expected 0 or more/,
  ],
  ['demand that is no number', { demandRps: Float64Array.from([Number.NaN, 5]) }, /demand of edge edge000 is NaN rps/],
  ['weights that do not add up', { weights: halfWeights() }, /load is [\d.]+ rps, demand is [\d.]+ rps/],
  [
    'too little capacity',
    { ...placesOf(100), utilizationTolerance: 0.005 },
    /dc\d would be at [\d.]+ of its capacity, allowed 1.0050/,
  ],
  ['no capacity', { ...placesOf(0) }, /dc\d would be at Infinity of its capacity/],
])('rejects: %s', (_, change, problem) => {
  const result = validate({ ...good, ...change });
  expect(result.kind).toBe('rejected');
  if (result.kind === 'rejected') expect(result.problems.join('\n')).toMatch(problem);
});

test('one already over its limit may stay where it is, not rise; a limit that had to give binds nobody', () => {
  const tight = { ...good, ...placesOf(100), utilizationTolerance: 0.005 };
  expect(validate({ ...tight, previous: table }).kind).toBe('valid');
  expect(validate({ ...tight, isUtilizationRelaxed: true }).kind).toBe('valid');
  const all = { ...table, byEdge: table.byEdge.map((assignment) => assignment.map(() => 1)) };
  expect(validate({ ...tight, table: all, previous: table }).kind).toBe('rejected');
});

test('whole buckets may lift a datacenter over its limit by one of them, no more', () => {
  const cells = { bucket: Uint16Array.of(0, 1, 2, 3), weight: Float64Array.of(0.25, 0.25, 0.25, 0.25) };
  const weights = { byEdge: instance.edges.map(() => cells), edgeWeight: new Float64Array(2).fill(1) };
  const demandRps = instance.edges.map((_, e) => (e === 0 ? 100 : 0));
  const on = (count: number) => ({
    ...table,
    byEdge: table.byEdge.map((assignment) => assignment.map((_, b) => (b < count ? 0 : 1))),
  });
  const outcome = (count: number) =>
    validate({
      ...good,
      table: on(count),
      weights,
      demandRps: Float64Array.from(demandRps),
      ...placesOf(60),
    }).kind;
  expect([outcome(2), outcome(3), outcome(4)]).toEqual(['valid', 'valid', 'rejected']);
});

test('of many problems the first are named and the rest counted', () => {
  const many = makeInstance(1, { edges: 20, datacenters: 2, height: 3, weights: 'even' });
  const ceilings = new Float64Array(40);
  const result = validate({ ...good, ...many, table: assignFriends(many).table, ceilings });
  expect(result.kind === 'rejected' && result.problems.at(-1)).toMatch(/^and \d+ more$/);
});

function halfWeights(): ValidateInputs['weights'] {
  const halve = ({ bucket, weight }: (typeof instance.weights.byEdge)[number]) => ({
    bucket,
    weight: weight.map((share) => share / 2),
  });
  return { ...instance.weights, byEdge: instance.weights.byEdge.map(halve) };
}
