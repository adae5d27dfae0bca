/** What may be wrong with a reading whatever it is of: its age, and how far it is from the one before. */

import type { Reading, Trouble } from './telemetry.ts';

/** Clocks of machines differ a little. */
const aheadMsMax = 60_000;

/** Null: its time is one to be used. */
export function timeTrouble({ observedAtMs }: Reading, ageMsMax: number, nowMs: number): Trouble | null {
  if (!Number.isFinite(observedAtMs)) return missing; // of unknown age
  const ageMs = nowMs - observedAtMs;
  if (ageMs > ageMsMax) return { kind: 'stale', ageMs, ageMsMax };
  return -ageMs > aheadMsMax ? { kind: 'ahead', aheadMs: -ageMs, aheadMsMax } : null;
}

/** `floor` is added to both sides: what is small may change by any factor. */
export function isJump(before: number, value: number, floor: number, factorMax: number): boolean {
  return Math.max(before, value) + floor > factorMax * (Math.min(before, value) + floor);
}

export const missing: Trouble = { kind: 'missing' };
