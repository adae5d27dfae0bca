/** The store port: where published tables and intents live, and who may write them. The shape is etcd's (revision,
 *  compare-and-set, watch, lease), so that several replicas on a real store are another file beside
 *  `io/embedded-store.ts` and nothing else changes. Declined: a port in the words of tables ("publish", "rollback"):
 *  every backend would have to get the order of writes right again, which `publisher.ts` now does once. */

/** Slash-separated, each part of letters, digits, ". _ -" and "%" escapes: `services/web/head`. */
export type StoreKey = string;

export interface StoredValue {
  readonly value: Uint8Array;
  readonly revision: number; // of the write that made it; grows with every write to the store
}

/** `damaged`: there is something under the key, and its checksum says it is not what was written. */
export type Found = ({ readonly kind: 'found' } & StoredValue) | { readonly kind: 'absent' } | Damaged;

export interface Damaged {
  readonly kind: 'damaged';
  readonly key: StoreKey;
  readonly detail: string;
}

export interface PutCondition {
  /** The writer's leader term: a write with an older term than the newest one granted is refused. */
  readonly term: number;
  /** Compare-and-set: the revision the writer saw; 0 means the key must not exist; 'any' repairs a damaged value. */
  readonly expected: number | 'any';
}

export type Put =
  | { readonly kind: 'stored'; readonly revision: number }
  | { readonly kind: 'conflict'; readonly revision: number } // what is there now; 0: nothing, -1: something damaged
  | { readonly kind: 'stale-term'; readonly term: number }; // the newest term granted

export interface Change {
  readonly key: StoreKey;
  readonly revision: number;
  readonly kind: 'put' | 'delete';
}

/** Leadership for a while. Whoever holds the lease writes under its term; terms only grow, also over a restored backup. */
export interface Lease {
  readonly term: number;
  /** False once somebody was granted a newer term: stop writing. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

/** Every method rejects where the backend fails (disk full, no connection); nothing is half-written then. */
export interface Store {
  get(key: StoreKey): Promise<Found>;
  /** Keys that start with `prefix`, in code unit order. */
  list(prefix: string): Promise<readonly StoreKey[]>;
  put(key: StoreKey, value: Uint8Array, condition: PutCondition): Promise<Put>;
  /** Deleting what is not there is no error. */
  delete(key: StoreKey, term: number): Promise<Exclude<Put, { kind: 'conflict' }>>;
  /** Calls `listener` after each change under `prefix`, until the returned function is called. */
  watch(prefix: string, listener: (change: Change) => void): () => void;
  lease(): Promise<Lease>;
}
