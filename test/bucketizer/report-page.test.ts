import { expect, test } from 'vitest';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { reportPage } from '../../bucketizer/report-page.ts';
import { communityTies, userNames } from './sample-graphs.ts';

const input = { users: userNames(200), userWeights: null, ties: communityTies(200, 10, 1), tieWeights: null };

test('a page of a report plots every point of the cache curve and of the levels, and asks for nothing from outside', () => {
  const { report } = bucketize(input, { height: 4, seed: 1, simulateCache: true });
  const page = reportPage(report);
  const points = [...page.matchAll(/points="([^"]*)"/g)].map(([, list]) => list!.split(' ').length);
  const sizes = report.cache!.curve.length;
  expect(points).toEqual([sizes, sizes, sizes, 4, 4]);
  for (const { missRate } of report.cache!.curve) {
    for (const rate of Object.values(missRate)) expect(page).toContain(`<td>${rate.toFixed(4)}</td>`);
  }
  expect(page).not.toMatch(/https?:|<script|NaN|undefined/);
});

test('a higher share is drawn higher', () => {
  const { report } = bucketize(input, { height: 4, seed: 1 });
  const [tree, hash] = [...reportPage(report).matchAll(/points="([^"]*)"/g)].map(([, list]) =>
    list!.split(' ').map((point) => Number(point.split(',')[1])),
  );
  for (const [i, y] of tree!.entries()) expect(y).toBeLessThan(hash![i]!); // SVG counts from the top
});
