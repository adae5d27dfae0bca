/** The source of telemetry that a config asks for, and what it is telemetry of. */

import { durationMs, parseTimeMs } from '../../../config/duration.ts';
import { readStaticWorld, readWorld } from '../../../config/load.ts';
import type { Policy } from '../../../config/policy.ts';
import type { ServerSpec } from '../../../config/server.ts';
import type { StaticWorld } from '../../../config/world.ts';
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
  const pushed = new PushedTelemetry(topology);
  const live = { topology, limits: limitsOf(telemetry), epochMs: durationMs(clock.epochWall ?? epoch), forecast };
  return {
    world,
    dir,
    source: new LiveTelemetry({ ...live, read: () => pushed.read() }),
    pushed,
    firstStartMs: wholeSecondMs(nowMs),
  };
}
