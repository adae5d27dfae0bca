/** Bucket weights as text, for a journal's checkpoint to name by digest. JSON, because a double has one shortest
 *  spelling and reads back to the same bits. */

import { createHash } from 'node:crypto';
import { atOnce, type Steps } from '../../config/steps.ts';
import type { BucketWeights } from '../table/bucket-weights.ts';

export interface EncodedWeights {
  readonly text: string;
  readonly sha256: string;
}

export function encodeWeights(weights: BucketWeights): EncodedWeights {
  return atOnce(encodingWeights(weights));
}

/** The same in steps: where every bucket is in use at 42 edges it takes half a second. */
export function* encodingWeights({ byEdge, edgeWeight }: BucketWeights): Steps<EncodedWeights> {
  const edges: string[] = [];
  for (const { bucket, weight } of byEdge) {
    edges.push(JSON.stringify({ bucket: [...bucket], weight: [...weight] }));
    yield;
  }
  const text = `{"format":"taiji-weights/1","byEdge":[${edges.join(',')}],"edgeWeight":${JSON.stringify([...edgeWeight])}}`;
  return { text, sha256: createHash('sha256').update(text).digest('hex') };
}

/** `text` has passed its checksum. */
export function decodeWeights(text: string): BucketWeights {
  const plain = JSON.parse(text) as {
    readonly byEdge: readonly { readonly bucket: number[]; readonly weight: number[] }[];
    readonly edgeWeight: readonly number[];
  };
  return {
    byEdge: plain.byEdge.map(({ bucket, weight }) => ({
      bucket: Uint16Array.from(bucket),
      weight: Float64Array.from(weight),
    })),
    edgeWeight: Float64Array.from(plain.edgeWeight),
  };
}
