/** Live telemetry whose memory is in the store, so that a restart, after a kill too, judges what comes next like a server
 *  that did not restart. Where the store fails, telemetry goes on by what this process remembers: the publication of the
 *  same epoch raises the alert. */

import type { ServiceId } from '../../config/ids.ts';
import type { Topology } from '../../config/topology.ts';
import type { Store, StoreKey } from '../publish/store.ts';
import { LiveTelemetry } from './live-telemetry.ts';
import { decodeMemory, encodeMemory } from './telemetry-memory.ts';
import type { TelemetrySource } from './telemetry-source.ts';

/** A source that remembers nothing is left as it is. `damage` says what was wrong with the stored memory, which is then
 *  begun anew. */
export async function rememberIn(
  store: Store,
  { service, term, topology }: { readonly service: ServiceId; readonly term: number; readonly topology: Topology },
  live: TelemetrySource,
): Promise<{ readonly source: TelemetrySource; readonly damage: string | null }> {
  if (!(live instanceof LiveTelemetry)) return { source: live, damage: null };
  const key: StoreKey = `services/${encodeURIComponent(service)}/telemetry`;
  const found = await store.get(key);
  const kept = found.kind === 'found' ? decodeMemory(new TextDecoder().decode(found.value), topology) : null;
  if (kept) live.resume(kept);
  const source: TelemetrySource = {
    observe: async (startMs, nowMs, served, placed) => {
      const observed = await live.observe(startMs, nowMs, served, placed);
      const value = new TextEncoder().encode(encodeMemory(live.remembered, topology));
      await store.put(key, value, { term, expected: 'any' }).catch(() => null);
      return observed;
    },
  };
  return { source, damage: found.kind === 'damaged' ? `${key}: ${found.detail}` : null };
}
