/** Intents through whole epochs: what becomes of the table while they are in force, and when they are over. */

import { beforeAll, describe, expect, test } from 'vitest';
import type { BucketTree } from '../../bucketizer/tree.ts';
import type { Intent } from '../../config/intent.ts';
import type { Policy } from '../../config/policy.ts';
import type { EpochContext, EpochInputs } from '../../pipeline/epoch/inputs.ts';
import type { EpochPlan } from '../../pipeline/epoch/plan.ts';
import { freshState, planEpoch } from '../../pipeline/epoch.ts';
import { uniformBucketWeights } from '../../pipeline/table/bucket-weights.ts';
import { tableDigest } from '../../pipeline/table/routing-table.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import { engineHere, policyOf, statesWithout, topologyOf, treeOf } from '../scene.ts';
import { allIntents, intentOf, pairsOf } from './intent-pairs.ts';

const topology = topologyOf(3, [100, 100, 100]);
const tree: BucketTree = treeOf(1024, 10, 1);
const demand = [60, 50, 40];
let context: EpochContext;

beforeAll(async () => {
  context = { tree, weights: uniformBucketWeights(topology, tree), solver: await engineHere('highs') };
});

interface Course {
  readonly policy?: Policy;
  readonly intents: (epoch: number) => readonly Intent[];
  readonly states?: (epoch: number) => readonly DatacenterState[];
  readonly demandRps?: readonly number[];
  readonly from?: Pick<EpochPlan, 'table' | 'carried'>;
  readonly first?: number;
}

/** Epochs of five minutes from 1970 on. */
async function run(epochs: number, course: Course): Promise<readonly EpochPlan[]> {
  const plans: EpochPlan[] = [];
  let before = course.from ?? { table: null, carried: freshState };
  for (let epoch = course.first ?? 0; epoch < (course.first ?? 0) + epochs; epoch++) {
    const inputs: EpochInputs = {
      epoch,
      startMs: epoch * 300_000,
      topology,
      policy: course.policy ?? policyOf(),
      demandRps: Float64Array.from(course.demandRps ?? demand),
      states: course.states?.(epoch) ?? statesWithout(topology),
      intents: course.intents(epoch),
      previous: before.table,
      carried: before.carried,
    };
    const plan = await planEpoch(inputs, context);
    plans.push(plan);
    before = plan;
  }
  return plans;
}

const none = (): readonly Intent[] => [];
const shareAt = (plan: EpochPlan, e: number, d: number): number => plan.served[e * 3 + d]!;
const minutes = (n: number): string => new Date(n * 60_000).toISOString().replace('.000Z', 'Z');

test('of every two intents, in both orders, the next tables are the same to the byte, and so is the record', async () => {
  const [settled] = (await run(4, { intents: none })).slice(-1);
  // Equal and unequal priorities; the other two differ from these in nothing but their rank.
  for (const [a, b] of pairsOf(allIntents(['drill', 'manual']))) {
    const [one, other] = [
      await run(1, { intents: () => [a, b], from: settled! }),
      await run(1, { intents: () => [b, a], from: settled! }),
    ];
    const said = ([plan]: readonly EpochPlan[]) => ({
      outcome: plan!.outcome,
      reason: plan!.reason,
      table: tableDigest(plan!.table!),
      carried: JSON.stringify(plan!.carried),
    });
    expect(said(other), `${a.id} and ${b.id}`).toEqual(said(one));
  }
});

test('an intent that has ended leaves no trace: the next plan is the one without it', async () => {
  const [settled] = (await run(4, { intents: none })).slice(-1);
  for (const intent of allIntents(['manual'])) {
    const ending = { ...intent, until: minutes(10) };
    const during = await run(2, { intents: () => [ending], from: settled! });
    const from = during.at(-1)!;
    const [after] = await run(1, { intents: () => [ending], from, first: 2 });
    const [without] = await run(1, { intents: none, from, first: 2 });
    expect(tableDigest(after!.table!), intent.id).toBe(tableDigest(without!.table!));
    expect(after!.carried, intent.id).toEqual(without!.carried);
    expect(after!.carried.intents, intent.id).toBe(undefined);
    const later = (await run(40, { intents: none, from: after!, first: 3 })).at(-1)!;
    for (let i = 0; i < 9; i++) {
      expect(Math.abs(later.utilization[i % 3]! - settled!.utilization[i % 3]!), intent.id).toBeLessThan(0.02);
    }
  }
});

