/** Who takes over when a datacenter dies, at once and without the control plane: its buckets spread over the remaining
 *  ones by rendezvous hash with capacity weights, so that no neighbour gets it all and every edge agrees with the plan.
 *  One pure function: N-1 is checked with it, edge tables carry its answers, agents apply it.
 *
 *  Buckets fall in groups of neighbours in tree order (512 of them), each edge drawing for itself: friends at one edge
 *  stay together, and edges x groups is enough draws to come out even over the whole (whole segments, drawn alike at all
 *  edges, would land up to a quarter off).
 *
 *  The weighted draw needs a logarithm, and Math.log may differ between engines and versions. Ours is a series of plain
 *  additions, multiplications and divisions in fixed order, which IEEE 754 rounds alike everywhere. */

import type { DatacenterId, EdgeId } from './ids.ts';
import { hash32, mix32 } from './random.ts';

export interface FallbackTarget {
  readonly datacenter: DatacenterId;
  readonly weight: number; // capacity, in any unit; 0 takes nothing
}

const groupLevel = 9;

/** 2^this many buckets of a tree of `height` fall together. */
export function fallbackShift(height: number): number {
  return Math.max(0, height - groupLevel);
}

/** The indices of `targets` in the order in which they take over the group of buckets `group` (= bucket >>>
 *  fallbackShift(height)) of `edge`; without those of weight 0. Taking a target away never changes the order of the
 *  others. Ties go to the lower index. */
export function fallbackOrder(edge: EdgeId, group: number, targets: readonly FallbackTarget[]): readonly number[] {
  const key = mix32(hash32(edge) ^ mix32(group + 1));
  const delay = targets.map(({ datacenter, weight }) => (weight > 0 ? waitingTime(key, datacenter) / weight : 0));
  return targets
    .map((_, index) => index)
    .filter((index) => targets[index]!.weight > 0)
    .sort((a, b) => delay[a]! - delay[b]! || a - b);
}

/** The target that takes `bucket` over once only those for which `isAlive` holds are left; -1: none is. */
export function fallbackFor(
  edge: EdgeId,
  bucket: number,
  height: number,
  targets: readonly FallbackTarget[],
  isAlive: (index: number) => boolean,
): number {
  return fallbackOrder(edge, bucket >>> fallbackShift(height), targets).find(isAlive) ?? -1;
}

/** Exponentially distributed, mean 1: the first of several such, each divided by its weight, is drawn by weight. */
function waitingTime(key: number, name: string): number {
  const nameHash = hash32(name);
  const drawn = mix32(mix32(key ^ nameHash) + nameHash);
  return -naturalLog((drawn + 0.5) / 4294967296);
}

/** ln(x) for 2^-60 < x <= 1, to about 1e-12: x = m 2^-k with m in [3/4, 3/2), ln(m) = 2 artanh((m - 1) / (m + 1)). */
function naturalLog(x: number): number {
  let m = x;
  let k = 0;
  while (m < 0.75) {
    m *= 2;
    k += 1;
  }
  const z = (m - 1) / (m + 1); // within 1/5
  const square = z * z;
  let sum = 0;
  for (let n = 17; n >= 1; n -= 2) sum = sum * square + 1 / n;
  return 2 * z * sum - k * Math.LN2;
}
