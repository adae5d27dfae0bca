/** What operators ask of one service's routing (DESIGN sections 3 and 8). One zod schema is the source of the type,
 *  the defaults, the error messages and the JSON Schema. */

import { z } from 'zod';
import { type Assertion, parseAssertion } from './assertion.ts';
import { blockedWindowSchema } from './blocked-window.ts';
import { parseDocumentAs } from './checked.ts';
import { durationSchema, timerSchema, timeSchema } from './duration.ts';
import { nameSchema } from './name-schema.ts';
import type { Fraction } from './units.ts';

const share = z
  .number()
  .min(0)
  .max(1)
  .transform((value) => value as Fraction);

const trafficSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('stateless') }),
  z.strictObject({ kind: z.literal('sticky'), sessionLifetime: durationSchema }),
]);

const guardsSchema = z.strictObject({
  onloadMax: share.prefault(0.04).meta({
    description:
      'utilization a datacenter may gain an epoch by elective moves; more only in place of what a failure drives there',
  }),
  shareMax: share.prefault(1).meta({ description: "largest share of one edge's demand for one datacenter" }),
  minShift: share.prefault(0.01).meta({
    description:
      'share of demand that two epochs in a row have to want to change; four times as much acts at once, less after three',
  }),
  damping: z.number().gt(0).max(1).default(0.8).meta({ description: 'share of the way to go in one epoch' }),
  balanceTolerance: share.prefault(0.005).meta({ description: 'utilization above the lowest level, open to latency' }),
  churnMax: share.prefault(0.05).meta({ description: 'share of demand that may change datacenter by choice an epoch' }),
  holdDown: durationSchema.default('10m').meta({
    description: 'how long a datacenter gains nothing after an outage, for each outage before it within an hour',
  }),
});

const bucketsSchema = z.strictObject({
  segmentLevel: z.int().min(0).max(20).default(7).meta({ description: 'tree level of the segments kept whole' }),
  assignment: z.enum(['friends', 'segments']).default('friends'),
  localityBudget: share
    .prefault(0.15)
    .meta({ description: 'at most so much is moved beyond what has to, as a share of it, to bring friends together' }),
  countsHalfLife: durationSchema
    .default('24h')
    .meta({ description: 'after which what edges counted of their buckets weighs half' }),
});

const canarySchema = z.strictObject({
  edges: z.array(nameSchema).min(1).meta({ description: 'that get a new table first' }),
  for: timerSchema
    .default('15m')
    .meta({ description: 'how long they are compared with the others before those follow' }),
  errorRateRiseMax: share
    .prefault(0.005)
    .meta({ description: 'by how much more their share of failed requests may rise than that of the others' }),
  latencyMsRiseMax: z
    .number()
    .min(0)
    .max(60_000)
    .default(10)
    .meta({ description: 'by how much more their mean latency may rise than that of the others' }),
});

const rampSchema = z.strictObject({
  share: share.meta({ description: 'of the buckets that Taiji steers; the others stay as firstTable has them' }),
  edges: z
    .array(nameSchema)
    .min(1)
    .optional()
    .meta({ description: 'at which; left out: at every edge. The others stay as firstTable has them' }),
});

const specSchema = z.strictObject({
  traffic: trafficSchema.default({ kind: 'stateless' }),
  epoch: timerSchema.default('5m'),
  objective: z.enum(['balance', 'closest-first', 'priced']).default('balance'),
  price: z.array(z.tuple([z.number().min(0), z.number().min(0)])).optional(),
  utilizationMax: z.number().gt(0).max(2).default(1),
  emergencyMax: z.number().gt(0).max(2).nullable().default(null),
  latencyMsMax: z.number().gt(0).nullable().default(null),
  latencyMsP95Max: z
    .number()
    .gt(0)
    .nullable()
    .default(null)
    .meta({ description: "at most a twentieth of an edge's demand goes further than this" }),
  resources: z
    .record(nameSchema, z.number().min(1e-6).max(1e9))
    .refine((costs) => Object.keys(costs).length > 0, 'no resource, expected at least one; or leave resources out')
    .optional()
    .meta({
      description: 'what one rps (or session) costs of each resource; default: 1 of requests, the capacity_rps',
    }),
  allowed: z.array(z.strictObject({ edge: nameSchema, datacenters: z.array(nameSchema).min(1) })).default([]),
  forbidden: z
    .array(z.strictObject({ edge: nameSchema, datacenters: z.array(nameSchema).min(1) }))
    .default([])
    .meta({ description: 'pairs that may not be, whatever allowed says' }),
  pins: z
    .array(z.strictObject({ edge: nameSchema, datacenter: nameSchema, fraction: share, until: timeSchema.optional() }))
    .prefault([]),
  blocked: z
    .array(blockedWindowSchema)
    .max(100)
    .optional()
    .meta({ description: 'times in which no drill begins, and with moves: true nothing moves by choice' }),
  movePriceMs: z.number().min(0).default(1),
  localityPriceMs: z.number().min(0).default(0),
  forecast: z.enum(['last', 'holt-winters']).default('last'),
  guards: guardsSchema.prefault({}),
  buckets: bucketsSchema.prefault({}),
  approval: z
    .enum(['none', 'operator'])
    .default('none')
    .meta({ description: 'operator: what moves by choice waits for taiji apply' }),
  canary: canarySchema.nullable().default(null).meta({ description: 'null: every edge at once' }),
  ramp: rampSchema.nullable().default(null).meta({ description: 'null: all of it is steered' }),
  assert: z
    .array(z.string().max(200))
    .max(100)
    .default([])
    .meta({ description: 'what plan and replay hold the result to, such as "utilizationMax < 0.85"; serve does not' }),
});

