/** Round trips that users' connections measured, in place of those of the topology, and only where they differ for good.
 *
 *  - Pairs nobody measures keep the topology's. A pair that was measured and falls silent keeps its last one: silence does
 *    not move users. Neither holds an epoch; both are told.
 *  - A jump is believed once a later reading confirms it. Where more than half of all pairs jump at once it is the
 *    monitor (seconds for milliseconds, say) and not the network: none is believed.
 *  - Jitter moves nobody: readings go into a moving mean, and the round trip that is planned with follows it only when
 *    the two are a band apart. Planned round trips are therefore equal from epoch to epoch, to the bit, while nothing
 *    happens, and are a tenth of a millisecond apart when something does.
 *  Declined: planning with the mean itself. Every epoch would then differ from the one before by noise, and `minShift`
 *  alone would stand between the noise and the users. */

import type { Topology } from '../config/topology.ts';
import { isJump, missing, timeTrouble } from './reading-trouble.ts';
import { type Finding, pairName, type Reading, type Readings, type Trouble } from './telemetry.ts';

export interface RttLimits {
  readonly ageMsMax: number; // older is stale
  readonly rttJumpFactorMax: number; // between two readings
}

/** [e * D + d] of the pairs that were measured; the others are absent. */
export type RttMemory = ReadonlyMap<number, RememberedRtt>;

interface RememberedRtt {
  readonly plannedMs: number;
  readonly meanMs: number;
  readonly observedAtMs: number;
  readonly suspect: Reading | null; // a jump, until it is confirmed
}

export interface JudgedRtt {
  readonly rttMs: Float64Array | null; // [e * D + d] to plan with; null: the topology's
  readonly findings: readonly Finding[];
  readonly note: string | null; // what is suspect as a whole
  readonly memory: RttMemory;
}

/** Share of the way that the mean goes to a new reading. */
const gain = 0.3;

/** The planned round trip stands while the mean is nearer than this. */
const bandMs = 2;
const bandShare = 0.1;

/** Beside this, factors say nothing. */
const floorMs = 5;

const rttMsMax = 60_000;

export function judgeRtt(
  said: Readings,
  memory: RttMemory,
  topology: Topology,
  limits: RttLimits,
  nowMs: number,
): JudgedRtt {
  const judged = new Map<number, JudgedPair>();
  topology.rttMs.forEach((statedMs, i) => {
    const reading = said[i] ?? null;
    const known = memory.get(i) ?? null;
    if (reading || known) judged.set(i, judgePair(reading, known, statedMs, limits, nowMs));
  });
  const all = [...judged.values()];
  const jumped = all.filter(({ jumps }) => jumps).length;
  const told = all.filter(({ isUsable }) => isUsable).length;
  const isSuspect = jumped > 1 && jumped > told / 2;
  const next = new Map<number, RememberedRtt>();
  const findings: Finding[] = [];
  for (const [i, pair] of judged) {
    const kept = isSuspect && pair.jumps ? pair.before : pair.after;
    if (kept) next.set(i, kept);
    const trouble = pair.trouble ?? (isSuspect ? pair.jumps : null);
    if (trouble) findings.push({ signal: 'rttMs', place: { kind: 'pair', id: pairName(topology, i) }, trouble });
  }
  const rttMs = topology.rttMs.map((statedMs, i) => next.get(i)?.plannedMs ?? statedMs);
  return {
    rttMs: rttMs.some((value, i) => value !== topology.rttMs[i]) ? rttMs : null,
    findings,
    note: isSuspect
      ? `${jumped} of ${told} round trips jumped at once, which is suspect: none of them is used; if they are true, write them into latency.csv`
      : null,
    memory: next,
  };
}

interface JudgedPair {
  readonly trouble: Trouble | null;
  readonly jumps: Trouble | null; // a jump, also one that is confirmed
  readonly isUsable: boolean; // told, young and possible
  readonly before: RememberedRtt | null;
  readonly after: RememberedRtt | null;
}

function judgePair(
  reading: Reading | null,
  before: RememberedRtt | null,
  statedMs: number,
  { ageMsMax, rttJumpFactorMax: factorMax }: RttLimits,
  nowMs: number,
): JudgedPair {
  const useless = (trouble: Trouble): JudgedPair => ({ trouble, jumps: null, isUsable: false, before, after: before });
  if (!reading) return useless(missing);
  const trouble = possible(reading.value) ?? timeTrouble(reading, ageMsMax, nowMs);
  if (trouble) return useless(trouble);
  const usable = (jumps: Trouble | null, after: RememberedRtt | null, told: Trouble | null = null): JudgedPair => ({
    trouble: told,
    jumps,
    isUsable: true,
    before,
    after,
  });
  if (before && reading.observedAtMs <= before.observedAtMs) return usable(null, before);
  const fromMs = before?.meanMs ?? statedMs;
  const suspect = before?.suspect ?? null;
  if (!isJump(fromMs, reading.value, floorMs, factorMax)) return usable(null, follow(before, statedMs, reading, gain));
  const jump: Trouble = { kind: 'jumping', value: reading.value, before: fromMs, factorMax };
  const isLater = suspect !== null && reading.observedAtMs > suspect.observedAtMs;
  if (isLater && !isJump(suspect.value, reading.value, floorMs, factorMax)) {
    return usable(jump, follow(before, statedMs, reading, 1));
  }
  const waiting: RememberedRtt = {
    ...(before ?? { plannedMs: statedMs, meanMs: statedMs, observedAtMs: Number.NEGATIVE_INFINITY }),
    suspect: suspect && !isLater ? suspect : reading,
  };
  return usable(jump, waiting, jump);
}

/** The first reading of a pair is its mean: starting from the topology's, every restart would move users and back. */
function follow(before: RememberedRtt | null, statedMs: number, reading: Reading, share: number): RememberedRtt {
  const isFirst = before === null || before.observedAtMs === Number.NEGATIVE_INFINITY;
  const meanMs = isFirst ? reading.value : before.meanMs + share * (reading.value - before.meanMs);
  const plannedMs = before?.plannedMs ?? statedMs;
  const stands = Math.abs(meanMs - plannedMs) <= Math.max(bandMs, bandShare * plannedMs);
  return {
    plannedMs: stands ? plannedMs : Math.round(meanMs * 10) / 10,
    meanMs,
    observedAtMs: reading.observedAtMs,
    suspect: null,
  };
}

function possible(value: number): Trouble | null {
  return value >= 0 && value < rttMsMax ? null : { kind: 'impossible', value, expected: `0..${rttMsMax} ms` };
}
