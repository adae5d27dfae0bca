/** Random small instances of the assignment problem, from a seed, with the corners in: buckets without weight, one
 *  heavier than all others, equal weights, one datacenter, one edge, no demand at all. */

import type { BucketTree } from '../../../bucketizer/tree.ts';
import { datacenterId, edgeId } from '../../../config/ids.ts';
import { type Random, seededRandom } from '../../../config/random.ts';
import { makeTopology, type Topology } from '../../../config/topology.ts';
import type { BucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import type { Ceilings } from '../../../pipeline/table/ceilings.ts';
import { openCeilings } from '../../../pipeline/table/ceilings.ts';
import type { FriendsInputs } from '../../../pipeline/table/friends-assignment.ts';
import { makeTargets, type RoutingTable } from '../../../pipeline/table/routing-table.ts';

export type WeightKind = 'even' | 'exponential' | 'sparse' | 'one-heavy';
export const weightKinds: readonly WeightKind[] = ['even', 'exponential', 'sparse', 'one-heavy'];

export interface InstanceShape {
  readonly edges: number;
  readonly datacenters: number;
  readonly height: number;
  readonly weights: WeightKind;
  readonly segmentLevel?: number; // default: height / 2, rounded down
  readonly tiesPerBucket?: number; // default: 6
}

export interface Instance extends FriendsInputs {
  readonly topology: Topology;
  readonly demandRps: Float64Array; // [edge]
  readonly random: Random;
}

export function makeInstance(seed: number, shape: InstanceShape): Instance {
  const random = seededRandom(seed);
  const topology = makePlaces(shape.edges, shape.datacenters);
  const tree = randomTree(random, shape.height, shape.tiesPerBucket);
  const demandRps = Float64Array.from({ length: shape.edges }, () => Math.round(1 + 999 * random()));
  const total = demandRps.reduce((a, b) => a + b, 0);
  return {
    random,
    topology,
    tree,
    weights: {
      byEdge: topology.edges.map(() => randomCells(random, shape.height, shape.weights)),
      edgeWeight: new Float64Array(shape.edges).fill(1),
    },
    demandRps,
    edgeLoad: demandRps.map((rps) => rps / total),
    wanted: randomFractions(random, shape.edges, shape.datacenters),
    ceilings: openCeilings(shape.edges, shape.datacenters),
    previous: null,
    targets: makeTargets(topology),
    edges: topology.edges.map(({ id }) => id),
    segmentLevel: shape.segmentLevel ?? Math.floor(shape.height / 2),
  };
}

export function makePlaces(edges: number, datacenters: number, capacityRps = 1000): Topology {
  const edgeList = Array.from({ length: edges }, (_, e) => edgeId(`edge${String(e).padStart(3, '0')}`, 'test'));
  const datacenterList = Array.from({ length: datacenters }, (_, d) => datacenterId(`dc${d}`, 'test'));
  return makeTopology(
    edgeList.map((id) => ({ id, city: id, lat: 0, lon: 0 })),
    datacenterList.map((id) => ({ id, lat: 0, lon: 0, capacityRps })),
    edgeList.flatMap((edge) => datacenterList.map((datacenter) => ({ edge, datacenter, rttMs: 10 }))),
    'test',
  );
}

/** A tree of nobody in particular, whose neighbours in tree order have more ties. */
export function randomTree(random: Random, height: number, tiesPerBucket = 6): BucketTree {
  const bucketCount = 2 ** height;
  const ties = Array.from({ length: bucketCount }, () => new Map<number, number>());
  for (let k = 0; k < bucketCount * tiesPerBucket; k++) {
    const a = Math.floor(random() * bucketCount);
    const reach = random() < 0.7 ? Math.min(bucketCount, 8) : bucketCount;
    const b = (a + 1 + Math.floor(random() * (reach - 1))) % bucketCount;
    if (a === b) continue;
    const weight = 1 + Math.floor(random() * 9);
    ties[a]!.set(b, (ties[a]!.get(b) ?? 0) + weight);
    ties[b]!.set(a, (ties[b]!.get(a) ?? 0) + weight);
  }
  const rowStart = new Uint32Array(bucketCount + 1);
  const rows = ties.map((row) => [...row].sort((x, y) => x[0] - y[0]));
  rows.forEach((row, b) => {
    rowStart[b + 1] = rowStart[b]! + row.length;
  });
  return {
    version: `tree-${height}-${Math.floor(random() * 1e9)}`,
    height,
    users: [],
    bucketOfUser: new Uint32Array(0),
    bucketWeight: new Float64Array(bucketCount).fill(1),
    quotient: {
      rowStart,
      neighbour: Uint32Array.from(rows.flatMap((row) => row.map(([b]) => b))),
      weight: Float64Array.from(rows.flatMap((row) => row.map(([, weight]) => weight))),
    },
  };
}

function randomCells(random: Random, height: number, kind: WeightKind): BucketWeights['byEdge'][number] {
  const drawn: Readonly<Record<WeightKind, (b: number) => number>> = {
    even: () => 1,
    exponential: () => -Math.log(1 - random()),
    sparse: (b) => (random() < 0.2 || b === 0 ? 1 + Math.floor(9 * random()) : 0),
    'one-heavy': (b) => (b === 3 % 2 ** height ? 2 ** height : random()),
  };
  const dense = Array.from({ length: 2 ** height }, (_, b) => drawn[kind](b));
  const total = dense.reduce((a, b) => a + b, 0);
  const bucket = dense.flatMap((weight, b) => (weight > 0 ? [b] : []));
  return { bucket: Uint16Array.from(bucket), weight: Float64Array.from(bucket, (b) => dense[b]! / total) };
}

/** Rows of whole millionths; about a third of the places are 0. */
function randomFractions(random: Random, edges: number, datacenters: number): Float64Array {
  const wanted = new Float64Array(edges * datacenters);
  for (let e = 0; e < edges; e++) {
    const sure = Math.floor(random() * datacenters);
    const shares = Array.from({ length: datacenters }, (_, d) => (d === sure || random() < 0.66 ? 0.05 + random() : 0));
    setRow(wanted, e, shares);
  }
  return wanted;
}

/** The same fractions, some edges' rows drifted by up to `step` from one datacenter to another. */
export function drift(random: Random, fractions: Float64Array, datacenters: number, step: number): Float64Array {
  const drifted = Float64Array.from(fractions);
  for (let e = 0; e < fractions.length / datacenters; e++) {
    const from = Math.floor(random() * datacenters);
    const to = Math.floor(random() * datacenters);
    const amount = Math.min(drifted[e * datacenters + from]!, step * random());
    drifted[e * datacenters + from]! -= amount;
    drifted[e * datacenters + to]! += amount;
  }
  return drifted;
}

/** The fractions with nothing on the barred datacenters, rows brought back to 1; and the ceilings that say so. */
export function without(
  fractions: Float64Array,
  datacenters: number,
  barred: readonly number[],
): { readonly wanted: Float64Array; readonly ceilings: Ceilings } {
  const edges = fractions.length / datacenters;
  const wanted = Float64Array.from(fractions);
  const ceilings = openCeilings(edges, datacenters);
  for (let e = 0; e < edges; e++) {
    const row = Array.from({ length: datacenters }, (_, d): number =>
      barred.includes(d) ? 0 : wanted[e * datacenters + d]!,
    );
    if (!row.some((share) => share > 0)) row[row.findIndex((_, d) => !barred.includes(d))] = 1;
    setRow(wanted, e, row);
    for (const d of barred) ceilings[e * datacenters + d] = 0;
  }
  return { wanted, ceilings };
}

function setRow(matrix: Float64Array, e: number, shares: readonly number[]): void {
  const sum = shares.reduce((a, b) => a + b, 0);
  let left = 1_000_000;
  const last = shares.findLastIndex((share) => share > 0);
  shares.forEach((share, d) => {
    const ppm = d === last ? left : Math.min(left, Math.round((share / sum) * 1_000_000));
    left -= ppm;
    matrix[e * shares.length + d] = ppm / 1_000_000;
  });
}

/** The oracle of tables: every bucket of every edge on exactly one datacenter that may hold it. */
export function checkTable(table: RoutingTable, inputs: FriendsInputs): string[] {
  const problems: string[] = [];
  if (table.byEdge.length !== inputs.edges.length) problems.push('an assignment an edge');
  table.byEdge.forEach((assignment, e) => {
    if (assignment.length !== 2 ** inputs.tree.height) problems.push(`edge ${e}: ${assignment.length} buckets`);
    assignment.forEach((d, b) => {
      if (d >= inputs.targets.length) problems.push(`edge ${e} bucket ${b}: target ${d}`);
      else if (inputs.ceilings[e * inputs.targets.length + d] === 0)
        problems.push(`edge ${e} bucket ${b}: barred ${d}`);
    });
  });
  return problems;
}
