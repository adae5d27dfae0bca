/** Live telemetry in its order: read, judged, then forecast; alerts come and go with what they are about. */

import { expect, test } from 'vitest';
import { generateWorld } from '../../../config/generate.ts';
import { LiveTelemetry } from '../../../pipeline/server/live-telemetry.ts';
import type { Telemetry } from '../../../runtime/telemetry.ts';
import { limits } from '../../telemetry-limits.ts';

const { topology } = generateWorld({ seed: 7, edges: 3, datacenters: 2, users: 50, days: 1 });
const epochMs = 300_000;
const startMs = 1_800_000_000_000;

/** Epochs in a row; each is told the demand, and whether the first datacenter is healthy. */
async function run(
  forecast: 'last' | 'holt-winters',
  epochs: readonly {
    readonly rps: readonly (number | null)[];
    readonly healthy?: boolean;
    readonly notes?: string[];
  }[],
) {
  let said: Telemetry;
  const live = new LiveTelemetry({ topology, limits, epochMs, forecast, read: () => said });
  const observed = [];
  for (const [i, { rps, healthy = true, notes = [] }] of epochs.entries()) {
    const nowMs = startMs + i * epochMs;
    const reading = (value: number | null) => (value === null ? null : { value, observedAtMs: nowMs });
    said = {
      demandRps: rps.map(reading),
      up: [1, 1].map(reading),
      healthy: [healthy ? 1 : 0, null].map(reading),
      rttMs: [],
      allocation: [],
      sessions: [],
      notes,
    };
    observed.push(await live.observe(nowMs, nowMs, () => null));
  }
  return observed;
}

test('alerts start with what they are about and are over with it', async () => {
  const good = { rps: [1, 2, 3] };
  const observed = await run('last', [good, { rps: [null, 2, 3], healthy: false }, { ...good, notes: ['slow'] }, good]);
  expect(observed.map(({ notices }) => [...notices!.values()])).toEqual([
    [null, null, null],
    [
      `demandRps of edge "${topology.edges[0]!.id}" is missing`,
      `unhealthy by their service metrics: ${topology.datacenters[0]!.id}`,
      null,
    ],
    ['slow', null, null],
    [null, null, null],
  ]);
});

test('a held epoch has the alert of its own, and not that of a few values', async () => {
  const [, held] = await run('last', [{ rps: [1, 2, 3] }, { rps: [null, null, null] }]);
  expect(held).toMatchObject({ kind: 'nothing', message: expect.stringContaining('no edge has a usable demand') });
  expect(held!.notices!.get('telemetry-partial')).toBe(null);
});

test('the forecast follows what was seen, and what stands in for an edge is planned on as it is', async () => {
  const rising = Array.from({ length: 40 }, (_, i) => ({ rps: [1000 + 20 * i, 1000, 1000] }));
  const silent = { rps: [null, 1000, 1000] };
  const observed = await run('holt-winters', [...rising, silent, { rps: [1820, 1000, 1000] }]);
  const first = observed.map((one) => (one.kind === 'observed' ? one.demandRps[0]! : Number.NaN));
  expect(Math.abs(first[39]! - 1800)).toBeLessThan(10); // the trend goes on: 1780 was seen
  expect(first[40]).toBe(1780); // the last good value, not a guess
  expect(first[41]!).toBeGreaterThan(1780);
});

test('an edge that the forecast has never seen is not planned on as zero', async () => {
  // Held from the start, so that nothing was learnt when the first edge falls silent.
  const observed = await run('holt-winters', [{ rps: [10, 20, null] }, { rps: [null, 20, 30] }]);
  expect(observed[0]!.kind).toBe('nothing');
  expect(observed[1]).toMatchObject({ kind: 'observed', demandRps: Float64Array.of(10, 20, 30) });
});

test('a source that throws holds the epoch instead of ending the loop', async () => {
  for (const error of [new Error('gone'), 'gone']) {
    const read = () => Promise.reject(error);
    const live = new LiveTelemetry({ topology, limits, epochMs, forecast: 'last', read });
    expect(await live.observe(0, 0, () => null)).toEqual({ kind: 'nothing', message: 'the source failed: gone' });
  }
});
