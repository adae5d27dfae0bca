/** Shares of edges' demand by datacenter, row-major like the topology: `[e * D + d]`, every row sums to 1 ± 1e-9.
 *  Solved fractions are whole millionths (largest remainder), so that both solvers and every machine agree on them;
 *  served ones are what the buckets of the published table add up to. */
export type FractionMatrix = Float64Array;
