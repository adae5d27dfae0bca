/** What the store holds of a service: immutable, ordered versions, each with every edge's body, and one small head that
 *  says which version is in force and what the next epoch starts from. The head is the pointer that makes publication
 *  atomic: until it is replaced, the old version is the published one, whole. */

import type { ServiceId } from '../../config/ids.ts';
import type { CarriedState } from '../epoch.ts';
import type { CompiledBody } from '../table/compile.ts';
import type { EncodedTable } from '../table/routing-table.ts';
import type { PlainCourse } from '../table/tree-course.ts';
import { type Rollout, rolloutOf } from './rollout.ts';
import type { StoreKey } from './store.ts';

/** Whose version it is and why: what history tells. */
export interface VersionAbout {
  readonly cause: VersionCause;
  readonly author: string; // "taiji" where nobody asked for it
  readonly reason: string;
  readonly inputsSha256: string | null; // of the frozen inputs it was planned on, as the journal has them; null: not known
  readonly plan: string | null; // checksum of the plan that was applied; null: none was
  readonly restores: number | null; // the earlier version whose table this is; null: none
}

/** `canary`: a plan, at some edges; `promoted`: at the others, too; `returned`: not there either. */
export type VersionCause = 'epoch' | 'plan' | 'rollback' | 'canary' | 'promoted' | 'returned';

/** Where users are between two trees, as a frontend needs to know it and a restart goes on from it. */
export interface PublishedTrees {
  readonly course: PlainCourse;
  readonly asked: AskedMove | null; // the move under way, or the last one; null: there was none
  readonly stated: string; // version of the tree that the config stated at the last start: only another one is a wish
}

/** Who wanted a move, and why. */
export interface AskedMove {
  readonly author: string;
  readonly reason: string;
  readonly sinceMs: number; // wall clock
}

/** What edges have counted of their buckets, by name: it is large. */
export interface PublishedCounts {
  readonly weightsSha256: string | null; // of the bucket weights in force, among the objects; null: those of where users live
  readonly slot: number; // of the counts
}

export interface Snapshot extends VersionAbout {
  readonly service: ServiceId;
  readonly version: number; // 1, 2, 3 ...
  readonly parent: number; // the version that was in force before it; 0: none
  readonly term: number; // of the leader that made it
  readonly publishedAtMs: number; // wall clock; 0: not known
  readonly epoch: number; // that made it
  readonly startMs: number; // of that epoch
  readonly treeVersion: string;
  readonly tableSha256: string; // tableDigest
  readonly table: EncodedTable;
  readonly bodies: readonly CompiledBody[]; // [edge] in topology order
  readonly carried: CarriedState; // as that epoch left it; the head's is newer
  readonly trees: PublishedTrees | null; // likewise; null: written by an older Taiji
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
  readonly rollout: Rollout;
  readonly trees: PublishedTrees | null; // null: written by an older Taiji
  readonly counted: PublishedCounts | null; // null: nobody has
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
  const stored = decodeJson(bytes) as Omit<Snapshot, 'parent'> & { readonly parent?: number };
  return { ...unsaid, ...stored, parent: stored.parent ?? stored.version - 1 };
}

export function encodeHead(head: Head): Uint8Array {
  return encodeJson(head);
}

export function decodeHead(bytes: Uint8Array): Head {
  type Later = 'rollout' | 'trees' | 'counted'; // than the first Taiji
  const stored = decodeJson(bytes) as Omit<Head, Later> & Partial<Pick<Head, Later>>;
  const { rollout, trees = null, counted = null } = stored;
  return { ...stored, rollout: rolloutOf(rollout), trees, counted };
}

/** Of a version that an older Taiji wrote. */
const unsaid = {
  cause: 'epoch',
  author: 'taiji',
  reason: 'written by an older Taiji, which kept no reasons',
  inputsSha256: null,
  plan: null,
  restores: null,
  term: 0,
  publishedAtMs: 0,
  trees: null,
} as const;

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function decodeJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}
