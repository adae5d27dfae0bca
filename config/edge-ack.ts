/** What an edge says by `POST /v1/edges/{e}/acks` once it has applied a table, and from time to time while it serves by it:
 *  which body that is, how the requests it served by it have fared, where they went, and of which buckets they were. */

import { z } from 'zod';
import { checked } from './checked.ts';
import { timeSchema } from './duration.ts';
import { nameSchema } from './name-schema.ts';

const count = z.int().min(0);

export const edgeAckSchema = z.strictObject({
  service: nameSchema.optional().meta({ description: 'whose table; left out where there is one service' }),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits, the SHA-256 of the body that was applied')
    .meta({ description: 'of the body that was applied' }),
  appliedAt: timeSchema.meta({ description: 'since when the edge serves by it' }),
  health: z
    .strictObject({
      requests: count.meta({ description: 'served by this table since the last report' }),
      errors: count.meta({ description: 'of them, failed' }),
      latencyMs: z.number().min(0).lt(600_000).meta({ description: 'mean of them' }),
    })
    .refine(({ requests, errors }) => errors <= requests, 'more errors than requests, expected at most as many')
    .optional(),
  buckets: z
    .record(z.string(), count)
    .optional()
    .meta({ description: 'by bucket, requests with its cookie served since the last report; the others had none' }),
  served: z.record(nameSchema, count).optional().meta({
    description: 'by datacenter, requests sent there by this table since the last report; the others got none',
  }),
});

export type EdgeAck = z.infer<typeof edgeAckSchema>;

/** An acknowledgement from outside. Throws a ConfigError that starts with `where`. */
export function checkEdgeAck(value: unknown, where: string): EdgeAck {
  return checked(edgeAckSchema, value, where);
}
