/** What tables promise, epoch by epoch, on small worlds drawn from a seed: skewed demand, flash crowds, datacenters that fail
 *  and come back, and fractions that use every datacenter at every edge, which is hardest on tables. */

import { describe, expect, test } from 'vitest';
import { bucketize } from '../../../bucketizer/bucketize.ts';
import { generateWorld } from '../../../config/generate.ts';
import { seededRandom } from '../../../config/random.ts';
import { ConnectionLocality, SegmentsWhole } from '../../../pipeline/replay/locality.ts';
import { mean } from '../../../pipeline/replay/quantile.ts';
import { type AssignmentKind, assign } from '../../../pipeline/table/assign.ts';
import { bucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { cellTies } from '../../../pipeline/table/cell-ties.ts';
import { measureChurn } from '../../../pipeline/table/churn.ts';
import type { Assigned } from '../../../pipeline/table/friends-assignment.ts';
import { pace } from '../../../pipeline/table/pace.ts';
import { makeTargets, type RoutingTable } from '../../../pipeline/table/routing-table.ts';
import { nearnessSeries } from '../../bench/churn-series.ts';
import { harder } from '../../bench/harder-world.ts';
import { policyOf } from '../../scene.ts';

const seeds = [1, 2, 3, 4, 5, 6];
const churnMax = 0.05;
const epochCount = 288;

interface Epoch {
  readonly churn: number;
  readonly minimum: number;
  readonly elective: number;
  readonly together: number;
  readonly whole: number;
}

function settingOf(seed: number) {
  const random = seededRandom(`${seed}/promises`);
  const size = { edges: 3 + Math.floor(8 * random()), datacenters: 3 + Math.floor(4 * random()) };
  const world = harder(generateWorld({ seed, ...size, users: 2000, days: 1 }), seed);
  const { users, friends, topology } = world;
  const ties = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  const { tree } = bucketize(ties, { height: 10 + Math.floor(3 * random()), seed, effort: 'fast' });
  const weights = bucketWeights(topology, tree, users);
  return { world, tree, weights, series: nearnessSeries('', world, policyOf(), epochCount) };
}

function epochsOf(
  { world, tree, weights, series }: ReturnType<typeof settingOf>,
  kind: AssignmentKind,
  localityBudget: number,
): readonly Epoch[] {
  const fixed = {
    ...{ tree, weights, segmentLevel: 7, localityBudget, churnMax },
    targets: makeTargets(world.topology),
    edges: world.topology.edges.map(({ id }) => id),
    cellTies: cellTies(world, tree, weights),
  };
  const locality = new ConnectionLocality(world, tree);
  const segments = new SegmentsWhole(weights, tree.height, 7);
  let carried: Assigned['locality'];
  let previous: RoutingTable | null = null;
  return series.epochs.map(({ edgeLoad, wanted, ceilings, demandRps }): Epoch => {
    const inputs = { ...fixed, edgeLoad, wanted, ceilings, previous };
    const target = assign(kind, { ...inputs, ...(carried && { locality: carried }) });
    carried = target.locality;
    const before = previous;
    const table: RoutingTable =
      before === null ? target.table : pace({ ...inputs, previous: before, target: target.table }).table;
    const { forced, elective, minimum } = before
      ? measureChurn({ ...inputs, previous: before, next: table })
      : { forced: 0, elective: 0, minimum: 0 };
    previous = table;
    const whole = segments.of(table, demandRps);
    return { churn: forced + elective, elective, minimum, together: locality.of(table), whole };
  });
}

describe.each(seeds)('in the world of seed %i', (seed) => {
  const setting = settingOf(seed);
  const budgeted = epochsOf(setting, 'friends', 0.15);

  test('elective churn never exceeds churnMax, exchanges counted', () => {
    for (const [t, { elective }] of budgeted.entries()) {
      expect(elective, `seed ${seed} epoch ${t}`).toBeLessThanOrEqual(churnMax + 1e-9);
    }
  });

  test('without a budget every epoch moves the minimum', () => {
    for (const [t, { churn, minimum }] of epochsOf(setting, 'friends', 0).entries()) {
      const most = minimum >= 0.002 ? 1.005 * minimum : minimum + 0.0001;
      expect(churn, `seed ${seed} epoch ${t}`).toBeLessThanOrEqual(most);
    }
  });

  test('with one the day moves at most 1.1 of the minimum, an epoch 1.5 of it and .001', () => {
    for (const [t, { churn, minimum }] of budgeted.entries()) {
      expect(churn, `seed ${seed} epoch ${t}`).toBeLessThanOrEqual(1.5 * minimum + 0.001);
    }
    const [churn, minimum] = [mean(budgeted.map((one) => one.churn)), mean(budgeted.map((one) => one.minimum))];
    expect(minimum, `seed ${seed}: it was put to the test`).toBeGreaterThan(0.001);
    expect(churn / minimum, `seed ${seed}`).toBeLessThanOrEqual(1.1);
  });

  test('more friends are together than by stable segments, and than without a budget', () => {
    const together = (epochs: readonly Epoch[]): number => mean(epochs.map((one) => one.together));
    expect(together(budgeted), `seed ${seed}`).toBeGreaterThan(together(epochsOf(setting, 'segments', 0)) + 0.03);
    expect(together(budgeted), `seed ${seed}`).toBeGreaterThan(together(epochsOf(setting, 'friends', 0)));
  });
});
