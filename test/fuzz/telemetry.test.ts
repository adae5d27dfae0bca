/** Every field of a report and every part of an answer of Prometheus spoiled, one at a time and several together: refused
 *  with a name, or judged, and what is usable is planned with to a whole table. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfigError } from '../../config/errors.ts';
import { parsePolicy } from '../../config/policy.ts';
import { checkTelemetryReport } from '../../config/telemetry-report.ts';
import { LiveTelemetry } from '../../pipeline/server/live-telemetry.ts';
import { PushedTelemetry } from '../../pipeline/server/pushed-telemetry.ts';
import type { Observed } from '../../pipeline/server/telemetry-source.ts';
import type { TelemetryLimits } from '../../runtime/judge-telemetry.ts';
import { type PrometheusSignal, parsePrometheusAnswer, prometheusTelemetry } from '../../runtime/prometheus.ts';
import type { Telemetry } from '../../runtime/telemetry.ts';
import { limits as usual } from '../telemetry-limits.ts';
import { fleet, madeOrRefused, planned } from './fleet.ts';
import { anyNasty, nastyValues, pathsOf, runs, spoiled } from './nasty.ts';

const limits: TelemetryLimits = { ...usual, filledShareMax: 0.2 };
const nowMs = Date.parse('2026-03-02T00:10:00Z');
const policy = parsePolicy('{ apiVersion: taiji/v1, kind: Policy, metadata: { service: web } }', 'p');

/** The same inputs give the same plan: once is enough. */
const plannedWith = new Set<string>();

/** Two epochs as `read` tells them, the first one good; what the second came to. */
async function observed(good: Telemetry, said: Telemetry, forecast: 'last' | 'holt-winters'): Promise<Observed> {
  let tells = good;
  const source = new LiveTelemetry({ topology: fleet, limits, epochMs: 300_000, forecast, read: () => tells });
  const served = Float64Array.of(1, 0, 0.5, 0.5, 0, 1);
  await source.observe(nowMs, nowMs, () => served);
  tells = said;
  const second = await source.observe(nowMs + 300_000, nowMs + 300_000, () => served);
  for (const message of [...(second.notices ?? new Map()).values()])
    expect(message ?? 'none').not.toMatch(/\n|undefined/);
  if (second.kind === 'nothing') {
    expect(second.message).toMatch(/^[^\n]+$/);
    return second;
  }
  const { rttMs = null } = second;
  if (rttMs && !rttMs.every((ms) => ms >= 0 && ms < 60_000)) throw new Error(`round trips ${rttMs}`);
  const inputs = JSON.stringify([[...second.demandRps], second.states, rttMs && [...rttMs]]);
  if (plannedWith.has(inputs)) return second;
  plannedWith.add(inputs);
  const topology = rttMs ? { ...fleet, rttMs } : fleet;
  await planned({ topology, policy, demandRps: [second.demandRps], states: [second.states] });
  return second;
}

const report = {
  observedAt: '2026-03-02T00:10:00Z',
  demandRps: { e0: 400, e1: 100.5, e2: 0 },
  datacenters: { d0: { state: 'normal', healthy: true }, d1: { state: 'normal' } },
  rttMs: { e0: { d0: 12, d1: 31 }, e1: { d1: 300 } },
  allocation: { e0: { d0: 1, d1: 0 }, e1: { d0: 0.5, d1: 0.5 } },
};

/** The values as a body brings them: JSON has neither NaN nor infinity. */
function bodyOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? 'null');
}

async function pushed(value: unknown): Promise<Observed | null> {
  const received = new PushedTelemetry(fleet);
  received.receive(checkTelemetryReport(report, 'telemetry'), nowMs);
  const good = received.read();
  const taken = madeOrRefused(/^telemetry: /, () =>
    received.receive(checkTelemetryReport(value, 'telemetry'), nowMs + 300_000),
  );
  if (!taken) {
    expect(received.read()).toEqual(good); // nothing of a refused report is taken
    return null;
  }
  return observed(good, received.read(), 'holt-winters');
}

test('the report that is spoiled is a good one', async () => {
  expect(await pushed({ ...report, observedAt: '2026-03-02T00:15:00Z' })).toMatchObject({ kind: 'observed' });
});

test('each field of a report with each nasty value, and without', async () => {
  const later = { ...report, observedAt: '2026-03-02T00:15:00Z' };
  for (const path of pathsOf(later)) {
    for (const value of [...nastyValues, undefined]) {
      const body = bodyOf(spoiled(later, path, value));
      await named(`${path.join('.')} = ${JSON.stringify(value)?.slice(0, 80)}`, () => pushed(body));
    }
  }
});

