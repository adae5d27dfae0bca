import { beforeAll, describe, expect, test } from 'vitest';
import { bucketize } from '../../../bucketizer/bucketize.ts';
import type { BucketTree } from '../../../bucketizer/tree.ts';
import { generateWorld } from '../../../config/generate.ts';
import type { EpochContext } from '../../../pipeline/epoch/inputs.ts';
import { type ReplayReport, ReportBuilder } from '../../../pipeline/replay/report.ts';
import { type ReplayedEpoch, replayWorld } from '../../../pipeline/replay/world-replay.ts';
import { bucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { certifiedBy } from '../../../runtime/lp/certified.ts';
import { engineHere, policyOf } from '../../scene.ts';

const world = generateWorld({ seed: 5, edges: 5, datacenters: 4, users: 1500, days: 2 });
const { timesMs } = world.demand;
const churnMax = 0.05;
const policy = policyOf({ guards: { churnMax, shareMax: 0.5 }, buckets: { segmentLevel: 4, localityBudget: 0.15 } });

/** `effort` and ties make the trees: the first knows no ties, so that the others are better. */
function treeWith(ties: Uint32Array, seed: number): BucketTree {
  const { users } = world;
  return bucketize({ users: users.ids, userWeights: users.weight, ties, tieWeights: null }, { height: 7, seed }).tree;
}

async function replayed(
  trees: readonly BucketTree[],
  everyEpochs: number,
): Promise<{ readonly epochs: readonly ReplayedEpoch[]; readonly report: ReplayReport }> {
  const [first, ...later] = trees;
  const weights = bucketWeights(world.topology, first!, world.users);
  const context: EpochContext = { tree: first!, weights, solver: await engineHere('highs') };
  const builder = new ReportBuilder(
    world,
    policy,
    context,
    certifiedBy([context.solver], () => {}),
  );
  const epochs: ReplayedEpoch[] = [];
  const activations = later.map((tree, i) => ({ timeMs: timesMs[(i + 1) * everyEpochs]!, tree }));
  const options = { fromMs: timesMs[0]!, toMs: timesMs[3 * everyEpochs]!, oracle: false, activations };
  for await (const epoch of replayWorld(world, policy, context, options)) {
    await builder.add(epoch);
    epochs.push(epoch);
  }
  return { epochs, report: builder.finish() };
}

/** Share of demand served by another datacenter than in the epoch before, user by user. */
function movedBetween(before: ReplayedEpoch, after: ReplayedEpoch): number {
  const { users, topology } = world;
  const edgeWeight = new Float64Array(topology.edges.length);
  users.homeEdge.forEach((e, u) => {
    edgeWeight[e]! += users.weight[u]!;
  });
  const total = after.plannedRps.reduce((a, b) => a + b, 0);
  return users.ids.reduce((sum, id, u) => {
    const e = users.homeEdge[u]!;
    const was = before.table!.byEdge[e]![before.trees!.bucketOf(id)];
    const is = after.table!.byEdge[e]![after.trees!.bucketOf(id)];
    return sum + (was === is ? 0 : ((after.plannedRps[e]! / total) * users.weight[u]!) / edgeWeight[e]!);
  }, 0);
}

describe('two trees that take over, one after the other', () => {
  const strangers = Uint32Array.from({ length: world.friends.length }, (_, i) => (i * 7919) % world.users.ids.length);
  const trees = [treeWith(strangers, 1), treeWith(world.friends, 2), treeWith(world.friends, 3)];
  let run: Awaited<ReturnType<typeof replayed>>;
  beforeAll(async () => {
    run = await replayed(trees, 60);
  });

  test('move no more by choice in any epoch than churnMax, user by user', () => {
    for (let i = 1; i < run.epochs.length; i++) {
      const { plan, trees: inForce } = run.epochs[i]!;
      if (plan.relaxed.includes('churnMax')) continue;
      const moved = movedBetween(run.epochs[i - 1]!, run.epochs[i]!);
      expect(moved, `epoch ${i}`).toBeLessThanOrEqual(churnMax + plan.churn.forced + 1e-6);
      const told = plan.churn.elective + plan.churn.forced + (inForce!.treeStep?.churn ?? 0);
      expect(moved, `epoch ${i}: none is left out`).toBeLessThanOrEqual(told + 1e-6);
    }
  });

  test('both arrive, over several epochs, and the report tells whom they moved', () => {
    const { trees: takeovers } = run.report.summary;
    expect(takeovers).toHaveLength(2);
    for (const { until, epochs, users, churn, electiveMax } of takeovers!) {
      expect(until).not.toBeNull();
      expect(epochs).toBeGreaterThan(3);
      expect(users).toBeGreaterThan(1000);
      expect(churn).toBeGreaterThan(0.1);
      expect(electiveMax).toBeLessThanOrEqual(churnMax + 1e-9);
    }
    const last = run.epochs.at(-1)!;
    expect(last.table!.treeVersion).toBe(trees[2]!.version);
  });

  test('a tree that knows who is friends with whom brings friends together', () => {
    const { before, after } = run.report.summary.trees![0]!.connectionLocality;
    expect(after).toBeGreaterThan(before);
  });
});
