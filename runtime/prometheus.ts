/** Answers of Prometheus' HTTP API (/api/v1/query, instant vectors) made telemetry. What a query did not bring is
 *  missing, and a note says why; nothing of it is ever zero.
 *
 *  A sample's own time is that of the query, not of the scrape. A target that is gone is told by its absence
 *  (Prometheus marks its series stale at the next scrape); how old a sum is can be asked by a query of its own. */

import { z } from 'zod';
import { indexById, type Topology } from '../config/topology.ts';
import type { Reading, Readings, Telemetry } from './telemetry.ts';

export type PrometheusAnswer =
  | { readonly kind: 'vector'; readonly samples: readonly Sample[]; readonly warnings: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string };

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly timeMs: number;
  readonly value: number;
}

export type PrometheusSignal =
  | 'demandRps'
  | 'demandObservedAt'
  | 'datacenterUp'
  | 'datacenterHealthy'
  | 'rttMs'
  | 'rttObservedAt'
  | 'allocation'
  | 'sessions'
  | 'sessionsObservedAt';

/** Signal -> what came of its query; signals without a query are absent. */
export type PrometheusAnswers = ReadonlyMap<PrometheusSignal, PrometheusAnswer>;

const answerSchema = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    data: z.object({ resultType: z.string(), result: z.unknown() }),
    warnings: z.array(z.string()).default([]),
  }),
  z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() }),
]);

const vectorSchema = z.array(
  z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
);

/** What a server answered, whatever that is. */
export function parsePrometheusAnswer(status: number, text: string): PrometheusAnswer {
  const failed = (message: string): PrometheusAnswer => ({ kind: 'failed', message: oneLine(message) });
  const answer = answerSchema.safeParse(jsonOf(text));
  if (!answer.success) return failed(`HTTP ${status} without an answer of Prometheus; check the url`);
  if (answer.data.status === 'error') return failed(`${answer.data.errorType}: ${answer.data.error}`);
  const { data, warnings } = answer.data;
  if (data.resultType !== 'vector') return failed(`it gives a ${data.resultType}, expected an instant vector`);
  const vector = vectorSchema.safeParse(data.result);
  if (!vector.success) return failed('its vector holds something else than samples (a native histogram?)');
  const samples = vector.data.map(({ metric, value: [seconds, value] }) => ({
    labels: metric,
    timeMs: Math.round(seconds * 1000),
    value: numberOf(value),
  }));
  return { kind: 'vector', samples, warnings: warnings.map(oneLine) };
}

/** Series of places that the topology does not have are left out: monitors watch more than one service. */
export function prometheusTelemetry(answers: PrometheusAnswers, topology: Topology): Telemetry {
  const notes: string[] = [];
  const edges = indexById<string>(topology.edges);
  const datacenters = indexById<string>(topology.datacenters);
  const read = (signal: PrometheusSignal, places: readonly Place[]): Readings =>
    readingsOf(answers.get(signal), signal, places, notes);
  const byEdge: Place = { label: 'edge', known: edges };
  const byDatacenter: Place = { label: 'datacenter', known: datacenters };
  const timed = (signal: PrometheusSignal, times: PrometheusSignal, places: readonly Place[]): Readings => {
    const readings = read(signal, places);
    if (!answers.has(times)) return readings;
    const observedAt = read(times, places);
    // Of unknown age, a value is not to be used.
    return readings.map(
      (reading, i) => reading && { ...reading, observedAtMs: (observedAt[i]?.value ?? Number.NaN) * 1000 },
    );
  };
  return {
    demandRps: timed('demandRps', 'demandObservedAt', [byEdge]),
    up: read('datacenterUp', [byDatacenter]),
    healthy: read('datacenterHealthy', [byDatacenter]),
    rttMs: timed('rttMs', 'rttObservedAt', [byEdge, byDatacenter]),
    allocation: read('allocation', [byEdge, byDatacenter]),
    sessions: timed('sessions', 'sessionsObservedAt', [byEdge, byDatacenter]),
    notes,
  };
}

interface Place {
  readonly label: string;
  readonly known: ReadonlyMap<string, number>;
}

function readingsOf(
  answer: PrometheusAnswer | undefined,
  signal: PrometheusSignal,
  places: readonly Place[],
  notes: string[],
): Readings {
  const readings = new Array<Reading | null>(places.reduce((size, { known }) => size * known.size, 1)).fill(null);
  if (answer === undefined) return readings;
  if (answer.kind === 'failed') {
    notes.push(`query ${signal}: ${answer.message}`);
    return readings;
  }
  for (const warning of answer.warnings) notes.push(`query ${signal}: warning: ${warning}`);
  const labels = places.map(({ label }) => label).join(', ');
  const seen = new Set<number>();
  const twice = new Set<number>();
  let unlabelled = 0;
  for (const { labels: of, timeMs, value } of answer.samples) {
    const names = places.map(({ label }) => (Object.hasOwn(of, label) ? of[label]! : ''));
    if (names.includes('')) {
      unlabelled += 1;
      continue;
    }
    const index = indexOf(places, names);
    if (index === null) continue;
    if (seen.has(index)) twice.add(index);
    seen.add(index);
    readings[index] = { value, observedAtMs: timeMs };
  }
  const aggregate = `aggregate it, as in "sum by (${labels}) (...)"`;
  if (unlabelled > 0) notes.push(`query ${signal}: ${unlabelled} series without ${labels}; ${aggregate}`);
  // Which of two to believe, nobody knows.
  for (const index of twice) readings[index] = null;
  if (twice.size > 0) notes.push(`query ${signal}: several series for one ${labels}; ${aggregate}`);
  return readings;
}

/** Of a row-major array over all places; null where one of them is unknown. */
function indexOf(places: readonly Place[], names: readonly string[]): number | null {
  let index = 0;
  for (const [i, { known }] of places.entries()) {
    const at = known.get(names[i]!.normalize('NFC'));
    if (at === undefined) return null;
    index = index * known.size + at;
  }
  return index;
}

/** As Prometheus writes them. */
function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return text.trim() === '' ? Number.NaN : Number(text);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 300);
}
