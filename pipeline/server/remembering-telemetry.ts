/** Live telemetry whose memory is in the store, so that a restart, after a kill too, judges what comes next like a server
 *  that did not restart. Where the store fails, telemetry goes on by what this process remembers: the publication of the
 *  same epoch raises the alert. */

import type { ServiceId } from '../../config/ids.ts';
import type { Topology } from '../../config/topology.ts';
import type { Store, StoreKey } from '../publish/store.ts';
import { decodeForecast, encodeForecast } from './forecast-memory.ts';
import { LiveTelemetry } from './live-telemetry.ts';
import { decodeMemory, encodeMemory } from './telemetry-memory.ts';
import type { TelemetrySource } from './telemetry-source.ts';

interface Remembering {
  readonly service: ServiceId;
  readonly term: number;
  readonly topology: Topology;
  readonly epochMs: number;
}

/** A source that remembers nothing is left as it is. `damage` says what was wrong with the stored memory, which is then
 *  begun anew. */
export async function rememberIn(
  store: Store,
  { service, term, topology, epochMs }: Remembering,
  live: TelemetrySource,
): Promise<{ readonly source: TelemetrySource; readonly damage: readonly string[] }> {
  if (!(live instanceof LiveTelemetry)) return { source: live, damage: [] };
  const prefix = `services/${encodeURIComponent(service)}`;
  const damage: string[] = [];
  const stored = async (key: StoreKey): Promise<Uint8Array | null> => {
    const found = await store.get(key);
    if (found.kind === 'damaged') damage.push(`${key}: ${found.detail}`);
    return found.kind === 'found' ? found.value : null;
  };
  const memory = await stored(`${prefix}/telemetry`);
  const kept = memory && decodeMemory(new TextDecoder().decode(memory), topology);
  if (kept) live.resume(kept);
  const { forecast } = live;
  const learnt = forecast && (await stored(`${prefix}/forecast`));
  const resumed = learnt && decodeForecast(learnt, topology, epochMs, forecast);
  if (resumed) live.resumeForecast(resumed);
  const put = (key: StoreKey, value: Uint8Array): Promise<unknown> =>
    store.put(key, value, { term, expected: 'any' }).catch(() => null);
  const source: TelemetrySource = {
    observe: async (startMs, nowMs, served, placed) => {
      const observed = await live.observe(startMs, nowMs, served, placed);
      await put(`${prefix}/telemetry`, new TextEncoder().encode(encodeMemory(live.remembered, topology)));
      if (live.forecast) await put(`${prefix}/forecast`, encodeForecast(live.forecast, topology, epochMs));
      return observed;
    },
  };
  return { source, damage };
}
