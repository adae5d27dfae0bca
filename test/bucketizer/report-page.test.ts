import { expect, test } from 'vitest';
import { type BucketizeOptions, bucketize, prepareBuild, type TreeReport } from '../../bucketizer/bucketize.ts';
import { auditCommunities } from '../../bucketizer/communities.ts';
import { refresh } from '../../bucketizer/refresh.ts';
import { reportPage } from '../../bucketizer/report-page.ts';
import { communityTies, userNames } from './sample-graphs.ts';

const input = { users: userNames(200), userWeights: null, ties: communityTies(200, 10, 1), tieWeights: null };

const reportOf = (options: Omit<BucketizeOptions, 'seed'>): TreeReport =>
  bucketize(input, { seed: 1, ...options }).report;

/** A report as no graph gives it: no figure is another one's, on the page either, so that each is told from the others. */
const made: Parameters<typeof reportPage>[0] = {
  treeVersion: 'abc0123',
  height: 3,
  seed: 77,
  effort: 'best',
  objective: 'p-fanout',
  fanout: 5.678,
  users: 30_017,
  usersWithoutTies: 418,
  usersUnlisted: 1234,
  ties: {
    given: 2_000_000,
    self: 5,
    repeated: 61_000,
    oneWay: 730_000,
    light: 8900,
    hubUsers: 19,
    hubTies: 99_095,
    kept: 1_101_000,
  },
  badLines: 23,
  meanLocality: 0.5713,
  levels: [
    level(0, 0.9998, 0.25, 0.011, 0.00042),
    level(1, 0.9134, 1234.5, 0.022, 0.0071),
    level(2, 0.8021, 56.789, 0.033, 0.31),
    level(3, 0.000456, 2_345_678, 0.044, 0.6504),
  ],
  communities: {
    communities: 4321,
    modularity: 0.8349,
    levels: [
      { level: 0, fitting: 4300, whole: 0.9871, together: 0.9962 },
      { level: 1, fitting: 4200, whole: 0.8872, together: 0.8963 },
      { level: 2, fitting: 4100, whole: 0.7873, together: 0.7964 },
      { level: 3, fitting: 0, whole: null, together: null },
    ],
  },
  cache: {
    datacenters: 6,
    requests: 240_136,
    curve: [
      { cacheShare: 0.015, missRate: { random: 0.951, hash: 0.842, tree: 0.421 } },
      { cacheShare: 0.31, missRate: { random: 0.633, hash: 0.524, tree: 0.131 } },
      { cacheShare: 0.97, missRate: { random: 0.0315, hash: 0, tree: 0.0000206 } },
    ],
    connectionLocality: [],
  },
  refresh: {
    previousVersion: 'def4567',
    moveMax: 0.043,
    usersKept: 29_001,
    usersPlaced: 1016,
    usersGone: 507,
    usersMoved: 808,
    usersMovedShare: 0.0279,
    weightMovedShare: 0.0162,
    movedByLevel: [
      { level: 0, usersShare: 0.0011, weightShare: 0.0012 },
      { level: 1, usersShare: 0.0023, weightShare: 0.0024 },
      { level: 2, usersShare: 0.0035, weightShare: 0.0036 },
      { level: 3, usersShare: 0.00000047, weightShare: 0.0048 },
    ],
    balanceGiven: 0.00231,
  },
};

function level(
  level: number,
  locality: number,
  cutWeight: number,
  imbalance: number,
  heaviestUserInIt: number,
): TreeReport['levels'][number] {
  return { level, nodes: 1 << level, locality, cutWeight, heaviestShare: 0.9, imbalance, heaviestUserInIt };
}

/** What follows a heading that begins so. */
function part(page: string, heading: string): string {
  const found = page.split('<h2>').filter((text) => text.startsWith(heading));
  expect(found.length, heading).toBe(1);
  return found[0]!;
}

const isTag = /<[^>]*>/g;

