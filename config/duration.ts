/** Durations (`30s`, `5m`) and times (RFC 3339, UTC) as people write them, milliseconds inside. */

import { z } from 'zod';
import { quoteStart } from './errors.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const durationPattern = /^(0|[1-9]\d*)(ms|s|m|h|d)$/;
const longestMs = 3650 * unitMs['d']!;

export const durationSchema = z
  .string()
  .regex(durationPattern, { error: 'expected a duration such as 30s, 5m or 2h' })
  .refine((text) => within(text, 0, longestMs), {
    error: ({ input }) => `${quoteStart(String(input))} is longer than ten years, expected at most 3650d`,
  })
  .meta({ description: 'a duration such as 30s, 5m, 2h or 1d', examples: ['5m'] });

/** Between the starts of two epochs, or until an answer. Timers count to 24 days and fire at once beyond. */
export const timerSchema = durationSchema.refine((text) => within(text, 1, 7 * unitMs['d']!), {
  error: ({ input }) => `${input} is too short or too long, expected a duration above 0 and of at most 7d such as 5m`,
});

/** True also of what is no duration: that has a complaint of its own. */
function within(text: string, leastMs: number, mostMs: number): boolean {
  if (!durationPattern.test(text)) return true;
  const ms = durationMs(text);
  return ms >= leastMs && ms <= mostMs;
}

/** `text` has passed `durationSchema`. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (!match) throw new TypeError(`not a duration: ${text}`);
  return Number(match[1]) * unitMs[match[2]!]!;
}

export const timeSchema = z.iso
  .datetime({ error: 'expected an RFC 3339 time in UTC such as 2026-03-05T00:00:00Z' })
  .meta({ description: 'an RFC 3339 time in UTC such as 2026-03-05T00:00:00Z' });

/** RFC 3339 in UTC, seconds only where there are no milliseconds: `2026-03-05T00:00:00Z`. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('.000Z', 'Z');
}

/** NaN where `text` is not an RFC 3339 time in UTC. */
export function parseTimeMs(text: string): number {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z$/.test(text)) return Number.NaN;
  const timeMs = Date.parse(text);
  // Date.parse takes 30 February for 2 March.
  return Number.isNaN(timeMs) || new Date(timeMs).toISOString().slice(0, 16) !== text.slice(0, 16)
    ? Number.NaN
    : timeMs;
}
