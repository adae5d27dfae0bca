/** A world as a source of telemetry: what a control plane inside it would have seen by the start of an epoch, and
 *  nothing later. Demand is that of the last step that has ended, or a forecast from the steps so far; states are those of
 *  the events so far. */

import { formatTime } from '../../config/duration.ts';
import type { Policy } from '../../config/policy.ts';
import { stepMs, type World } from '../../config/world.ts';
import { Forecaster } from '../../runtime/forecast.ts';
import { statesAt } from '../../runtime/states.ts';
import type { Observed, TelemetrySource } from './telemetry-source.ts';

export interface WorldSource {
  readonly world: World;
  readonly repeat: boolean; // at the end, begin again
}

/** The first start of an epoch with a whole step of demand before it. */
export function firstStartMs({ world }: WorldSource): number {
  return world.demand.timesMs[0]! + stepMs(world.demand);
}

/** What epochs are planned on. Asked in order of time. The first look learns from four weeks before it, as far as the
 *  world goes back: a restart forecasts as if it had been there all the time. */
export class WorldTelemetry implements TelemetrySource {
  readonly #source: WorldSource;
  readonly #forecast: Policy['spec']['forecast'];
  readonly #forecaster: Forecaster;
  #learnt: number | null = null; // the last step; a repeated world's steps are counted on

  constructor(source: WorldSource, forecast: Policy['spec']['forecast']) {
    this.#source = source;
    this.#forecast = forecast;
    const { topology, demand } = source.world;
    this.#forecaster = new Forecaster({ edges: topology.edges.length, epochMs: stepMs(demand), kind: forecast });
  }

  observe(startMs: number): Observed {
    const observed = observeWorld(this.#source, startMs);
    if (observed.kind === 'nothing' || this.#forecast === 'last') return observed;
    const { topology, demand } = this.#source.world;
    const [edges, steps] = [topology.edges.length, demand.timesMs.length];
    const [firstMs, periodMs] = [demand.timesMs[0]!, stepMs(demand)];
    const ended = Math.floor((startMs - firstMs) / periodMs) - 1;
    const from = this.#learnt === null ? historyFrom(ended, periodMs) : this.#learnt + 1;
    for (let step = from; step <= ended; step++) {
      const t = modulo(step, steps);
      this.#forecaster.observe(firstMs + step * periodMs, demand.rps.subarray(t * edges, (t + 1) * edges));
    }
    this.#learnt = ended;
    return { ...observed, demandRps: this.#forecaster.next(startMs) };
  }
}

const historyMs = 28 * 24 * 3_600_000;

/** Never from before the world, where a repeated one would show what is still to come. */
function historyFrom(ended: number, periodMs: number): number {
  return Math.max(Math.min(0, ended), ended + 1 - Math.ceil(historyMs / periodMs));
}

/** Demand is that of the last step that has ended. */
export function observeWorld({ world, repeat }: WorldSource, startMs: number): Observed {
  const { timesMs, rps } = world.demand;
  const firstMs = timesMs[0]!;
  const lengthMs = timesMs.length * stepMs(world.demand);
  // A repeated world's first epoch looks back on its last step.
  const elapsedMs = repeat
    ? modulo(startMs - firstMs - stepMs(world.demand), lengthMs)
    : startMs - firstMs - stepMs(world.demand);
  const step = Math.floor(elapsedMs / stepMs(world.demand));
  if (step < 0 || step >= timesMs.length) {
    const message = `the world has demand for epochs from ${formatTime(firstMs + stepMs(world.demand))} to ${formatTime(firstMs + lengthMs)}, not for ${formatTime(startMs)}`;
    return { kind: 'nothing', message };
  }
  const edges = world.topology.edges.length;
  const worldMs = firstMs + stepMs(world.demand) + elapsedMs;
  return {
    kind: 'observed',
    demandRps: rps.slice(step * edges, (step + 1) * edges),
    states: statesAt(world, worldMs),
  };
}

function modulo(a: number, n: number): number {
  return ((a % n) + n) % n;
}
