/** The versions of a service that were in force, newest first: who made each, why, and from what. They are a chain, each
 *  naming the one before it; a version that a crash kept from ever being in force is no link of it. */

import type { ServiceId } from '../../config/ids.ts';
import { readVersion } from './publisher.ts';
import { type Snapshot, versionOfKey, versionsPrefix } from './snapshot.ts';
import type { Store } from './store.ts';

export type VersionInfo = Omit<Snapshot, 'table' | 'bodies' | 'carried' | 'trees'>;

export function infoOf({ table: _, bodies: __, carried: ___, trees: ____, ...info }: Snapshot): VersionInfo {
  return info;
}

/** Remembers what it read: a version never changes. */
export class VersionHistory {
  readonly #store: Store;
  readonly #service: ServiceId;
  readonly #known = new Map<number, VersionInfo | null>(); // null: damaged

  constructor(store: Store, service: ServiceId) {
    this.#store = store;
    this.#service = service;
  }

  /** At most `limit` versions up to and including `newest`, newest first. */
  async upTo(newest: VersionInfo, limit: number): Promise<readonly VersionInfo[]> {
    const kept = (await this.#store.list(versionsPrefix(this.#service))).map(versionOfKey);
    for (const version of this.#known.keys()) if (!kept.includes(version)) this.#known.delete(version);
    const chain: VersionInfo[] = [newest];
    for (const version of kept.reverse()) {
      if (chain.length >= limit) break;
      // One that is missing (it was fed and never stored) leaves a gap; the chain goes on below it.
      if (version > chain.at(-1)!.parent) continue;
      const info = await this.#info(version);
      if (info) chain.push(info);
    }
    return chain.slice(0, limit);
  }

  async #info(version: number): Promise<VersionInfo | null> {
    const known = this.#known.get(version);
    if (known !== undefined) return known;
    const snapshot = await readVersion(this.#store, this.#service, version);
    const info = snapshot && infoOf(snapshot);
    this.#known.set(version, info);
    return info;
  }
}
