/** People and their friendships for generated worlds. People stand in a row cut into communities, communities into
 *  neighbourhoods, neighbourhoods into regions; most friends are in one's community, fewer the further out, and a few
 *  people have very many. Homes follow communities from west to east: 85 % live at their community's edge. This gives
 *  the tree something to find at every level, as measured networks do (GEMSEC's deezer graphs were the model). Declined:
 *  a stochastic block model proper, whose degrees are too even, and preferential attachment, which has no communities. */

import { type Random, shuffle } from './random.ts';
import type { WorldUsers } from './world.ts';

const livesWithCommunity = 0.85;
const degreeMax = 400;

/** `order` lists the edges so that neighbours in it are near each other, `weights` is [edge]. Users come back in file
 *  order, which gives nothing away of who belongs together. */
export function generateFriends(
  order: Uint32Array,
  weights: Float64Array,
  userCount: number,
  random: Random,
): { users: WorldUsers; friends: Uint32Array } {
  const blocks = [communityEnds(userCount, random)];
  for (let level = 0; level < 2; level++)
    blocks.push(blocks[level]!.filter((_, i, all) => i % 8 === 7 || i === all.length - 1));
  const homes = liveAt(order, weights, blocks[0]!, userCount, random);
  const ties = befriend(blocks, userCount, random);

  const rank = shuffle(
    Uint32Array.from({ length: userCount }, (_, i) => i),
    random,
  ); // [place in the row] = file order
  const homeEdge = new Uint32Array(userCount);
  for (let i = 0; i < userCount; i++) homeEdge[rank[i]!] = homes[i]!;
  const weight = Float64Array.from({ length: userCount }, () => {
    const active = Math.min(6, 0.35 / Math.sqrt(1 - random())); // heavy-tailed, mean about 0.65
    return Math.round(active * 10_000) / 10_000;
  });
  const ids = Array.from({ length: userCount }, (_, i) => `u${i}`);
  return { users: { ids, homeEdge, weight }, friends: ties.map((i) => rank[i]!) };
}

/** Where each community ends: sizes 20 to 400, small ones much more often. */
function communityEnds(userCount: number, random: Random): number[] {
  const ends: number[] = [];
  for (let end = 0; end < userCount; ) {
    end = Math.min(userCount, end + Math.min(400, Math.floor(20 / Math.sqrt(1 - random()))));
    ends.push(end);
  }
  return ends;
}

/** [place in the row] = edge. Communities go west to east in proportion to the weights. */
function liveAt(order: Uint32Array, weights: Float64Array, ends: readonly number[], userCount: number, random: Random) {
  const total = weights.reduce((sum, w) => sum + w, 0);
  const upTo = new Float64Array(order.length);
  let sum = 0;
  for (let k = 0; k < order.length; k++) upTo[k] = sum += weights[order[k]!]! / total;
  const edgeAt = (share: number): number => order[Math.min(order.length - 1, lowerBound(upTo, share))]!;
  const homes = new Uint32Array(userCount);
  const residents = new Uint32Array(order.length);
  let start = 0;
  for (const end of ends) {
    const home = edgeAt((start + end) / 2 / userCount);
    for (let i = start; i < end; i++) {
      homes[i] = random() < livesWithCommunity ? home : edgeAt(random());
      residents[homes[i]!]! += 1;
    }
    start = end;
  }
  // An edge with demand and nobody living there would have no bucket to move.
  for (let e = 0; e < order.length && userCount >= order.length; e++) {
    while (residents[e] === 0) {
      const i = Math.floor(random() * userCount);
      if (residents[homes[i]!]! < 2) continue;
      residents[homes[i]!]! -= 1;
      homes[i] = e;
      residents[e]! += 1;
    }
  }
  return homes;
}

/** Ties as pairs of places in the row, in the order they are made, none twice. */
function befriend(blocks: readonly number[][], userCount: number, random: Random): Uint32Array {
  const wanted = Uint16Array.from({ length: userCount }, () =>
    Math.min(degreeMax, Math.floor(2.2 / Math.sqrt(1 - random()) + random())),
  );
  const pairs: number[] = [];
  const seen = new Set<number>();
  const cursor = blocks.map(() => 0);
  for (let i = 0; i < userCount; i++) {
    blocks.forEach((ends, level) => {
      while (ends[cursor[level]!]! <= i) cursor[level]! += 1;
    });
    for (let k = 0; k < wanted[i]!; k++) {
      const draw = random();
      const level = draw < 0.68 ? 0 : draw < 0.82 ? 1 : draw < 0.92 ? 2 : 3;
      const ends = blocks[level] ?? [userCount];
      const at = level === 3 ? 0 : cursor[level]!;
      const from = at === 0 ? 0 : ends[at - 1]!;
      // The better connected of two candidates: who has many friends gets more of them.
      const one = from + Math.floor(random() * (ends[at]! - from));
      const other = from + Math.floor(random() * (ends[at]! - from));
      const friend = wanted[other]! > wanted[one]! ? other : one;
      const key = Math.min(i, friend) * userCount + Math.max(i, friend);
      if (friend === i || seen.has(key)) continue;
      seen.add(key);
      pairs.push(i, friend);
    }
  }
  return Uint32Array.from(pairs);
}

/** First index whose value is at least `value`. */
function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
