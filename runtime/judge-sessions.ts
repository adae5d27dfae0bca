/** Established sessions of a sticky service as its edges count them, pair by pair, in place of the model's
 *  (`sessions.ts`: where the tables so far would have placed them), and only where the count is to be believed.
 *
 *  - A pair of which nothing usable is said goes by the model. That is no hold: the model goes on from the last count that
 *    was believed, so it is the better the shorter the silence. For the same reason a count is used once, not for as long
 *    as it is fresh: sessions that ended since are the model's to take off.
 *  - Tables move sessions by any factor, and rightly. So a count jumps only if it is far both from the one before and from
 *    what the tables make of it, and is believed once a later one confirms it.
 *  - An edge whose sessions are elsewhere than the tables put them since the last count is told, and believed all the same:
 *    sessions cannot be moved, and they are where they are. */

import type { Topology } from '../config/topology.ts';
import { impossible, type Remembered, unheard, type ValueLimits } from './judge-value.ts';
import { isJump, missing, timeTrouble } from './reading-trouble.ts';
import { type Finding, pairName, type Reading, type Readings, type Trouble } from './telemetry.ts';

export interface SessionsContext {
  readonly topology: Topology;
  readonly limits: ValueLimits & { readonly allocationGapMax: number }; // share of an edge's sessions seen elsewhere
  readonly nowMs: number; // wall clock
  readonly expected: ArrayLike<number> | null; // [e * D + d] by the model; null: no table has placed any
}

export interface JudgedSessions {
  readonly sessions: Float64Array | null; // [e * D + d], NaN: by the model; null: all of them
  readonly findings: readonly Finding[];
  readonly contradicting: readonly Finding[]; // [edge]
  readonly memory: SessionsMemory;
}

/** [e * D + d] of the pairs that were told; the others are absent. */
export type SessionsMemory = ReadonlyMap<number, Remembered>;

/** Beside this share of an edge's sessions, and beside one, factors say nothing. */
const floorShare = 0.01;

export function judgeSessions(said: Readings, memory: SessionsMemory, context: SessionsContext): JudgedSessions {
  const { topology, expected } = context;
  const width = topology.datacenters.length;
  const sessions = new Float64Array(topology.edges.length * width).fill(Number.NaN);
  const next = new Map<number, Remembered>();
  const findings: Finding[] = [];
  const contradicting: Finding[] = [];
  topology.edges.forEach(({ id }, e) => {
    const from = e * width;
    const floor = Math.max(
      1,
      floorShare * rowSum(from, width, (i) => expected?.[i] ?? memory.get(i)?.good?.value ?? 0),
    );
    for (let i = from; i < from + width; i++) {
      const { value, trouble, remembered } = judgePair(said[i] ?? null, memory.get(i) ?? unheard, i, floor, context);
      if (value !== null) sessions[i] = value;
      if (remembered !== unheard) next.set(i, remembered);
      if (trouble) findings.push({ signal: 'sessions', place: { kind: 'pair', id: pairName(topology, i) }, trouble });
    }
    const gap = gapOf(sessions, expected, from, width);
    const gapMax = context.limits.allocationGapMax;
    if (gap > gapMax) {
      contradicting.push({
        signal: 'sessions',
        place: { kind: 'edge', id },
        trouble: { kind: 'contradicting', gap, gapMax },
      });
    }
  });
  const isTold = sessions.some((count) => !Number.isNaN(count));
  return { sessions: isTold ? sessions : null, findings, contradicting, memory: next };
}

interface JudgedPair {
  readonly value: number | null; // null: by the model
  readonly trouble: Trouble | null;
  readonly remembered: Remembered;
}

function judgePair(
  reading: Reading | null,
  remembered: Remembered,
  i: number,
  floor: number,
  { limits, nowMs, expected }: SessionsContext,
): JudgedPair {
  const { good, suspect } = remembered;
  const useless = (trouble: Trouble | null, next = remembered): JudgedPair => ({
    value: null,
    trouble,
    remembered: next,
  });
  // Who counts by what there is says nothing of a pair that has none.
  if (!reading) return useless(good && (expected?.[i] ?? good.value) > floor ? missing : null);
  const trouble = impossible(reading.value, 'sessions') ?? timeTrouble(reading, limits.ageMsMax, nowMs);
  if (trouble) return useless(trouble);
  if (good && reading.observedAtMs <= good.observedAtMs) return useless(null);
  const isFar = (from: number): boolean => isJump(from, reading.value, floor, limits.jumpFactorMax);
  const isLater = suspect !== null && reading.observedAtMs > suspect.observedAtMs;
  const isKnown = good !== null && nowMs - good.observedAtMs <= limits.fillMsMax;
  if (isKnown && isFar(good.value) && (!expected || isFar(expected[i]!)) && !(isLater && !isFar(suspect.value))) {
    const jump: Trouble = {
      kind: 'jumping',
      value: reading.value,
      before: good.value,
      factorMax: limits.jumpFactorMax,
    };
    // Told again, the first word of a jump does not confirm itself.
    return useless(jump, { good, suspect: suspect && !isLater ? suspect : reading });
  }
  return { value: reading.value, trouble: null, remembered: { good: reading, suspect: null } };
}

/** Share of the edge's sessions, of the pairs that are told, that are elsewhere than expected; 0 where nothing is. */
function gapOf(sessions: Float64Array, expected: ArrayLike<number> | null, from: number, width: number): number {
  const isTold = (i: number): boolean => !Number.isNaN(sessions[i]!);
  const seen = rowSum(from, width, (i) => (isTold(i) ? sessions[i]! : 0));
  const meant = expected ? rowSum(from, width, (i) => (isTold(i) ? expected[i]! : 0)) : 0;
  if (!expected || seen === 0 || meant === 0) return 0;
  return rowSum(from, width, (i) => (isTold(i) ? Math.abs(sessions[i]! / seen - expected[i]! / meant) : 0)) / 2;
}

function rowSum(from: number, width: number, of: (i: number) => number): number {
  let sum = 0;
  for (let i = from; i < from + width; i++) sum += of(i);
  return sum;
}
