/** How much of an edge's demand each bucket is. Sparse: most buckets have no user at most edges. */

export interface BucketWeights {
  readonly byEdge: readonly EdgeCells[]; // in topology order
}

/** The cells (edge, bucket) with demand, ascending by bucket. */
export interface EdgeCells {
  readonly bucket: Uint16Array;
  readonly weight: Float64Array; // share of the edge's demand, > 0; sums to 1 ± 1e-9
}
