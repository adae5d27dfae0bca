/** Durations (`30s`, `5m`) and times (RFC 3339, UTC) as people write them, milliseconds inside. */

import { z } from 'zod';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const durationSchema = z
  .string()
  .regex(/^(0|[1-9]\d*)(ms|s|m|h|d)$/, { error: 'expected a duration such as 30s, 5m or 2h' })
  .meta({ description: 'a duration such as 30s, 5m, 2h or 1d', examples: ['5m'] });

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
