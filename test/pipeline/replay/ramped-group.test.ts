/** Coming aboard: what is under Taiji grows by what is added to it, nothing else moves, every limit is kept with all of the
 *  load counted, and the way back ends exactly where it began. */

import { beforeAll, expect, test } from 'vitest';
import type { Intent } from '../../../config/intent.ts';
import { seededRandom } from '../../../config/random.ts';
import type { EpochContext, EpochInputs } from '../../../pipeline/epoch/inputs.ts';
import type { EpochPlan } from '../../../pipeline/epoch/plan.ts';
import { freshState } from '../../../pipeline/epoch.ts';
import { planRamped } from '../../../pipeline/replay/ramped-group.ts';
import { uniformBucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { measureChurn } from '../../../pipeline/table/churn.ts';
import { importedTable } from '../../../pipeline/table/imported.ts';
import { boardingOrder } from '../../../pipeline/table/ramp.ts';
import { type RoutingTable, sameTable, servedFractions } from '../../../pipeline/table/routing-table.ts';
import type { DatacenterState } from '../../../runtime/inputs.ts';
import { loadOf } from '../../../runtime/meters.ts';
import { engineHere, matrixOf, policyOf, statesWithout, topologyOf, treeOf } from '../../scene.ts';
import { intentOf } from '../intent-pairs.ts';

const height = 8;
const topology = topologyOf(3, [100, 100, 100]);
const tree = treeOf(1024, height, 1);
const weights = uniformBucketWeights(topology, tree);
const demandRps = Float64Array.of(60, 50, 40);
const today = matrixOf([
  [0.6, 0.4, 0],
  [0.5, 0.5, 0],
  [0.6, 0, 0.4],
]);
const base: RoutingTable = importedTable({
  topology,
  policy: policyOf(),
  tree,
  weights,
  edgeLoad: demandRps.map((rps) => rps / 150),
  fractions: today,
});
const place = boardingOrder(height, 7);
let context: EpochContext;

beforeAll(async () => {
  context = { tree, weights, base, solver: await engineHere('highs') };
});

interface Step {
  readonly ramp: { readonly share: number; readonly edges?: readonly string[] } | null;
  readonly epochs: number;
  readonly spec?: Record<string, unknown>;
  readonly demandRps?: Float64Array;
  readonly states?: readonly DatacenterState[];
  readonly intents?: readonly Intent[];
}

/** Steps one after the other; [epoch] with the table it moved from. */
async function course(steps: readonly Step[], from: RoutingTable = base) {
  const epochs: { readonly plan: EpochPlan; readonly before: RoutingTable; readonly step: Step }[] = [];
  let before: Pick<EpochPlan, 'table' | 'carried'> = { table: from, carried: freshState };
  let epoch = 0;
  for (const step of steps) {
    for (let i = 0; i < step.epochs; i++) {
      const inputs: EpochInputs = {
        epoch,
        startMs: epoch * 300_000,
        topology,
        policy: policyOf({ ...step.spec, ramp: step.ramp }),
        demandRps: step.demandRps ?? demandRps,
        states: step.states ?? statesWithout(topology),
        intents: step.intents ?? [],
        previous: before.table,
        carried: before.carried,
      };
      const [plan] = await planRamped([{ inputs, context }]);
      epochs.push({ plan: plan!, before: before.table!, step });
      before = plan!;
      epoch += 1;
    }
  }
  return epochs;
}

/** Buckets of edge `e` that are elsewhere than imported. */
const astray = (table: RoutingTable, e: number): number[] =>
  [...table.byEdge[e]!.keys()].filter((b) => table.byEdge[e]![b] !== base.byEdge[e]![b]);

test('buckets come aboard in one order: whole segments, spread over the tree, every bucket once', () => {
  expect([...place].sort((a, b) => a - b)).toEqual(Array.from({ length: 256 }, (_, b) => b));
  for (let b = 0; b < 256; b += 2) expect(place[b + 1]! - place[b]!).toBe(1); // 128 segments of two
  const [first] = [...place.keys()].filter((b) => place[b] === 0);
  const next = [...place.keys()].filter((b) => place[b] === 2);
  expect(Math.abs(first! - next[0]!)).toBeGreaterThan(2);
});

test('of nobody aboard the table is the imported one, to the byte, epoch after epoch', async () => {
  const epochs = await course([{ ramp: { share: 0 }, epochs: 3 }]);
  for (const { plan } of epochs) {
    expect(plan.outcome).toBe('unchanged');
    expect(plan.table).toBe(base);
    expect(plan.churn).toMatchObject({ forced: 0, elective: 0, minimum: 0 });
  }
});

test('only buckets that come first in that order, at the edges of the ramp, ever move', async () => {
  const shares = [0.05, 0.3, 0.7, 1];
  const epochs = await course(shares.map((share) => ({ ramp: { share, edges: ['e0', 'e2'] }, epochs: 6 })));
  let moved = new Set<number>();
  shares.forEach((share, i) => {
    const { table } = epochs[6 * i + 5]!.plan;
    expect(astray(table!, 1)).toEqual([]);
    const now = new Set([...astray(table!, 0), ...astray(table!, 2)]);
    for (const b of now) expect(place[b]!, `share ${share}`).toBeLessThan(Math.ceil(share * 256));
    moved = now;
  });
  expect(moved.size).toBeGreaterThan(0);
});

test('the way back is exact, and paced by churnMax as the way there was', async () => {
  const spec = { guards: { churnMax: 0.03 } };
  const epochs = await course([
    { ramp: { share: 0.6 }, epochs: 12, spec },
    { ramp: { share: 0.2 }, epochs: 15, spec },
    { ramp: { share: 0 }, epochs: 15, spec },
  ]);
  for (const { plan, before } of epochs) {
    const edgeLoad = demandRps.map((rps) => rps / 150);
    const { forced, elective } = measureChurn({
      previous: before,
      next: plan.table!,
      weights,
      edgeLoad,
      ceilings: plan.ceilings,
    });
    expect(forced + elective).toBeLessThanOrEqual(0.03 + 1e-9);
    expect(plan.churn.elective).toBeCloseTo(elective, 9);
    expect(plan.outcome === 'unchanged').toBe(sameTable(plan.table!, before));
  }
  const back = epochs[26]!.plan.table!;
  for (const e of [0, 1, 2]) for (const b of astray(back, e)) expect(place[b]!).toBeLessThan(Math.ceil(0.2 * 256));
  expect(epochs[41]!.plan.table!.byEdge.map((row) => [...row])).toEqual(base.byEdge.map((row) => [...row]));
  expect(epochs[41]!.plan.reason).toBe('nothing-to-move');
});

test('limits are kept with what is not steered counted: 40 random ramps, demands and capacities', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = seededRandom(seed);
    const demand = demandRps.map((rps) => rps * (0.7 + 0.5 * random()));
    const ramp = { share: random(), ...(random() < 0.5 && { edges: ['e0', 'e1'] }) };
    const spec = { utilizationMax: 0.9, guards: { churnMax: 0.05, onloadMax: 1 } };
    const epochs = await course([{ ramp, epochs: 4, spec, demandRps: demand }]);
    const levelsOf = (table: RoutingTable) => loadOf(demand, servedFractions(table, weights)).map((rps) => rps / 100);
    for (const { plan, before } of epochs) {
      const [was, is] = [levelsOf(before), levelsOf(plan.table!)];
      plan.utilization.forEach((level, d) => {
        expect(level, `seed ${seed}`).toBeCloseTo(is[d]!, 6);
        expect(is[d]!, `seed ${seed}`).toBeLessThanOrEqual(Math.max(0.9, was[d]!) + 0.01);
      });
      plan.served.forEach((share, i) => {
        expect(plan.solved[i], `seed ${seed}`).toBeGreaterThanOrEqual(-1e-9);
        expect(Number.isFinite(share)).toBe(true);
      });
    }
  }
});

