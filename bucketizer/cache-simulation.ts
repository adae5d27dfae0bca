/** What a tree is good for: requests of users touch the items of their friends, each datacenter has a cache, and users who
 *  share friends share it where they are routed alike (Taiji, section 5: fewer misses, more ties within a datacenter).
 *  Three ways to route beside each other: every request anywhere, users by a hash, users by the tree. Misses over a curve
 *  of cache sizes, whole: which size a reader has is not ours to choose. Model: a request is of a user by weight and
 *  touches a few friends' items (one item a friend), by tie weight; half of the requests warm the caches and do not count.
 *  Declined: popularity of items, and writes; both would be invented. */

import { mix32, type Random, seededRandom } from '../config/random.ts';
import { LruCache } from './lru-cache.ts';
import type { Graph } from './multilevel/graph.ts';
import type { LevelQuality } from './quality.ts';

const datacentersMax = 8;
const touchesPerRequest = 4;
const requestsPerUser = 8;
const sizes = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]; // of all items, in each datacenter

export type Routing = 'random' | 'hash' | 'tree';

export interface CachePoint {
  readonly cacheShare: number; // of all items, in each datacenter
  readonly missRate: Readonly<Record<Routing, number>>; // 0..1, of item requests
}

export interface CacheSimulation {
  readonly datacenters: number; // for every way to route: as many as the tree can fill, 8 at most
  readonly requests: number; // counted, after as many that warm the caches
  readonly curve: readonly CachePoint[]; // smallest cache first
  readonly connectionLocality: readonly { level: number; tree: number; hash: number }[]; // share of tie weight inside one segment, where segments of the level are routed as a whole
}

/** Null where no request touches an item: nobody who weighs anything has friends. */
export function simulateCaches(
  graph: Graph,
  leafOf: Uint32Array,
  height: number,
  levels: readonly LevelQuality[],
  seed: number,
): CacheSimulation | null {
  const leaves = 1 << height;
  const datacenters = Math.min(datacentersMax, leaves);
  const requests = requestsPerUser * graph.nodeCount;
  const curve: CachePoint[] = [];
  for (const cacheShare of sizes) {
    const size = Math.round(cacheShare * graph.nodeCount);
    const missRateOf = (route: Route): number => missRate(graph, size, requests, seed, datacenters, route);
    const random = missRateOf((_, random) => Math.floor(random() * datacenters));
    if (Number.isNaN(random)) return null; // requests are the same in every run
    const hash = missRateOf((v) => mix32(v + 1) % datacenters);
    const tree = missRateOf((v) => Math.floor((leafOf[v]! * datacenters) / leaves));
    curve.push({ cacheShare, missRate: { random, hash, tree } });
  }
  const connectionLocality = levels
    .slice(1)
    .map(({ level, locality }) => ({ level, tree: locality, hash: 1 / (1 << level) }));
  return { datacenters, requests, curve, connectionLocality };
}

type Route = (user: number, random: Random) => number; // a datacenter

/** NaN where no request touches an item. */
function missRate(
  graph: Graph,
  size: number,
  requests: number,
  seed: number,
  datacenters: number,
  route: Route,
): number {
  const choose = seededRandom(`${seed}/cache`); // the same requests for every way to route
  const chance = seededRandom(`${seed}/route`);
  const caches = Array.from({ length: datacenters }, () => new LruCache(size, graph.nodeCount));
  const pickUser = weightedPick(graph.nodeWeight);
  const pickFriend = weightedPick(graph.tieWeight);
  let touches = 0;
  let warmMisses = 0;
  for (let r = 0; r < 2 * requests; r++) {
    if (r === requests) {
      touches = 0;
      warmMisses = caches.reduce((sum, { misses }) => sum + misses, 0);
    }
    const user = pickUser(choose, 0, graph.nodeCount);
    const cache = caches[route(user, chance)]!;
    const [first, end] = [graph.rowStart[user]!, graph.rowStart[user + 1]!];
    for (let k = 0; k < touchesPerRequest && first < end; k++) {
      cache.request(graph.neighbour[pickFriend(choose, first, end)]!);
      touches++;
    }
  }
  const misses = caches.reduce((sum, cache) => sum + cache.misses, 0) - warmMisses;
  return misses / touches;
}

/** Draws an index of `from .. to` by weight. */
function weightedPick(weights: ArrayLike<number>): (random: Random, from: number, to: number) => number {
  const before = new Float64Array(weights.length + 1); // integers: exact
  for (let i = 0; i < weights.length; i++) before[i + 1] = before[i]! + weights[i]!;
  return (random, from, to) => {
    const wanted = before[from]! + random() * (before[to]! - before[from]!);
    let low = from;
    let high = to - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (before[middle]! <= wanted) low = middle;
      else high = middle - 1;
    }
    return low;
  };
}
