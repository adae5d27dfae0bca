/** The sources of telemetry that a config asks for, one a service, and what it is telemetry of. */

import { durationMs, parseTimeMs } from '../../../config/duration.ts';
import { ConfigError } from '../../../config/errors.ts';
import { readStaticWorld, readWorld } from '../../../config/load.ts';
import type { Policy } from '../../../config/policy.ts';
import type { ServerSpec } from '../../../config/server.ts';
import { type StaticWorld, worldOfService } from '../../../config/world.ts';
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
  readonly firstStartMs: number; // of the very first epoch
  /** Of one service, whose policy `where` names; `epochMs`: how often it is asked, by the wall clock. Throws a ConfigError. */
  of(policy: Policy, where: string, epochMs: number): ServiceTelemetry;
}

export interface ServiceTelemetry {
  readonly source: TelemetrySource;
  readonly pushed: PushedTelemetry | null; // where reports go
}

/** `at` gives a path of the config as this process sees it. Throws a ConfigError. */
export function openTelemetry(
  { telemetry, services }: ServerSpec,
  at: (path: string) => string,
  nowMs: number,
): Telemetered {
  const isOfSeveral = services.length > 1;
  if (telemetry.kind === 'world') {
    const world = readWorld(at(telemetry.dir));
    const { repeat } = telemetry;
    if (isOfSeveral && !world.services) {
      throw new ConfigError(
        `${at(telemetry.dir)}: the demand of one service; several need a column "service" in its demand.csv`,
      );
    }
    return {
      world,
      dir: at(telemetry.dir),
      firstStartMs: telemetry.from === null ? firstStartMs({ world, repeat }) : parseTimeMs(telemetry.from),
      of: ({ metadata, spec }, where) => {
        const own = { world: worldOfService(world, metadata.service, where), repeat };
        return { source: new WorldTelemetry(own, spec.forecast), pushed: null };
      },
    };
  }
  const dir = at(telemetry.topology.dir);
  const world = readStaticWorld(dir);
  const { topology } = world;
  const common = { world, dir, firstStartMs: wholeSecondMs(nowMs) };
  const liveOf = ({ spec }: Policy, epochMs: number) => ({
    topology,
    limits: limitsOf(telemetry),
    epochMs,
    forecast: spec.forecast,
  });
  switch (telemetry.kind) {
    case 'push':
      return {
        ...common,
        of: (policy, _, epochMs) => {
          const pushed = new PushedTelemetry(topology);
          const source = new LiveTelemetry({ ...liveOf(policy, epochMs), read: () => pushed.read(), pushed });
          return { source, pushed };
        },
      };
    case 'prometheus': {
      const { url, queries, timeout } = telemetry;
      if (isOfSeveral && !queries.demandRps.includes('$service')) {
        throw new ConfigError(
          'telemetry.queries.demandRps: the same for every service, expected one with $service in it, such as sum by (edge) (rate(edge_requests_total{service="$service"}[2m]))',
        );
      }
      return {
        ...common,
        of: (policy, _, epochMs) => {
          const stated = statedOf(queries, policy.metadata.service);
          const source = { url, queries: stated, timeoutMs: durationMs(timeout) };
          const read = (atMs: number) => readPrometheus(source, topology, atMs);
          return { source: new LiveTelemetry({ ...liveOf(policy, epochMs), read }), pushed: null };
        },
      };
    }
  }
}

/** The queries that were stated, `$service` put in. */
function statedOf(
  queries: Readonly<Record<PrometheusSignal, string | null>>,
  service: string,
): ReadonlyMap<PrometheusSignal, string> {
  const stated = Object.entries(queries).flatMap(([signal, query]) =>
    query === null ? [] : [[signal, query.replaceAll('$service', service)] as const],
  );
  return new Map(stated as (readonly [PrometheusSignal, string])[]);
}
