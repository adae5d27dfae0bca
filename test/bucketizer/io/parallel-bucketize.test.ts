import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type BucketizeProgress, bucketize, prepareFresh } from '../../../bucketizer/bucketize.ts';
import { compiledSearches } from '../../../bucketizer/io/compiled-searches.ts';
import { bucketizeInParallel } from '../../../bucketizer/io/parallel-bucketize.ts';
import { checkTree } from '../check-tree.ts';
import { communityTies, userNames } from '../sample-graphs.ts';

const built = new URL('../../../dist/bucketizer/io/bisect-worker.js', import.meta.url);

test('any number of workers builds the same tree', async (context) => {
  if (!existsSync(built)) context.skip('workers need the built program: npm run build');
  const users = 9000;
  const input = {
    users: userNames(users),
    userWeights: null,
    ties: communityTies(users, 40, 1, { inside: 6 }),
    tieWeights: null,
  };
  const options = { height: 7, seed: 3, effort: 'fast' } as const;
  const alone = bucketize(input, options);
  checkTree(alone.tree);
  const ways = [
    { workers: 1, tiesMin: 0 },
    { workers: 2, tiesMin: 0 },
    { workers: 3, tiesMin: 0 },
    { workers: 2, tiesMin: Infinity }, // half of it here
  ];
  for (const { workers, tiesMin } of ways) {
    const settled: number[] = [];
    const note = ({ stage, done, total }: BucketizeProgress): void => {
      if (stage === 'bisect') settled.push(done / total);
    };
    const searches = compiledSearches();
    const built = await bucketizeInParallel(prepareFresh(input, options), workers, note, searches, tiesMin, 0);
    expect(built.tree.version, `${workers} workers, threads alone from ${tiesMin} ties`).toBe(alone.tree.version);
    expect(built.report).toEqual(alone.report);
    expect([settled[0], settled.at(-1)]).toEqual([0, 1]);
  }
});
