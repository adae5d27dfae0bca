/** What the store holds of a service: immutable, ordered versions, each with every edge's body, and one small head that
 *  says which version is in force and what the next epoch starts from. The head is the pointer that makes publication
 *  atomic: until it is replaced, the old version is the published one, whole. */

import type { ServiceId } from '../../config/ids.ts';
import type { CarriedState } from '../epoch.ts';
import type { CompiledBody } from '../table/compile.ts';
import type { EncodedTable } from '../table/routing-table.ts';
import type { StoreKey } from './store.ts';

export interface Snapshot {
  readonly service: ServiceId;
  readonly version: number; // 1, 2, 3 ...
  readonly epoch: number; // that made it
  readonly startMs: number; // of that epoch
  readonly treeVersion: string;
  readonly tableSha256: string; // tableDigest
  readonly table: EncodedTable;
  readonly bodies: readonly CompiledBody[]; // [edge] in topology order
  readonly carried: CarriedState; // as that epoch left it; the head's is newer
}

/** Replaced every epoch, also where the table stays: the carried state and the freshness move on. */
export interface Head {
  readonly service: ServiceId;
  readonly version: number; // 0: nothing published yet
  readonly epoch: number; // the last one decided
  readonly startMs: number; // of that epoch
  readonly sequence: number; // of the envelopes last signed
  readonly generatedAtMs: number; // wall clock; what those envelopes say
  readonly freshUntilMs: number; // wall clock; likewise
  readonly carried: CarriedState;
}

export const headKey = (service: ServiceId): StoreKey => `services/${encodeURIComponent(service)}/head`;

export const versionsPrefix = (service: ServiceId): StoreKey => `services/${encodeURIComponent(service)}/versions/`;

/** Padded, so that code unit order is version order. */
export const versionKey = (service: ServiceId, version: number): StoreKey =>
  versionsPrefix(service) + String(version).padStart(12, '0');

/** The version number at the end of a version's key. */
export function versionOfKey(key: StoreKey): number {
  return Number(key.slice(key.lastIndexOf('/') + 1));
}

export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  return encodeJson(snapshot);
}

/** `bytes` come from a store that has checked them. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  return decodeJson(bytes) as Snapshot;
}

export function encodeHead(head: Head): Uint8Array {
  return encodeJson(head);
}

export function decodeHead(bytes: Uint8Array): Head {
  return decodeJson(bytes) as Head;
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function decodeJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}
