/** Times in which nobody should start what can wait: no drill begins, and where the window says so nothing moves by choice.
 *  Daily ones are stated in UTC, as everything else is: a window that jumps with daylight saving is a surprise a year. */

import { z } from 'zod';
import { formatTime, parseTimeMs } from './duration.ts';

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const; // 1970-01-01 was a Thursday
const dayMs = 86_400_000;
const minuteMs = 60_000;

const clock = /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/;

const endSchema = z
  .string()
  .refine((text) => clock.test(text) || !Number.isNaN(parseTimeMs(text)), {
    error: 'expected a time of day in UTC such as "18:00", or a time such as 2026-03-05T00:00:00Z',
  })
  .meta({
    description: 'a time of day in UTC such as "18:00", every day; or a time such as 2026-03-05T00:00:00Z, once',
  });

export const blockedWindowSchema = z
  .strictObject({
    from: endSchema,
    until: endSchema,
    days: z
      .array(z.enum(dayNames))
      .min(1)
      .optional()
      .meta({ description: 'on which a daily one begins; default: all' }),
    moves: z.boolean().default(false).meta({ description: 'true: nothing moves by choice either' }),
    reason: z.string().min(1).max(200).default('blocked'),
  })
  .superRefine(({ from, until, days }, context) => {
    const report = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (clock.test(from) !== clock.test(until)) {
      report(['until'], `from is ${from} and until ${until}, expected two times of day, or two times with a date`);
    } else if (clock.test(from) ? from === until : parseTimeMs(until) <= parseTimeMs(from)) {
      report(['until'], `from ${from} until ${until} is no time at all; a whole day is from "00:00" until "24:00"`);
    } else if (days && !clock.test(from))
      report(['days'], `days are for times of day, but from is ${from}; leave them out`);
  });

export type BlockedWindow = z.infer<typeof blockedWindowSchema>;

export interface Blocked {
  readonly untilMs: number;
  readonly reason: string;
}

/** The windows in which `nowMs` lies, the longest first; null where it is in none. `moves`: of those that stop moves. */
export function blockedAt(windows: readonly BlockedWindow[], nowMs: number, what: 'drills' | 'moves'): Blocked | null {
  return windows.reduce<Blocked | null>((longest, window) => {
    const untilMs = what === 'moves' && !window.moves ? null : untilOf(window, nowMs);
    if (untilMs === null || (longest && longest.untilMs >= untilMs)) return longest;
    return { untilMs, reason: window.reason };
  }, null);
}

/** `until 2026-03-05T22:00:00Z: evening peak`. */
export function blockedWords({ untilMs, reason }: Blocked): string {
  return `until ${formatTime(untilMs)}: ${reason}`;
}

function untilOf({ from, until, days }: BlockedWindow, nowMs: number): number | null {
  if (!clock.test(from)) {
    const untilMs = parseTimeMs(until);
    return parseTimeMs(from) <= nowMs && nowMs < untilMs ? untilMs : null;
  }
  const [start, end] = [minutesOf(from) * minuteMs, minutesOf(until) * minuteMs];
  const lengthMs = end > start ? end - start : end + dayMs - start;
  const today = Math.floor(nowMs / dayMs);
  // One that began yesterday may go on past midnight.
  for (const day of [today, today - 1]) {
    const name = dayNames[(((day + 4) % 7) + 7) % 7]!;
    const beganMs = day * dayMs + start;
    if (nowMs >= beganMs && nowMs < beganMs + lengthMs && (!days || days.includes(name))) return beganMs + lengthMs;
  }
  return null;
}

function minutesOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
}
