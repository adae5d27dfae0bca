/** What changes target between two tables, as shares of the service's demand on the weights of the epoch being planned.
 *
 *  Forced is what a ceiling leaves no choice about: at each edge and datacenter, buckets that left in ascending order
 *  until what the ceiling no longer allows is gone (buckets are whole: the last one counts whole). The rest is elective. */

import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { BucketWeights } from './bucket-weights.ts';
import type { Ceilings } from './ceilings.ts';
import { type RoutingTable, servedFractions } from './routing-table.ts';

export interface TableChurn {
  readonly forced: number;
  readonly elective: number;
  readonly minimum: number; // half the distance between the served fractions: the least that could have moved
  readonly byEdge: Float64Array; // [edge] share of that edge's demand that changed target
}

export interface ChurnInputs {
  readonly previous: RoutingTable; // the same shape as `next`
  readonly next: RoutingTable;
  readonly weights: BucketWeights;
  readonly edgeLoad: Float64Array; // [edge] share of the service's demand
  readonly ceilings: Ceilings;
}

export function measureChurn(inputs: ChurnInputs): TableChurn {
  const { previous, next, weights, edgeLoad } = inputs;
  const before = servedFractions(previous, weights);
  const due = forcedShares(before, inputs.ceilings);
  const width = next.targets.length;
  const byEdge = new Float64Array(next.edges.length);
  let forced = 0;
  let elective = 0;
  for (let e = 0; e < byEdge.length; e++) {
    const was = previous.byEdge[e]!;
    const is = next.byEdge[e]!;
    if (was === is) continue;
    const { bucket, weight } = weights.byEdge[e]!;
    let edgeForced = 0;
    let edgeElective = 0;
    for (let i = 0; i < bucket.length; i++) {
      const from = was[bucket[i]!]!;
      if (from === is[bucket[i]!]) continue;
      if (takeDue(due, e * width + from, weight[i]!)) edgeForced += weight[i]!;
      else edgeElective += weight[i]!;
    }
    byEdge[e] = edgeForced + edgeElective;
    forced += edgeLoad[e]! * edgeForced;
    elective += edgeLoad[e]! * edgeElective;
  }
  return { forced, elective, minimum: leastChurn(before, servedFractions(next, weights), edgeLoad), byEdge };
}

/** Half the distance between two fraction matrices, weighted by demand: the least any assignment could have moved. */
function leastChurn(before: FractionMatrix, after: FractionMatrix, edgeLoad: Float64Array): number {
  const width = before.length / edgeLoad.length;
  let sum = 0;
  for (let e = 0; e < edgeLoad.length; e++) {
    let distance = 0;
    for (let i = e * width; i < (e + 1) * width; i++) distance += Math.abs(after[i]! - before[i]!);
    sum += edgeLoad[e]! * distance;
  }
  return sum / 2;
}

/** `[e * D + d]` what of the edge's demand has to leave the datacenter. */
export function forcedShares(before: FractionMatrix, ceilings: Ceilings): Float64Array {
  return before.map((share, i) => (ceilings[i] === 0 ? Number.POSITIVE_INFINITY : Math.max(0, share - ceilings[i]!)));
}

/** Is a bucket of `weight` that leaves place `i` still due to leave? Books it if so. Less than a billionth is not due:
 *  sums of shares blur. */
export function takeDue(due: Float64Array, i: number, weight: number): boolean {
  if (due[i]! <= 1e-9) return false;
  due[i]! -= weight;
  return true;
}
