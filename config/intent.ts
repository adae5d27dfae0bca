/** What somebody or something wants of the traffic for a while. Whatever would move, slow or stop traffic hands in an
 *  intent and never touches a table; intents are inputs of `planEpoch`. */

import { z } from 'zod';
import { checked, parseDocumentAs } from './checked.ts';
import { timeSchema } from './duration.ts';
import { nameSchema } from './ids.ts';

/** First wins: a loser waits for the next eligible epoch. */
const intentPriorities = ['failure', 'drill', 'manual', 'taiji'] as const;

const common = {
  id: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .meta({ description: '1 to 64 letters, digits, ". _ -"' }),
  author: z.string().min(1).max(128),
  reason: z.string().min(1).max(1024),
  priority: z.enum(intentPriorities).default('manual'),
  service: nameSchema.optional().meta({ description: 'whose traffic; left out: that of every service' }),
  until: timeSchema.nullable().default(null).meta({ description: 'when it ends by itself; null: until withdrawn' }),
};

export const intentSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('drain'),
    ...common,
    datacenter: nameSchema,
    keep: z.number().min(0).max(1).default(0),
  }),
  z.strictObject({
    kind: z.literal('shift'),
    ...common,
    edge: nameSchema,
    from: nameSchema,
    to: nameSchema,
    fraction: z.number().min(0).max(1),
  }),
  z.strictObject({
    kind: z.literal('override'),
    ...common,
    edge: nameSchema,
    datacenter: nameSchema,
    fraction: z.number().min(0).max(1),
  }),
  z.strictObject({ kind: z.literal('freeze'), ...common }),
]);

export const intentKinds: readonly string[] = ['drain', 'shift', 'override', 'freeze'];

export type Intent = z.infer<typeof intentSchema>;

export function isInForce(intent: Intent, nowMs: number): boolean {
  return intent.until === null || nowMs < Date.parse(intent.until);
}

/** Is it about this service's traffic? */
export function concerns({ service }: Intent, name: string): boolean {
  return service === undefined || service === name;
}

/** An intent from outside, such as the body of a request. Throws a ConfigError that starts with `where`. */
export function checkIntent(value: unknown, where: string): Intent {
  return checked(intentSchema, value, where);
}

/** An intent document. Throws a ConfigError with file and line. */
export function parseIntent(text: string, where: string): Intent {
  return parseDocumentAs(intentSchema, text, where, () => 'intent');
}
