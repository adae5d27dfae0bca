import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { readEdgeList } from '../../bucketizer/io/edge-list.ts';
import { readUsers } from '../../bucketizer/io/users.ts';
import { checkTree } from './check-tree.ts';

const { TAIJI_DATA: data = '../shared/data' } = process.env;

test('a real friendship graph keeps its friends together: deezer_hu, 1024 buckets', async (context) => {
  const path = join(data, 'graphs/deezer_hu.txt.gz');
  if (!existsSync(path)) context.skip(`no data at ${path}`);
  const list = await readEdgeList(path, 0);
  const { tree, report } = bucketize({ ...list, userWeights: null }, { height: 10, seed: 1 });
  checkTree(tree);
  expect(report.levels.at(-1)!.locality).toBeGreaterThan(0.435);
  expect(report.meanLocality).toBeGreaterThan(0.66);
  for (const { imbalance } of report.levels) expect(imbalance).toBeLessThanOrEqual(0.05);
});

test('a real world of 47,538 users of log-normal weight is balanced in 16,384 buckets', async (context) => {
  const path = join(data, 'world/friends.csv.gz');
  if (!existsSync(path)) context.skip(`no data at ${path}`);
  const list = await readEdgeList(path, 0);
  const { users, weights } = await readUsers(join(data, 'world/users.csv'));
  const weightOf = new Map(users.map((user, i) => [user, weights[i]!]));
  const userWeights = Float64Array.from(list.users, (user) => weightOf.get(user)!);
  const { tree, report } = bucketize({ ...list, userWeights }, { height: 14, seed: 1, effort: 'fast' });
  checkTree(
    tree,
    tree.users.map((user) => weightOf.get(user)!),
  );
  expect(report.levels[7]!.locality).toBeGreaterThan(0.58);
});
