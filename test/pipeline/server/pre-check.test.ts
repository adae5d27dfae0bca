import { beforeAll, describe, expect, test } from 'vitest';
import type { Intent } from '../../../config/intent.ts';
import type { Policy } from '../../../config/policy.ts';
import type { EpochContext, EpochInputs } from '../../../pipeline/epoch/inputs.ts';
import { freshState, planEpoch, planGroup } from '../../../pipeline/epoch.ts';
import { type PreCheck, type PresentService, preCheck, relativeTimes } from '../../../pipeline/server/pre-check.ts';
import { uniformBucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { engineHere, policyOf, statesWithout, topologyOf, treeOf } from '../../scene.ts';
import { intentOf } from '../intent-pairs.ts';

const topology = topologyOf(3, [100, 100, 100]);
let context: EpochContext;

beforeAll(async () => {
  const tree = treeOf(1024, 10, 1);
  context = { tree, weights: uniformBucketWeights(topology, tree), solver: await engineHere('highs') };
});

/** A service under its first table. */
async function present(demandRps: readonly number[], policy: Policy = policyOf()): Promise<PresentService> {
  const inputs: EpochInputs = {
    epoch: 0,
    startMs: 0,
    topology,
    policy,
    demandRps: Float64Array.from(demandRps),
    states: statesWithout(topology),
    intents: [],
    previous: null,
    carried: freshState,
  };
  const { table, carried, utilization } = await planEpoch(inputs, context);
  return { inputs: { ...inputs, epoch: 1, startMs: 300_000, previous: table, carried }, context, utilization };
}

async function checkOf(service: PresentService, intent: Intent, known: readonly Intent[] = []): Promise<PreCheck> {
  return (await preCheck(intent, known, [service], planGroup))['test']!;
}

const load = (check: PreCheck, when: 'before' | 'after'): number =>
  Object.values(check[when]).reduce((sum, share) => sum + 100 * share, 0);

describe('a drain', () => {
  test('the others can carry is not refused, and all load is somewhere', async () => {
    const check = await checkOf(await present([60, 50, 40]), intentOf({ kind: 'drain', datacenter: 'd1' }));
    expect(check.refusals).toEqual([]);
    expect(check.after['d1']).toBe(0);
    expect(load(check, 'before')).toBeCloseTo(150, 1);
    expect(load(check, 'after')).toBeCloseTo(150, 1);
  });

  test('the others cannot carry is refused with the numbers', async () => {
    const check = await checkOf(await present([80, 80, 80]), intentOf({ kind: 'drain', datacenter: 'd1' }));
    // By a bucket or two the fuller of them is d0 or d2, as the tree has it.
    expect(check.refusals).toEqual([
      expect.stringMatching(
        /^draining d1 would put d[02] at 1\.20 of its capacity and 1 more over theirs; the others can carry 0\.50 of what it serves$/,
      ),
    ]);
  });

  test('is judged by utilizationMax, and says so', async () => {
    const service = await present([50, 50, 50], policyOf({ utilizationMax: 0.7 }));
    const check = await checkOf(service, intentOf({ kind: 'drain', datacenter: 'd1' }));
    expect(check.limit).toBe(0.7);
    expect(check.refusals[0]).toMatch(/^draining d1 would put d[02] at 0\.75 of its capacity, where 0\.7 is the most/);
  });

  test('by a schedule is judged by where it ends, together with what else will be in force', async () => {
    const service = await present([40, 40, 40]);
    const half = (datacenter: string) =>
      intentOf({
        kind: 'drain',
        id: datacenter,
        datacenter,
        schedule: [
          ['1970-01-01T02:00:00Z', 0.5],
          ['1970-01-01T03:00:00Z', 0],
        ],
      });
    expect((await checkOf(service, half('d0'))).refusals).toEqual([]);
    const both = await checkOf(service, half('d0'), [half('d1')]);
    expect(both.after).toMatchObject({ d0: 0, d1: 0, d2: 1.2 });
    expect(both.refusals[0]).toMatch(/^draining d0 would put d2 at 1\.20/);
    const over = { ...half('d1'), until: '1970-01-01T01:00:00Z' };
    const later = { ...half('d0'), since: '1970-01-01T01:00:00Z' };
    expect((await checkOf(service, later, [over])).refusals).toEqual([]);
  });

  test('that leaves users nowhere to go is refused', async () => {
    const service = await present([40, 40, 40], policyOf({ allowed: [{ edge: 'e1', datacenters: ['d1'] }] }));
    const check = await checkOf(service, intentOf({ kind: 'drain', datacenter: 'd1' }));
    expect(check.refusals).toEqual(['draining d1 leaves users who may go nowhere else, and who would stay']);
  });
});

test('a shift that a datacenter has no room for is refused with what it can take', async () => {
  const service = await present([90, 90, 90]);
  const shift = intentOf({ kind: 'shift', from: 'd0', to: 'd2', fraction: 0.5 });
  const check = await checkOf(service, shift);
  expect(check.refusals).toHaveLength(1);
  expect(check.refusals[0]).toMatch(
    /^shifting 0\.5 from d0 to d2 comes to 0\.\d\d of the demand of all edges on d2, not 0\.\d\d: it would be at (0\.9|1\.0)\d of its capacity$/,
  );
  expect(Math.max(...Object.values(check.after))).toBeLessThanOrEqual(1.01);
  const room = await present([30, 30, 30]);
  expect((await checkOf(room, shift)).refusals).toEqual([]);
});

test('an override shows where all go, guards or not', async () => {
  const service = await present([60, 50, 40]);
  const check = await checkOf(service, intentOf({ kind: 'override', edge: 'e0', datacenter: 'd2', fraction: 1 }));
  expect(check.refusals).toEqual([]);
  expect(check.after['d2']).toBeGreaterThanOrEqual(0.59);
});

test('an intent that would wait says for whom, and one that others would wait for says so', async () => {
  const service = await present([60, 50, 40]);
  const shift = intentOf({ kind: 'shift', id: 'shift', edge: 'e0', from: 'd0', to: 'd1', fraction: 0.2 });
  const drain = intentOf({ kind: 'drain', id: 'drain', datacenter: 'd0' });
  expect(await checkOf(service, shift, [drain])).toMatchObject({ waitsFor: ['drain'], makesWait: [], refusals: [] });
  expect(await checkOf(service, drain, [shift])).toMatchObject({ waitsFor: [], makesWait: ['shift'] });
  const blocked = await present([60, 50, 40], policyOf({ blocked: [{ from: '00:00', until: '06:00' }] }));
  const drill = await checkOf(blocked, { ...drain, priority: 'drill' });
  expect(drill).toMatchObject({ waitsFor: ['blocked until 1970-01-01T06:00:00Z: blocked'], after: { d0: 0 } });
});

test('over and for count from the next epoch, in steps of an epoch that end at what is kept', () => {
  const at = { for: 7_200_000, over: 1_200_000, keep: 0.2 };
  expect(relativeTimes(at, 1000, 300_000)).toEqual({
    untilMs: 7_201_000,
    schedule: [
      [1000, 0.8],
      [301_000, 0.6],
      [601_000, 0.4],
      [901_000, 0.2],
    ],
  });
  expect(relativeTimes({ for: null, over: 1, keep: 0 }, 0, 300_000)).toEqual({ untilMs: null, schedule: [[0, 0]] });
});
