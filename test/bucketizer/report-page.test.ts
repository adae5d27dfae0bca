import { expect, test } from 'vitest';
import { type BucketizeOptions, bucketize, prepareBuild, type TreeReport } from '../../bucketizer/bucketize.ts';
import { auditCommunities } from '../../bucketizer/communities.ts';
import { refresh } from '../../bucketizer/refresh.ts';
import { reportPage } from '../../bucketizer/report-page.ts';
import { communityTies, userNames } from './sample-graphs.ts';

const input = { users: userNames(200), userWeights: null, ties: communityTies(200, 10, 1), tieWeights: null };

const reportOf = (options: Omit<BucketizeOptions, 'seed'>): TreeReport =>
  bucketize(input, { seed: 1, ...options }).report;

/** [line][point], as x and y. */
const linesOf = (page: string): number[][][] =>
  [...page.matchAll(/points="([^"]*)"/g)].map(([, list]) =>
    list!.split(' ').map((point) => point.split(',').map(Number)),
  );

const cellsOf = (page: string): string[] => [...page.matchAll(/<td[^>]*>([^<]*)<\/td>/g)].map(([, cell]) => cell!);

test('a page of a report plots every level and every point of the cache curve, and asks for nothing from outside', () => {
  const report = reportOf({ height: 4, simulateCache: true });
  const page = reportPage(report);
  const sizes = report.cache!.curve.length;
  expect(linesOf(page).map(({ length }) => length)).toEqual([5, 5, sizes, sizes, sizes]);
  expect(page).toContain('Cache misses in 8 datacenters');
  for (const { missRate } of report.cache!.curve) {
    for (const rate of Object.values(missRate)) {
      if (rate >= 0.001) expect(cellsOf(page)).toContain(`${(100 * rate).toFixed(2)} %`);
    }
  }
  expect(page).not.toMatch(/https?:|<script|NaN|undefined|null/);
  expect(reportPage(reportOf({ height: 4 }))).not.toContain('Cache');
});

test('a higher share is drawn higher', () => {
  const [tree, hash] = linesOf(reportPage(reportOf({ height: 4 })));
  for (let level = 1; level <= 4; level++) expect(tree![level]![1]).toBeLessThan(hash![level]![1]!); // SVG counts from the top
});

test.each([1, 2, 14, 16])('at height %i lines are seen and no name of a level runs into the next', (height) => {
  const page = reportPage(reportOf({ height }));
  const xs = linesOf(page)[0]!.map(([x]) => x!);
  expect(xs.length).toBe(height + 1);
  expect(xs.at(-1)! - xs[0]!).toBeGreaterThan(500);
  const names = [...page.matchAll(/<text x="([\d.]+)" y="(\d+)" text-anchor="middle">([^<]*)</g)];
  expect(names.length).toBe(2 * (height + 1));
  const letterWidth = 7; // a digit's at most, in 12 px
  for (const [i, [, x, y, name]] of names.entries()) {
    const [, nextX, nextY, next] = names[i + 1] ?? [];
    if (y !== nextY) continue;
    expect(Number(nextX) - Number(x)).toBeGreaterThan((letterWidth * (name!.length + next!.length)) / 2);
  }
});

test('every level has its row: ties inside and cut, the heaviest segment, communities', () => {
  const report = reportOf({ height: 5, audit: auditCommunities });
  const page = reportPage(report);
  for (const [level, { nodes, locality, cutWeight, imbalance, heaviestUserInIt }] of report.levels.entries()) {
    const { fitting, whole } = report.communities!.levels[level]!;
    expect(cellsOf(page).slice(10 * level, 10 * level + 9)).toEqual([
      `${level}`,
      `${nodes}`,
      `${(100 * locality).toFixed(2)} %`,
      `${(100 / nodes).toFixed(2)} %`,
      `${cutWeight}`,
      (1 + imbalance).toFixed(3),
      heaviestUserInIt.toFixed(3),
      `${fitting}`,
      whole === null ? '-' : `${(100 * whole).toFixed(2)} %`,
    ]);
  }
});

test('a page says what became of the ties, lines that were skipped and users who were not listed', () => {
  const report = reportOf({ height: 3, hubDegree: 9 });
  const page = reportPage({ ...report, badLines: 3, usersUnlisted: 1234 });
  const { given, self, repeated, hubTies, hubUsers, kept } = report.ties;
  expect(Math.min(self, repeated, hubTies, kept)).toBeGreaterThan(0);
  const grouped = (count: number): string => (count < 1000 ? `${count}` : `1,${`${count}`.slice(1)}`);
  for (const [name, count] of [
    ['given', given],
    ['to oneself, dropped', self],
    ['repeated, added to another between the same two', repeated],
    [`of hubs (${hubUsers}), dropped`, hubTies],
    ['kept', kept],
  ] as const) {
    expect(page).toContain(`<th>${name}</th><td>${grouped(count)}</td>`);
  }
  expect(page).toContain('3 bad lines were skipped');
  expect(page).toContain('1,234 not listed');
});

test('the page of a refresh says what moved, level by level, of what is allowed, and what balance gave', () => {
  const { tree } = bucketize(input, { height: 4, seed: 1 });
  const later = { ...input, users: [...userNames(199), 'new'] };
  const { report } = refresh(prepareBuild(later, { height: 4, seed: 1 }), tree, 0.04);
  const page = reportPage({ ...report, refresh: { ...report.refresh, weightMovedShare: 0.0123, balanceGiven: 0.25 } });
  expect(page).toContain(tree.version);
  expect(page).toContain('<td>199 users</td>');
  expect(page).toContain(`<td>${report.refresh.usersMoved} of them</td>`);
  expect(page).toContain('<td>1.23 % of 4.00 % allowed</td>');
  expect(page).toContain('0.250 x the even share');
  for (const { level, usersShare } of report.refresh.movedByLevel) {
    expect(cellsOf(page)[9 * level + 7]).toBe(`${(100 * usersShare).toFixed(2)} %`);
  }
  expect(page).not.toMatch(/NaN|undefined|null/);
});
