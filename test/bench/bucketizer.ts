/** Figures of the bucketizer on real graphs: locality by level, worst imbalance, CPU seconds, memory. One process a graph,
 *  so that each has its own peak of memory. Asserts nothing about time.
 *  Arguments: names of graphs (`deezer_hu/1024/default`); none: all below. Data: TAIJI_DATA. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bucketize, type EffortName } from '../../bucketizer/bucketize.ts';
import { readEdgeList } from '../../bucketizer/io/edge-list.ts';
import { readUsers } from '../../bucketizer/io/users.ts';

const all = [
  'facebook_combined/256/default',
  'deezer_ro/1024/default',
  'deezer_hu/1024/fast',
  'deezer_hu/1024/default',
  'deezer_hu/1024/best',
  'fbpages_newsites/1024/default',
  'soc-Epinions1/1024/default',
  'fb100_Cornell5/1024/default',
  'world/16384/default',
];

async function main(names: readonly string[]): Promise<void> {
  const { TAIJI_DATA: data = '../shared/data' } = process.env;
  if (!existsSync(data)) {
    console.log(`no data at ${data}; set TAIJI_DATA`);
    return;
  }
  if (names.length === 1) return measure(data, names[0]!);
  console.log(`Node ${process.version}, ${cpus().length} cores`);
  const script = fileURLToPath(import.meta.url);
  for (const name of names.length > 0 ? names : all) {
    spawnSync(process.execPath, [script, name], { stdio: 'inherit' });
  }
}

async function measure(data: string, name: string): Promise<void> {
  const [graph, buckets, effort] = name.split('/') as [string, string, EffortName];
  const world = graph === 'world';
  const list = await readEdgeList(join(data, world ? 'world/friends.csv.gz' : `graphs/${graph}.txt.gz`), 0);
  const listed = world ? await readUsers(join(data, 'world/users.csv')) : null;
  const weightOf = new Map(listed?.users.map((user, i) => [user, listed.weights[i]!]));
  const userWeights = listed === null ? null : Float64Array.from(list.users, (user) => weightOf.get(user)!);
  const before = process.cpuUsage();
  const { report } = bucketize({ ...list, userWeights }, { height: Math.log2(Number(buckets)), seed: 1, effort });
  const { user, system } = process.cpuUsage(before);
  const worst = Math.max(...report.levels.map(({ imbalance }) => imbalance));
  const byLevel = report.levels.slice(1).map(({ nodes, locality }) => `${nodes}: ${locality.toFixed(3)}`);
  console.log(
    `${name}: ${report.users} users, ${report.ties.kept} ties; mean ${report.meanLocality.toFixed(3)}, ` +
      `worst imbalance ${(100 * worst).toFixed(1)} %, ${((user + system) / 1e6).toFixed(1)} s CPU, ` +
      `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB\n  ${byLevel.join('  ')}`,
  );
}

await main(process.argv.slice(2));
