/** Telemetry that is brought here: the newest of what reports said of each edge and datacenter. Before anything was
 *  reported epochs are held. */

import { didYouMean } from '../../config/did-you-mean.ts';
import { formatTime, parseTimeMs } from '../../config/duration.ts';
import { ConfigError } from '../../config/errors.ts';
import type { TelemetryReport } from '../../config/telemetry-report.ts';
import { indexById, type Topology } from '../../config/topology.ts';
import type { Reading, Readings, Telemetry } from '../../runtime/telemetry.ts';

export interface Received {
  readonly accepted: number; // values
  readonly ignored: number; // because a newer one is known
}

type Slots = (Reading | null)[];

/** A report from further ahead is a wrong clock, and would keep all later ones out. */
const aheadMsMax = 60_000;

export class PushedTelemetry {
  readonly #edges: ReadonlyMap<string, number>;
  readonly #datacenters: ReadonlyMap<string, number>;
  readonly #demandRps: Slots;
  readonly #up: Slots;
  readonly #healthy: Slots;
  readonly #rttMs: Slots; // [e * D + d]
  readonly #sessions: Slots; // [e * D + d]
  readonly #allocation: Slots; // [e * D + d]; a row has one time

  constructor({ edges, datacenters }: Topology) {
    this.#edges = indexById(edges);
    this.#datacenters = indexById(datacenters);
    this.#demandRps = edges.map(() => null);
    this.#up = datacenters.map(() => null);
    this.#healthy = datacenters.map(() => null);
    this.#rttMs = edges.flatMap(() => datacenters.map(() => null));
    this.#sessions = edges.flatMap(() => datacenters.map(() => null));
    this.#allocation = edges.flatMap(() => datacenters.map(() => null));
  }

  /** All of a report or, with a ConfigError that names the trouble, nothing of it. */
  receive(report: TelemetryReport, nowMs: number): Received {
    const observedAtMs = timeOf(report, nowMs);
    const puts: (() => boolean)[] = [];
    const put = (slots: Slots, index: number, value: number): void => {
      puts.push(() => {
        if ((slots[index]?.observedAtMs ?? Number.NEGATIVE_INFINITY) > observedAtMs) return false;
        slots[index] = { value, observedAtMs };
        return true;
      });
    };
    for (const [edge, rps] of Object.entries(report.demandRps))
      put(this.#demandRps, this.#edge(edge, 'demandRps'), rps);
    for (const [datacenter, { state, healthy }] of Object.entries(report.datacenters)) {
      const d = this.#datacenter(datacenter, 'datacenters');
      if (state !== undefined) put(this.#up, d, state === 'normal' ? 1 : 0);
      if (healthy !== undefined) put(this.#healthy, d, healthy ? 1 : 0);
    }
    const putPairs = (slots: Slots, signal: 'rttMs' | 'sessions'): void => {
      for (const [edge, row] of Object.entries(report[signal])) {
        const e = this.#edge(edge, signal);
        for (const [datacenter, value] of Object.entries(row)) {
          put(slots, e * this.#datacenters.size + this.#datacenter(datacenter, `${signal} of ${edge}`), value);
        }
      }
    };
    putPairs(this.#rttMs, 'rttMs');
    putPairs(this.#sessions, 'sessions');
    for (const [edge, shares] of Object.entries(report.allocation)) {
      const e = this.#edge(edge, 'allocation');
      const row = new Array<number>(this.#datacenters.size).fill(0);
      for (const [datacenter, share] of Object.entries(shares)) {
        row[this.#datacenter(datacenter, `allocation of ${edge}`)] = share;
      }
      row.forEach((share, d) => {
        put(this.#allocation, e * row.length + d, share);
      });
    }
    const accepted = puts.filter((take) => take()).length;
    return { accepted, ignored: puts.length - accepted };
  }

  /** What another process was told, before anything is told this one. */
  resume(reported: Telemetry): void {
    const told: readonly (readonly [Slots, Readings])[] = [
      [this.#demandRps, reported.demandRps],
      [this.#up, reported.up],
      [this.#healthy, reported.healthy],
      [this.#rttMs, reported.rttMs],
      [this.#sessions, reported.sessions],
      [this.#allocation, reported.allocation],
    ];
    for (const [slots, readings] of told) slots.splice(0, slots.length, ...readings);
  }

  read(): Telemetry {
    return {
      demandRps: [...this.#demandRps],
      up: [...this.#up],
      healthy: [...this.#healthy],
      rttMs: [...this.#rttMs],
      allocation: [...this.#allocation],
      sessions: [...this.#sessions],
      notes: [],
    };
  }

  #edge(id: string, where: string): number {
    return indexOf(this.#edges, 'edge', id, where);
  }

  #datacenter(id: string, where: string): number {
    return indexOf(this.#datacenters, 'datacenter', id, where);
  }
}

function timeOf({ observedAt }: TelemetryReport, nowMs: number): number {
  const timeMs = parseTimeMs(observedAt);
  if (Number.isNaN(timeMs)) {
    throw new ConfigError(`telemetry: observedAt is ${observedAt}, which is no time, expected one to the millisecond`);
  }
  if (timeMs - nowMs > aheadMsMax) {
    throw new ConfigError(
      `telemetry: observedAt is ${observedAt}, expected at most a minute after now, ${formatTime(nowMs)}; set the clocks right`,
    );
  }
  return timeMs;
}

function indexOf(known: ReadonlyMap<string, number>, noun: string, id: string, where: string): number {
  const index = known.get(id);
  if (index !== undefined) return index;
  throw new ConfigError(
    `telemetry: ${where}: unknown ${noun} "${id}"${didYouMean(id, known.keys())}; report what is in the topology`,
  );
}
