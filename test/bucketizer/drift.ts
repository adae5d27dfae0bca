/** A social graph some weeks later: a share of its ties is rewired (seven in ten to a friend of a friend, the rest to
 *  anybody), some users have left, new ones came with half the friends of somebody. */

import type { BucketizeInput } from '../../bucketizer/bucketize.ts';
import { type Random, seededRandom } from '../../config/random.ts';

export interface Drift {
  readonly rewired: number; // share of ties
  readonly joined: number; // share of users
  readonly gone: number; // share of users
}

export const usualDrift: Drift = { rewired: 0.03, joined: 0.01, gone: 0.005 };

/** Users keep their ids; `generation` names the new ones. Weights of users are taken over, newcomers weigh the mean. */
export function drifted(input: BucketizeInput, drift: Drift, seed: number | string, generation = 1): BucketizeInput {
  const random = seededRandom(seed);
  const n = input.users.length;
  const friends = friendLists(input);
  const gone = Uint8Array.from({ length: n }, () => (random() < drift.gone ? 1 : 0));
  const anyFriend = (v: number): number =>
    friends.of[friends.start[v]! + below(friends.start[v + 1]! - friends.start[v]!, random)]!;
  const ties: number[] = [];
  for (let i = 0; i < input.ties.length; i += 2) {
    const [a, b] = [input.ties[i]!, input.ties[i + 1]!];
    if (gone[a] === 1 || gone[b] === 1) continue;
    if (random() >= drift.rewired) {
      ties.push(a, b);
      continue;
    }
    const to = random() < 0.7 ? anyFriend(anyFriend(a)) : below(n, random);
    if (to !== a && gone[to] === 0) ties.push(a, to);
  }
  const joined = Math.round(drift.joined * n);
  for (let u = n; u < n + joined; u++) {
    const host = below(n, random);
    if (gone[host] === 1) continue;
    ties.push(u, host);
    for (let k = friends.start[host]!; k < friends.start[host + 1]!; k++) {
      if (gone[friends.of[k]!] === 0 && random() < 0.5) ties.push(u, friends.of[k]!);
    }
  }
  return withoutGone(input, ties, gone, joined, generation);
}

function withoutGone(
  input: BucketizeInput,
  ties: readonly number[],
  gone: Uint8Array,
  joined: number,
  generation: number,
): BucketizeInput {
  const users: string[] = [];
  const weights: number[] = [];
  const place = new Uint32Array(gone.length + joined);
  const mean = Array.from(input.userWeights ?? [1]).reduce((sum, w) => sum + w, 0) / (input.userWeights?.length ?? 1);
  for (let v = 0; v < place.length; v++) {
    if (gone[v] === 1) continue;
    place[v] = users.length;
    users.push(v < gone.length ? input.users[v]! : `new-${generation}-${v - gone.length}`);
    weights.push(v < gone.length ? (input.userWeights?.[v] ?? 1) : mean);
  }
  return {
    users,
    userWeights: input.userWeights === null ? null : Float64Array.from(weights),
    ties: Uint32Array.from(ties, (v) => place[v]!),
    tieWeights: null,
  };
}

function friendLists({ users, ties }: BucketizeInput): { start: Uint32Array; of: Uint32Array } {
  const start = new Uint32Array(users.length + 1);
  for (const v of ties) start[v + 1]! += 1;
  for (let v = 0; v < users.length; v++) start[v + 1]! += start[v]!;
  const next = start.slice();
  const of = new Uint32Array(ties.length);
  for (let i = 0; i < ties.length; i += 2) {
    of[next[ties[i]!]!++] = ties[i + 1]!;
    of[next[ties[i + 1]!]!++] = ties[i]!;
  }
  return { start, of };
}

function below(n: number, random: Random): number {
  return Math.floor(random() * n);
}
