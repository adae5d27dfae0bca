/** `npm run bench:bucketizer -- refresh [GRAPH ...] [--seeds 5] [--weeks 10] [--height N]`: a tree refreshed after the usual drift (3 % of
 *  ties rewired, 1 % new users, 0.5 % gone) beside one built from scratch on the same ties, means of the seeds; then ten
 *  refreshes in a row of each seed's tree, their mean beside that of as many trees from scratch, for one tree says little (on
 *  soc-Epinions1 they differ by 5 % among themselves). CPU is of this process, from ties in memory to the sealed tree, both
 *  warm.
 *  Data: TAIJI_DATA. */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type BucketizeInput,
  type BucketizeOptions,
  buildTree,
  prepareBuild,
  prepareFresh,
  type TreeReport,
} from '../../bucketizer/bucketize.ts';
import { compiledSearches } from '../../bucketizer/io/compiled-searches.ts';
import { readEdgeList } from '../../bucketizer/io/edge-list.ts';
import { type Refreshed, refresh } from '../../bucketizer/refresh.ts';
import type { BucketTree } from '../../bucketizer/tree.ts';
import { drifted, usualDrift } from '../bucketizer/drift.ts';
import { communityGraph, generatedGraphs, realGraphs, usersPerLeaf } from './bucketizer-graphs.ts';
import { atMost, type Figure, told } from './figure.ts';

const moveMax = 0.05;

const searches = compiledSearches(); // as the command line has them

/** Not by default. */
const larger: typeof generatedGraphs = { 'made-300k': () => communityGraph(300_000, 10, 0.4, 1) };

const byDefault = [...realGraphs, ...Object.keys(generatedGraphs)];

export async function benchRefresh(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seeds: { type: 'string', default: '5' },
      weeks: { type: 'string', default: '10' },
      height: { type: 'string' }, // of all trees; default: 40 to 80 users a bucket
    },
  });
  const data = resolve(process.env['TAIJI_DATA'] ?? '../shared/data');
  for (const name of positionals.length > 0 ? positionals : byDefault) {
    const input = await inputOf(name, data);
    if (input === null) {
      process.stdout.write(`${name}: skipped, no such file under ${data}; set TAIJI_DATA\n`);
      continue;
    }
    const height = Number(values.height ?? Math.floor(Math.log2(input.users.length / usersPerLeaf)));
    process.stdout.write(`\n${name}: ${input.users.length} users, ${1 << height} buckets, move max ${moveMax}\n`);
    print([
      ...measureOnce(input, height, Number(values.seeds)),
      ...measureInARow(input, height, Number(values.weeks), Number(values.seeds)),
    ]);
  }
}

async function inputOf(name: string, data: string): Promise<BucketizeInput | null> {
  const made = { ...generatedGraphs, ...larger }[name];
  if (made !== undefined) {
    const { users, ties } = made();
    return { users: Array.from({ length: users }, (_, v) => `u${v}`), userWeights: null, ties, tieWeights: null };
  }
  const path = join(data, `graphs/${name}.txt.gz`);
  return existsSync(path) ? { ...(await readEdgeList(path, 0)), userWeights: null } : null;
}

interface Pair {
  readonly refreshed: Refreshed;
  readonly localityShare: number; // mean locality over that of a tree from scratch
  readonly freshLocality: number;
  readonly cpuShare: number;
  readonly buildSeconds: number; // CPU
}

function measureOnce(input: BucketizeInput, height: number, seeds: number): Figure[] {
  const changed = drifted(input, usualDrift, 'warm up'); // without change a refresh searches for nothing
  refreshed(changed, build(input, { height, seed: 1 }).tree, 1);
  const pairs = Array.from({ length: seeds }, (_, i) => {
    const { tree } = build(input, { height, seed: i + 1 });
    return compare(drifted(input, usualDrift, `drift ${i}`), tree, i + 1);
  });
  const most = Math.max(...pairs.map(({ refreshed }) => shareMoved(refreshed)));
  return [
    atMost('moved (users or weight, the worst seed)', most, 0.03, 4),
    atLeast('mean locality / from scratch', mean(pairs.map(({ localityShare }) => localityShare)), 0.995),
    atMost('CPU / from scratch', mean(pairs.map(({ cpuShare }) => cpuShare)), 0.2, 3),
    told('CPU s of a tree from scratch', mean(pairs.map(({ buildSeconds }) => buildSeconds)).toFixed(2)),
    told('balance given (even shares, the worst seed)', worstGiven(pairs).toFixed(3)),
  ];
}

