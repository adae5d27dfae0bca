/** Which buckets of which edges are Taiji's to steer while a fleet comes aboard. The others stay where the imported table has
 *  them, for as long as they can be there: buckets of a datacenter that fails or is drained are steered like any other, and
 *  go back once it is well.
 *
 *  Buckets come aboard in one order, the same at every edge and for ever, so that a larger share is the smaller one and
 *  more: segments in the order of a hash, whole, with the last one in part. Whole segments keep friends and short tables
 *  together; hashed ones are spread over the tree, so that the first hundredth is no one community. Declined: a hash of
 *  the bucket alone, which splits every segment from the first hundredth on. */

import type { Policy } from '../../config/policy.ts';
import { mix32 } from '../../config/random.ts';
import type { BucketWeights, EdgeCells } from './bucket-weights.ts';
import type { RoutingTable } from './routing-table.ts';

export type Ramp = NonNullable<Policy['spec']['ramp']>;

/** [bucket] its place in the order in which buckets come aboard. */
export function boardingOrder(height: number, segmentLevel: number): Uint32Array {
  const shift = Math.max(0, height - segmentLevel);
  const segments = Array.from({ length: (1 << height) >>> shift }, (_, segment) => segment);
  segments.sort((a, b) => mix32(a + 1) - mix32(b + 1)); // a bijection: no two are equal
  const place = new Uint32Array(1 << height);
  segments.forEach((segment, i) => {
    for (let k = 0; k < 1 << shift; k++) place[(segment << shift) + k] = (i << shift) + k;
  });
  return place;
}

/** Of what is not Taiji's, where it is to be this epoch. */
export interface Held {
  readonly table: RoutingTable; // the one in force, with what goes back this epoch gone back
  readonly isHeld: readonly Uint8Array[]; // [edge][bucket] 1: stays where `table` has it
  readonly returned: number; // share of the service's demand that went back
  readonly waiting: number; // and that is still to
}

export interface HoldingInputs {
  readonly ramp: Ramp;
  readonly base: RoutingTable; // imported
  readonly previous: RoutingTable; // in force
  readonly segmentLevel: number;
  readonly weights: BucketWeights;
  readonly edgeLoad: Float64Array; // [edge] share of the service's demand that has buckets
  readonly isOpen: (e: number, d: number) => boolean; // whoever is there may stay
  readonly mayReturn: (e: number, d: number) => boolean; // and whoever is not may come
  readonly churnMax: number; // share of demand that may go back
}

/** Goes back in the same order as it came, at all edges alike, so that loads pass from one table to the other together. */
export function holdBack(inputs: HoldingInputs): Held {
  const { ramp, base, previous, segmentLevel, weights, edgeLoad, isOpen, mayReturn } = inputs;
  const { height } = previous;
  const place = boardingOrder(height, segmentLevel);
  const aboard = ramp.share > 0 ? Math.ceil(ramp.share * place.length - 1e-9) : 0;
  const ramped = ramp.edges && new Set<string>(ramp.edges);
  const load = demandOfCells(weights, edgeLoad, place.length);
  const isHeld = previous.byEdge.map(() => new Uint8Array(place.length));
  const astray: { readonly e: number; readonly bucket: number; readonly load: number }[] = [];
  previous.byEdge.forEach((row, e) => {
    const mayRamp = ramped === undefined || ramped.has(previous.edges[e]!);
    for (let b = 0; b < row.length; b++) {
      const home = base.byEdge[e]![b]!;
      if ((mayRamp && place[b]! < aboard) || !isOpen(e, home)) continue;
      if (row[b] === home) isHeld[e]![b] = 1;
      else if (isOpen(e, row[b]!)) {
        isHeld[e]![b] = 1; // where it is: nobody moves twice
        if (mayReturn(e, home)) astray.push({ e, bucket: b, load: load[e]![b]! });
      }
    }
  });
  astray.sort((x, y) => place[x.bucket]! - place[y.bucket]! || x.e - y.e);
  const byEdge = [...previous.byEdge];
  let [returned, waiting] = [0, 0];
  for (const { e, bucket, load: moves } of astray) {
    if (waiting > 0 || returned + moves > inputs.churnMax) {
      waiting += moves;
      continue;
    }
    if (byEdge[e] === previous.byEdge[e]) byEdge[e] = previous.byEdge[e]!.slice();
    byEdge[e]![bucket] = base.byEdge[e]![bucket]!;
    returned += moves;
  }
  return {
    table: returned > 0 || byEdge.some((row, e) => row !== previous.byEdge[e]) ? { ...previous, byEdge } : previous,
    isHeld,
    returned,
    waiting,
  };
}

/** [edge][bucket] share of the service's demand. */
function demandOfCells({ byEdge }: BucketWeights, edgeLoad: Float64Array, buckets: number): readonly Float64Array[] {
  return byEdge.map(({ bucket, weight }, e) => {
    const load = new Float64Array(buckets);
    for (let i = 0; i < bucket.length; i++) load[bucket[i]!] = edgeLoad[e]! * weight[i]!;
    return load;
  });
}

/** One part of the buckets of every edge, as if it were all of them. */
export interface Part {
  readonly weights: BucketWeights; // of an edge without any: as the whole
  readonly share: Float64Array; // [edge] of its demand
}

/** `side`: 1 for what is held, 0 for what is steered. */
export function partOf(weights: BucketWeights, isHeld: readonly Uint8Array[], side: 0 | 1): Part {
  const share = new Float64Array(isHeld.length);
  const byEdge = weights.byEdge.map((cells, e): EdgeCells => {
    const kept = [...cells.bucket.keys()].filter((i) => isHeld[e]![cells.bucket[i]!] === side);
    if (kept.length === cells.bucket.length) {
      share[e] = 1;
      return cells;
    }
    let sum = 0;
    for (const i of kept) sum += cells.weight[i]!;
    share[e] = sum;
    if (kept.length === 0) return cells;
    return {
      bucket: Uint16Array.from(kept, (i) => cells.bucket[i]!),
      weight: Float64Array.from(kept, (i) => cells.weight[i]! / sum),
    };
  });
  return { weights: { byEdge, edgeWeight: weights.edgeWeight.map((weight, e) => weight * share[e]!) }, share };
}
