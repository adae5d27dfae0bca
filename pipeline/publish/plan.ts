/** A table that may be put into force, with what it would do: made by an epoch that waits for approval, asked for, or
 *  brought in from a file. It is made on one table in force and applies to no other; its checksum binds what is applied to
 *  what was looked at. */

import { createHash } from 'node:crypto';
import type { ServiceId } from '../../config/ids.ts';
import { canonicalJson, type Json } from '../table/canonical-json.ts';
import type { EncodedTable } from '../table/routing-table.ts';
import type { Refusal } from './plan-guards.ts';
import type { StoreKey } from './store.ts';

export interface PlanBody {
  readonly service: ServiceId;
  readonly origin: 'epoch' | 'asked' | 'file';
  readonly author: string;
  readonly createdAtMs: number; // wall clock
  readonly epoch: number; // whose inputs it was made or looked at on
  readonly inputsSha256: string | null;
  readonly base: { readonly version: number; readonly tableSha256: string }; // in force when it was made
  readonly tableSha256: string;
  readonly churn: { readonly forced: number; readonly elective: number; readonly minimum: number };
  readonly moved: readonly { readonly edge: string; readonly share: number }[]; // of the edge's demand, most first
  readonly utilization: Readonly<Record<string, { readonly before: number; readonly after: number }>>;
  readonly refusals: readonly Refusal[]; // when it was made; it is looked at again when it is applied
  readonly table: EncodedTable;
}

export interface PublishPlan extends PlanBody {
  readonly id: string; // the checksum's first digits
  readonly checksum: string; // SHA-256 over the body as canonical JSON
}

export function planOf(body: PlanBody): PublishPlan {
  // As it will be read back: what JSON cannot say is in no checksum.
  const plain = JSON.parse(JSON.stringify(body)) as PlanBody;
  const checksum = createHash('sha256')
    .update(canonicalJson(plain as unknown as Json))
    .digest('hex');
  return { ...plain, id: checksum.slice(0, 12), checksum };
}

/** Without the table, for lists. */
export function planSummary({ table: _, ...rest }: PublishPlan): Omit<PublishPlan, 'table'> {
  return rest;
}

export const plansPrefix = (service: ServiceId): StoreKey => `services/${encodeURIComponent(service)}/plans/`;
export const planKey = (service: ServiceId, id: string): StoreKey => plansPrefix(service) + id;

export function encodePlan(plan: PublishPlan): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(plan));
}

/** `bytes` come from a store that has checked them. */
export function decodePlan(bytes: Uint8Array): PublishPlan {
  return JSON.parse(new TextDecoder().decode(bytes)) as PublishPlan;
}
