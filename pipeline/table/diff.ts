/** What changes between two tables, for people: per edge the fractions and the segments that move, sorted, so that two
 *  diffs of the same change are the same text. */

import { countOf } from '../../config/errors.ts';
import { compareIds, type DatacenterId, type EdgeId } from '../../config/ids.ts';
import type { BucketWeights } from './bucket-weights.ts';
import { type RoutingTable, sameAssignment, servedFractions } from './routing-table.ts';

export interface TableDiff {
  readonly edges: readonly EdgeDiff[]; // those that change, by share of all demand, then id
  readonly unchangedEdges: number;
  readonly movedShare: number; // of the service's demand
  readonly movedBuckets: number; // with or without demand, over all edges
}

export interface EdgeDiff {
  readonly edge: EdgeId;
  readonly isNew: boolean; // the previous table does not know it
  readonly datacenters: readonly DatacenterChange[]; // losers first, by how much, then gainers
  readonly movedShareOfEdge: number;
  readonly movedShare: number; // of the service's demand
  readonly movedBuckets: number; // with or without demand
  readonly segments: readonly number[]; // touched, ascending
  readonly splitSegments: number; // of those with demand here, on several datacenters afterwards
}

export interface DatacenterChange {
  readonly datacenter: DatacenterId;
  readonly before: number; // share of the edge's demand
  readonly after: number;
}

export interface DiffInputs {
  readonly previous: RoutingTable | null; // null: there was none, and everything is new
  readonly next: RoutingTable;
  readonly weights: BucketWeights;
  readonly edgeLoad: Float64Array; // [edge] share of the service's demand
  readonly segmentLevel: number;
}

/** Tables of other shapes compare by name: a datacenter one of them lacks has 0 there, an edge it lacks is all new. */
export function diffTables(inputs: DiffInputs): TableDiff {
  const { previous, next, weights } = inputs;
  const after = servedFractions(next, weights);
  const edges = next.edges
    .map((_, e) => diffEdge(inputs, e, after))
    .filter((edge) => edge !== null)
    .sort((a, b) => b.movedShare - a.movedShare || compareIds(a.edge, b.edge));
  return {
    edges,
    unchangedEdges: next.edges.length - edges.length,
    movedShare: previous === null ? 0 : edges.reduce((sum, edge) => sum + edge.movedShare, 0),
    movedBuckets: previous === null ? 0 : edges.reduce((sum, edge) => sum + edge.movedBuckets, 0),
  };
}

function diffEdge(inputs: DiffInputs, e: number, after: Float64Array): EdgeDiff | null {
  const { previous, next, edgeLoad, weights } = inputs;
  const edge = next.edges[e]!;
  const was = assignmentBefore(previous, next, edge);
  const is = next.byEdge[e]!;
  if (was !== null && sameAssignment(was, is)) return null;
  const width = next.targets.length;
  const { bucket, weight } = weights.byEdge[e]!;
  const before = new Float64Array(width);
  let moved = 0;
  for (let i = 0; i < bucket.length; i++) {
    const from = was?.[bucket[i]!];
    if (from !== undefined && from < width) before[from]! += weight[i]!;
    if (from !== is[bucket[i]!]) moved += weight[i]!;
  }
  const shift = Math.max(0, next.height - inputs.segmentLevel);
  const segments = new Set<number>();
  let movedBuckets = 0;
  for (let b = 0; b < is.length; b++) {
    if (was?.[b] === is[b]) continue;
    movedBuckets += 1;
    segments.add(b >>> shift);
  }
  const change = (d: number): number => after[e * width + d]! - before[d]!;
  const datacenters = next.targets
    .map((_, d) => d)
    .filter((d) => Math.abs(change(d)) > 1e-9)
    .sort((a, b) => change(a) - change(b) || a - b)
    .map((d) => ({ datacenter: next.targets[d]!.datacenter, before: before[d]!, after: after[e * width + d]! }));
  return {
    edge,
    isNew: was === null,
    datacenters,
    movedShareOfEdge: moved,
    movedShare: moved * edgeLoad[e]!,
    movedBuckets,
    segments: [...segments].sort((a, b) => a - b),
    splitSegments: splitAmong(segments, shift, bucket, is),
  };
}

