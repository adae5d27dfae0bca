/** What edges have counted of each bucket, as bytes that outlive a restart. A line of JSON that names edges, then of each
 *  its cells: buckets, and requests as floats of four bytes (a ten-millionth is nothing beside chance). By the name of an
 *  edge, so that a fleet that grows forgets nothing. Declined: with the head of each epoch, which is read and written
 *  where nobody counts, too. */

import type { Topology } from '../../config/topology.ts';
import type { EdgeCount } from './bucket-counts.ts';

interface Head {
  readonly format: typeof format;
  readonly height: number;
  readonly edges: readonly (Omit<EdgeCount, 'requests'> & { readonly edge: string; readonly cells: number })[];
}

const format = 1;
const lineEnd = 0x0a;
const cellBytes = 6;

/** `counts`: [edge], as `BucketCounts` has them. */
export function encodeCounts(counts: readonly (EdgeCount | null)[], topology: Topology, height: number): Uint8Array {
  const known = topology.edges.flatMap(({ id: edge }, e) => {
    const count = counts[e] ?? null;
    if (!count) return [];
    const { atMs, allowed, requests } = count;
    const buckets = [...requests.keys()].filter((bucket) => Math.fround(requests[bucket]!) > 0);
    return [{ said: { edge, atMs, allowed, cells: buckets.length }, buckets, requests }];
  });
  const head: Head = { format, height, edges: known.map(({ said }) => said) };
  const line = new TextEncoder().encode(`${JSON.stringify(head)}\n`);
  const bytes = new Uint8Array(line.length + cellBytes * known.reduce((sum, { buckets }) => sum + buckets.length, 0));
  bytes.set(line);
  const view = new DataView(bytes.buffer, line.length);
  let at = 0;
  for (const { buckets, requests } of known) {
    for (const bucket of buckets) {
      view.setUint16(at, bucket, true);
      view.setFloat32(at + 2, requests[bucket]!, true);
      at += cellBytes;
    }
  }
  return bytes;
}

/** [edge of `topology`], null for one of which nothing is known; null where the bytes are of other buckets, of another
 *  version of this file, or cut off: then all is counted anew. */
export function decodeCounts(
  bytes: Uint8Array,
  topology: Topology,
  height: number,
): readonly (EdgeCount | null)[] | null {
  const lineLength = bytes.indexOf(lineEnd) + 1;
  if (lineLength === 0) return null;
  const head: Head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, lineLength)));
  const cellsIn = head.format === format ? head.edges.reduce((sum, { cells }) => sum + cells, 0) : -1;
  if (cellsIn < 0 || head.height !== height || bytes.length !== lineLength + cellBytes * cellsIn) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + lineLength);
  let at = 0;
  const byEdge = new Map<string, EdgeCount>();
  for (const { edge, atMs, allowed, cells } of head.edges) {
    const requests = new Float64Array(1 << height);
    for (const end = at + cellBytes * cells; at < end; at += cellBytes) {
      requests[view.getUint16(at, true)] = view.getFloat32(at + 2, true);
    }
    byEdge.set(edge, { atMs, requests, allowed });
  }
  return topology.edges.map(({ id }) => byEdge.get(id) ?? null);
}
