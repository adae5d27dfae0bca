/** A source that is stopped after any epoch and resumed in another process says what one that went on says. */

import { expect, test } from 'vitest';
import { generateWorld } from '../../../config/generate.ts';
import { seededRandom } from '../../../config/random.ts';
import { LiveTelemetry } from '../../../pipeline/server/live-telemetry.ts';
import { PushedTelemetry } from '../../../pipeline/server/pushed-telemetry.ts';
import { decodeMemory, encodeMemory } from '../../../pipeline/server/telemetry-memory.ts';
import type { Telemetry } from '../../../runtime/telemetry.ts';
import { limits } from '../../telemetry-limits.ts';

const { topology } = generateWorld({ seed: 7, edges: 3, datacenters: 2, users: 50, days: 1 });
const epochMs = 300_000;
const startMs = 1_800_000_000_000;
const served = Float64Array.of(1, 0, 0.5, 0.5, 0, 1);
const placed = [50, 0, 25, 25, 0, 50];

function open(read: () => Telemetry): LiveTelemetry {
  return new LiveTelemetry({ topology, limits, epochMs, forecast: 'last', read });
}

test('over random courses, judgements, alerts and planned values are the same to the bit', () => {
  let spoken = 0;
  return Promise.all(
    Array.from({ length: 40 }, async (_, seed) => {
      const random = seededRandom(`memory ${seed}`);
      let said: Telemetry;
      const lasting = open(() => said);
      let restarted = open(() => said);
      for (let epoch = 0; epoch < 12; epoch++) {
        const nowMs = startMs + epoch * epochMs;
        const reading = (usual: number) => {
          const roll = random();
          if (roll < 0.15) return null;
          const value = roll < 0.3 ? usual * 100 : roll < 0.35 ? -1 : usual * (0.95 + 0.1 * random());
          return { value, observedAtMs: nowMs - (roll > 0.95 ? 700_000 : 0) };
        };
        said = {
          demandRps: [100, 100, 100].map(reading),
          up: [1, 1].map((value) => ({ value, observedAtMs: nowMs })),
          healthy: [null, { value: random() < 0.2 ? 0 : 1, observedAtMs: nowMs }],
          rttMs: [20, 80, 30, 30, 90, 10].map(reading),
          sessions: placed.map(reading),
          allocation: [...served].map((value) => ({ value, observedAtMs: nowMs })),
          notes: [],
        };
        const went = await lasting.observe(
          nowMs,
          nowMs,
          () => served,
          () => placed,
        );
        const came = await restarted.observe(
          nowMs,
          nowMs,
          () => served,
          () => placed,
        );
        expect(came, `seed ${seed}, epoch ${epoch}`).toEqual(went);
        if (went.notices!.get('telemetry-partial')) spoken += 1;
        const text = encodeMemory(restarted.remembered, topology);
        restarted = open(() => said);
        restarted.resume(decodeMemory(text, topology)!);
        expect(encodeMemory(restarted.remembered, topology)).toBe(text);
      }
    }),
  ).then(() => expect(spoken).toBeGreaterThan(100));
});

test('what was reported is remembered, each value with its time', () => {
  const [edge, datacenter] = [topology.edges[1]!.id, topology.datacenters[0]!.id];
  const live = (pushed: PushedTelemetry) =>
    new LiveTelemetry({ topology, limits, epochMs, forecast: 'last', read: () => pushed.read(), pushed });
  const [before, after] = [new PushedTelemetry(topology), new PushedTelemetry(topology)];
  before.receive(
    {
      observedAt: '2027-01-15T08:00:00Z',
      demandRps: { [edge]: 120 },
      datacenters: { [datacenter]: { state: 'abnormal', healthy: false } },
      rttMs: { [edge]: { [datacenter]: 31 } },
      allocation: { [edge]: { [datacenter]: 1 } },
      sessions: { [edge]: { [datacenter]: 7 } },
    },
    startMs,
  );
  live(after).resume(decodeMemory(encodeMemory(live(before).remembered, topology), topology)!);
  expect(after.read()).toEqual(before.read());
});

test('the memory of another fleet is not taken for one of this', () => {
  const other = generateWorld({ seed: 8, edges: 4, datacenters: 2, users: 50, days: 1 }).topology;
  const text = encodeMemory(
    new LiveTelemetry({ topology, limits, epochMs, forecast: 'last', read: () => Promise.reject() }).remembered,
    topology,
  );
  expect(decodeMemory(text, other)).toBe(null);
});
