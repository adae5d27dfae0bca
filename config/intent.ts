/** What somebody or something wants of the traffic for a while. Whatever would move, slow or stop traffic hands in an
 *  intent and never touches a table; intents are inputs of `planEpoch`. */

import { z } from 'zod';
import { timeSchema } from './duration.ts';

/** First wins: a loser waits for the next eligible epoch. */
export const intentPriorities = ['failure', 'drill', 'manual', 'taiji'] as const;

const name = z.string().min(1).max(63);
const common = {
  id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, { error: 'expected 1 to 64 letters, digits, ". _ -"' }),
  author: z.string().min(1).max(128),
  reason: z.string().min(1).max(1024),
  priority: z.enum(intentPriorities).default('manual'),
  until: timeSchema.nullable().default(null).meta({ description: 'when it ends by itself; null: until withdrawn' }),
};

export const intentSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('drain'), ...common, datacenter: name, keep: z.number().min(0).max(1).default(0) }),
  z.strictObject({
    kind: z.literal('shift'),
    ...common,
    edge: name,
    from: name,
    to: name,
    fraction: z.number().min(0).max(1),
  }),
  z.strictObject({
    kind: z.literal('override'),
    ...common,
    edge: name,
    datacenter: name,
    fraction: z.number().min(0).max(1),
  }),
  z.strictObject({ kind: z.literal('freeze'), ...common }),
]);

export type Intent = z.infer<typeof intentSchema>;

export function isInForce(intent: Intent, nowMs: number): boolean {
  return intent.until === null || nowMs < Date.parse(intent.until);
}
