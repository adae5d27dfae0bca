/** Answers of Prometheus as telemetry: what they do not say is missing with a note, never zero and never a crash. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generateWorld } from '../../config/generate.ts';
import { judgeTelemetry, nothingRemembered } from '../../runtime/judge-telemetry.ts';
import { type PrometheusSignal, parsePrometheusAnswer, prometheusTelemetry } from '../../runtime/prometheus.ts';
import { limits } from '../telemetry-limits.ts';

const { topology } = generateWorld({ seed: 7, edges: 3, datacenters: 2, users: 50, days: 1 });
const [a, b, c] = topology.edges.map(({ id }): string => id) as [string, string, string];
const [x, y] = topology.datacenters.map(({ id }): string => id) as [string, string];
const seconds = 1_800_000_000.5;

type Series = readonly [Record<string, string>, string];

const vector = (series: readonly Series[], more: object = {}) =>
  JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: series.map(([metric, value]) => ({ metric, value: [seconds, value] })) },
    ...more,
  });

function telemetry(texts: Partial<Record<PrometheusSignal, string>>) {
  const entries = Object.entries(texts).map(([signal, text]) => [signal, parsePrometheusAnswer(200, text)] as const);
  return prometheusTelemetry(
    new Map(entries as [PrometheusSignal, ReturnType<typeof parsePrometheusAnswer>][]),
    topology,
  );
}

const at = (value: number) => ({ value, observedAtMs: 1_800_000_000_500 });

test('series come to their edges and datacenters by label, at the time of the query; others are left out', () => {
  const said = telemetry({
    demandRps: vector([
      [{ edge: b, __name__: 'rps' }, '2.5'],
      [{ edge: a }, '1e3'],
      [{ edge: 'elsewhere' }, '9'],
    ]),
    datacenterUp: vector([
      [{ datacenter: y }, '0'],
      [{ datacenter: x }, '1'],
    ]),
    datacenterHealthy: vector([[{ datacenter: x }, '0']]),
    rttMs: vector([[{ edge: a, datacenter: y }, '31.5']]),
    allocation: vector([[{ edge: b, datacenter: y }, '0.25']]),
    sessions: vector([[{ edge: b, datacenter: x }, '120']]),
    sessionsObservedAt: vector([[{ edge: b, datacenter: x }, '1799999000']]),
  });
  expect(said).toEqual({
    demandRps: [at(1000), at(2.5), null],
    up: [at(1), at(0)],
    healthy: [at(0), null],
    rttMs: [null, at(31.5), null, null, null, null],
    allocation: [null, null, null, at(0.25), null, null],
    sessions: [null, null, { value: 120, observedAtMs: 1_799_999_000_000 }, null, null, null],
    notes: [],
  });
});

test('round trips have an age of their own where a query tells it', () => {
  const { rttMs } = telemetry({
    rttMs: vector([
      [{ edge: a, datacenter: x }, '12'],
      [{ edge: b, datacenter: x }, '13'],
    ]),
    rttObservedAt: vector([[{ edge: a, datacenter: x }, '1799999000']]),
  });
  expect(rttMs[0]).toEqual({ value: 12, observedAtMs: 1_799_999_000_000 });
  expect(rttMs[2]).toEqual({ value: 13, observedAtMs: Number.NaN });
});

test('the age of a value is that of its samples where a query tells it, and unknown where it then does not', () => {
  const { demandRps } = telemetry({
    demandRps: vector([
      [{ edge: a }, '1'],
      [{ edge: b }, '2'],
    ]),
    demandObservedAt: vector([[{ edge: a }, '1799999000.25']]),
  });
  expect(demandRps).toEqual([
    { value: 1, observedAtMs: 1_799_999_000_250 },
    { value: 2, observedAtMs: Number.NaN },
    null,
  ]);
});

describe('what went wrong is a note, and the value is missing:', () => {
  test.each<[string, string, RegExp]>([
    [
      'two series for one edge',
      vector([
        [{ edge: a, pod: '1' }, '1'],
        [{ edge: a, pod: '2' }, '2'],
      ]),
      /^query demandRps: several series for one edge; aggregate it, as in "sum by \(edge\)/,
    ],
    ['a series without the label', vector([[{ pod: '1' }, '1']]), /1 series without edge; aggregate/],
    [
      'an error',
      '{"status":"error","errorType":"bad_data","error":"1:2: parse error:\\n no"}',
      /^query demandRps: bad_data: 1:2: parse error: no$/,
    ],
    [
      'a scalar',
      '{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}',
      /a scalar, expected an instant vector/,
    ],
    [
      'histograms',
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}',
      /native histogram/,
    ],
    ['a page of a proxy', '<html>502</html>', /HTTP 200 without an answer of Prometheus; check the url/],
    ['nothing', '', /HTTP 200 without/],
  ])('%s', (_, text, note) => {
    const said = telemetry({ demandRps: text });
    expect(said.demandRps).toEqual([null, null, null]);
    expect(said.notes).toEqual([expect.stringMatching(note)]);
  });

  test('a warning of a partial answer is a note beside the values', () => {
    const said = telemetry({ demandRps: vector([[{ edge: a }, '1']], { warnings: ['remote read:\nno'] }) });
    expect(said.demandRps).toEqual([at(1), null, null]);
    expect(said.notes).toEqual(['query demandRps: warning: remote read: no']);
  });
});

test('NaN and infinities come across as they are, for the judge to name', () => {
  const said = telemetry({
    demandRps: vector([
      [{ edge: a }, 'NaN'],
      [{ edge: b }, '+Inf'],
      [{ edge: c }, '-Inf'],
    ]),
    datacenterUp: vector([
      [{ datacenter: x }, ''],
      [{ datacenter: y }, '1'],
    ]),
  });
  expect(said.demandRps.map((reading) => reading?.value)).toEqual([Number.NaN, Infinity, -Infinity]);
  expect(said.up[0]!.value).toBe(Number.NaN);
});

test('no answer crashes, and none brings an epoch to plan on what is no number', () => {
  const label = fc.constantFrom(a, b, c, x, y, 'elsewhere', '', '__proto__');
  const metric = fc.dictionary(fc.constantFrom('edge', 'datacenter', 'constructor', '__proto__'), label, {
    maxKeys: 3,
  });
  const value = fc.oneof(fc.constantFrom('NaN', '+Inf', '-1', '1', '0', '', 'x'), fc.double().map(String));
  const result = fc.array(fc.record({ metric, value: fc.tuple(fc.oneof(fc.constant(seconds), fc.double()), value) }), {
    maxLength: 6,
  });
  const text = fc.oneof(
    {
      weight: 6,
      arbitrary: result.map((of) => JSON.stringify({ status: 'success', data: { resultType: 'vector', result: of } })),
    },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.string() },
    {
      weight: 4,
      arbitrary: fc.constant(
        vector([
          [{ edge: a }, '1'],
          [{ edge: b }, '2'],
          [{ edge: c }, '3'],
        ]),
      ),
    },
    {
      weight: 4,
      arbitrary: fc.constant(
        vector([
          [{ datacenter: x }, '1'],
          [{ datacenter: y }, '1'],
        ]),
      ),
    },
  );
  const seen = { usable: 0, held: 0 };
  fc.assert(
    fc.property(
      text,
      text,
      text,
      text,
      text,
      (demandRps, datacenterUp, datacenterHealthy, allocation, demandObservedAt) => {
        const all = { demandRps, datacenterUp, datacenterHealthy, allocation };
        const said = telemetry(demandObservedAt.length % 2 ? all : { ...all, demandObservedAt });
        for (const note of said.notes) expect(note).toMatch(/^query \w+: .+$/);
        const { decision } = judgeTelemetry(said, nothingRemembered(topology), {
          topology,
          limits,
          nowMs: seconds * 1000,
          served: null,
        });
        seen[decision.kind] += 1;
        if (decision.kind === 'usable')
          for (const rps of decision.demandRps) expect(rps >= 0 && rps < Infinity).toBe(true);
      },
    ),
    { seed: 3, numRuns: 2000 },
  );
  expect(seen.usable).toBeGreaterThan(20);
  expect(seen.held).toBeGreaterThan(20);
});
