/** A control plane that plans on a forecast: from what the world showed before, and recorded as it was planned on. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { generateWorld } from '../../../config/generate.ts';
import type { World } from '../../../config/world.ts';
import { replayJournal } from '../../../pipeline/server/io/recorded-file.ts';
import { firstStartMs, observeWorld, WorldTelemetry } from '../../../pipeline/server/world-telemetry.ts';
import { Forecaster } from '../../../runtime/forecast.ts';
import { run, service, smallSetting } from './small-setting.ts';

const world = generateWorld({ seed: 3, edges: 3, datacenters: 2, users: 20, days: 2 });
const epochMs = 300_000;
const steps = world.demand.timesMs.length;

test('with forecast last, telemetry is the demand of the step that ended', () => {
  const source = { world, repeat: true };
  const telemetry = new WorldTelemetry(source, 'last');
  for (const epoch of [0, 1, steps - 1, steps, 3 * steps]) {
    const startMs = firstStartMs(source) + epoch * epochMs;
    expect(telemetry.observe(startMs)).toEqual(observeWorld(source, startMs));
  }
});

test('a forecast is that of a forecaster which observed every step before, beyond the end of a repeated world too', () => {
  const source = { world, repeat: true };
  const telemetry = new WorldTelemetry(source, 'holt-winters');
  const forecaster = new Forecaster({ edges: 3, epochMs, kind: 'holt-winters' });
  let differs = 0;
  for (let step = 0; step < steps + 20; step++) {
    const startMs = world.demand.timesMs[0]! + (step + 1) * epochMs;
    const t = (step % steps) * 3;
    forecaster.observe(startMs - epochMs, world.demand.rps.slice(t, t + 3));
    const observed = telemetry.observe(startMs);
    expect(observed, `step ${step}`).toEqual({ ...observeWorld(source, startMs), demandRps: forecaster.next(startMs) });
    if (observed.kind === 'observed' && observed.demandRps[0] !== world.demand.rps[t]) differs += 1;
  }
  expect(differs).toBeGreaterThan(steps / 2);
});

test('a start in the middle forecasts as if it had been there from the beginning', () => {
  const source = { world, repeat: true };
  const always = new WorldTelemetry(source, 'holt-winters');
  const startMs = (epoch: number): number => firstStartMs(source) + epoch * epochMs;
  for (let epoch = 0; epoch < steps + 50; epoch++) {
    const observed = always.observe(startMs(epoch));
    if (epoch % 97 !== 0) continue;
    expect(new WorldTelemetry(source, 'holt-winters').observe(startMs(epoch)), `epoch ${epoch}`).toEqual(observed);
  }
});

test('a forecast sees nothing later than the start of its epoch', () => {
  const at = 400;
  const startMs = world.demand.timesMs[at]!;
  const other: World = {
    ...world,
    demand: { ...world.demand, rps: world.demand.rps.map((rps, i) => (i < at * 3 ? rps : 7)) },
  };
  const seen = [world, other].map((one) =>
    new WorldTelemetry({ world: one, repeat: true }, 'holt-winters').observe(startMs),
  );
  expect(seen[0]).toEqual(seen[1]);
  const later = [world, other].map((one) =>
    new WorldTelemetry({ world: one, repeat: true }, 'holt-winters').observe(startMs + epochMs),
  );
  expect(later[0]).not.toEqual(later[1]);
});

test('epochs shorter than the steps of the world, and ends of a world that does not repeat', () => {
  const hourly: World = {
    ...world,
    demand: {
      timesMs: world.demand.timesMs.filter((_, t) => t % 12 === 0),
      rps: world.demand.rps.filter((_, i) => Math.floor(i / 3) % 12 === 0),
    },
  };
  const source = { world: hourly, repeat: false };
  const telemetry = new WorldTelemetry(source, 'holt-winters');
  const firstMs = hourly.demand.timesMs[0]!;
  expect(telemetry.observe(firstMs).kind).toBe('nothing');
  for (let startMs = firstStartMs(source); startMs < firstMs + 48 * 3_600_000; startMs += epochMs) {
    const observed = telemetry.observe(startMs);
    expect(observed.kind === 'observed' && observed.demandRps.every((rps) => rps > 0)).toBe(true);
  }
  expect(telemetry.observe(firstMs + 49 * 3_600_000).kind).toBe('nothing');
});

test('epochs planned on a forecast are recorded with it, and replay byte for byte', async () => {
  const setting = smallSetting();
  const policy = { apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service }, spec: { forecast: 'holt-winters' } };
  writeFileSync(join(setting.directory, 'forecast.yaml'), stringify(policy));
  const { timesMs } = setting.world.demand;
  const from = new Date(timesMs[150]!).toISOString().replace('.000Z', 'Z');
  const server = await run(setting, {
    policy: 'forecast.yaml',
    telemetry: { kind: 'world', dir: 'world', repeat: true, from },
  });
  await server.epoch(({ epoch }) => epoch >= 4);
  await server.stop();
  const directory = join(setting.directory, 'data', 'journal');
  const inputs: { readonly startMs: number; readonly demandRps: readonly number[] }[] = [];
  for (const file of readdirSync(directory).sort()) {
    expect(await replayJournal(join(directory, file)), file).toMatchObject({ difference: null });
    const lines = readFileSync(join(directory, file), 'utf8').trim().split('\n');
    inputs.push(...lines.map((line) => JSON.parse(line).record).filter(({ kind }) => kind === 'inputs'));
  }
  expect(inputs.length).toBeGreaterThanOrEqual(5);
  const telemetry = new WorldTelemetry({ world: setting.world, repeat: true }, 'holt-winters');
  for (const { startMs, demandRps } of inputs) {
    const observed = telemetry.observe(startMs);
    expect(demandRps).toEqual(observed.kind === 'observed' ? [...observed.demandRps] : null);
  }
});
