import { expect, test } from 'vitest';
import { bucketize } from '../../../bucketizer/bucketize.ts';
import { generateWorld } from '../../../config/generate.ts';
import type { EpochContext, EpochInputs } from '../../../pipeline/epoch/inputs.ts';
import { freshState, planEpoch } from '../../../pipeline/epoch.ts';
import type { ExplainedBucket } from '../../../pipeline/replay/bucket-explanation.ts';
import { explainEdge, planWatched, type WatchedEpoch } from '../../../pipeline/replay/explanation.ts';
import { formatExplanation } from '../../../pipeline/replay/explanation-text.ts';
import { bucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { normalState } from '../../../runtime/inputs.ts';
import { engineHere, policyOf, statesWithout } from '../../scene.ts';

const { topology, demand, users, friends } = generateWorld({ seed: 3, edges: 5, datacenters: 4, users: 500, days: 1 });
const input = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
const { tree } = bucketize(input, { height: 6, seed: 1, effort: 'fast' });
const weights = bucketWeights(topology, tree, users);
const context: EpochContext = { tree, weights, solver: await engineHere('highs') };
const steps = [0, 60, 61].map((t) => demand.rps.slice(t * 5, (t + 1) * 5));

const plan = (epoch: number, last: WatchedEpoch | null, more: Partial<EpochInputs> = {}): Promise<WatchedEpoch> => {
  const inputs: EpochInputs = {
    epoch,
    startMs: epoch * 300_000,
    topology,
    policy: policyOf({ buckets: { segmentLevel: 3 } }),
    demandRps: steps[epoch]!,
    states: topology.datacenters.map(() => normalState),
    intents: [],
    previous: last?.plan.table ?? null,
    carried: last?.plan.carried ?? freshState,
    ...more,
  };
  return planWatched(inputs, last?.inputs ?? null, context, planEpoch);
};

const first = await plan(0, null);
const later = await plan(1, first);
const [dead] = later.plan.table!.byEdge[0]!;
const failed = await plan(2, later, { states: statesWithout(topology, dead!) });

const buckets = Array.from({ length: 1 << tree.height }, (_, bucket) => bucket);
const explain = (watched: WatchedEpoch, e: number, bucket: number): ExplainedBucket =>
  explainEdge(watched, e, null, bucket).bucket!;
const everyCell = topology.edges.flatMap((_, e) => buckets.map((bucket) => [e, bucket] as const));

test('a bucket says where it was and is, by the tables', () => {
  for (const [e, bucket] of everyCell) {
    expect(explain(first, e, bucket)).toMatchObject({ before: null, why: 'first' });
    const explained = explain(later, e, bucket);
    const [before, now] = [first, later].map(({ plan: { table } }) => table!.byEdge[e]![bucket]!);
    expect([explained.before, explained.now]).toEqual([before, now].map((d) => topology.datacenters[d!]!.id));
    expect(explained.why === 'stays').toBe(before === now);
    expect(explained.segment).toEqual({ number: bucket >> 3, first: bucket & ~7, last: bucket | 7 });
  }
});

test('whoever was on a dead datacenter had to move, and nobody else where nothing more moved than had to', () => {
  expect(failed.plan.outcome).toBe('published');
  const { id } = topology.datacenters[dead!]!;
  let moved = 0;
  for (const [e, bucket] of everyCell) {
    const { why, before, now, detail } = explain(failed, e, bucket);
    if (before !== id) continue;
    moved += 1;
    expect(now).not.toBe(id);
    expect(why).toBe('must-move');
    expect(detail).toMatch(new RegExp(`^${id} may hold 0\\.0000 of ${topology.edges[e]!.id}, it held \\d`));
  }
  expect(moved).toBeGreaterThan(0);
});

test('friends are where the table serves them, by a plain count', () => {
  const { rowStart, neighbour, weight } = tree.quotient;
  const { byEdge } = later.plan.table!;
  const usersAt = (e: number, bucket: number): number => {
    const { bucket: cells, weight: of } = weights.byEdge[e]!;
    return weights.edgeWeight[e]! * (of[cells.indexOf(bucket)] ?? 0);
  };
  for (const bucket of buckets) {
    const ties = topology.datacenters.map(() => 0);
    for (let k = rowStart[bucket]!; k < rowStart[bucket + 1]!; k++) {
      const at = byEdge.map((row, e) => [row[neighbour[k]!]!, usersAt(e, neighbour[k]!)] as const);
      const all = at.reduce((sum, [, part]) => sum + part, 0);
      for (const [d, part] of at) ties[d]! += (weight[k]! * part) / all;
    }
    const total = ties.reduce((a, b) => a + b, 0);
    for (let e = 0; e < byEdge.length; e++) {
      const { friendsAt, demandShare } = explain(later, e, bucket);
      expect(demandShare > 0).toBe(usersAt(e, bucket) > 0);
      if (demandShare === 0) expect(friendsAt).toEqual([]);
      else {
        for (const { datacenter, share } of friendsAt) {
          const d = topology.datacenters.findIndex(({ id }) => id === datacenter);
          expect(Math.abs(share - ties[d]! / total), `bucket ${bucket}`).toBeLessThan(2e-6);
        }
      }
    }
  }
});

test('it is told below the datacenters', () => {
  const [bucket] = weights.byEdge[0]!.bucket;
  const lines = formatExplanation(explainEdge(failed, 0, null, bucket!));
  const at = lines.findIndex((line) => line.startsWith(`bucket ${bucket} of segment ${bucket! >> 3} (`));
  expect(lines.slice(at + 1, at + 5).map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
    'served',
    'why',
    'its friends',
    'its segment here',
  ]);
});