test('the more is aboard, the nearer the levels come to what all of it would reach', async () => {
  const highest = async (ramp: Step['ramp']): Promise<number> =>
    Math.max(...(await course([{ ramp, epochs: 25 }])).at(-1)!.plan.utilization);
  const [none, part, whole, without] = [
    await highest({ share: 0 }),
    await highest({ share: 0.2 }),
    await highest({ share: 1 }),
    await highest(null),
  ];
  expect(part).toBeLessThan(none);
  expect(whole).toBeLessThan(part);
  expect(whole).toBeCloseTo(without, 9);
});

test('users of a datacenter that fails leave it whether aboard or not, and those that are not come back to where they were', async () => {
  const dead = statesWithout(topology, 0);
  const epochs = await course([
    { ramp: { share: 0.1 }, epochs: 2 },
    { ramp: { share: 0.1 }, epochs: 1, states: dead },
    { ramp: { share: 0.1 }, epochs: 30 },
  ]);
  const { plan } = epochs[2]!;
  expect(plan.table!.byEdge.some((row) => row.includes(0))).toBe(false);
  expect(plan.churn.forced).toBeGreaterThan(0.4);
  expect(plan.utilization[0]).toBe(0);
  const last = epochs.at(-1)!.plan.table!;
  for (const e of [0, 1, 2]) for (const b of astray(last, e)) expect(place[b]!).toBeLessThan(Math.ceil(0.1 * 256));
});

test('a drain empties what is not aboard too, and a freeze keeps what is astray where it is', async () => {
  const drain = intentOf({ kind: 'drain', id: 'd', datacenter: 'd1' });
  const freeze = intentOf({ kind: 'freeze', id: 'f' });
  const epochs = await course([
    { ramp: { share: 0.5 }, epochs: 3, intents: [drain] },
    { ramp: { share: 0 }, epochs: 2, intents: [drain, freeze] },
    { ramp: { share: 0 }, epochs: 2, intents: [freeze] },
    { ramp: { share: 0 }, epochs: 20 },
  ]);
  expect(epochs[2]!.plan.table!.byEdge.some((row) => row.includes(1))).toBe(false);
  for (const i of [5, 6]) expect(epochs[i]!.plan.churn.elective).toBe(0);
  expect(sameTable(epochs.at(-1)!.plan.table!, base)).toBe(true);
});

test('sessions of a sticky service are counted on either side, and none is lost between them', async () => {
  const spec = { traffic: { kind: 'sticky', sessionLifetime: '10m' } };
  const all = await course([{ ramp: { share: 0.3 }, epochs: 8, spec }]);
  const alone = await course([{ ramp: null, epochs: 8, spec: { ...spec, guards: { churnMax: 0 } } }]);
  const sum = (values: readonly number[] | undefined): number => (values ?? []).reduce((a, b) => a + b, 0);
  all.forEach(({ plan }, i) => {
    expect(sum(plan.carried.sessions) / sum(alone[i]!.plan.carried.sessions)).toBeCloseTo(1, 3);
  });
});
