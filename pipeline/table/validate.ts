/** The last look before a table is published, and the only maker of a `ValidTable`. It trusts nothing that was computed
 *  on the way: it counts buckets and adds up load anew. A table that fails is never published; edges keep the last one. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { Topology } from '../../config/topology.ts';
import { fullness, type Meter } from '../../runtime/meters.ts';
import { type BucketWeights, heaviestBuckets } from './bucket-weights.ts';
import type { Ceilings } from './ceilings.ts';
import { type RoutingTable, sameShape } from './routing-table.ts';

declare const brand: unique symbol;

/** A table that `validate` has passed. */
export type ValidTable = RoutingTable & { readonly [brand]: 'ValidTable' };

export type Validation =
  | { readonly kind: 'valid'; readonly table: ValidTable; readonly utilization: Float64Array }
  | { readonly kind: 'rejected'; readonly problems: readonly string[] };

export interface ValidateInputs {
  readonly table: RoutingTable;
  readonly previous: RoutingTable | null;
  readonly tree: BucketTree;
  readonly topology: Topology;
  readonly weights: BucketWeights;
  readonly demandRps: Float64Array; // [edge] planned on, of what the table places
  readonly meters: readonly Meter[]; // what it fills
  readonly ceilings: Ceilings;
  readonly utilizationMax: number; // of every datacenter
  readonly isUtilizationRelaxed: boolean; // the limit had to give, and the plan says so
  readonly utilizationTolerance?: number; // what whole buckets may miss the fractions by; 0.01 and one bucket
}

/** Problems are sentences with names and numbers; at most `problemsMax` of them. */
export function validate(inputs: ValidateInputs): Validation {
  const problems = shapeProblems(inputs);
  if (problems.length > 0) return { kind: 'rejected', problems };
  const loadRps = loads(inputs.table, inputs);
  const utilization = fullness(inputs.meters, loadRps);
  problems.push(
    ...placeProblems(inputs),
    ...loadProblems(inputs, loadRps),
    ...utilizationProblems(inputs, utilization),
  );
  if (problems.length > 0) return { kind: 'rejected', problems: shorten(problems) };
  return { kind: 'valid', table: inputs.table as ValidTable, utilization };
}

const problemsMax = 12;

function shapeProblems({ table, tree, topology, weights, demandRps, ceilings }: ValidateInputs): string[] {
  const problems: string[] = [];
  const edgeCount = topology.edges.length;
  const bucketCount = 1 << tree.height;
  if (table.height !== tree.height) problems.push(`height is ${table.height}, the tree's is ${tree.height}`);
  if (table.treeVersion !== tree.version) {
    problems.push(`made for tree ${table.treeVersion.slice(0, 12)}, the active tree is ${tree.version.slice(0, 12)}`);
  }
  const targets = table.targets.map(({ datacenter }) => datacenter).join(' ');
  const datacenters = topology.datacenters.map(({ id }) => id).join(' ');
  if (targets !== datacenters) problems.push(`targets are [${targets}], the datacenters are [${datacenters}]`);
  if (table.edges.length === 0) problems.push('the table is empty');
  else if (table.edges.join(' ') !== topology.edges.map(({ id }) => id).join(' ')) {
    problems.push(`the table has ${table.edges.length} edges, not the ${edgeCount} of the topology in its order`);
  }
  if (table.byEdge.length !== table.edges.length) {
    problems.push(`${table.byEdge.length} assignments for ${table.edges.length} edges`);
  }
  table.byEdge.forEach((assignment, e) => {
    if (assignment.length !== bucketCount) {
      problems.push(`edge ${table.edges[e]}: ${assignment.length} buckets, expected ${bucketCount}`);
    }
  });
  if (weights.byEdge.length !== edgeCount || demandRps.length !== edgeCount) {
    problems.push(`weights of ${weights.byEdge.length} edges and demand of ${demandRps.length}, expected ${edgeCount}`);
  }
  if (ceilings.length !== edgeCount * topology.datacenters.length) problems.push('ceilings of another topology');
  return problems;
}

/** Every bucket on one known datacenter that may hold it. */
function placeProblems({ table, topology, ceilings }: ValidateInputs): string[] {
  const problems: string[] = [];
  const width = topology.datacenters.length;
  const counts = new Uint32Array(256);
  table.byEdge.forEach((assignment, e) => {
    counts.fill(0);
    for (let b = 0; b < assignment.length; b++) counts[assignment[b]!]! += 1; // an iterator costs ten times as much
    counts.forEach((count, d) => {
      if (count === 0) return;
      const edge = table.edges[e]!;
      if (d >= width) problems.push(`edge ${edge}: ${count} buckets on target ${d}, which does not exist`);
      else if (ceilings[e * width + d] === 0) {
        problems.push(`edge ${edge}: ${count} buckets on ${topology.datacenters[d]!.id}, which may hold none`);
      }
    });
  });
  return problems;
}

function loadProblems({ demandRps, topology }: ValidateInputs, loadRps: Float64Array): string[] {
  const problems: string[] = [];
  let demand = 0;
  demandRps.forEach((rps, e) => {
    if (!(rps >= 0 && rps < Number.POSITIVE_INFINITY)) {
      problems.push(`demand of edge ${topology.edges[e]!.id} is ${rps} rps, expected 0 or more`);
    }
    demand += rps;
  });
  const load = loadRps.reduce((a, b) => a + b, 0);
  if (!(Math.abs(load - demand) <= 1e-6 * demand)) problems.push(`load is ${load} rps, demand is ${demand} rps`);
  return problems;
}

function utilizationProblems(inputs: ValidateInputs, utilization: Float64Array): string[] {
  if (inputs.isUtilizationRelaxed) return [];
  const { topology, previous, utilizationMax } = inputs;
  const before =
    previous !== null && sameShape(previous, inputs.table) ? fullness(inputs.meters, loads(previous, inputs)) : null;
  const bucketRps = heaviestBuckets(inputs.weights).reduce(
    (most, share, e) => Math.max(most, share * inputs.demandRps[e]!),
    0,
  );
  return topology.datacenters.flatMap(({ id }, d) => {
    const ofBucket = inputs.meters.reduce(
      (most, { capacity, cost }) => Math.max(most, capacity[d]! > 0 ? (cost * bucketRps) / capacity[d]! : 0),
      0,
    );
    const tolerance = inputs.utilizationTolerance ?? 0.01 + ofBucket;
    const most = Math.max(utilizationMax, Math.min(before?.[d] ?? 0, Number.MAX_VALUE)) + tolerance;
    if (Number.isFinite(utilization[d]!) && utilization[d]! <= most) return [];
    const was = before === null ? '' : `, before ${before[d]!.toFixed(4)}`;
    return [`${id} would be at ${utilization[d]!.toFixed(4)} of its capacity, allowed ${most.toFixed(4)}${was}`];
  });
}

function loads(table: RoutingTable, { weights, demandRps, topology }: ValidateInputs): Float64Array {
  const loadRps = new Float64Array(topology.datacenters.length);
  table.byEdge.forEach((assignment, e) => {
    const { bucket, weight } = weights.byEdge[e]!;
    const rps = demandRps[e]!;
    for (let i = 0; i < bucket.length; i++) loadRps[assignment[bucket[i]!]!]! += rps * weight[i]!;
  });
  return loadRps;
}

function shorten(problems: readonly string[]): readonly string[] {
  if (problems.length <= problemsMax) return problems;
  return [...problems.slice(0, problemsMax), `and ${problems.length - problemsMax} more`];
}