test('whatever body comes, names and all', async () => {
  const names = fc.constantFrom('e0', 'e1', 'd0', '__proto__', 'constructor', 'toString', '', '💩');
  const body = fc.oneof(
    anyNasty,
    fc.record(
      {
        observedAt: fc.constantFrom('2026-03-02T00:15:00Z', '2026-03-02', '9999-12-31T23:59:60Z', ''),
        demandRps: fc.oneof(fc.dictionary(names, anyNasty), anyNasty),
        datacenters: fc.oneof(fc.dictionary(names, anyNasty), anyNasty),
        rttMs: fc.oneof(fc.dictionary(names, fc.oneof(fc.dictionary(names, anyNasty), anyNasty)), anyNasty),
        allocation: fc.oneof(fc.dictionary(names, fc.oneof(fc.dictionary(names, anyNasty), anyNasty)), anyNasty),
        sessions: fc.oneof(fc.dictionary(names, fc.oneof(fc.dictionary(names, anyNasty), anyNasty)), anyNasty),
      },
      { requiredKeys: ['observedAt'], noNullPrototype: true },
    ),
  );
  await fc.assert(
    fc.asyncProperty(body, async (value) => {
      await pushed(bodyOf(value));
    }),
    runs(500),
  );
});

const seconds = nowMs / 1000;
const vector = (...samples: readonly [metric: object, value: string][]) => ({
  status: 'success',
  data: { resultType: 'vector', result: samples.map(([metric, value]) => ({ metric, value: [seconds + 300, value] })) },
});
const answers: Readonly<Record<PrometheusSignal, unknown>> = {
  demandRps: vector([{ edge: 'e0' }, '400'], [{ edge: 'e1' }, '100.5'], [{ edge: 'e2' }, '0']),
  demandObservedAt: vector(
    [{ edge: 'e0' }, `${seconds}`],
    [{ edge: 'e1' }, `${seconds}`],
    [{ edge: 'e2' }, `${seconds}`],
  ),
  datacenterUp: vector([{ datacenter: 'd0' }, '1'], [{ datacenter: 'd1' }, '1']),
  datacenterHealthy: vector([{ datacenter: 'd0' }, '0'], [{ datacenter: 'd1' }, '1']),
  rttMs: vector([{ edge: 'e0', datacenter: 'd0' }, '12'], [{ edge: 'e1', datacenter: 'd1' }, '300']),
  rttObservedAt: vector(
    [{ edge: 'e0', datacenter: 'd0' }, `${seconds}`],
    [{ edge: 'e1', datacenter: 'd1' }, `${seconds}`],
  ),
  allocation: vector(
    [{ edge: 'e0', datacenter: 'd0' }, '1'],
    [{ edge: 'e1', datacenter: 'd0' }, '0.5'],
    [{ edge: 'e1', datacenter: 'd1' }, '0.5'],
  ),
  sessions: vector([{ edge: 'e0', datacenter: 'd0' }, '300'], [{ edge: 'e1', datacenter: 'd1' }, '40']),
  sessionsObservedAt: vector(
    [{ edge: 'e0', datacenter: 'd0' }, `${seconds}`],
    [{ edge: 'e1', datacenter: 'd1' }, `${seconds}`],
  ),
};
const signals = Object.keys(answers) as PrometheusSignal[];

function told(texts: Readonly<Record<string, string>>): Telemetry {
  const parsed = signals.map((signal) => [signal, parsePrometheusAnswer(200, texts[signal]!)] as const);
  return prometheusTelemetry(new Map(parsed), fleet);
}

const texts = Object.fromEntries(signals.map((signal) => [signal, JSON.stringify(answers[signal])]));

test('the answers that are spoiled are good ones', async () => {
  expect(await observed(told(texts), told(texts), 'last')).toMatchObject({ kind: 'observed' });
});

test('each part of each answer with each nasty value, as a number, as text and cut short', async () => {
  const good = told(texts);
  for (const signal of signals) {
    const spoil = (text: string, what: string) =>
      named(`${signal} ${what}`, () => observed(good, told({ ...texts, [signal]: text }), 'last'));
    for (const path of pathsOf(answers[signal])) {
      for (const value of [...nastyValues, undefined]) {
        const what = `${path.join('.')} = ${JSON.stringify(value)?.slice(0, 80)}`;
        await spoil(JSON.stringify(spoiled(answers[signal], path, value)), what);
        if (typeof value === 'number')
          await spoil(JSON.stringify(spoiled(answers[signal], path, `${value}`)), `${what} as text`);
      }
    }
    const text = texts[signal]!;
    for (let cut = 0; cut < text.length; cut += 17) await spoil(text.slice(0, cut), `cut at ${cut}`);
  }
}, 240_000);

test('several answers spoiled at once', async () => {
  const good = told(texts);
  const spoil = fc.constantFrom(...signals).chain((signal) =>
    fc.record({
      signal: fc.constant(signal),
      path: fc.constantFrom(...pathsOf(answers[signal])),
      value: fc.oneof(anyNasty, fc.double().map(String)),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(spoil, { minLength: 1, maxLength: 6 }), async (all) => {
      const ugly: Record<string, string> = { ...texts };
      for (const { signal, path, value } of all) ugly[signal] = JSON.stringify(spoiled(answers[signal], path, value));
      await observed(good, told(ugly), 'holt-winters');
    }),
    runs(300),
  );
});

async function named(what: string, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof ConfigError)
      throw new Error(`${what} is refused too late: ${error.message}`, { cause: error });
    throw new Error(`${what}: ${error}`, { cause: error });
  }
}
