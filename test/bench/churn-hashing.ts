/** What edge load balancers do with bare weights: users hashed to datacenters, cumulatively (Envoy's weighted clusters with
 *  a hash policy, BFE), by rendezvous, on a ring. Every user stands alone, so here a bucket is a user. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import { compareIds } from '../../config/ids.ts';
import { hash32 } from '../../config/random.ts';
import type { World } from '../../config/world.ts';
import { bucketWeights } from '../../pipeline/table/bucket-weights.ts';
import { makeTargets, type RoutingTable } from '../../pipeline/table/routing-table.ts';
import type { Way } from './churn-run.ts';

/** Gives [user] a datacenter by weights [d]. */
export type Hashing = (weights: ArrayLike<number>, users: Uint32Array) => Uint8Array;

export const hashings: Readonly<Record<string, Hashing>> = {
  'cumulative hashing': cumulative,
  'rendezvous hashing': rendezvous,
  'ring hashing': ring,
};

const height = 16;

/** A way to make tables that hashes users by the wanted fractions of their edge. */
export function hashedWay(name: string, hashing: Hashing, world: World): Way {
  const tree = flatTree(world);
  const weights = bucketWeights(world.topology, tree, world.users);
  const targets = makeTargets(world.topology);
  const edges = world.topology.edges.map(({ id }) => id);
  const width = targets.length;
  const usersAt = weights.byEdge.map(({ bucket }) => Uint32Array.from(bucket, (b) => hash32(tree.users[b] ?? '')));
  let lastWanted: Float64Array | null = null;
  return {
    name,
    tree,
    weights,
    segmentLevel: null,
    next: ({ wanted }, previous) => {
      const byEdge = edges.map((_, e) => {
        const row = wanted.subarray(e * width, (e + 1) * width);
        const before = lastWanted?.subarray(e * width, (e + 1) * width);
        if (previous && before && row.every((share, d) => share === before[d])) return previous.byEdge[e]!;
        const given = hashing(row, usersAt[e]!);
        const assignment = new Uint8Array(1 << height);
        const { bucket } = weights.byEdge[e]!;
        for (let i = 0; i < bucket.length; i++) assignment[bucket[i]!] = given[i]!;
        return assignment;
      });
      lastWanted = wanted;
      const table: RoutingTable = { treeVersion: tree.version, height, targets, edges, byEdge };
      return { table, deferredEdges: [] };
    },
  };
}

/** Every user a bucket. */
function flatTree({ users }: World): BucketTree {
  const buckets = 1 << height;
  if (users.ids.length > buckets) throw new Error(`${users.ids.length} users do not fit into ${buckets} buckets`);
  return {
    version: 'flat',
    height,
    users: [...users.ids].sort(compareIds),
    bucketOfUser: Uint32Array.from(users.ids, (_, b) => b),
    bucketWeight: new Float64Array(buckets),
    quotient: { rowStart: new Uint32Array(buckets + 1), neighbour: new Uint32Array(0), weight: new Float64Array(0) },
  };
}

/** Weights laid end to end; the hash points at one. */
function cumulative(weights: ArrayLike<number>, users: Uint32Array): Uint8Array {
  const total = sum(weights);
  return Uint8Array.from(users, (user) => {
    const at = (user / 2 ** 32) * total;
    let end = 0;
    let last = 0;
    for (let d = 0; d < weights.length; d++) {
      if (weights[d] === 0) continue;
      end += weights[d]!;
      last = d;
      if (at < end) return d;
    }
    return last;
  });
}

/** The datacenter with the highest weight over -ln of a hash of both. */
function rendezvous(weights: ArrayLike<number>, users: Uint32Array): Uint8Array {
  return Uint8Array.from(users, (user) => {
    let best = 0;
    let bestScore = -1;
    for (let d = 0; d < weights.length; d++) {
      if (weights[d] === 0) continue;
      const score = weights[d]! / -Math.log((mixed(user, d) + 1) / (2 ** 32 + 1));
      if (score > bestScore) {
        best = d;
        bestScore = score;
      }
    }
    return best;
  });
}

const ringSize = 1024; // points, Envoy's default minimum

/** Points of datacenters on a ring in proportion to weights; a user belongs to the next one. */
function ring(weights: ArrayLike<number>, users: Uint32Array): Uint8Array {
  const total = sum(weights);
  const points: { at: number; d: number }[] = [];
  for (let d = 0; d < weights.length; d++) {
    const count = weights[d] === 0 ? 0 : Math.max(1, Math.round((ringSize * weights[d]!) / total));
    for (let k = 0; k < count; k++) points.push({ at: mixed(k + 1, d + 1000), d });
  }
  points.sort((a, b) => a.at - b.at || a.d - b.d);
  const at = Uint32Array.from(points, (point) => point.at);
  return Uint8Array.from(users, (user) => {
    let low = 0;
    let high = at.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (at[middle]! < user) low = middle + 1;
      else high = middle;
    }
    return points[low % points.length]!.d;
  });
}

/** 32 bits of both, well mixed (the finish of MurmurHash3). */
function mixed(a: number, b: number): number {
  let h = (a ^ Math.imul(b + 1, 0x9e3779b1)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
