/** Which bucket of which edge goes to which target: the thing everything else is for. */

import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { ConfigError } from '../../config/errors.ts';
import { type DatacenterId, datacenterId, type EdgeId, edgeId } from '../../config/ids.ts';
import type { Topology } from '../../config/topology.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import { decodeAssignment, encodeAssignment } from './assignment-code.ts';
import type { BucketWeights } from './bucket-weights.ts';
import { canonicalJson } from './canonical-json.ts';

/** A target, not a bare datacenter, so that a relayed path fits without a new wire format. */
export interface Target {
  readonly datacenter: DatacenterId;
  readonly via?: DatacenterId;
}

export interface RoutingTable {
  readonly treeVersion: string;
  readonly height: number; // buckets = 2^height
  readonly targets: readonly Target[]; // one a datacenter of the topology, in its order
  readonly edges: readonly EdgeId[]; // in topology order
  readonly byEdge: readonly Uint8Array[]; // [edge][bucket] = index into targets; never mutated once in a table
}

/** One target a datacenter, in topology order: a target's index is its datacenter's. */
export function makeTargets(topology: Topology): readonly Target[] {
  assert(topology.datacenters.length <= 256, 'a table holds one byte a bucket: at most 256 datacenters');
  return topology.datacenters.map(({ id }) => ({ datacenter: id }));
}

/** What the buckets of the table add up to: `[e * D + d]`, every row sums to 1 ± 1e-9. Added in ascending bucket order,
 *  so that the same table gives the same bits. */
export function servedFractions(table: RoutingTable, weights: BucketWeights): FractionMatrix {
  const width = table.targets.length;
  const served = new Float64Array(table.edges.length * width);
  for (let e = 0; e < table.edges.length; e++) {
    const { bucket, weight } = weights.byEdge[e]!;
    const assignment = table.byEdge[e]!;
    for (let i = 0; i < bucket.length; i++) served[e * width + assignment[bucket[i]!]!]! += weight[i]!;
  }
  return served;
}

/** The same routing: version of the tree, targets, edges and every bucket. */
export function sameTable(a: RoutingTable, b: RoutingTable): boolean {
  return (
    sameShape(a, b) && a.treeVersion === b.treeVersion && a.byEdge.every((row, e) => sameAssignment(row, b.byEdge[e]!))
  );
}

/** The same height, targets and edges in the same order: an index means the same in both. */
export function sameShape(a: RoutingTable, b: RoutingTable): boolean {
  return (
    a.height === b.height &&
    a.targets.length === b.targets.length &&
    a.targets.every((t, i) => t.datacenter === b.targets[i]!.datacenter && t.via === b.targets[i]!.via) &&
    a.edges.length === b.edges.length &&
    a.edges.every((edge, e) => edge === b.edges[e])
  );
}

/** Unchanged edges usually share their array: then this is one comparison. */
export function sameAssignment(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A table as JSON-plain data, for plans and journal. */
export interface EncodedTable {
  readonly format: 'taiji-table/1';
  readonly treeVersion: string;
  readonly height: number;
  readonly targets: readonly { readonly datacenter: string; readonly via?: string }[];
  readonly edges: readonly { readonly edge: string; readonly assignment: string }[];
}

export function encodeTable(table: RoutingTable): EncodedTable {
  return {
    format: 'taiji-table/1',
    treeVersion: table.treeVersion,
    height: table.height,
    targets: table.targets.map(({ datacenter, via }) => (via === undefined ? { datacenter } : { datacenter, via })),
    edges: table.edges.map((edge, e) => ({
      edge,
      assignment: encodeAssignment(table.byEdge[e]!, table.targets.length),
    })),
  };
}

/** Throws a ConfigError, beginning with `where`, at the first thing that is not as `encodeTable` writes it. */
export function decodeTable(value: unknown, where: string): RoutingTable {
  const encoded = record(value, where);
  if (encoded('format') !== 'taiji-table/1') {
    throw new ConfigError(`${where}: format is ${show(encoded('format'))}, expected "taiji-table/1"`);
  }
  const height = encoded('height');
  if (typeof height !== 'number' || !Number.isInteger(height) || height < 0 || height > 16) {
    throw new ConfigError(`${where}: height is ${show(height)}, expected a whole number 0..16`);
  }
  const treeVersion = text(encoded('treeVersion'), `${where}: treeVersion`);
  const targets = decodeTargets(encoded('targets'), where);
  const edges: EdgeId[] = [];
  const byEdge: Uint8Array[] = [];
  const seen = new Set<string>();
  for (const item of list(encoded('edges'), `${where}: edges`)) {
    const row = record(item, `${where}: an edge`);
    const edge = edgeId(text(row('edge'), `${where}: edge`), where);
    if (seen.has(edge)) throw new ConfigError(`${where}: edge "${edge}" is given twice; keep one`);
    seen.add(edge);
    const code = text(row('assignment'), `${where}: assignment of edge "${edge}"`);
    edges.push(edge);
    byEdge.push(decodeAssignment(code, 1 << height, targets.length, `${where}: edge "${edge}"`));
  }
  if (edges.length === 0) throw new ConfigError(`${where}: no edges; a table has at least one`);
  return { treeVersion, height, targets, edges, byEdge };
}

/** SHA-256 (hex) over everything the table says; equal tables, equal digests. */
export function tableDigest(table: RoutingTable): string {
  const hash = createHash('sha256');
  const { treeVersion, height } = table;
  const targets = table.targets.map((t) => ({ datacenter: t.datacenter, via: t.via }));
  hash.update(canonicalJson({ treeVersion, height, targets, edges: table.edges }));
  for (const assignment of table.byEdge) hash.update(assignment);
  return hash.digest('hex');
}

export function decodeTargets(value: unknown, where: string): readonly Target[] {
  const targets: Target[] = [];
  const seen = new Set<string>();
  for (const item of list(value, `${where}: targets`)) {
    const row = record(item, `${where}: a target`);
    const datacenter = datacenterId(text(row('datacenter'), `${where}: datacenter of a target`), where);
    const via = row('via') === undefined ? undefined : datacenterId(text(row('via'), `${where}: via`), where);
    const key = `${datacenter} via ${via ?? '-'}`;
    if (seen.has(key)) throw new ConfigError(`${where}: target "${datacenter}" is given twice; keep one`);
    seen.add(key);
    targets.push(via === undefined ? { datacenter } : { datacenter, via });
  }
  if (targets.length === 0 || targets.length > 256) {
    throw new ConfigError(`${where}: ${targets.length} targets, expected 1..256`);
  }
  return targets;
}

/** A reader of the object's fields; a field it lacks is undefined. */
function record(value: unknown, where: string): (key: string) => unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError(`${where}: found ${show(value)}, expected an object`);
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  return (key) => fields.get(key);
}

function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ConfigError(`${where}: found ${show(value)}, expected a list`);
  return value;
}

function text(value: unknown, where: string): string {
  if (typeof value !== 'string') throw new ConfigError(`${where}: found ${show(value)}, expected text`);
  return value;
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 60);
}