type PolicySpecInput = z.output<typeof specSchema>;

/** What the keys mean together. Each message says what was found, what is expected and how to mend it. */
function checkSpec(spec: PolicySpecInput, report: (path: PropertyKey[], message: string) => void): void {
  if (spec.traffic.kind === 'sticky' && /^0/.test(spec.traffic.sessionLifetime)) {
    report(['traffic', 'sessionLifetime'], 'sessions of no duration, expected one above 0; or write kind: stateless');
  }
  if (spec.price !== undefined && spec.objective !== 'priced') {
    report(['price'], `a price is given but the objective is ${spec.objective}; remove it or write objective: priced`);
  }
  spec.price?.forEach(([from, ms], i, all) => {
    const before = all[i - 1];
    if (before !== undefined && !(from > before[0] && ms > before[1])) {
      report(
        ['price', i],
        `[${from}, ${ms}] after [${before[0]}, ${before[1]}], expected both to rise from point to point`,
      );
    }
  });
  spec.assert.forEach((text, i) => {
    const parsed = parseAssertion(text);
    if (parsed.kind === 'wrong') report(['assert', i], parsed.message);
  });
  const bounded = new Set<string>();
  spec.allowed.forEach(({ edge }, i) => {
    if (bounded.has(edge)) report(['allowed', i], `edge "${edge}" is given twice; put its datacenters into one list`);
    bounded.add(edge);
  });
  const barred = new Set<string>();
  spec.forbidden.forEach(({ edge, datacenters }, i) => {
    if (barred.has(edge)) report(['forbidden', i], `edge "${edge}" is given twice; put its datacenters into one list`);
    barred.add(edge);
    const left = spec.allowed.find((rule) => rule.edge === edge)?.datacenters.filter((id) => !datacenters.includes(id));
    if (left?.length === 0) {
      report(['forbidden', i], `edge "${edge}" is forbidden everything that its allowed list names; leave one`);
    }
  });
  const pinned = new Map<string, number>();
  const pairs = new Set<string>();
  spec.pins.forEach(({ edge, datacenter, fraction }, i) => {
    const sum = (pinned.get(edge) ?? 0) + fraction;
    pinned.set(edge, sum);
    if (pairs.has(`${edge} ${datacenter}`))
      report(['pins', i], `edge "${edge}" is pinned to "${datacenter}" twice; keep one`);
    pairs.add(`${edge} ${datacenter}`);
    if (sum > 1 + 1e-9) {
      report(
        ['pins', i],
        `the pins of edge "${edge}" sum to ${Number(sum.toFixed(6))}, expected at most 1; lower a fraction`,
      );
    }
    const datacenters = spec.allowed.find((rule) => rule.edge === edge)?.datacenters;
    if (spec.forbidden.some((rule) => rule.edge === edge && rule.datacenters.includes(datacenter))) {
      report(
        ['pins', i],
        `edge "${edge}" is pinned to "${datacenter}", which is forbidden to it; remove one of the two`,
      );
    }
    if (datacenters !== undefined && !datacenters.includes(datacenter)) {
      report(
        ['pins', i],
        `edge "${edge}" is pinned to "${datacenter}", which its allowed list leaves out; add it there or remove the pin`,
      );
    }
  });
}

export const policySchema = z.strictObject({
  apiVersion: z.literal('taiji/v1'),
  kind: z.literal('Policy'),
  metadata: z.strictObject({ service: nameSchema }),
  spec: specSchema
    .superRefine((spec, context) =>
      checkSpec(spec, (path, message) => context.addIssue({ code: 'custom', path, message })),
    )
    .prefault({}),
});

export type Policy = z.infer<typeof policySchema>;

/** A policy document, defaults filled in. Throws a ConfigError: `web.yaml:12: policy "web": spec.guards.churnMax is 5, ...`. */
export function parsePolicy(text: string, where: string): Policy {
  return parseDocumentAs(policySchema, text, where, policyName);
}

/** What dry runs are held to, in the order written. */
export function assertionsOf({ spec }: Policy): readonly Assertion[] {
  return spec.assert.flatMap((text) => {
    const parsed = parseAssertion(text);
    return parsed.kind === 'assertion' ? [parsed.assertion] : [];
  });
}

/** How complaints name a policy, from whatever was written in place of one. */
function policyName(value: unknown): string {
  const named = z.object({ metadata: z.object({ service: z.string().max(63) }) }).safeParse(value);
  return named.success ? `policy ${JSON.stringify(named.data.metadata.service)}` : 'policy';
}
