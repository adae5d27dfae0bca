/** Sessions of a sticky service (Taiji, SOSP'19, section 3.1.1: established sessions are unmovable). A table moves users
 *  who come anew; who has a session stays where it is until it ends. Sessions end without memory: of those that are
 *  there, the same share lives through every epoch, by the policy's `sessionLifetime`, the mean.
 *
 *  A datacenter that drains keeps its sessions until they end. One that failed has lost them: their users come anew. */

import { durationMs } from '../config/duration.ts';
import type { Policy } from '../config/policy.ts';
import type { FractionMatrix } from './fractions.ts';
import type { DatacenterState } from './inputs.ts';
import { isDrain } from './states.ts';

/** Share of sessions that outlives an epoch, which is `epochMs` long; 0 where the service is stateless. */
export function survivalOf({ spec }: Policy, epochMs = durationMs(spec.epoch)): number {
  if (spec.traffic.kind !== 'sticky') return 0;
  return decay(epochMs / durationMs(spec.traffic.sessionLifetime));
}

/** A table is planned for what it will have made of the sessions after this part of their lifetime. */
const aheadLifetimes = 1 / 3;

/** Of the sessions that outlive an epoch, the share that outlives the time a table is planned for; 1 where that is no
 *  longer than the epoch, and where the service is stateless. */
export function lastingOf({ spec }: Policy, epochMs = durationMs(spec.epoch)): number {
  if (spec.traffic.kind !== 'sticky') return 1;
  return decay(Math.max(0, aheadLifetimes - epochMs / durationMs(spec.traffic.sessionLifetime)));
}

/** [e * D + d] of `sessions`, those that are still where they are at the end of the epoch; never more of an edge than its
 *  demand, for demand that falls faster than sessions end means that they end faster. `live`: how many of `count` do, each
 *  with this chance; the mean where nothing is said. */
export function outliving(
  sessions: ArrayLike<number>,
  survival: number,
  states: readonly DatacenterState[],
  demandRps: Float64Array,
  live: (count: number, chance: number) => number = (count, chance) => count * chance,
): Float64Array {
  const width = states.length;
  const alive = Float64Array.from({ length: sessions.length }, (_, i) => {
    const state = states[i % width]!;
    return live(sessions[i]!, survival * (isDrain(state) ? 1 : state.keep));
  });
  demandRps.forEach((demand, e) => {
    const row = alive.subarray(e * width, (e + 1) * width);
    const sum = row.reduce((a, b) => a + b, 0);
    if (sum > demand) for (let d = 0; d < width; d++) row[d]! *= demand / sum;
  });
  return alive;
}

/** [e] demand that has no session: what a table places. */
export function newSessions(demandRps: Float64Array, established: Float64Array): Float64Array {
  const width = established.length / demandRps.length;
  return demandRps.map((demand, e) => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += established[e * width + d]!;
    return Math.max(0, demand - sum);
  });
}

/** [e * D + d] sessions once the new ones have followed the table. */
export function sessionsAfter(established: Float64Array, arriving: Float64Array, served: FractionMatrix): Float64Array {
  const width = served.length / arriving.length;
  return established.map((stay, i) => stay + arriving[Math.floor(i / width)]! * served[i]!);
}

/** e^-x for x >= 0, by additions, multiplications and divisions alone: Math.exp differs between engines. */
export function decay(x: number): number {
  let halvings = 0;
  let small = x;
  while (small > 0.5) {
    small /= 2;
    halvings += 1;
  }
  let sum = 1;
  for (let n = 14; n >= 1; n--) sum = 1 - (small * sum) / n;
  for (; halvings > 0; halvings--) sum *= sum;
  return sum;
}