function measureInARow(input: BucketizeInput, height: number, weeks: number, seeds: number): Figure[] {
  let trees = Array.from({ length: seeds }, (_, i) => build(input, { height, seed: i + 1 }).tree);
  let later = input;
  const pairs: Pair[] = [];
  const shares: number[] = []; // [week] mean locality of the refreshed over that of trees from scratch
  const worst: number[] = []; // the same of the worst refreshed one
  for (let week = 1; week <= weeks; week++) {
    later = drifted(later, usualDrift, `week ${week}`, week);
    const ofWeek = trees.map((tree, i) => compare(later, tree, week + i));
    const kept = ofWeek.map(({ refreshed }) => refreshed.report.meanLocality);
    const fresh = mean(ofWeek.map(({ freshLocality }) => freshLocality));
    shares.push(mean(kept) / fresh);
    worst.push(Math.min(...kept) / fresh);
    trees = ofWeek.map(({ refreshed }) => refreshed.tree);
    pairs.push(...ofWeek);
  }
  const most = Math.max(...pairs.map(({ refreshed }) => shareMoved(refreshed)));
  return [
    atMost(`moved, most of ${weeks} in a row`, most, moveMax, 4),
    atLeast(`mean locality / from scratch (means of ${seeds}), least of ${weeks} in a row`, Math.min(...shares), 0.985),
    told('the same of the worst refreshed tree', Math.min(...worst).toFixed(4)),
    told(`balance given, most of ${weeks} in a row`, worstGiven(pairs).toFixed(3)),
  ];
}

function compare(later: BucketizeInput, tree: BucketTree, seed: number): Pair {
  const { height } = tree;
  const beforeBuild = cpuSeconds();
  const fresh = build(later, { height, seed });
  const buildSeconds = cpuSeconds() - beforeBuild;
  const before = cpuSeconds();
  const result = refreshed(later, tree, seed);
  const seconds = cpuSeconds() - before;
  return {
    refreshed: result,
    localityShare: result.report.meanLocality / fresh.report.meanLocality,
    freshLocality: fresh.report.meanLocality,
    cpuShare: seconds / buildSeconds,
    buildSeconds,
  };
}

function build(input: BucketizeInput, options: BucketizeOptions): { tree: BucketTree; report: TreeReport } {
  return buildTree(prepareFresh(input, options, searches.rows), () => {}, searches);
}

function refreshed(later: BucketizeInput, tree: BucketTree, seed: number): Refreshed {
  const prepared = prepareBuild(later, { height: tree.height, seed }, searches.rows);
  return refresh(prepared, tree, moveMax, () => {}, searches);
}

function shareMoved({ report }: Refreshed): number {
  return Math.max(report.refresh.usersMovedShare, report.refresh.weightMovedShare);
}

function worstGiven(pairs: readonly Pair[]): number {
  return Math.max(...pairs.map(({ refreshed }) => refreshed.report.refresh.balanceGiven));
}

function print(figures: readonly Figure[]): void {
  for (const { what, measured, limit, holds } of [...figures].sort((a, b) => Number(a.holds) - Number(b.holds))) {
    const mark = holds ? (limit === '' ? '    ' : 'ok  ') : 'MISS';
    process.stdout.write(`  ${mark} ${what}: ${measured}${limit === '' ? '' : ` (${limit})`}\n`);
    if (!holds) process.exitCode = 3;
  }
}

function atLeast(what: string, measured: number, limit: number): Figure {
  return { what, measured: measured.toFixed(4), limit: `at least ${limit}`, holds: measured >= limit };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
