/** A forecaster that is stopped after any epoch and resumed from bytes says what one that went on says. */

import { expect, test } from 'vitest';
import { generateWorld } from '../../../config/generate.ts';
import { edgeId } from '../../../config/ids.ts';
import { seededRandom } from '../../../config/random.ts';
import type { Topology } from '../../../config/topology.ts';
import { decodeForecast, encodeForecast } from '../../../pipeline/server/forecast-memory.ts';
import { LiveTelemetry } from '../../../pipeline/server/live-telemetry.ts';
import { Forecaster, type ForecastState } from '../../../runtime/forecast.ts';
import { limits } from '../../telemetry-limits.ts';

const { topology } = generateWorld({ seed: 7, edges: 3, datacenters: 2, users: 50, days: 1 });
const epochMs = 3_600_000;
const startMs = 1_800_000_000_000;

function forecaster(edges: number, ofEpochMs = epochMs): Forecaster {
  return new Forecaster({ edges, epochMs: ofEpochMs, kind: 'holt-winters' });
}

function learnt(hours: number, edges = 3): ForecastState {
  const random = seededRandom(`learnt ${hours}`);
  const one = forecaster(edges);
  for (let hour = 0; hour < hours; hour++) {
    const seen = Float64Array.from({ length: edges }, () => (random() < 0.1 ? Number.NaN : 100 * random()));
    one.observe(startMs + hour * epochMs, seen);
  }
  return one.state;
}

test.each([0, 1, 30, 24 * 9])('nothing is lost on the way through bytes, after %i hours', (hours) => {
  const state = learnt(hours);
  expect(decodeForecast(encodeForecast(state, topology, epochMs), topology, epochMs, forecaster(3).state)).toEqual(
    state,
  );
});

test('edges are known by their names: one that is new learns, the others go on', () => {
  const state = learnt(30);
  const [a, b, c] = topology.edges;
  const grown: Topology = { ...topology, edges: [c!, { ...a!, id: edgeId('new', 'here') }, b!] };
  const bytes = encodeForecast(state, topology, epochMs);
  const found = decodeForecast(bytes, grown, epochMs, forecaster(3).state)!;
  expect(found.edges).toEqual([state.edges[2], null, state.edges[1]]);
  const resumed = new Forecaster({ edges: 3, epochMs, kind: 'holt-winters' }, found);
  expect(resumed.state.edges[1]).toEqual(forecaster(3).state.edges[1]);
});

test('bytes that were cut off, of other epochs or of another version are not taken for what was learnt', () => {
  const bytes = encodeForecast(learnt(30), topology, epochMs);
  const like = forecaster(3).state;
  expect(decodeForecast(bytes.subarray(0, bytes.length - 1), topology, epochMs, like)).toBe(null);
  expect(decodeForecast(bytes.subarray(0, 10), topology, epochMs, like)).toBe(null);
  expect(decodeForecast(bytes, topology, epochMs / 2, like)).toBe(null);
  expect(decodeForecast(bytes, topology, epochMs, forecaster(3, epochMs / 2).state)).toBe(null);
  const later = new TextEncoder().encode(new TextDecoder('latin1').decode(bytes).replace('"format":1', '"format":2'));
  expect(decodeForecast(later, topology, epochMs, like)).toBe(null);
});

test('live telemetry that is killed after any epoch plans on what one plans on that lives', async () => {
  const random = seededRandom('killed');
  let nowMs = startMs;
  let demand: readonly number[] = [];
  const open = (): LiveTelemetry =>
    new LiveTelemetry({
      topology,
      limits,
      epochMs,
      forecast: 'holt-winters',
      read: () => ({
        demandRps: demand.map((value) => ({ value, observedAtMs: nowMs })),
        up: [1, 1].map((value) => ({ value, observedAtMs: nowMs })),
        healthy: [null, null],
        rttMs: [],
        allocation: [],
        sessions: [],
        notes: [],
      }),
    });
  const lasting = open();
  let restarted = open();
  let forecasts = 0;
  for (let epoch = 0; epoch < 60; epoch++, nowMs += epochMs) {
    demand = [0, 1, 2].map((e) => 1000 + 300 * Math.sin(epoch / 4 + e) + 10 * random());
    const lives = await lasting.observe(nowMs, nowMs, () => null);
    // Killed once before it planned: the same epoch comes again.
    for (let time = 0; time < (random() < 0.3 ? 2 : 1); time++) {
      const came = await restarted.observe(nowMs, nowMs, () => null);
      expect(came.kind === 'observed' && came.demandRps, `epoch ${epoch}`).toEqual(
        lives.kind === 'observed' && lives.demandRps,
      );
      if (came.kind === 'observed' && came.demandRps[0] !== demand[0]) forecasts += 1;
      const { remembered } = restarted;
      const bytes = encodeForecast(restarted.forecast!, topology, epochMs);
      restarted = open();
      restarted.resume(remembered);
      restarted.resumeForecast(decodeForecast(bytes, topology, epochMs, restarted.forecast!)!);
    }
  }
  expect(forecasts).toBeGreaterThan(20);
});
