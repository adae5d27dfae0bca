/** What live telemetry remembers, as a text that outlives a restart: the last good values and those in doubt, the moving
 *  means of round trips, what was reported last. Whoever is started with it judges the next telemetry as if nothing had
 *  happened. Declined: in the journal. It is of no use to a replay, which reads what was decided from it, and every
 *  epoch would repeat all of it. */

import type { Topology } from '../../config/topology.ts';
import type { TelemetryMemory } from '../../runtime/judge-telemetry.ts';
import type { Reading, Readings, Telemetry } from '../../runtime/telemetry.ts';

export interface KeptTelemetry {
  readonly memory: TelemetryMemory;
  readonly reported: Telemetry | null; // what was brought here; null: it is asked for
}

type Pair = readonly [value: number, observedAtMs: number] | null;
type Doubted = readonly [good: Pair, suspect: Pair];

/** Plain data, by place as in the lists of names. */
interface Text {
  readonly format: typeof format;
  readonly edges: readonly string[];
  readonly datacenters: readonly string[];
  readonly demandRps: readonly Doubted[];
  readonly up: readonly Doubted[];
  readonly served: readonly number[] | null;
  readonly rtt: readonly (readonly [pair: number, plannedMs: number, meanMs: number, atMs: number | null, Pair])[];
  readonly sessions: readonly (readonly [pair: number, Doubted])[];
  readonly reported: Readonly<Record<Signal, readonly Pair[]>> | null;
}

const format = 1;
const signals = ['demandRps', 'up', 'healthy', 'rttMs', 'allocation', 'sessions'] as const;
type Signal = (typeof signals)[number];

export function encodeMemory({ memory, reported }: KeptTelemetry, topology: Topology): string {
  const { demandRps, up, served, rtt, sessions } = memory;
  const doubted = ({ good, suspect }: (typeof demandRps)[number]): Doubted => [pairOf(good), pairOf(suspect)];
  const text: Text = {
    format,
    ...namesOf(topology),
    demandRps: demandRps.map(doubted),
    up: up.map(doubted),
    served: served && [...served],
    rtt: [...rtt].map(([i, { plannedMs, meanMs, observedAtMs, suspect }]) => [
      i,
      plannedMs,
      meanMs,
      Number.isFinite(observedAtMs) ? observedAtMs : null, // nothing was believed yet
      pairOf(suspect),
    ]),
    sessions: [...sessions].map(([i, one]) => [i, doubted(one)]),
    reported: reported && recordOf((signal) => reported[signal].map(pairOf)),
  };
  return JSON.stringify(text);
}

/** Null where the text is of other places or of another version of this file: then all is learnt anew. */
export function decodeMemory(text: string, topology: Topology): KeptTelemetry | null {
  const kept = JSON.parse(text) as Text;
  const { edges, datacenters } = namesOf(topology);
  const isSame = (a: readonly string[], b: readonly string[]): boolean => a.join(' ') === b.join(' ');
  if (kept.format !== format || !isSame(kept.edges, edges) || !isSame(kept.datacenters, datacenters)) return null;
  const doubted = ([good, suspect]: Doubted) => ({ good: readingOf(good), suspect: readingOf(suspect) });
  return {
    memory: {
      demandRps: kept.demandRps.map(doubted),
      up: kept.up.map(doubted),
      served: kept.served && Float64Array.from(kept.served),
      rtt: new Map(
        kept.rtt.map(([i, plannedMs, meanMs, atMs, suspect]) => [
          i,
          { plannedMs, meanMs, observedAtMs: atMs ?? Number.NEGATIVE_INFINITY, suspect: readingOf(suspect) },
        ]),
      ),
      sessions: new Map(kept.sessions.map(([i, one]) => [i, doubted(one)])),
    },
    reported: kept.reported && { ...recordOf((signal) => kept.reported![signal].map(readingOf)), notes: [] },
  };
}

function recordOf<T>(of: (signal: Signal) => T): Record<Signal, T> {
  return Object.fromEntries(signals.map((signal) => [signal, of(signal)])) as Record<Signal, T>;
}

function namesOf({ edges, datacenters }: Topology): Pick<Text, 'edges' | 'datacenters'> {
  return { edges: edges.map(({ id }) => id), datacenters: datacenters.map(({ id }) => id) };
}

function pairOf(reading: Readings[number]): Pair {
  return reading && [reading.value, reading.observedAtMs];
}

function readingOf(pair: Pair): Reading | null {
  return pair && { value: pair[0], observedAtMs: pair[1] };
}
