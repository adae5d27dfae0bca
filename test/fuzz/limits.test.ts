/** Limits that cannot be kept together, epoch after epoch, while datacenters fail, drain and are held down: always a whole
 *  table or a stated outcome, and what gave is named once, in the written order. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DatacenterState, normalState } from '../../runtime/inputs.ts';
import { limitOrder } from '../../runtime/limits.ts';
import { policyOf, topologyOf } from '../scene.ts';
import { planned } from './fleet.ts';
import { runs } from './nasty.ts';

const topology = topologyOf(3, [900, 300, 600]);

const state = fc.constantFrom<DatacenterState>(
  normalState,
  normalState,
  { keep: 0, refill: false, cause: 'abnormal', untilMs: null },
  { keep: 0.5, refill: false, cause: 'drain by ann: work', untilMs: null },
  { keep: 1, refill: false, cause: 'held down after 3 outages within an hour', untilMs: 9e12 },
  { keep: 1, refill: false, cause: 'unhealthy: errors', untilMs: null },
);

const share = fc.constantFrom(0, 1e-9, 0.001, 0.04, 0.5, 1);

test('whatever gives, the outcome is stated and the table whole', async () => {
  const spec = fc.record({
    traffic: fc.constantFrom<object>({ kind: 'stateless' }, { kind: 'sticky', sessionLifetime: '30m' }),
    objective: fc.constantFrom('balance', 'closest-first', 'priced'),
    utilizationMax: fc.constantFrom(1e-6, 0.3, 0.6, 0.9, 1),
    emergencyMax: fc.constantFrom(null, 1e-6, 0.7, 1),
    latencyMsMax: fc.constantFrom(null, 1, 15, 35),
    latencyMsP95Max: fc.constantFrom(null, 1, 15, 35),
    pins: fc.constantFrom(
      [],
      [{ edge: 'e0', datacenter: 'd2', fraction: 0.7 }],
      [
        { edge: 'e0', datacenter: 'd0', fraction: 0 },
        { edge: 'e1', datacenter: 'd1', fraction: 1 },
        { edge: 'e2', datacenter: 'd0', fraction: 1e-7 },
      ],
    ),
    guards: fc.record({
      minShift: fc.constantFrom(0, 0.01),
      shareMax: fc.constantFrom(0.34, 0.7, 1),
      onloadMax: share,
      churnMax: share,
    }),
  });
  const rps = fc.array(fc.constantFrom(0, 1e-6, 50, 300, 900, 1e4), { minLength: 3, maxLength: 3 });
  const states = fc.array(fc.array(state, { minLength: 3, maxLength: 3 }), { minLength: 4, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(spec, fc.array(rps, { minLength: 4, maxLength: 4 }), states, async (keys, demand, all) => {
      const plans = await planned({
        topology,
        policy: policyOf(keys),
        demandRps: demand.map((row) => Float64Array.from(row)),
        states: all,
      });
      for (const { relaxed, outcome, reason } of plans) {
        expect([...relaxed]).toEqual(limitOrder.filter((limit) => relaxed.includes(limit)));
        if (outcome === 'held' || outcome === 'rejected') expect(reason).not.toBeNull();
        expect(reason ?? '').not.toContain('no solver');
      }
    }),
    runs(80),
  );
}, 240_000);
