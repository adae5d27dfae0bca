/** What somebody reports of the fleet by `POST /v1/telemetry`: as much of it as they see, at one time. Reports add up;
 *  whoever sees one edge reports that edge. */

import { z } from 'zod';
import { checked } from './checked.ts';
import { timeSchema } from './duration.ts';
import { nameSchema } from './name-schema.ts';

const datacenterSchema = z.strictObject({
  state: z.enum(['normal', 'abnormal']).optional().meta({ description: 'abnormal: no user is sent there' }),
  healthy: z
    .boolean()
    .optional()
    .meta({ description: 'by its service metrics; false alerts and moves nobody there or away' }),
});

export const telemetryReportSchema = z.strictObject({
  observedAt: timeSchema.meta({ description: 'when all of this was observed' }),
  service: nameSchema
    .optional()
    .meta({ description: 'whose demand, allocation and health; left out where there is one service' }),
  demandRps: z
    .record(nameSchema, z.number().min(0).max(Number.MAX_SAFE_INTEGER))
    .default({})
    .meta({ description: 'by edge, requests per second' }),
  rttMs: z
    .record(nameSchema, z.record(nameSchema, z.number().min(0).lt(60_000)))
    .default({})
    .meta({ description: "by edge and datacenter, round trip of users' connections in milliseconds" }),
  sessions: z
    .record(nameSchema, z.record(nameSchema, z.number().min(0).max(Number.MAX_SAFE_INTEGER)))
    .default({})
    .meta({ description: 'by edge and datacenter, established sessions of a sticky service' }),
  datacenters: z.record(nameSchema, datacenterSchema).default({}).meta({ description: 'by datacenter' }),
  allocation: z
    .record(nameSchema, z.record(nameSchema, z.number().min(0).max(1)))
    .default({})
    .meta({ description: 'by edge: share of its demand seen at each datacenter; those not named saw none' }),
});

export type TelemetryReport = z.infer<typeof telemetryReportSchema>;

/** A report from outside. Throws a ConfigError that starts with `where`. */
export function checkTelemetryReport(value: unknown, where: string): TelemetryReport {
  return checked(telemetryReportSchema, value, where);
}
