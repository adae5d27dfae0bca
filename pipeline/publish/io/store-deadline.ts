/** A store whose every answer comes in time: a disk or a network that hangs is a store that fails. */

import type { Store } from '../store.ts';

/** A write that is given up may still be done later; the leader term and the revision sort that out. */
export function withDeadline(store: Store, deadlineMs: number): Store {
  const inTime = <T>(answer: Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer from the store within ${deadlineMs} ms`)), deadlineMs);
    });
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  };
  return {
    get: (key) => inTime(store.get(key)),
    list: (prefix) => inTime(store.list(prefix)),
    put: (key, value, condition) => inTime(store.put(key, value, condition)),
    delete: (key, term) => inTime(store.delete(key, term)),
    watch: (prefix, listener) => store.watch(prefix, listener),
    lease: () => inTime(store.lease()),
  };
}
