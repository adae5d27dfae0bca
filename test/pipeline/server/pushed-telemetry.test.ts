/** Reports add up to the newest of every value; a report is taken whole or refused by name. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatTime } from '../../../config/duration.ts';
import { ConfigError } from '../../../config/errors.ts';
import { generateWorld } from '../../../config/generate.ts';
import { checkTelemetryReport } from '../../../config/telemetry-report.ts';
import { LiveTelemetry } from '../../../pipeline/server/live-telemetry.ts';
import { PushedTelemetry } from '../../../pipeline/server/pushed-telemetry.ts';
import { limits as usual } from '../../telemetry-limits.ts';

const { topology } = generateWorld({ seed: 7, edges: 4, datacenters: 3, users: 50, days: 1 });
const [a, b] = topology.edges.map(({ id }): string => id) as [string, string];
const [x, y] = topology.datacenters.map(({ id }): string => id) as [string, string];
const nowMs = 1_800_000_000_000;
const at = (ms: number) => formatTime(nowMs + ms);

function receive(pushed: PushedTelemetry, report: unknown) {
  return pushed.receive(checkTelemetryReport(report, 'telemetry'), nowMs);
}

test('reports add up, and of each value the newest counts, whatever the order they come in', () => {
  const pushed = new PushedTelemetry(topology);
  expect(receive(pushed, { observedAt: at(-20_000), demandRps: { [a]: 10, [b]: 20 } })).toEqual({
    accepted: 2,
    ignored: 0,
  });
  expect(receive(pushed, { observedAt: at(-10_000), demandRps: { [a]: 11 } })).toEqual({ accepted: 1, ignored: 0 });
  expect(receive(pushed, { observedAt: at(-30_000), demandRps: { [a]: 9 } })).toEqual({ accepted: 0, ignored: 1 });
  expect(pushed.read().demandRps).toEqual([
    { value: 11, observedAtMs: nowMs - 10_000 },
    { value: 20, observedAtMs: nowMs - 20_000 },
    null,
    null,
  ]);
});

test('state and health of a datacenter are two things, and what is not said is not known', () => {
  const pushed = new PushedTelemetry(topology);
  receive(pushed, { observedAt: at(0), datacenters: { [x]: { state: 'abnormal' }, [y]: { healthy: false } } });
  const { up, healthy } = pushed.read();
  expect(up.map((reading) => reading?.value)).toEqual([0, undefined, undefined]);
  expect(healthy.map((reading) => reading?.value)).toEqual([undefined, 0, undefined]);
});

test('a row of observed allocation is whole: a datacenter that is not named saw nothing', () => {
  const pushed = new PushedTelemetry(topology);
  receive(pushed, { observedAt: at(-1000), allocation: { [b]: { [x]: 0.4, [y]: 0.6 } } });
  receive(pushed, { observedAt: at(0), allocation: { [b]: { [y]: 1 } } });
  const values = pushed.read().allocation.map((reading) => reading?.value ?? null);
  expect(values).toEqual([null, null, null, 0, 1, 0, null, null, null, null, null, null]);
});

test('sessions add up pair by pair, and a pair that is not named is not known', () => {
  const pushed = new PushedTelemetry(topology);
  receive(pushed, { observedAt: at(-1000), sessions: { [a]: { [x]: 120, [y]: 0 } } });
  receive(pushed, { observedAt: at(0), sessions: { [a]: { [x]: 118 } } });
  const values = pushed.read().sessions.map((reading) => reading?.value ?? null);
  expect(values).toEqual([118, 0, null, null, null, null, null, null, null, null, null, null]);
});

test('round trips add up pair by pair', () => {
  const pushed = new PushedTelemetry(topology);
  receive(pushed, { observedAt: at(-1000), rttMs: { [b]: { [x]: 12, [y]: 40.5 } } });
  expect(receive(pushed, { observedAt: at(0), rttMs: { [b]: { [y]: 41 } } })).toEqual({ accepted: 1, ignored: 0 });
  const values = pushed.read().rttMs.map((reading) => reading?.value ?? null);
  expect(values).toEqual([null, null, null, 12, 41, null, null, null, null, null, null, null]);
});

describe('refused, by name, and nothing of it is taken:', () => {
  const good = { demandRps: { [a]: 10 } };
  test.each<[string, unknown, RegExp]>([
    [
      'a round trip of an unknown datacenter',
      { observedAt: at(0), ...good, rttMs: { [a]: { atlantis: 3 } } },
      /rttMs of .*: unknown datacenter "atlantis"/,
    ],
    ['a negative round trip', { observedAt: at(0), ...good, rttMs: { [a]: { [x]: -3 } } }, /rttMs\..* is -3, expected/],
    [
      'an unknown edge',
      { observedAt: at(0), demandRps: { [a]: 1, atlantis: 2 } },
      /demandRps: unknown edge "atlantis"/,
    ],
    [
      'an unknown datacenter',
      { ...good, observedAt: at(0), datacenters: { hell: { state: 'normal' } } },
      /datacenter "hell"/,
    ],
    ['a place of no name', { ...good, observedAt: at(0), demandRps: { ['__proto__x']: 1 } }, /demandRps/],
    ['a negative demand', { observedAt: at(0), demandRps: { [a]: -1 } }, /demandRps\.\w+ is -1/],
    ['a demand in words', { observedAt: at(0), demandRps: { [a]: '5' } }, /demandRps\.\w+ is "5"/],
    ['a demand without end', { observedAt: at(0), demandRps: { [a]: Number.POSITIVE_INFINITY } }, /demandRps/],
    ['sessions below 0', { ...good, observedAt: at(0), sessions: { [a]: { [x]: -3 } } }, /sessions.* is -3/],
    ['a share over 1', { ...good, observedAt: at(0), allocation: { [a]: { [x]: 1.5 } } }, /allocation.* is 1\.5/],
    ['a state nobody knows', { ...good, observedAt: at(0), datacenters: { [x]: { state: 'sick' } } }, /"sick"/],
    ['no time', good, /observedAt is missing/],
    ['a day that is none', { ...good, observedAt: '2026-02-30T00:00:00Z' }, /observedAt/],
    ['the future', { ...good, observedAt: at(61_000) }, /at most a minute after now/],
    ['a key nobody knows', { ...good, observedAt: at(0), demand: {} }, /unknown key demand/],
    ['a list', [], /expected/],
    ['nothing', undefined, /missing/],
  ])('%s', (_, report, complaint) => {
    const pushed = new PushedTelemetry(topology);
    expect(() => receive(pushed, report)).toThrow(ConfigError);
    expect(() => receive(pushed, report)).toThrow(complaint);
    expect(pushed.read()).toEqual(new PushedTelemetry(topology).read());
  });
});

test('no payload crashes or becomes a number that is none: refused by name, held with a reason, or planned on', async () => {
  const name = fc.oneof(fc.constantFrom(a, b, x, y), fc.constantFrom('atlantis', '', 'constructor', '\n'));
  const value = fc.oneof(fc.nat(1000), fc.double(), fc.constantFrom(-1, 1e308, null, 'x'));
  const byName = (inner: fc.Arbitrary<unknown>) =>
    fc.oneof(
      { weight: 5, arbitrary: fc.dictionary(name, inner, { maxKeys: 3 }) },
      { weight: 1, arbitrary: fc.anything() },
    );
  const likely = fc.record(
    {
      observedAt: fc.oneof(fc.constantFrom(at(0), at(-1000), at(-3_600_000), at(3_600_000)), fc.string()),
      demandRps: fc.oneof(byName(value), fc.constant(Object.fromEntries(topology.edges.map(({ id }) => [id, 5])))),
      datacenters: fc.oneof(
        byName(fc.record({ state: fc.constantFrom('normal', 'abnormal') }, { requiredKeys: [] })),
        fc.constant(Object.fromEntries(topology.datacenters.map(({ id }) => [id, { state: 'normal' }]))),
      ),
      allocation: byName(byName(value)),
      sessions: byName(byName(value)),
    },
    { requiredKeys: ['observedAt'] },
  );
  const seen = { refused: 0, nothing: 0, observed: 0 };
  const limits = { ...usual, filledShareMax: 0.2 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 9, arbitrary: likely }, { weight: 1, arbitrary: fc.anything() }), {
        minLength: 1,
        maxLength: 6,
      }),
      async (reports) => {
        const pushed = new PushedTelemetry(topology);
        const live = new LiveTelemetry({
          topology,
          limits,
          epochMs: 300_000,
          forecast: 'holt-winters',
          read: () => pushed.read(),
        });
        for (const [i, report] of reports.entries()) {
          try {
            receive(pushed, report);
          } catch (error) {
            if (!(error instanceof ConfigError)) throw error;
            expect(error.message).toMatch(/^telemetry: ./);
            expect(error.message).not.toContain('\n');
            seen.refused += 1;
          }
          const observed = await live.observe(nowMs + i * 300_000, nowMs + i * 1000, () => null);
          seen[observed.kind] += 1;
          if (observed.kind === 'nothing') expect(observed.message.length).toBeGreaterThan(20);
          else for (const rps of observed.demandRps) expect(rps >= 0 && rps <= Number.MAX_SAFE_INTEGER).toBe(true);
        }
      },
    ),
    { seed: 2, numRuns: 500 },
  );
  for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(20);
});
