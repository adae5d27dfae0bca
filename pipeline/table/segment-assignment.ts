/** Stable segment assignment, plain (Taiji, SOSP'19, Algorithm 1): the baseline to keep and to beat. Every datacenter
 *  prefers the segments in a random order seeded by its name; tuples (preference, datacenter, bucket) are taken in
 *  lexicographic order, and a datacenter takes buckets until it has its weight.
 *
 *  Instead of sorting all datacenter x bucket tuples this walks preference by preference: a segment's buckets are always
 *  taken in ascending order, so one pointer a segment says what is left of it. The same table, O(S D + B) an edge. */

import { strict as assert } from 'node:assert';
import type { BucketTree } from '../../bucketizer/tree.ts';
import type { EdgeId } from '../../config/ids.ts';
import { seededRandom, shuffle } from '../../config/random.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { BucketWeights } from './bucket-weights.ts';
import type { RoutingTable, Target } from './routing-table.ts';

export interface SegmentInputs {
  readonly tree: BucketTree;
  readonly weights: BucketWeights;
  readonly wanted: FractionMatrix;
  readonly targets: readonly Target[];
  readonly edges: readonly EdgeId[];
  readonly segmentLevel: number; // the tree's height or more: plain Social Hash
}

export function assignSegments(inputs: SegmentInputs): RoutingTable {
  const { tree, weights, wanted, targets, edges } = inputs;
  const bucketCount = 1 << tree.height;
  const segmentCount = 1 << Math.min(inputs.segmentLevel, tree.height);
  const width = targets.length;
  const bySegmentRank = targets.map((target) => segmentsByPreference(target.datacenter, segmentCount));
  const bucketWeight = new Float64Array(bucketCount);
  const byEdge = edges.map((_, e) => {
    const cells = weights.byEdge[e]!;
    bucketWeight.fill(0);
    for (let i = 0; i < cells.bucket.length; i++) bucketWeight[cells.bucket[i]!] = cells.weight[i]!;
    return assignEdge(bucketWeight, wanted.subarray(e * width, (e + 1) * width), bySegmentRank);
  });
  return { treeVersion: tree.version, height: tree.height, targets, edges, byEdge };
}

/** [segment] = its rank in the datacenter's preference order; depends on the name and the number of segments alone. */
export function preferences(datacenter: string, segmentCount: number): Uint32Array {
  const order = Uint32Array.from({ length: segmentCount }, (_, s) => s);
  return shuffle(order, seededRandom(datacenter));
}

/** [rank] = segment: the inverse of `preferences`. */
function segmentsByPreference(datacenter: string, segmentCount: number): Uint32Array {
  const bySegment = preferences(datacenter, segmentCount);
  const byRank = new Uint32Array(segmentCount);
  for (let s = 0; s < segmentCount; s++) byRank[bySegment[s]!] = s;
  return byRank;
}

function assignEdge(bucketWeight: Float64Array, wantedRow: Float64Array, bySegmentRank: Uint32Array[]): Uint8Array {
  const bucketCount = bucketWeight.length;
  const segmentCount = bySegmentRank[0]!.length;
  const segmentSize = bucketCount / segmentCount;
  const left = Float64Array.from(wantedRow);
  const scale = sum(wantedRow) / sum(bucketWeight);
  const assignment = new Uint8Array(bucketCount);
  const taken = new Uint32Array(segmentCount); // buckets of the segment that have a datacenter
  for (let rank = 0; rank < segmentCount; rank++) {
    for (let d = 0; d < left.length; d++) {
      const segment = bySegmentRank[d]![rank]!;
      while (taken[segment]! < segmentSize && left[d]! > 0) {
        const bucket = segment * segmentSize + taken[segment]!;
        assignment[bucket] = d;
        left[d]! -= bucketWeight[bucket]! * scale;
        taken[segment]! += 1;
      }
    }
  }
  placeLeftovers(assignment, taken, segmentSize, left, wantedRow);
  return assignment;
}

/** The paper leaves two holes: float residue can close the last datacenter before the last bucket, and buckets without
 *  weight can come after it. They go to the open datacenter nearest its weight. */
function placeLeftovers(
  assignment: Uint8Array,
  taken: Uint32Array,
  segmentSize: number,
  left: Float64Array,
  wantedRow: Float64Array,
): void {
  let best = -1;
  for (let d = 0; d < left.length; d++) {
    if (wantedRow[d]! > 0 && (best < 0 || left[d]! > left[best]!)) best = d;
  }
  assert(best >= 0, 'an edge wants no datacenter at all');
  for (let segment = 0; segment < taken.length; segment++) {
    assignment.fill(best, segment * segmentSize + taken[segment]!, (segment + 1) * segmentSize);
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
