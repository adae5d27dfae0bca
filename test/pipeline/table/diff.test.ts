import { expect, test } from 'vitest';
import { datacenterId, edgeId } from '../../../config/ids.ts';
import type { BucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { type DiffInputs, diffTables, formatDiff } from '../../../pipeline/table/diff.ts';
import type { RoutingTable } from '../../../pipeline/table/routing-table.ts';

const targets = ['dublin', 'frankfurt', 'tokyo'].map((name) => ({ datacenter: datacenterId(name, 'test') }));
const edges = ['ams', 'fra', 'sin'].map((name) => edgeId(name, 'test'));
const even = { bucket: Uint16Array.from([0, 1, 2, 3, 4, 5, 6, 7]), weight: new Float64Array(8).fill(0.125) };
const weights: BucketWeights = { byEdge: [even, even, even], edgeWeight: new Float64Array(3).fill(1) };
const before = tableOf([0, 0, 0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0, 0], [2, 2, 2, 2, 2, 2, 2, 2]);
const after = tableOf([0, 0, 0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0, 0], [2, 2, 2, 2, 2, 2, 0, 1]);
const inputs: DiffInputs = {
  previous: before,
  next: after,
  weights,
  edgeLoad: Float64Array.from([0.2, 0.6, 0.2]),
  segmentLevel: 2,
};

test('says per edge which fractions and segments move, the largest share of demand first', () => {
  expect(formatDiff(diffTables(inputs))).toEqual([
    '~ fra: 12.50 % of fra, 7.50 % of demand; segment 2',
    '    - frankfurt 0.6250 -> 0.5000',
    '    + dublin 0.3750 -> 0.5000',
    '~ sin: 25.00 % of sin, 5.00 % of demand; segment 3, 1 split',
    '    - tokyo 1.0000 -> 0.7500',
    '    + dublin 0.0000 -> 0.1250',
    '    + frankfurt 0.0000 -> 0.1250',
    '2 edges changed, 1 unchanged; 12.50 % of demand moves, 3 buckets.',
  ]);
});

test('equal tables have no difference', () => {
  const diff = diffTables({ ...inputs, next: before });
  expect(diff).toEqual({ edges: [], unchangedEdges: 3, movedShare: 0, movedBuckets: 0 });
  expect(formatDiff(diff)).toEqual(['No change.']);
});

test('a swap that leaves the fractions alone is a change all the same', () => {
  const swapped = tableOf([1, 0, 0, 0, 0, 1, 1, 1], [...before.byEdge[1]!], [...before.byEdge[2]!]);
  expect(formatDiff(diffTables({ ...inputs, next: swapped }))).toEqual([
    '~ ams: 25.00 % of ams, 5.00 % of demand; segments 0, 2, 2 split',
    '    2 buckets moved, fractions stay',
    '1 edge changed, 2 unchanged; 5.00 % of demand moves, 2 buckets.',
  ]);
});

test('without a previous table every edge is new, and nothing moved', () => {
  const lines = formatDiff(diffTables({ ...inputs, previous: null }), { edgesMax: 1 });
  expect(lines).toEqual([
    '+ fra: new; segments 0-3',
    '    + dublin 0.0000 -> 0.5000',
    '    + frankfurt 0.0000 -> 0.5000',
    '  and 2 more edges',
    '3 edges changed, 0 unchanged; 0.00 % of demand moves, 0 buckets.',
  ]);
});

test('tables of other datacenters compare by name', () => {
  const renumbered = {
    ...before,
    targets: [targets[2]!, targets[1]!, targets[0]!],
    byEdge: before.byEdge.map((row) => row.map((d) => 2 - d)),
  };
  expect(diffTables({ ...inputs, previous: renumbered })).toEqual(diffTables(inputs));
});

function tableOf(...rows: readonly (readonly number[])[]): RoutingTable {
  return { treeVersion: 't', height: 3, targets, edges, byEdge: rows.map((row) => Uint8Array.from(row)) };
}
