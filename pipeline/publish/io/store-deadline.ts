/** A store whose every answer comes in time: a disk or a network that hangs is a store that fails. */

import type { Store } from '../store.ts';
import { inTime } from './in-time.ts';

/** A write that is given up may still be done later; the leader term and the revision sort that out. */
export function withDeadline(store: Store, deadlineMs: number): Store {
  const soon = <T>(answer: Promise<T>): Promise<T> => inTime(answer, deadlineMs, 'the store');
  return {
    get: (key) => soon(store.get(key)),
    list: (prefix) => soon(store.list(prefix)),
    put: (key, value, condition) => soon(store.put(key, value, condition)),
    delete: (key, term) => soon(store.delete(key, term)),
    watch: (prefix, listener) => store.watch(prefix, listener),
    lease: () => soon(store.lease()),
  };
}