/** [row][column]; heads in one row, each with what spans it before it. */
function tableIn(text: string): string[][] {
  const rows = [...text.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) =>
    [...row!.matchAll(/<(t[hd])([^>]*)>(.*?)<\/\1>/g)].flatMap(([, , attributes, cell]) => {
      const span = Number(/colspan="(\d+)"/.exec(attributes!)?.[1] ?? 1);
      return new Array<string>(span).fill(cell!.replace(isTag, ''));
    }),
  );
  if (!text.includes('colspan')) return rows;
  const [spans, heads, ...body] = rows;
  return [heads!.map((head, column) => `${spans![column]} ${head}`.trim()), ...body];
}

interface Drawn {
  readonly name: string; // as the legend tells the colour
  readonly x: readonly number[];
  readonly shares: readonly number[]; // as the axis tells them
  readonly told: readonly string[]; // where the pointer rests
}

/** What a reader takes from a plot. */
function plotIn(text: string): Drawn[] {
  const ticks = [...text.matchAll(/y="([\d.]+)" text-anchor="end"[^>]*>([\d.]+) %/g)].map(([, y, share]) => ({
    y: Number(y),
    share: Number(share) / 100,
  }));
  const [low, high] = [ticks[0]!, ticks.at(-1)!];
  const shareAt = (y: number): number => low.share + ((y - low.y) / (high.y - low.y)) * (high.share - low.share);
  for (const { y, share } of ticks) expect(shareAt(y)).toBeCloseTo(share, 2);
  return [...text.matchAll(/background:(#\w+)"><\/i>([^<]*)</g)].map(([, colour, name]) => {
    const points = [...text.matchAll(/stroke="(#\w+)"[^>]*points="([^"]*)"/g)].filter(([, of]) => of === colour);
    const marks = [...text.matchAll(/fill="(#\w+)"><title>([^<]*)</g)].filter(([, of]) => of === colour);
    expect(points.length, name).toBe(1);
    const xy = points[0]![2]!.split(' ').map((point) => point.split(',').map(Number));
    return {
      name: name!,
      x: xy.map(([x]) => x!),
      shares: xy.map(([, y]) => shareAt(y!)),
      told: marks.map(([, , told]) => told!),
    };
  });
}

/** Each with where its middle is. */
const namesBelow = (text: string): { x: number; y: number; name: string }[] =>
  [...text.matchAll(/<text x="([\d.]+)" y="(\d+)" text-anchor="middle">([^<]*)</g)].map(([, x, y, name]) => ({
    x: Number(x),
    y: Number(y),
    name: name!,
  }));

test('the figures to look at first are each under their name', () => {
  const page = reportPage(made);
  expect(page).toContain('>abc0123<');
  expect(page).toContain('>height 3, seed 77, effort best, objective p-fanout<');
  const cards = [...page.matchAll(/<div>([^<]*)<b>([^<]*)<\/b><small>([^<]*)<\/small>/g)];
  expect(cards.map(([, ...card]) => card)).toEqual([
    ['users', '30,017', '418 without ties, 1,234 not listed'],
    ['buckets', '8', '3,752 users each in the mean'],
    ['ties kept', '1,101,000', 'of 2,000,000 given'],
    ['ties inside segments', '57.13 %', 'mean of the levels below the root'],
    ['ties inside buckets', '0.046 %', 'a hash: 12.50 %'],
    ['heaviest bucket', '1.044 x', 'the even share; its heaviest user alone 0.650 x'],
    ['fanout', '5.68', "buckets a user's request reaches in the mean"],
    ['users moved', '2.79 %', 'of 4.30 % allowed'],
  ]);
});

test('the table of levels has each figure in its row and column', () => {
  const text = part(reportPage(made), 'Level by level');
  expect(tableIn(text)).toEqual([
    [
      ...['level', 'segments', 'ties inside', 'ties by a hash', 'ties weight cut'],
      ...['heaviest segment, x even all of it', 'heaviest segment, x even its heaviest user'],
      ...['moved to another users', 'moved to another weight'],
      ...['communities that fit', 'communities whole', 'communities together'],
    ],
    [
      ...['0', '1', '99.98 %', '100.00 %', '0.25', '1.011', '0.00042', '0.11 %', '0.12 %'],
      ...['4,300', '98.71 %', '99.62 %'],
    ],
    [
      ...['1', '2', '91.34 %', '50.00 %', '1,235', '1.022', '0.0071', '0.23 %', '0.24 %'],
      ...['4,200', '88.72 %', '89.63 %'],
    ],
    [
      ...['2', '4', '80.21 %', '25.00 %', '56.79', '1.033', '0.310', '0.35 %', '0.36 %'],
      ...['4,100', '78.73 %', '79.64 %'],
    ],
    [...['3', '8', '0.046 %', '12.50 %', '2,345,678', '1.044', '0.650', '0.000047 %', '0.48 %'], ...['0', '-', '-']],
  ]);
  expect([...text.matchAll(/--share: ([^"]*)">([^<]*)</g)].map(([, bar, cell]) => [bar, cell])).toEqual(
    ['99.98', '91.34', '80.21', '0.046'].map((share) => [`${share}%`, `${share} %`]),
  );
  expect(text).toContain('(Louvain: 4,321 of two users and more, modularity 0.835)');
});

test('the tables of ties and of the tree before have each figure in its row', () => {
  const page = reportPage(made);
  const ties = part(page, 'What became of the ties');
  expect(tableIn(ties)).toEqual([
    ['given', '2,000,000', '100.00 %'],
    ['to oneself, dropped', '5', '0.00025 %'],
    ['repeated, added to another between the same two', '61,000', '3.05 %'],
    ['one way, dropped', '730,000', '36.50 %'],
    ['light, dropped', '8,900', '0.45 %'],
    ['of hubs (19), dropped', '99,095', '4.95 %'],
    ['kept', '1,101,000', '55.05 %'],
  ]);
  expect(ties).toContain('>23 bad lines were skipped.<');
  const before = part(page, 'Against the tree before');
  expect(before).toContain('def4567');
  expect(tableIn(before)).toEqual([
    ['in both trees', '29,001 users'],
    ['moved to another bucket', '808 of them'],
    ['share of users moved', '2.79 % of 4.30 % allowed'],
    ['share of weight moved', '1.62 % of 4.30 % allowed'],
    ['new', '1,016 users'],
    ['gone', '507 users'],
    ['balance given', '0.0023 x the even share, which the cap could not mend'],
  ]);
  const kept = reportPage({ ...made, refresh: { ...made.refresh!, balanceGiven: 0 } });
  expect(tableIn(part(kept, 'Against the tree before')).at(-1)).toEqual(['balance given', 'none']);
});

test('the table of caches has each figure in its row and column', () => {
  const text = part(reportPage(made), 'Cache misses in 6 datacenters');
  expect(tableIn(text)).toEqual([
    ['cache', 'at random', 'by a hash', 'by the tree', 'misses of the hash spared'],
    ['1.5 %', '95.10 %', '84.20 %', '42.10 %', '50.00 %'],
    ['31.0 %', '63.30 %', '52.40 %', '13.10 %', '75.00 %'],
    ['97.0 %', '3.15 %', '0.00 %', '0.0021 %', '-'],
  ]);
  expect(text).toContain('240,136 requests, after as many');
});

test('by axis, legend and pointer plots say what the report does, above the names of their columns', () => {
  const page = reportPage(made);
  const curve = made.cache!.curve;
  for (const [heading, below, lines, told] of [
    [
      'Ties inside one segment',
      [...['0', '1', '2', '3'], ...['1', '2', '4', '8']],
      { tree: made.levels.map(({ locality }) => locality), hash: [1, 0.5, 0.25, 0.125] },
      { tree: 'tree, level 3: 0.046 %', hash: 'hash, level 3: 12.50 %' },
    ],
    [
      'Cache misses',
      ['1.5 %', '31.0 %', '97.0 %'],
      {
        tree: curve.map(({ missRate }) => missRate.tree),
        hash: curve.map(({ missRate }) => missRate.hash),
        random: curve.map(({ missRate }) => missRate.random),
      },
      {
        tree: 'tree, cache 97.0 %: 0.0021 %',
        hash: 'hash, cache 97.0 %: 0.00 %',
        random: 'random, cache 97.0 %: 3.15 %',
      },
    ],
  ] as const) {
    const drawn = plotIn(part(page, heading));
    const names = namesBelow(part(page, heading));
    expect(drawn.map(({ name }) => name)).toEqual(Object.keys(lines));
    expect(names.map(({ name }) => name)).toEqual(below);
    for (const line of drawn) {
      const values: readonly number[] = new Map(Object.entries(lines)).get(line.name)!;
      expect(line.shares.length).toBe(values.length);
      for (const [i, value] of values.entries()) expect(line.shares[i]).toBeCloseTo(value, 3); // drawn to a tenth of a pixel, .0004
      for (const [i, { x }] of names.entries()) expect(x).toBe(line.x[i % line.x.length]);
      expect(line.told.at(-1)).toBe(new Map(Object.entries(told)).get(line.name));
    }
  }
});

test('whatever is reported, a page asks for nothing from outside, names nothing unknown, and is no wider than a phone', () => {
  const { tree } = bucketize(input, { height: 4, seed: 1 });
  const later = { ...input, users: [...userNames(199), 'new'] };
  for (const report of [
    made,
    reportOf({ height: 4 }),
    reportOf({ height: 5, simulateCache: true, audit: auditCommunities, hubDegree: 9 }),
    reportOf({ height: 2, simulateCache: true, audit: auditCommunities, minWeight: 1000 }),
    refresh(prepareBuild(later, { height: 4, seed: 1 }), tree, 0.04).report,
  ]) {
    const page = reportPage(report);
    expect(page).not.toMatch(/https?:|<script|NaN|undefined|null/);
    for (const [wide] of page.matchAll(/.{20}<(?:table|svg)/g)) expect(wide).toContain('<div class="scroll"><');
    expect(page.includes('Cache misses')).toBe(report.cache !== null);
  }
});

test('where no tie was kept nothing reads as perfect', () => {
  const report = reportOf({ height: 4, simulateCache: true, objective: 'p-fanout', minWeight: 1000 });
  expect(report.ties.kept).toBe(0);
  expect(report.cache).toBeNull();
  const page = reportPage(report);
  for (const name of ['ties inside segments', 'ties inside buckets', 'fanout']) {
    expect(page).toContain(`<div>${name}<b>-</b><small>no tie was kept</small></div>`);
  }
  expect(part(page, 'Ties inside one segment')).toContain('No tie was kept');
  expect(page).not.toContain('<svg');
  for (const row of tableIn(part(page, 'Level by level')).slice(1)) expect(row.slice(2, 5)).toEqual(['-', '-', '0']);
});

test.each([1, 2, 14, 16])('at height %i lines are seen and no name of a level runs into the next', (height) => {
  const text = part(reportPage(reportOf({ height })), 'Ties inside one segment');
  const [{ x }] = plotIn(text) as [Drawn];
  expect(x.length).toBe(height + 1);
  expect(x.at(-1)! - x[0]!).toBeGreaterThan(500);
  const names = namesBelow(text);
  expect(names.length).toBe(2 * (height + 1));
  const letterWidth = 7; // a digit's at most, in 12 px
  for (const [i, { x, y, name }] of names.entries()) {
    const next = names[i + 1];
    if (y !== next?.y) continue;
    expect(next.x - x).toBeGreaterThan((letterWidth * (name.length + next.name.length)) / 2);
  }
});