/** In terms of the targets of `next`; 255 where the datacenter is gone. */
function assignmentBefore(previous: RoutingTable | null, next: RoutingTable, edge: EdgeId): Uint8Array | null {
  const e = previous?.edges.indexOf(edge) ?? -1;
  if (previous === null || e < 0 || previous.height !== next.height) return null;
  const name = ({ datacenter, via }: RoutingTable['targets'][number]): string => `${datacenter} ${via ?? ''}`;
  const names = next.targets.map(name);
  const renumber = previous.targets.map((target) => names.indexOf(name(target)));
  if (renumber.every((d, i) => d === i)) return previous.byEdge[e]!;
  return previous.byEdge[e]!.map((d) => (renumber[d]! < 0 ? 255 : renumber[d]!));
}

function splitAmong(segments: ReadonlySet<number>, shift: number, bucket: Uint16Array, is: Uint8Array): number {
  const datacenterOf = new Map<number, number>();
  const split = new Set<number>();
  for (const b of bucket) {
    const segment = b >>> shift;
    if (!segments.has(segment)) continue;
    const known = datacenterOf.get(segment);
    if (known === undefined) datacenterOf.set(segment, is[b]!);
    else if (known !== is[b]) split.add(segment);
  }
  return split.size;
}

export interface DiffFormat {
  readonly edgesMax?: number; // further edges are counted, not listed; default: all
}

/** One line an edge with `~` (or `+` where it is new), one a datacenter with `-` or `+`, and the totals last. */
export function formatDiff(diff: TableDiff, { edgesMax = Number.POSITIVE_INFINITY }: DiffFormat = {}): string[] {
  const lines: string[] = [];
  for (const edge of diff.edges.slice(0, edgesMax)) {
    const split = edge.splitSegments === 0 ? '' : `, ${edge.splitSegments} split`;
    const share = edge.isNew
      ? 'new'
      : `${percent(edge.movedShareOfEdge)} of ${edge.edge}, ${percent(edge.movedShare)} of demand`;
    lines.push(`${edge.isNew ? '+' : '~'} ${edge.edge}: ${share}; ${ranges(edge.segments)}${split}`);
    for (const { datacenter, before, after } of edge.datacenters) {
      lines.push(`    ${after < before ? '-' : '+'} ${datacenter} ${before.toFixed(4)} -> ${after.toFixed(4)}`);
    }
    if (edge.datacenters.length === 0) {
      lines.push(`    ${countOf(edge.movedBuckets, 'bucket')} moved, fractions stay`);
    }
  }
  const hidden = diff.edges.length - edgesMax;
  if (hidden > 0) lines.push(`  and ${countOf(hidden, 'more edge')}`);
  lines.push(
    diff.edges.length === 0
      ? 'No change.'
      : `${countOf(diff.edges.length, 'edge')} changed, ${diff.unchangedEdges} unchanged; ${percent(diff.movedShare)} of demand moves, ${countOf(diff.movedBuckets, 'bucket')}.`,
  );
  return lines;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** `segments 12-18, 40`. */
function ranges(segments: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < segments.length; ) {
    let end = i;
    while (end + 1 < segments.length && segments[end + 1] === segments[end]! + 1) end += 1;
    parts.push(end === i ? `${segments[i]}` : `${segments[i]}-${segments[end]}`);
    i = end + 1;
  }
  const shown = parts.length > 12 ? [...parts.slice(0, 12), `and ${parts.length - 12} more ranges`] : parts;
  return `segment${segments.length === 1 ? '' : 's'} ${shown.join(', ')}`;
}
