/** Publication over the store port, in the one order that is safe: version first, head second, old versions last. A
 *  kill between any two leaves the version that the head names, whole. */

import type { ServiceId } from '../../config/ids.ts';
import { open } from './rollout.ts';
import {
  decodeHead,
  decodeSnapshot,
  encodeHead,
  encodeSnapshot,
  type Head,
  headKey,
  type Snapshot,
  versionKey,
  versionOfKey,
  versionsPrefix,
} from './snapshot.ts';
import type { Damaged, Store } from './store.ts';

/** What a start finds. `head` is null before the first epoch; `snapshot` is null where nothing was ever published. */
export interface Published {
  readonly head: Head | null;
  readonly headRevision: number | 'any'; // to compare with at the next publication; 'any': the head is damaged
  readonly snapshot: Snapshot | null;
  readonly newestVersion: number; // 0: none; may be one the head never came to name
  readonly damaged: readonly Damaged[]; // stepped around; never silent
}

/** The version that the head names; where head or version are damaged, the newest whole version. */
export async function readPublished(store: Store, service: ServiceId): Promise<Published> {
  const damaged: Damaged[] = [];
  const versions = (await store.list(versionsPrefix(service))).map(versionOfKey);
  const newestVersion = versions.at(-1) ?? 0;

  let head: Head | null = null;
  let headRevision: number | 'any' = 0;
  const foundHead = await store.get(headKey(service));
  if (foundHead.kind === 'found') {
    head = decodeHead(foundHead.value);
    headRevision = foundHead.revision;
  } else if (foundHead.kind === 'damaged') {
    damaged.push(foundHead);
    headRevision = 'any';
  }

  const named = head?.version ?? null;
  const wanted = named === 0 ? [] : versions.filter((version) => named === null || version <= named).reverse();
  if (named !== null && named > 0 && wanted[0] !== named) {
    damaged.push({
      kind: 'damaged',
      key: versionKey(service, named),
      detail: 'the head names it, and it is not there',
    });
  }
  for (const version of wanted) {
    const found = await store.get(versionKey(service, version));
    if (found.kind === 'damaged') damaged.push(found);
    if (found.kind !== 'found') continue;
    const snapshot = decodeSnapshot(found.value);
    // Another table than the head's: what the head carried over does not belong to it.
    const fits = head !== null && head.version === version;
    return { head: fits ? head : headOf(snapshot, head), headRevision, snapshot, newestVersion, damaged };
  }
  return { head, headRevision, snapshot: null, newestVersion, damaged };
}

export type Publication =
  | { readonly kind: 'published'; readonly headRevision: number }
  | { readonly kind: 'deposed'; readonly detail: string }; // somebody else leads: stop, and serve nothing newer

/** Publishes `snapshot` (null: the table stays, only the head moves on). Rejects where the store fails; the version
 *  before is then still the published one. */
export async function publish(
  store: Store,
  term: number,
  head: Head,
  headRevision: number | 'any',
  snapshot: Snapshot | null,
): Promise<Publication> {
  if (snapshot) {
    const key = versionKey(snapshot.service, snapshot.version);
    const put = await store.put(key, encodeSnapshot(snapshot), { term, expected: 0 });
    if (put.kind === 'stale-term') return { kind: 'deposed', detail: `term ${put.term} was granted after ${term}` };
    if (put.kind === 'conflict') {
      // Our own, where the head's write failed last time; a version that differs is somebody else's.
      const there = await store.get(key);
      if (there.kind !== 'found' || !sameBytes(there.value, encodeSnapshot(snapshot))) {
        return { kind: 'deposed', detail: `version ${snapshot.version} was written by somebody else` };
      }
    }
  }
  const put = await store.put(headKey(head.service), encodeHead(head), { term, expected: headRevision });
  if (put.kind === 'stored') return { kind: 'published', headRevision: put.revision };
  if (put.kind === 'stale-term') return { kind: 'deposed', detail: `term ${put.term} was granted after ${term}` };
  return { kind: 'deposed', detail: `the head is at revision ${put.revision}, expected ${headRevision}` };
}

/** Deletes all but the newest `keep` versions, never the one in force. */
export async function prune(store: Store, term: number, head: Head, keep: number): Promise<void> {
  const keys = await store.list(versionsPrefix(head.service));
  for (const key of keys.slice(0, Math.max(0, keys.length - keep))) {
    if (versionOfKey(key) !== head.version) await store.delete(key, term);
  }
}

/** One version as it was published, or null where it is not kept, was never named by a head, or is damaged. */
export async function readVersion(store: Store, service: ServiceId, version: number): Promise<Snapshot | null> {
  const found = await store.get(versionKey(service, version));
  return found.kind === 'found' ? decodeSnapshot(found.value) : null;
}

function headOf(snapshot: Snapshot, head: Head | null): Head {
  return {
    service: snapshot.service,
    version: snapshot.version,
    epoch: Math.max(snapshot.epoch, head?.epoch ?? 0),
    startMs: Math.max(snapshot.startMs, head?.startMs ?? 0),
    sequence: head?.sequence ?? 0,
    generatedAtMs: head?.generatedAtMs ?? 0,
    freshUntilMs: head?.freshUntilMs ?? 0,
    carried: snapshot.carried,
    rollout: open,
    trees: snapshot.trees,
    counted: null,
  };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
