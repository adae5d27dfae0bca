/** `npm run bench:churn [-- --help]`: whom tables move when fractions change, ours beside plain stable segments and the
 *  hashing of load balancers: for single changes, and over a world's week for three series of fractions. Prints what is
 *  promised beside what is measured; exit 3 where something is missed. */

import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { generateWorld } from '../../config/generate.ts';
import { readWorld } from '../../config/load.ts';
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
import { type ChurnRun, runWay, type Way } from './churn-run.ts';
import { type FractionSeries, nearnessSeries, neededMovement, plannedSeries } from './churn-series.ts';
import type { Figure } from './figure.ts';
import { harder } from './harder-world.ts';
import { contextOf, policyOf, realWeek } from './real-week.ts';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '7' },
    series: { type: 'string', default: '1,2,3' },
    world: { type: 'string' },
    generated: { type: 'string' },
    edges: { type: 'string', default: '42' },
    datacenters: { type: 'string', default: '10' },
    users: { type: 'string', default: '20000' },
    harder: { type: 'string' },
    height: { type: 'string', default: '14' },
    brief: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  process.stdout.write(`npm run bench:churn [-- OPTIONS]

--days N           of the week; default: 7
--series 1,2,3     of fractions: balance; balance with shareMax 0.4; capacity x nearness, levelled. Default: all
--world DIR        another world directory than the real week; default: $TAIJI_DATA/world
--generated SEED   a generated world, of --edges 42 --datacenters 10 --users 20000
--harder SEED      the world with skewed demand, crowds, outages, fewer ties, drawn from the seed
--height N         of the tree; default: 14
--brief            ours and plain segments at level 7 alone: neither single changes nor hashing nor hidden ties
`);
  process.exit();
}
const world = chosenWorld();
process.stdout.write(`${cpus().length} cores, Node ${process.versions.node}\n\n`);
if (!values.brief) printChanges();
if (world) await printWeek(values.harder === undefined ? world : harder(world, Number(values.harder)));
else process.stdout.write('the week: skipped: its data is absent; set TAIJI_DATA to the folder that holds it\n');
process.exit();

function chosenWorld(): World | null {
  if (values.world !== undefined) return readWorld(values.world);
  if (values.generated === undefined) return realWeek(resolve(process.env['TAIJI_DATA'] ?? '../shared/data'));
  const [seed, edges, datacenters, users, days] = [
    values.generated,
    values.edges,
    values.datacenters,
    values.users,
    values.days,
  ].map(Number) as [number, number, number, number, number];
  return generateWorld({ seed, edges, datacenters, users, days: Math.ceil(days) });
}

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
  const context = await contextOf(world, 'default', Number(values.height));
  const solve = certifiedBy([context.solver], () => {});
  const count = Math.min(world.demand.timesMs.length, Math.round(288 * Number(values.days)));
  const makers: Readonly<Record<string, () => Promise<FractionSeries> | FractionSeries>> = {
    '1': () => plannedSeries('1: balance', world, policyOf(), count, solve),
    '2': () => plannedSeries('2: balance, shareMax 0.4', world, policyOf({ guards: { shareMax: 0.4 } }), count, solve),
    '3': () => nearnessSeries('3: capacity x nearness, levelled', world, policyOf(), count),
  };
  const needed = values.brief ? null : mean(await neededMovement(world, policyOf(), count, solve));
  const hidden = values.brief ? null : await hiddenTies(world);
  let missed = false;
  for (const name of values.series.split(',')) {
    const series = await makers[name]!();
    const run = (way: Way): ChurnRun => runWay(way, world, series, { seen: world, hidden: null });
    const runs = [
      run(friendsWay('taiji', world, context, 0.15)),
      run(friendsWay('taiji, quotient graph alone', world, withoutCells(context), 0.15)),
      run(friendsWay('taiji, locality step off', world, context, 0)),
      run(segmentsWay(7, world, context)),
      ...(values.brief ? [] : others(world, context).map(run)),
    ];
    const heldOut = hidden
      ? [friendsWay('', world, hidden.context, 0.15), segmentsWay(7, world, hidden.context)].map((way) =>
          runWay(way, world, series, { seen: hidden.seen, hidden: hidden.hidden }),
        )
      : [];
    process.stdout.write(`series ${series.name}\n`);
    for (const line of runLines(runs, needed)) process.stdout.write(`${line}\n`);
    const figures = churnFigures(name, runs, heldOut);
    for (const figure of [...figures.filter(({ holds }) => !holds), ...figures.filter(({ holds }) => holds)]) {
      process.stdout.write(`  ${line(figure)}\n`);
    }
    process.stdout.write('\n');
    missed ||= figures.some(({ holds }) => !holds);
  }
  if (missed) process.exitCode = 3;
}

function others(world: World, context: Trees): readonly Way[] {
  const hashed = Object.entries(hashings).map(([way, hashing]) => hashedWay(way, hashing, world));
  return [segmentsWay(context.tree.height, world, context), ...hashed];
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
  const { tree } = bucketize(ties, { height: Number(values.height), seed: 1, effort: 'fast' });
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
