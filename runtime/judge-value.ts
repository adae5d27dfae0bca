/** One value of a signal, against the last good one: believed, or what stands in for it and why. */

import { isJump, missing, timeTrouble } from './reading-trouble.ts';
import type { Finding, Reading, Trouble } from './telemetry.ts';

/** What is remembered of a value from one epoch to the next. */
export interface Remembered {
  readonly good: Reading | null;
  readonly suspect: Reading | null; // a jump, until it is confirmed
}

/** Nothing yet. */
export const unheard: Remembered = { good: null, suspect: null };

export interface ValueLimits {
  readonly ageMsMax: number; // older is stale
  readonly fillMsMax: number; // age up to which a last good value may stand in
  readonly jumpFactorMax: number; // between two epochs
}

export interface JudgedValue {
  readonly value: number | null; // null: nothing usable, and nothing remembered that is young enough
  readonly filled: boolean;
  readonly finding: Finding | null;
  readonly remembered: Remembered;
}

/** Of a count or a rate: null where it may be one. */
export function impossible(value: number, unit: string): Trouble | null {
  if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) return null;
  return { kind: 'impossible', value, expected: `0..${Number.MAX_SAFE_INTEGER} ${unit}` };
}

/** `floor` is added to both sides of a jump; null: the signal may jump. */
export function judgeValue(
  reading: Reading | null,
  remembered: Remembered,
  { limits, nowMs }: { readonly limits: ValueLimits; readonly nowMs: number },
  troubleOf: (value: number) => Trouble | null,
  floor: number | null,
  named: Omit<Finding, 'trouble'>,
): JudgedValue {
  const { good, suspect } = remembered;
  const isKnown = good !== null && nowMs - good.observedAtMs <= limits.fillMsMax;
  const instead = (trouble: Trouble, next: Remembered): JudgedValue => ({
    value: isKnown ? good.value : null,
    filled: true,
    finding: { ...named, trouble },
    remembered: next,
  });
  const trouble =
    reading === null ? missing : (troubleOf(reading.value) ?? timeTrouble(reading, limits.ageMsMax, nowMs));
  if (reading === null || trouble !== null) return instead(trouble ?? missing, remembered);
  const jumps = (from: Reading): boolean =>
    floor !== null && isJump(from.value, reading.value, floor, limits.jumpFactorMax);
  const isConfirmed = suspect !== null && reading.observedAtMs > suspect.observedAtMs && !jumps(suspect);
  if (isKnown && jumps(good) && !isConfirmed) {
    const jump: Trouble = {
      kind: 'jumping',
      value: reading.value,
      before: good.value,
      factorMax: limits.jumpFactorMax,
    };
    // Told again, the first word of a jump does not confirm itself.
    const isTheSame = suspect !== null && reading.observedAtMs <= suspect.observedAtMs;
    return instead(jump, { good, suspect: isTheSame ? suspect : reading });
  }
  return { value: reading.value, filled: false, finding: null, remembered: { good: reading, suspect: null } };
}
