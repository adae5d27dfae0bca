/** What operators ask of a service's trees over HTTP: another one, or the one before. */

import { z } from 'zod';
import { checked } from './checked.ts';

const common = {
  author: z.string().min(1).max(128).optional().meta({ description: 'left out where the token has a name' }),
  reason: z.string().min(1).max(1024),
  dryRun: z.boolean().default(false).meta({ description: 'true: say what it would come to, and begin nothing' }),
};

export const treeVersionSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits, the version of a tree; taiji tree info tells it');

export const activateRequestSchema = z.strictObject({
  ...common,
  tree: treeVersionSchema.meta({ description: '64 hexadecimal digits, the version of a tree that was handed in' }),
});

export const treeRollbackRequestSchema = z.strictObject(common);

export type ActivateRequest = z.infer<typeof activateRequestSchema>;
export type TreeRollbackRequest = z.infer<typeof treeRollbackRequestSchema>;

/** Throw a ConfigError that starts with `where`. */
export const checkActivateRequest = (value: unknown, where: string): ActivateRequest =>
  checked(activateRequestSchema, value, where);
export const checkTreeRollbackRequest = (value: unknown, where: string): TreeRollbackRequest =>
  checked(treeRollbackRequestSchema, value, where);
