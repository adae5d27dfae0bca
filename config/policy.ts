/** What operators ask of one service's routing (DESIGN sections 3 and 8). One zod schema is the source of the type,
 *  the defaults, the error messages and the JSON Schema. */

import { z } from 'zod';
import { durationSchema, timeSchema } from './duration.ts';

const share = z.number().min(0).max(1);
const name = z.string().min(1).max(63);

const trafficSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('stateless') }),
  z.strictObject({ kind: z.literal('sticky'), sessionLifetime: durationSchema }),
]);

const guardsSchema = z.strictObject({
  onloadMax: share.default(0.04).meta({ description: 'utilization a datacenter may gain an epoch by elective moves' }),
  shareMax: share.default(1).meta({ description: "largest share of one edge's demand for one datacenter" }),
  minShift: share.default(0.01).meta({ description: 'elective change of less than this share of demand is put off' }),
  damping: z.number().gt(0).max(1).default(0.8).meta({ description: 'share of the way to go in one epoch' }),
  balanceTolerance: share.default(0.005).meta({ description: 'utilization above the lowest level, open to latency' }),
  churnMax: share.default(0.05).meta({ description: 'share of demand that may change datacenter by choice an epoch' }),
});

const bucketsSchema = z.strictObject({
  segmentLevel: z.int().min(0).max(20).default(7).meta({ description: 'tree level of the segments kept whole' }),
  assignment: z.enum(['friends', 'segments']).default('friends'),
  localityBudget: share
    .default(0)
    .meta({ description: 'extra moves, as a share of the needed ones, spent on locality' }),
});

export const policySchema = z.strictObject({
  apiVersion: z.literal('taiji/v1'),
  kind: z.literal('Policy'),
  metadata: z.strictObject({ service: name }),
  spec: z
    .strictObject({
      traffic: trafficSchema.default({ kind: 'stateless' }),
      epoch: durationSchema.default('5m'),
      objective: z.enum(['balance', 'closest-first', 'priced']).default('balance'),
      price: z.array(z.tuple([z.number().min(0), z.number().min(0)])).optional(),
      utilizationMax: z.number().gt(0).max(2).default(1),
      emergencyMax: z.number().gt(0).max(2).nullable().default(null),
      latencyMsMax: z.number().gt(0).nullable().default(null),
      allowed: z.array(z.strictObject({ edge: name, datacenters: z.array(name).min(1) })).default([]),
      pins: z
        .array(z.strictObject({ edge: name, datacenter: name, fraction: share, until: timeSchema.optional() }))
        .default([]),
      movePriceMs: z.number().min(0).default(1),
      localityPriceMs: z.number().min(0).default(0),
      forecast: z.enum(['last', 'holt-winters']).default('last'),
      guards: guardsSchema.prefault({}),
      buckets: bucketsSchema.prefault({}),
      approval: z.enum(['none', 'operator']).default('none'),
      assert: z.array(z.string()).default([]),
    })
    .prefault({}),
});

export type Policy = z.infer<typeof policySchema>;
export type PolicySpec = Policy['spec'];
export type Guards = PolicySpec['guards'];
