/** Bucket weights as text, for a journal's checkpoint to name by digest. JSON, because a double has one shortest
 *  spelling and reads back to the same bits. */

import { createHash } from 'node:crypto';
import type { BucketWeights } from '../table/bucket-weights.ts';

export function encodeWeights(weights: BucketWeights): { readonly text: string; readonly sha256: string } {
  const byEdge = weights.byEdge.map(({ bucket, weight }) => ({ bucket: [...bucket], weight: [...weight] }));
  const text = JSON.stringify({ format: 'taiji-weights/1', byEdge, edgeWeight: [...weights.edgeWeight] });
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
