import { expect, test } from 'vitest';
import type { EpochContext, EpochInputs } from '../../../pipeline/epoch/inputs.ts';
import { freshState, planEpoch } from '../../../pipeline/epoch.ts';
import { explainEdge, planWatched, type WatchedEpoch } from '../../../pipeline/replay/explanation.ts';
import { formatExplanation } from '../../../pipeline/replay/explanation-text.ts';
import type { BucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { normalState } from '../../../runtime/inputs.ts';
import { engineHere, policyOf, statesWithout, topologyOf, treeOf } from '../../scene.ts';

const height = 7;
const solver = await engineHere('highs');
const topology = topologyOf(2, [100, 100, 100]);
const policy = policyOf({ objective: 'closest-first' }); // e0 to d0, e1 to d1

function contextOf(): EpochContext {
  const buckets = 1 << height;
  const row = {
    bucket: Uint16Array.from({ length: buckets }, (_, b) => b),
    weight: new Float64Array(buckets).fill(1 / buckets),
  };
  const weights: BucketWeights = { byEdge: [row, row], edgeWeight: Float64Array.from([1, 1]) };
  return { tree: treeOf(300, height, 1), weights, solver };
}

function inputsOf(more: Partial<EpochInputs> = {}): EpochInputs {
  return {
    epoch: 0,
    startMs: 0,
    topology,
    policy,
    demandRps: Float64Array.of(60, 60),
    states: topology.datacenters.map(() => normalState),
    intents: [],
    previous: null,
    carried: freshState,
    ...more,
  };
}

const context = contextOf();
const first = await planWatched(inputsOf(), null, context, planEpoch);

/** The epoch after the first one. */
function next(more: Partial<EpochInputs>): Promise<WatchedEpoch> {
  const { table, carried } = first.plan;
  const inputs = inputsOf({ epoch: 1, startMs: 300_000, previous: table, carried, ...more });
  return planWatched(inputs, first.inputs, context, planEpoch);
}

test('watching an epoch changes nothing of its plan', async () => {
  const inputs = inputsOf({ demandRps: Float64Array.of(90, 20), previous: first.plan.table });
  const { plan } = await planWatched(inputs, null, context, planEpoch);
  expect(plan).toEqual(await planEpoch(inputs, context));
});

test('a first table is explained without a before', () => {
  const explanation = explainEdge(first, 0, null);
  expect(explanation).toMatchObject({ outcome: 'initial', since: null, changes: [], guarded: false });
  expect(explanation.datacenters.every(({ before }) => before === null)).toBe(true);
  expect(formatExplanation(explanation)).toContain('Nothing is known of the epoch before.');
});

test('an epoch held for too much failing at once names that, and each failed one its state', async () => {
  const watched = await next({ states: statesWithout(topology, 1, 2) });
  expect(watched.plan.outcome).toBe('held');
  const explanation = explainEdge(watched, 1, null);
  expect(explanation).toMatchObject({ limits: [], meanRttMs: null });
  expect(explanation.datacenters).toMatchObject([
    { datacenter: 'd1', served: 1, reason: null }, // it stays until somebody says that this is true
    { datacenter: 'd0', reason: 'guard', detail: expect.stringMatching(/^held: 67 % of all capacity failed at once/) },
    { datacenter: 'd2', reason: 'abnormal', detail: 'keeps nothing' },
  ]);
  expect(formatExplanation(explanation)).toContain('Nothing was solved, so nothing binds.');
});

test('what a freeze holds back is wanted, and the freeze is named', async () => {
  const freeze = { kind: 'freeze', id: 'f', author: 'ann', reason: 'launch', priority: 'manual', until: null } as const;
  const far = topologyOf(2, [100, 100, 100], (e, d) => [10, 40, e === 1 ? 1 : 70][d]!);
  const watched = await next({ topology: far, policy: policyOf(), intents: [freeze] });
  expect(watched.plan).toMatchObject({ outcome: 'unchanged', reason: 'frozen by ann: launch' });
  const explanation = explainEdge(watched, 1, null);
  const wanted = explanation.datacenters.find(({ datacenter }) => datacenter === 'd2')!;
  expect(wanted.solved).toBeGreaterThan(0.5);
  expect(wanted).toMatchObject({ served: 0, reason: 'guard' });
  expect(wanted.detail).toMatch(/ is wanted; frozen by ann: launch$/);
  expect(explanation.changes.map(({ input }) => input)).toEqual(expect.arrayContaining(['rtt', 'intent', 'policy']));
});

test('nothing changed is said', async () => {
  expect(formatExplanation(explainEdge(await next({}), 0, null))).toContain(
    'No input changed since 1970-01-01T00:00:00Z.',
  );
});

test('of one datacenter: its row, its limits and those of all', async () => {
  const tight = policyOf({ objective: 'closest-first', utilizationMax: 0.5 });
  const watched = await planWatched(inputsOf({ policy: tight }), null, context, planEpoch);
  const all = explainEdge(watched, 0, null);
  const one = explainEdge(watched, 0, 0);
  expect(one.datacenters).toEqual(all.datacenters.filter(({ datacenter }) => datacenter === 'd0'));
  expect(all.limits.length).toBeGreaterThan(0);
  expect(one.limits).toEqual(all.limits.filter(({ datacenter }) => datacenter === null || datacenter === 'd0'));
});

test('of a sticky service it tells the sessions that outlive the epoch, not those that its table is planned for', async () => {
  const sticky = policyOf({ traffic: { kind: 'sticky', sessionLifetime: '30m' } }); // planned for 10 minutes ahead
  const sessions = Float64Array.of(30, 30, 0, 0, 30, Number.NaN);
  const watched = await next({ policy: sticky, sessions });
  const [d0] = explainEdge(watched, 0, 0).datacenters;
  expect(d0!.sessions).toEqual({ count: expect.closeTo(30 * Math.exp(-5 / 30), 5), by: 'telemetry' });
});

test('where a service is not due, that and no pin is why a datacenter gets nothing', async () => {
  const explanation = explainEdge(await next({ isDue: false }), 0, 1);
  expect(explanation).toMatchObject({ outcome: 'unchanged', reason: 'not-due' });
  expect(explanation.datacenters).toMatchObject([
    { reason: 'guard', detail: 'nothing of e0 moves by choice in this epoch: its service is not due' },
  ]);
});
