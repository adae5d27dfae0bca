import { expect, test } from 'vitest';
import type { Intent } from '../../config/intent.ts';
import { inputChanges, type Said } from '../../runtime/input-changes.ts';
import { inputsOf, policyOf, statesWithout, topologyOf } from '../scene.ts';

const said = (more: Partial<Said> = {}): Said => ({
  ...inputsOf(topologyOf(2, [100, 200]), [10, 20]),
  intents: [],
  ...more,
});
const drain: Intent = {
  kind: 'drain',
  id: 'hall-3',
  author: 'ann',
  reason: 'power work',
  priority: 'manual',
  until: '1970-01-01T00:10:00Z',
  datacenter: 'd1',
  keep: 0,
};

test('the same inputs have not changed', () => {
  expect(inputChanges(said(), said({ startMs: 300_000 }), 0)).toEqual([]);
});

test('demand is told of the edge and in all, and not of other edges', () => {
  const after = said({ demandRps: Float64Array.of(10, 26) });
  const all = { input: 'demand', name: 'all', before: 30, after: 36, unit: 'rps' };
  expect(inputChanges(said(), after, 0)).toEqual([all]);
  expect(inputChanges(said(), after, 1)).toEqual([
    { input: 'demand', name: 'e1', before: 20, after: 26, unit: 'rps' },
    all,
  ]);
});

test('capacities, round trips of the edge, and states are told by name; a datacenter may be new or gone', () => {
  const topology = topologyOf(2, [100, 150], (e, d) => 10 + 20 * Math.abs(e - d) + (e === 0 && d === 1 ? 5 : 0));
  const after = said({ topology, states: statesWithout(topology, 0) });
  expect(inputChanges(said(), after, 0)).toEqual([
    { input: 'capacity', name: 'd1', before: 200, after: 150, unit: 'rps' },
    { input: 'rtt', name: 'e0 to d1', before: 30, after: 35, unit: 'ms' },
    { input: 'state', name: 'd0', before: 'normal', after: 'abnormal, keeps 0', unit: null },
  ]);
  expect(inputChanges(said(), after, 1)).toHaveLength(2);
  const third = inputsOf(topologyOf(2, [100, 200, 50]), [10, 20]);
  expect(inputChanges(said(), said(third), 0)).toContainEqual({
    input: 'capacity',
    name: 'd2',
    before: null,
    after: 50,
    unit: 'rps',
  });
  expect(inputChanges(said(third), said(), 0)).toEqual([
    { input: 'capacity', name: 'd2', before: 50, after: null, unit: 'rps' },
  ]);
});

test('an intent comes and goes, by withdrawal or by its end', () => {
  const words = 'drain d1, keep 0, by ann: power work';
  const came = { input: 'intent', name: 'hall-3', before: null, after: words, unit: null };
  expect(inputChanges(said(), said({ intents: [drain] }), 0)).toEqual([came]);
  const ended = inputChanges(said({ intents: [drain] }), said({ intents: [drain], startMs: 600_000 }), 0);
  expect(ended).toEqual([{ ...came, before: words, after: null }]);
});

test('a policy is told key by key', () => {
  const after = said({
    policy: policyOf({ guards: { churnMax: 0.1 }, allowed: [{ edge: 'e0', datacenters: ['d1'] }] }),
  });
  expect(inputChanges(said(), after, 0)).toEqual([
    { input: 'policy', name: 'spec.allowed', before: '[]', after: '[{"edge":"e0","datacenters":["d1"]}]', unit: null },
    { input: 'policy', name: 'spec.guards.churnMax', before: '0.05', after: '0.1', unit: null },
  ]);
});
