/** `npm run bench:churn [-- --days N] [--series 1,2,3]`: whom tables move when fractions change, ours beside plain stable
 *  segments and the hashing of load balancers: for single changes, and over the real week for three series of fractions.
 *  Prints what is promised beside what is measured; exit 3 where something is missed. */

import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { seededRandom } from '../../config/random.ts';
import type { World } from '../../config/world.ts';
import type { EpochContext } from '../../pipeline/epoch/inputs.ts';
import { mean } from '../../pipeline/replay/quantile.ts';
import { assign } from '../../pipeline/table/assign.ts';
import { bucketWeights } from '../../pipeline/table/bucket-weights.ts';
import { cellTies } from '../../pipeline/table/cell-ties.ts';
import type { Assigned } from '../../pipeline/table/friends-assignment.ts';
import { pace } from '../../pipeline/table/pace.ts';
import { makeTargets } from '../../pipeline/table/routing-table.ts';
import { certifiedBy } from '../../runtime/lp/certified.ts';
import { changeRows } from './churn-changes.ts';
import { churnFigures, runLines } from './churn-figures.ts';
import { hashedWay, hashings } from './churn-hashing.ts';
import { type ChurnRun, oneDatacenterBound, runWay, type Way } from './churn-run.ts';
import { type FractionSeries, nearnessSeries, neededMovement, plannedSeries } from './churn-series.ts';
import type { Figure } from './figure.ts';
import { contextOf, policyOf, realWeek } from './real-week.ts';

const { values } = parseArgs({
  options: { days: { type: 'string', default: '7' }, series: { type: 'string', default: '1,2,3' } },
});
const world = realWeek(resolve(process.env['TAIJI_DATA'] ?? '../shared/data'));
process.stdout.write(`${cpus().length} cores, Node ${process.versions.node}\n\n`);
printChanges();
if (world) await printWeek(world);
else process.stdout.write('the week: skipped: its data is absent; set TAIJI_DATA to the folder that holds it\n');
process.exit();

function printChanges(): void {
  const rows = changeRows();
  const ways = Object.keys(rows[0]!.moved);
  process.stdout.write(
    `| users moved | datacenters | least | ${ways.join(' | ')} |\n|---|---|---|${'---|'.repeat(ways.length)}\n`,
  );
  for (const { change, datacenters, need, moved } of rows) {
    const cells = ways.map((way) => percent(moved[way]!));
    process.stdout.write(`| ${change} | ${datacenters} | ${percent(need)} | ${cells.join(' | ')} |\n`);
  }
  process.stdout.write('\n');
}

async function printWeek(world: World): Promise<void> {
  const context = await contextOf(world, 'default');
  const solve = certifiedBy([context.solver], () => {});
  const count = Math.min(world.demand.timesMs.length, Math.round(288 * Number(values.days)));
  const makers: Readonly<Record<string, () => Promise<FractionSeries> | FractionSeries>> = {
    '1': () => plannedSeries('1: balance', world, policyOf(), count, solve),
    '2': () => plannedSeries('2: balance, shareMax 0.4', world, policyOf({ guards: { shareMax: 0.4 } }), count, solve),
    '3': () => nearnessSeries('3: capacity x nearness, levelled', world, policyOf(), count),
  };
  const needed = mean(await neededMovement(world, policyOf(), count, solve));
  const hidden = await hiddenTies(world);
  let missed = false;
  for (const name of values.series.split(',')) {
    const series = await makers[name]!();
    const bound = oneDatacenterBound(world, series);
    const run = (way: Way): ChurnRun => runWay(way, world, series, { seen: world, hidden: null });
    const runs = [
      run(friendsWay('taiji', world, context, 0.15)),
      run(friendsWay('taiji, quotient graph alone', world, withoutCells(context), 0.15)),
      run(friendsWay('taiji, locality step off', world, context, 0)),
      run(segmentsWay(7, world, context)),
      run(segmentsWay(14, world, context)),
      ...Object.entries(hashings).map(([way, hashing]) => run(hashedWay(way, hashing, world))),
    ];
    const heldOut = [friendsWay('', world, hidden.context, 0.15), segmentsWay(7, world, hidden.context)].map((way) =>
      runWay(way, world, series, { seen: hidden.seen, hidden: hidden.hidden }),
    );
    process.stdout.write(`series ${series.name}\n`);
    for (const line of runLines(runs, needed, bound)) process.stdout.write(`${line}\n`);
    const figures = churnFigures(name, runs, bound, heldOut);
    for (const figure of [...figures.filter(({ holds }) => !holds), ...figures.filter(({ holds }) => holds)]) {
      process.stdout.write(`  ${line(figure)}\n`);
    }
    process.stdout.write('\n');
    missed ||= figures.some(({ holds }) => !holds);
  }
  if (missed) process.exitCode = 3;
}

function line({ what, measured, limit, holds }: Figure): string {
  const mark = holds ? (limit === '' ? '    ' : 'ok  ') : 'MISS';
  return `${mark} ${what}: ${measured}${limit === '' ? '' : ` (${limit})`}`;
}

type Trees = Pick<EpochContext, 'tree' | 'weights' | 'cellTies'>;

function withoutCells({ tree, weights }: Trees): Trees {
  return { tree, weights };
}

function friendsWay(name: string, world: World, { tree, weights, cellTies: ties }: Trees, localityBudget: number): Way {
  const { churnMax } = policyOf().spec.guards;
  const targets = makeTargets(world.topology);
  const edges = world.topology.edges.map(({ id }) => id);
  let locality: Assigned['locality'];
  return {
    name,
    tree,
    weights,
    segmentLevel: 7,
    next: ({ edgeLoad, wanted, ceilings }, previous) => {
      const inputs = { tree, weights, edgeLoad, wanted, ceilings, previous, targets, edges, segmentLevel: 7 };
      const carried = { ...(locality && { locality }), ...(ties && { cellTies: ties }) };
      const target = assign('friends', { ...inputs, localityBudget, churnMax, ...carried });
      locality = target.locality;
      if (previous === null) return { table: target.table, deferredEdges: [] };
      return pace({ previous, target: target.table, weights, edgeLoad, ceilings, churnMax });
    },
  };
}

function segmentsWay(segmentLevel: number, world: World, { tree, weights }: Trees): Way {
  const targets = makeTargets(world.topology);
  const edges = world.topology.edges.map(({ id }) => id);
  return {
    name: `stable segments, level ${segmentLevel}`,
    tree,
    weights,
    segmentLevel: 7,
    next: ({ edgeLoad, wanted, ceilings }, previous) => {
      const inputs = { tree, weights, edgeLoad, wanted, ceilings, previous, targets, edges, segmentLevel };
      return { table: assign('segments', inputs).table, deferredEdges: [] };
    },
  };
}

/** A tenth of the ties is kept from the tree and from the assignment. */
async function hiddenTies(world: World): Promise<{ seen: World; hidden: World; context: Trees }> {
  const random = seededRandom(7);
  const [seen, hidden]: [number[], number[]] = [[], []];
  for (let i = 0; i < world.friends.length; i += 2) {
    (random() < 0.1 ? hidden : seen).push(world.friends[i]!, world.friends[i + 1]!);
  }
  const friends = Uint32Array.from(seen);
  const { users, topology } = world;
  const ties = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  const { tree } = bucketize(ties, { height: 14, seed: 1, effort: 'fast' });
  const weights = bucketWeights(topology, tree, users);
  const known: World = { ...world, friends };
  return {
    seen: known,
    hidden: { ...world, friends: Uint32Array.from(hidden) },
    context: { tree, weights, cellTies: cellTies(known, tree, weights) },
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
