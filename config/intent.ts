/** What somebody or something wants of the traffic for a while. Whatever would move, slow or stop traffic hands in an
 *  intent and never touches a table; intents are inputs of `planEpoch`. Which of them are in force together, and who waits
 *  for whom, is `runtime/intents.ts`.
 *
 *  A drain is of a datacenter, or of what it serves of one edge. An edge itself is not drained here: which edge a user
 *  reaches is DNS's affair, and Taiji routes whoever arrives. */

import { z } from 'zod';
import { checked, parseDocumentAs } from './checked.ts';
import { timeSchema } from './duration.ts';
import { nameSchema } from './name-schema.ts';

/** First wins: a loser waits for the next eligible epoch. */
const intentPriorities = ['failure', 'drill', 'manual', 'taiji'] as const;

const share = z.number().min(0).max(1);

const common = {
  id: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .meta({ description: '1 to 64 letters, digits, ". _ -"' }),
  author: z.string().min(1).max(128),
  reason: z.string().min(1).max(1024),
  priority: z.enum(intentPriorities).default('manual'),
  service: nameSchema.optional().meta({ description: 'whose traffic; left out: that of every service' }),
  since: timeSchema.optional().meta({ description: 'when it begins; left out: at once' }),
  until: timeSchema.nullable().default(null).meta({ description: 'when it ends by itself; null: until withdrawn' }),
  force: z.boolean().optional().meta({ description: 'true: somebody wants it whatever the pre-check says' }),
};

const scheduleSchema = z
  .array(z.tuple([timeSchema, share]))
  .min(1)
  .max(1000);

const drainSchema = z
  .strictObject({
    kind: z.literal('drain'),
    ...common,
    datacenter: nameSchema,
    edge: nameSchema.optional().meta({ description: 'only what it serves of this edge; left out: of every edge' }),
    keep: share.default(0).meta({ description: 'share of what it served that it may go on serving' }),
    schedule: scheduleSchema
      .optional()
      .meta({ description: 'times in order, and what is kept from each on; 1 before the first' }),
  })
  .superRefine(({ keep, schedule }, context) => {
    const report = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (schedule && keep > 0)
      report(['keep'], `keep is ${keep} and there is a schedule, which says it; leave keep out`);
    schedule?.forEach(([at], i) => {
      const before = schedule[i - 1]?.[0];
      if (before !== undefined && Date.parse(at) <= Date.parse(before)) {
        report(['schedule', i], `${at} comes after ${before}, expected times in order`);
      }
    });
  });

const shiftSchema = z
  .strictObject({
    kind: z.literal('shift'),
    ...common,
    edge: nameSchema.optional().meta({ description: 'whose users; left out: those of every edge' }),
    from: nameSchema,
    to: nameSchema,
    fraction: share.meta({ description: "of each edge's demand, at most what is served there" }),
  })
  .superRefine(({ from, to }, context) => {
    if (from === to)
      context.addIssue({ code: 'custom', path: ['to'], message: `from and to are both "${to}"; name two` });
  });

export const intentSchema = z.discriminatedUnion('kind', [
  drainSchema,
  shiftSchema,
  z.strictObject({
    kind: z.literal('override'),
    ...common,
    edge: nameSchema,
    datacenter: nameSchema,
    fraction: share.meta({ description: "of the edge's demand" }),
  }),
  z.strictObject({
    kind: z.literal('freeze'),
    ...common,
    edge: nameSchema.optional().meta({ description: 'whose users; left out: those of every edge' }),
    datacenter: nameSchema.optional().meta({ description: 'only what it serves; left out: whoever serves' }),
  }),
]);

export const intentKinds: readonly string[] = ['drain', 'shift', 'override', 'freeze'];

export type Intent = z.infer<typeof intentSchema>;
export type IntentOf<Kind extends Intent['kind']> = Extract<Intent, { kind: Kind }>;

export function isInForce(intent: Intent, nowMs: number): boolean {
  return (intent.since === undefined || nowMs >= Date.parse(intent.since)) && !hasEnded(intent, nowMs);
}

export function hasEnded({ until }: Intent, nowMs: number): boolean {
  return until !== null && nowMs >= Date.parse(until);
}

/** Share of what was served that the drain lets be served at `nowMs`. */
export function keepAt({ keep, schedule }: IntentOf<'drain'>, nowMs: number): number {
  if (!schedule) return keep;
  return schedule.findLast(([at]) => Date.parse(at) <= nowMs)?.[1] ?? 1;
}

/** Is it about this service's traffic? */
export function concerns({ service }: Intent, name: string): boolean {
  return service === undefined || service === name;
}

/** 0 goes first. */
export function priorityRank({ priority }: Pick<Intent, 'priority'>): number {
  return intentPriorities.indexOf(priority);
}

/** What it wants, without who and why: `drain ashburn to 0.5 at fra`. */
export function intentWords(intent: Intent): string {
  const at = intent.edge === undefined ? '' : ` at ${intent.edge}`;
  switch (intent.kind) {
    case 'drain': {
      const steps = intent.schedule?.map(([time, keep]) => `${keep} from ${time}`).join(', ');
      return `drain ${intent.datacenter}${at}, keep ${steps ?? intent.keep}`;
    }
    case 'freeze':
      return `freeze${intent.datacenter === undefined ? '' : ` ${intent.datacenter}`}${at}`;
    case 'shift':
      return `shift ${intent.fraction} of ${intent.edge ?? 'every edge'} from ${intent.from} to ${intent.to}`;
    case 'override':
      return `override ${intent.edge} to ${intent.datacenter}: ${intent.fraction}`;
  }
}

/** An intent from outside, such as the body of a request. Throws a ConfigError that starts with `where`. */
export function checkIntent(value: unknown, where: string): Intent {
  return checked(intentSchema, value, where);
}

/** An intent document. Throws a ConfigError with file and line. */
export function parseIntent(text: string, where: string): Intent {
  return parseDocumentAs(intentSchema, text, where, () => 'intent');
}
