import { describe, expect, test } from 'vitest';
import type { Intent } from '../../../config/intent.ts';
import type { EpochInputs } from '../../../pipeline/epoch/inputs.ts';
import { freshState } from '../../../pipeline/epoch.ts';
import { treeStep } from '../../../pipeline/replay/tree-step.ts';
import { makeTargets } from '../../../pipeline/table/routing-table.ts';
import { routingOf, towards } from '../../../pipeline/table/tree-course.ts';
import { policyOf, statesWithout, topologyOf, treeOf } from '../../scene.ts';

const topology = topologyOf(3, [10, 10, 10]);
const [from, to] = [treeOf(300, 5, 1), treeOf(300, 5, 2)];
const users = {
  ids: from.users,
  homeEdge: Uint32Array.from(from.users, (_, u) => u % 3),
  weight: new Float64Array(from.users.length).fill(1),
};
const places = { topology, users };
const course = towards(from, to, places);
const routing = routingOf(course, places);
const previous = {
  treeVersion: from.version,
  height: 5,
  targets: makeTargets(topology),
  edges: topology.edges.map(({ id }) => id),
  byEdge: topology.edges.map((_, e) => Uint8Array.from({ length: 32 }, (_, b) => (b + e) % 3)),
};

function stepWith(more: Partial<EpochInputs>) {
  const inputs: EpochInputs = {
    epoch: 1,
    startMs: 300_000,
    topology,
    policy: policyOf({ guards: { churnMax: 0.1 } }),
    demandRps: Float64Array.of(5, 5, 5),
    states: statesWithout(topology),
    intents: [],
    previous,
    carried: freshState,
    ...more,
  };
  return treeStep(course, routing, inputs, places);
}

const by = { author: 'ann', reason: 'works', priority: 'manual', until: null } as const;
const [edge, datacenter] = [topology.edges[0]!.id, topology.datacenters[1]!.id];

describe('a step between two trees', () => {
  test('is made where nothing keeps it, and weighs buckets as users are after it', () => {
    const { step, standstill, ...after } = stepWith({});
    expect(standstill).toBe(null);
    expect(step!.churn).toBeGreaterThan(0.02);
    expect(step!.churn).toBeLessThanOrEqual(0.05);
    expect(after.course).toMatchObject({ kind: 'moving', cut: step!.cut });
    expect(after.routing).toEqual(routingOf(after.course, places));
  });

  test.each<readonly [string, Partial<EpochInputs>, RegExp]>([
    ['a datacenter that is out', { states: statesWithout(topology, 1) }, /is out, or on its way out/],
    [
      'a drain',
      { intents: [{ kind: 'drain', id: 'd', ...by, datacenter, keep: 0.5 } as Intent] },
      /is out, or on its way/,
    ],
    [
      'a drain at an edge',
      { intents: [{ kind: 'drain', id: 'd', ...by, datacenter, edge, keep: 0 } as Intent] },
      /drained at an edge/,
    ],
    ['a freeze', { intents: [{ kind: 'freeze', id: 'f', ...by } as Intent] }, /^frozen by ann: works$/],
    ['a freeze of an edge', { intents: [{ kind: 'freeze', id: 'f', ...by, edge } as Intent] }, /^edge .* is frozen$/],
    [
      'a window without moves',
      { policy: policyOf({ blocked: [{ from: '00:00', until: '24:00', moves: true, reason: 'sales' }] }) },
      /sales/,
    ],
    ['a ramp', { policy: policyOf({ ramp: { share: 0.1 } }) }, /has a ramp/],
  ])('waits for %s', (_, more, why) => {
    const { step, standstill, course: after, routing: same } = stepWith(more);
    expect(step).toBe(null);
    expect(standstill).toMatch(why);
    expect([after, same]).toEqual([course, routing]);
  });

  test('waits without a word where it is another service’s tick, or there is no table yet', () => {
    for (const more of [{ isDue: false }, { previous: null }] as const) {
      expect(stepWith(more)).toMatchObject({ step: null, standstill: null });
    }
  });
});
