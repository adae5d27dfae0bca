/** A world as a source of telemetry: what a control plane inside it would have seen by the start of an epoch, and
 *  nothing later. Demand is that of the last step that has ended; states are those of the events so far. */

import { formatTime } from '../../config/duration.ts';
import type { World } from '../../config/world.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import { statesAt } from '../../runtime/states.ts';

export interface WorldSource {
  readonly world: World;
  readonly repeat: boolean; // at the end, begin again
}

export type Observed =
  | { readonly kind: 'observed'; readonly demandRps: Float64Array; readonly states: readonly DatacenterState[] }
  | { readonly kind: 'nothing'; readonly message: string };

/** The first start of an epoch with a whole step of demand before it. */
export function firstStartMs({ world }: WorldSource): number {
  return world.demand.timesMs[0]! + stepMs(world);
}

export function observeWorld({ world, repeat }: WorldSource, startMs: number): Observed {
  const { timesMs, rps } = world.demand;
  const firstMs = timesMs[0]!;
  const lengthMs = timesMs.length * stepMs(world);
  // A repeated world's first epoch looks back on its last step.
  const elapsedMs = repeat ? modulo(startMs - firstMs - stepMs(world), lengthMs) : startMs - firstMs - stepMs(world);
  const step = Math.floor(elapsedMs / stepMs(world));
  if (step < 0 || step >= timesMs.length) {
    const message = `the world has demand for epochs from ${formatTime(firstMs + stepMs(world))} to ${formatTime(firstMs + lengthMs)}, not for ${formatTime(startMs)}`;
    return { kind: 'nothing', message };
  }
  const edges = world.topology.edges.length;
  const worldMs = firstMs + stepMs(world) + elapsedMs;
  return {
    kind: 'observed',
    demandRps: rps.slice(step * edges, (step + 1) * edges),
    states: statesAt(world, worldMs),
  };
}

/** An evenly spaced series of one step lasts as long as an epoch by default. */
function stepMs({ demand: { timesMs } }: World): number {
  return timesMs.length > 1 ? timesMs[1]! - timesMs[0]! : 300_000;
}

function modulo(a: number, n: number): number {
  return ((a % n) + n) % n;
}