describe('a shift', () => {
  test('moves what it says from one datacenter to the other, and holds it until its end', async () => {
    const shift = intentOf({ kind: 'shift', edge: 'e0', from: 'd0', to: 'd2', fraction: 0.3, until: minutes(60) });
    const before = (await run(3, { intents: none })).at(-1)!;
    const during = await run(9, { intents: () => [shift], from: before, first: 3 });
    const held = during.at(-1)!;
    expect(shareAt(held, 0, 0)).toBeCloseTo(shareAt(before, 0, 0) - 0.3, 2);
    expect(shareAt(held, 0, 2)).toBeCloseTo(shareAt(before, 0, 2) + 0.3, 2);
    for (const plan of during) expect(plan.churn.elective).toBeLessThanOrEqual(0.05 + 1e-9);
    const after = (await run(30, { intents: () => [shift], from: held, first: 12 })).at(-1)!;
    expect(shareAt(after, 0, 2)).toBeLessThan(shareAt(held, 0, 2) - 0.2);
  });

  test('of every edge shifts each of them', async () => {
    const before = (await run(3, { intents: none })).at(-1)!;
    const shift = intentOf({ kind: 'shift', from: 'd0', to: 'd1', fraction: 0.1 });
    const held = (await run(8, { intents: () => [shift], from: before, first: 3 })).at(-1)!;
    for (let e = 0; e < 3; e++) {
      const moved = Math.min(0.1, shareAt(before, e, 0));
      expect(shareAt(held, e, 0), `e${e}`).toBeCloseTo(shareAt(before, e, 0) - moved, 2);
    }
  });

  test('never lifts a datacenter over its capacity while another could take the load', async () => {
    const shift = intentOf({ kind: 'shift', from: 'd0', to: 'd1', fraction: 1, force: true });
    const plans = await run(20, { intents: () => [shift], demandRps: [90, 90, 90] });
    for (const plan of plans) expect(Math.max(...plan.utilization)).toBeLessThanOrEqual(1.01);
    expect(plans.at(-1)!.relaxed).toContain('pins');
  });
});

describe('an override', () => {
  test('gives the pair what it says, within the guards', async () => {
    const override = intentOf({ kind: 'override', edge: 'e1', datacenter: 'd2', fraction: 0.4 });
    const plans = await run(12, { intents: (epoch) => (epoch < 3 ? [] : [override]) });
    expect(shareAt(plans.at(-1)!, 1, 2)).toBeCloseTo(0.4, 2);
    for (const plan of plans.slice(1)) expect(plan.churn.elective).toBeLessThanOrEqual(0.05 + 1e-9);
  });

  test('comes before the pins of the policy', async () => {
    const policy = policyOf({
      pins: [
        { edge: 'e1', datacenter: 'd2', fraction: 0.1 },
        { edge: 'e1', datacenter: 'd0', fraction: 0.7 },
      ],
    });
    const override = intentOf({ kind: 'override', edge: 'e1', datacenter: 'd2', fraction: 0.4 });
    const plan = (await run(12, { policy, intents: () => [override] })).at(-1)!;
    expect(shareAt(plan, 1, 2)).toBeCloseTo(0.4, 2);
    expect(plan.relaxed).toEqual([]);
  });
});

