/** The source of telemetry that a config asks for, and what it is telemetry of. */

import { durationMs, parseTimeMs } from '../../../config/duration.ts';
import { readStaticWorld, readWorld } from '../../../config/load.ts';
import type { Policy } from '../../../config/policy.ts';
import type { ServerSpec } from '../../../config/server.ts';
import type { StaticWorld } from '../../../config/world.ts';
import { readPrometheus } from '../../../runtime/io/prometheus-client.ts';
import type { PrometheusSignal } from '../../../runtime/prometheus.ts';
import { wholeSecondMs } from '../epoch-loop.ts';
import { LiveTelemetry, limitsOf } from '../live-telemetry.ts';
import { PushedTelemetry } from '../pushed-telemetry.ts';
import type { TelemetrySource } from '../telemetry-source.ts';
import { firstStartMs, WorldTelemetry } from '../world-telemetry.ts';

export interface Telemetered {
  readonly world: StaticWorld;
  readonly dir: string; // where that was read
  readonly source: TelemetrySource;
  readonly pushed: PushedTelemetry | null; // where reports go
  readonly firstStartMs: number; // of the very first epoch
}

/** `at` gives a path of the config as this process sees it. Throws a ConfigError. */
export function openTelemetry(
  { telemetry, clock }: ServerSpec,
  { spec: { epoch, forecast } }: Policy,
  at: (path: string) => string,
  nowMs: number,
): Telemetered {
  if (telemetry.kind === 'world') {
    const world = readWorld(at(telemetry.dir));
    const source = { world, repeat: telemetry.repeat };
    return {
      world,
      dir: at(telemetry.dir),
      source: new WorldTelemetry(source, forecast),
      pushed: null,
      firstStartMs: telemetry.from === null ? firstStartMs(source) : parseTimeMs(telemetry.from),
    };
  }
  const dir = at(telemetry.topology.dir);
  const world = readStaticWorld(dir);
  const { topology } = world;
  const live = { topology, limits: limitsOf(telemetry), epochMs: durationMs(clock.epochWall ?? epoch), forecast };
  const common = { world, dir, firstStartMs: wholeSecondMs(nowMs) };
  switch (telemetry.kind) {
    case 'push': {
      const pushed = new PushedTelemetry(topology);
      return { ...common, source: new LiveTelemetry({ ...live, read: () => pushed.read() }), pushed };
    }
    case 'prometheus': {
      const { url, queries, timeout } = telemetry;
      const source = { url, queries: statedOf(queries), timeoutMs: durationMs(timeout) };
      const read = (atMs: number) => readPrometheus(source, topology, atMs);
      return { ...common, source: new LiveTelemetry({ ...live, read }), pushed: null };
    }
  }
}

/** The queries that were stated. */
function statedOf(queries: Readonly<Record<PrometheusSignal, string | null>>): ReadonlyMap<PrometheusSignal, string> {
  const stated = Object.entries(queries).flatMap(([signal, query]) =>
    query === null ? [] : [[signal, query] as const],
  );
  return new Map(stated as (readonly [PrometheusSignal, string])[]);
}
