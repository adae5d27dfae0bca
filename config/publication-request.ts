/** What operators ask of publication over HTTP: a plan applied, a version gone back to, a hold ended, a plan made. */

import { z } from 'zod';
import { checked } from './checked.ts';
import { durationSchema } from './duration.ts';

const author = z.string().min(1).max(128).optional().meta({ description: 'left out where the token has a name' });
const reason = z.string().min(1).max(1024);

export const applyRequestSchema = z
  .strictObject({
    author,
    reason: reason.optional().meta({ description: 'needed with force and allAtOnce' }),
    checksum: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits, the checksum of the plan that was looked at')
      .optional()
      .meta({ description: 'of the plan that was looked at; another one is refused' }),
    force: z.boolean().default(false).meta({ description: 'over the limits that can be forced' }),
    allAtOnce: z.boolean().default(false).meta({ description: 'at every edge, without a canary' }),
  })
  .refine(({ force, allAtOnce, reason: given }) => (!force && !allAtOnce) || given !== undefined, {
    path: ['reason'],
    error: 'no reason is given, expected one with force or allAtOnce',
  });

export const rollbackRequestSchema = z.strictObject({
  author,
  reason,
  version: z.int().min(1).meta({ description: 'to go back to' }),
  for: durationSchema.optional().meta({ description: 'how long it is held; left out: until resumed' }),
  force: z.boolean().default(false).meta({ description: 'over limits on utilization' }),
});

export const resumeRequestSchema = z.strictObject({ author, reason: reason.optional() });

export const planRequestSchema = z.strictObject({
  author,
  table: z.unknown().optional().meta({ description: 'a plan file’s table; left out: a plan is made now' }),
});

export type ApplyRequest = z.infer<typeof applyRequestSchema>;
export type RollbackRequest = z.infer<typeof rollbackRequestSchema>;
export type PlanRequest = z.infer<typeof planRequestSchema>;
export type ResumeRequest = z.infer<typeof resumeRequestSchema>;

/** Throw a ConfigError that starts with `where`. */
export const checkApplyRequest = (value: unknown, where: string): ApplyRequest =>
  checked(applyRequestSchema, value, where);
export const checkRollbackRequest = (value: unknown, where: string): RollbackRequest =>
  checked(rollbackRequestSchema, value, where);
export const checkResumeRequest = (value: unknown, where: string): ResumeRequest =>
  checked(resumeRequestSchema, value, where);
export const checkPlanRequest = (value: unknown, where: string): PlanRequest =>
  checked(planRequestSchema, value, where);
