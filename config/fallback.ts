/** Who takes over when a datacenter dies, at once and without the control plane: its buckets spread over the remaining
 *  ones by rendezvous hash with capacity weights, so that no neighbour gets it all and every edge agrees with the plan.
 *  One pure function: N-1 is checked with it, edge tables carry its answers, agents apply it.
 *
 *  Buckets fall in groups of neighbours in tree order (2,048 of them), and each edge draws for itself. Larger groups keep
 *  more friends together and shorten the edge tables, but come out less even: on a week's world of 1,100 users an edge,
 *  the datacenter hit worst by the loss of any other got .163 of its capacity more than its share at 512 groups, .053 at
 *  2,048, .025 bucket by bucket (which would double an edge table). Drawn alike at all edges, they would be worse.
 *
 *  The weighted draw needs a logarithm, and Math.log may differ between engines and versions. Ours is a series of plain
 *  additions, multiplications and divisions in fixed order, which IEEE 754 rounds alike everywhere. */

import type { DatacenterId, EdgeId } from './ids.ts';
import { hash32, mix32 } from './random.ts';

export interface FallbackTarget {
  readonly datacenter: DatacenterId;
  readonly weight: number; // capacity, in any unit; 0 takes nothing
}

const groupLevel = 11;

/** 2^this many buckets of a tree of `height` fall together. */
export function fallbackShift(height: number): number {
  return Math.max(0, height - groupLevel);
}

/** The indices of `targets` in the order in which they take over the group of buckets `group` (= bucket >>>
 *  fallbackShift(height)) of `edge`; without those of weight 0. Taking a target away never changes the order of the
 *  others. Ties go to the lower index. */
export function fallbackOrder(edge: EdgeId, group: number, targets: readonly FallbackTarget[]): readonly number[] {
  const delay = delays(edge, targets)(group);
  const open = targets.map((_, index) => index).filter((index) => targets[index]!.weight > 0);
  return open.sort((a, b) => delay[a]! - delay[b]! || a - b);
}

/** [group] the first two of each group's order; the first twice where there is no second, 0 where there is none. */
export interface FallbackChoices {
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

/** For all groups of an edge at once, without sorting each. */
export function fallbackChoices(edge: EdgeId, height: number, targets: readonly FallbackTarget[]): FallbackChoices {
  const groupCount = 1 << (height - fallbackShift(height));
  const first = new Uint8Array(groupCount);
  const second = new Uint8Array(groupCount);
  const delaysOf = delays(edge, targets);
  for (let group = 0; group < groupCount; group++) {
    const delay = delaysOf(group);
    let best = -1;
    let next = -1;
    for (let index = 0; index < delay.length; index++) {
      if (delay[index] === Number.POSITIVE_INFINITY) continue;
      if (best < 0 || delay[index]! < delay[best]!) {
        next = best;
        best = index;
      } else if (next < 0 || delay[index]! < delay[next]!) {
        next = index;
      }
    }
    first[group] = Math.max(best, 0);
    second[group] = Math.max(next < 0 ? best : next, 0);
  }
  return { first, second };
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

/** Of a group: [target] how long it waits, infinitely without weight; the shortest wait comes first. One array, reused. */
function delays(edge: EdgeId, targets: readonly FallbackTarget[]): (group: number) => Float64Array {
  const edgeHash = hash32(edge);
  const nameHashes = targets.map(({ datacenter }) => hash32(datacenter));
  const weights = targets.map(({ weight }) => weight);
  const delay = new Float64Array(targets.length).fill(Number.POSITIVE_INFINITY);
  return (group) => {
    const key = mix32(edgeHash ^ mix32(group + 1));
    for (let index = 0; index < delay.length; index++) {
      if (weights[index]! > 0) delay[index] = waitingTime(key, nameHashes[index]!) / weights[index]!;
    }
    return delay;
  };
}

/** Exponentially distributed, mean 1: the first of several such, each divided by its weight, is drawn by weight. */
function waitingTime(key: number, nameHash: number): number {
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