describe('a drain', () => {
  test('goes by its schedule, step by step, and back up again', async () => {
    const schedule = [
      [5, 0.8],
      [10, 0.4],
      [15, 0],
      [25, 0.5],
    ].map(([at, keep]) => [minutes(at!), keep]);
    const drain = intentOf({ kind: 'drain', datacenter: 'd1', schedule, until: minutes(30) });
    const plans = await run(6, { intents: () => [drain] });
    const load = plans.map(({ served }) => demand.reduce((sum, rps, e) => sum + rps * served[e * 3 + 1]!, 0));
    const kept = [1, 0.8, 0.4, 0, 0, 0.5];
    for (const [epoch, rps] of load.entries()) {
      expect(rps / load[0]!, `epoch ${epoch}`).toBeLessThanOrEqual(kept[epoch]! + 0.02);
    }
    expect(load[1]! / load[0]!).toBeGreaterThan(0.75);
    expect(load[2]! / load[0]!).toBeGreaterThan(0.35);
  });

  test('of one edge empties that pair at once and touches no other edge by force', async () => {
    const drain = intentOf({ kind: 'drain', datacenter: 'd1', edge: 'e1' });
    const before = (await run(3, { intents: none })).at(-1)!;
    const [plan] = await run(1, { intents: () => [drain], from: before, first: 3 });
    expect(shareAt(before, 1, 1)).toBeGreaterThan(0.2);
    expect(shareAt(plan!, 1, 1)).toBe(0);
    expect(plan!.churn.forced).toBeCloseTo((shareAt(before, 1, 1) * 50) / 150, 6);
    expect(plan!.churn.elective).toBeLessThanOrEqual(0.05 + 1e-9);
  });

  test('of one edge keeps the share it says of what was served, however long it lasts', async () => {
    const drain = intentOf({ kind: 'drain', datacenter: 'd1', edge: 'e1', keep: 0.5 });
    const before = (await run(3, { intents: none })).at(-1)!;
    for (const plan of await run(4, { intents: () => [drain], from: before, first: 3 })) {
      expect(shareAt(plan, 1, 1)).toBeLessThanOrEqual(shareAt(before, 1, 1) / 2 + 0.002);
    }
  });

  test('by a program of over half of all capacity is held; an operator’s is not', async () => {
    const before = (await run(3, { intents: none })).at(-1)!;
    const drains = (priority: string) => () =>
      ['d0', 'd1'].map((datacenter) => intentOf({ kind: 'drain', id: datacenter, datacenter, priority }));
    const demandRps = [30, 30, 30];
    const [held] = await run(1, { intents: drains('taiji'), from: before, first: 3, demandRps });
    expect(held).toMatchObject({ outcome: 'held', reason: expect.stringMatching(/^67 % of all capacity/) });
    const [drained] = await run(1, { intents: drains('manual'), from: before, first: 3, demandRps });
    expect(drained!.outcome).toBe('published');
  });
});

describe('a freeze', () => {
  const skewed = [20, 60, 100];

  test('of an edge holds that edge, and the others move', async () => {
    const before = (await run(3, { intents: none })).at(-1)!;
    const freeze = intentOf({ kind: 'freeze', edge: 'e1' });
    const plans = await run(10, { intents: () => [freeze], from: before, first: 3, demandRps: skewed });
    const after = plans.at(-1)!;
    expect([0, 1, 2].map((d) => shareAt(after, 1, d))).toEqual([0, 1, 2].map((d) => shareAt(before, 1, d)));
    expect(plans.some(({ churn }) => churn.elective > 0)).toBe(true);
  });

  test('of a datacenter holds what it serves of each edge', async () => {
    const before = (await run(3, { intents: none })).at(-1)!;
    const freeze = intentOf({ kind: 'freeze', datacenter: 'd1' });
    const after = (await run(10, { intents: () => [freeze], from: before, first: 3, demandRps: [50, 50, 50] })).at(-1)!;
    for (let e = 0; e < 3; e++) expect(shareAt(after, e, 1)).toBeCloseTo(shareAt(before, e, 1), 3);
  });

  test('goes on everywhere but where a drill moves', async () => {
    const before = (await run(3, { intents: none })).at(-1)!;
    const freeze = intentOf({ kind: 'freeze', id: 'freeze' });
    const drill = intentOf({
      kind: 'override',
      id: 'drill',
      edge: 'e0',
      datacenter: 'd2',
      fraction: 0.3,
      priority: 'drill',
    });
    const after = (await run(10, { intents: () => [freeze, drill], from: before, first: 3 })).at(-1)!;
    expect(shareAt(after, 0, 2)).toBeCloseTo(0.3, 2);
    for (const e of [1, 2]) {
      expect([0, 1, 2].map((d) => shareAt(after, e, d))).toEqual([0, 1, 2].map((d) => shareAt(before, e, d)));
    }
  });
});

test('in a blocked window that stops moves nothing moves by choice, and what fails moves all the same', async () => {
  const policy = policyOf({ blocked: [{ from: '00:00', until: '01:00', moves: true, reason: 'peak' }] });
  const before = (await run(3, { intents: none })).at(-1)!;
  const course = { policy, intents: none, from: before, first: 3, demandRps: [20, 60, 100] };
  const [still] = await run(1, course);
  expect(still).toMatchObject({
    outcome: 'unchanged',
    reason: 'frozen by the policy until 1970-01-01T01:00:00Z: peak',
  });
  const [failed] = await run(1, { ...course, states: () => statesWithout(topology, 0) });
  expect(failed!.utilization[0]).toBe(0);
  const [over] = (await run(1, { ...course, first: 12 })).slice(-1);
  expect(over!.churn.elective).toBeGreaterThan(0);
});
