/** The bucket tree: a complete binary tree whose leaves, in tree order, are the buckets 0 .. 2^height - 1. A segment is
 *  any subtree, hence a contiguous range of buckets. Besides who lives where, it carries the quotient graph: how much
 *  tie weight runs between two buckets, by which the pipeline chooses who moves together (DESIGN section 6). */

import type { LevelQuality } from './quality.ts';

export interface BucketTree {
  readonly version: string; // SHA-256 (hex) of the contents before compression
  readonly height: number; // buckets = 2^height
  readonly users: readonly string[]; // opaque ids, sorted by code unit, unique
  readonly bucketOfUser: Uint32Array; // [index into users]
  readonly bucketWeight: Float64Array; // [bucket] integer fixed-point user weight, may be 0
  readonly quotient: QuotientGraph;
  readonly levels?: readonly LevelQuality[]; // as measured when the tree was built, root first
}

/** Symmetric CSR over buckets, heaviest ties kept per row, a row sorted by neighbour; the diagonal is left out. */
export interface QuotientGraph {
  readonly rowStart: Uint32Array; // [bucket + 1]
  readonly neighbour: Uint32Array; // [rowStart[b] .. rowStart[b + 1])
  readonly weight: Float64Array; // integer fixed-point tie weight
}

export type TreeContents = Omit<BucketTree, 'version'>;

/** Bucket ids are 16 bits wide in tables and cookies. */
export const heightMax = 16;
