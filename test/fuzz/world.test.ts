/** Every cell and every header of a world's files spoiled, one at a time, and extreme numbers in all of them together:
 *  refused with file and line, or replayed to a report without a hole. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { parsePolicy } from '../../config/policy.ts';
import type { World } from '../../config/world.ts';
import { parseWorld, type WorldFileName } from '../../config/world-files.ts';
import { worldNotes } from '../../config/world-notes.ts';
import { ReportBuilder } from '../../pipeline/replay/report.ts';
import { replayWorld } from '../../pipeline/replay/world-replay.ts';
import { bucketWeights } from '../../pipeline/table/bucket-weights.ts';
import { certifiedBy } from '../../runtime/lp/certified.ts';
import { checkPlan, context, madeOrRefused } from './fleet.ts';
import { nastyValues, runs } from './nasty.ts';

type Cells = readonly (readonly string[])[];
type Files = Readonly<Record<WorldFileName, Cells>>;

const whole: Files = {
  'edges.csv': cells(
    'edge,city,lat,lon,region,unsteered\nfra,Frankfurt,50.11,8.68,eu,0.2\nnyc,New York,40.71,-74.01,,\nsin,Singapore,1.35,103.82,ap,0',
  ),
  'datacenters.csv': cells('datacenter,lat,lon,capacity_rps\nashburn,39.04,-77.49,900\ndublin,53.35,-6.26,600'),
  'latency.csv': cells(
    'edge,datacenter,rtt_ms\nfra,ashburn,92.5\nfra,dublin,25\nnyc,ashburn,8\nnyc,dublin,71\nsin,ashburn,220\nsin,dublin,180',
  ),
  'demand.csv': cells(
    'time,fra,nyc,sin\n2026-03-02T00:00:00Z,400,100,50\n2026-03-02T00:05:00Z,410,90,60\n2026-03-02T00:10:00Z,0,80.5,70\n2026-03-02T00:15:00Z,300,80,70',
  ),
  'events.csv': cells(
    'time,datacenter,state\n2026-03-02T00:05:00Z,dublin,abnormal\n2026-03-02T00:10:00Z,dublin,normal',
  ),
  'users.csv': cells('user,home_edge,weight\nu1,fra,0.5\nu2,nyc,1.25\nu3,fra,2\nu4,sin,1'),
  'friends.csv': cells('user,friend\nu1,u2\nu3,u1'),
  'resources.csv': cells('datacenter,resource,capacity\nashburn,cores,40\ndublin,cores,30'),
};

function cells(text: string): Cells {
  return text.split('\n').map((line) => line.split(','));
}

function textOf(rows: Cells): string {
  return `${rows.map((row) => row.join(',')).join('\n')}\n`;
}

const place = /^w\/(edges|datacenters|latency|demand|events|users|friends|resources)\.csv(:\d+)?: /;

function worldFrom(texts: Readonly<Record<WorldFileName, string>>): World | null {
  const file = (name: WorldFileName) => ({ text: texts[name], where: `w/${name}` });
  return madeOrRefused(place, () => parseWorld(Object.assign(file, { optional: file })));
}

function textsOf(files: Files): Record<WorldFileName, string> {
  return Object.fromEntries(Object.entries(files).map(([name, rows]) => [name, textOf(rows)])) as Record<
    WorldFileName,
    string
  >;
}

const specs = [
  ...['balance', 'closest-first', 'priced'].map((objective) => ({ objective, forecast: 'holt-winters' })),
  { traffic: { kind: 'sticky', sessionLifetime: '7m' }, localityPriceMs: 5 },
  { emergencyMax: 0.9 },
];
const policies = specs.map((spec) =>
  parsePolicy(
    JSON.stringify({
      apiVersion: 'taiji/v1',
      kind: 'Policy',
      metadata: { service: 'web' },
      spec,
    }),
    'p',
  ),
);

async function replayed(world: World, policy: (typeof policies)[number]): Promise<void> {
  for (const note of worldNotes(world)) expect(note).not.toMatch(/NaN|undefined|\n/);
  const { users, friends, topology } = world;
  const input = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  const { tree } = bucketize(input, { height: 4, seed: 1, effort: 'fast' });
  const with_ = { tree, weights: bucketWeights(topology, tree, users), solver: context.solver };
  const builder = new ReportBuilder(
    world,
    policy,
    with_,
    certifiedBy([context.solver], () => {}),
  );
  const { timesMs } = world.demand;
  const span = { fromMs: timesMs[0]!, toMs: timesMs.at(-1)! + 1, oracle: false };
  for await (const epoch of replayWorld(world, policy, with_, span)) {
    checkPlan(epoch.plan, topology, epoch.plannedRps);
    expect(epoch.utilization.every((value) => Number.isFinite(value))).toBe(true);
    await builder.add(epoch);
  }
  const report = builder.finish();
  let figures = 0;
  JSON.stringify(report, (key, value: unknown) => {
    if (typeof value === 'number') figures += 1;
    if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${key} is ${value}`);
    return value;
  });
  expect(figures).toBeGreaterThan(20);
}

test('the world that is spoiled is a good one', async () => {
  await replayed(worldFrom(textsOf(whole))!, policies[0]!);
});

const nastyCells = [
  ...new Set(nastyValues.map((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)))),
];

test('each cell and header with each nasty text, quoted and bare, and rows cut, doubled and emptied', async () => {
  const seen = new Set<string>();
  for (const name of Object.keys(whole) as WorldFileName[]) {
    const spoil = async (rows: Cells | string, what: string): Promise<void> => {
      const text = typeof rows === 'string' ? rows : textOf(rows);
      if (seen.has(name + text)) return;
      seen.add(name + text);
      try {
        const world = worldFrom({ ...textsOf(whole), [name]: text });
        if (world) await replayed(world, policies[seen.size % policies.length]!);
      } catch (error) {
        throw new Error(`${name} ${what}: ${error}`, { cause: error });
      }
    };
    const rows = whole[name];
    for (const [r, row] of rows.entries()) {
      await spoil(rows.toSpliced(r, 1), `without row ${r}`);
      await spoil(rows.toSpliced(r, 0, row), `row ${r} twice`);
      await spoil(rows.with(r, row.slice(1)), `row ${r} cut`);
      await spoil(rows.with(r, [...row, 'x']), `row ${r} longer`);
      if (r > 1) continue; // the others are as these
      for (const c of row.keys()) {
        for (const nasty of nastyCells) {
          const quoted = `"${nasty.replaceAll('"', '""')}"`;
          if (/[",\n]/.test(nasty))
            await spoil(rows.with(r, row.with(c, quoted)), `row ${r} column ${c} = ${nasty.slice(0, 80)}`);
          await spoil(rows.with(r, row.with(c, nasty)), `row ${r} column ${c} bare = ${nasty.slice(0, 80)}`);
        }
      }
    }
    for (const text of [
      '',
      '\n',
      '\ufeff',
      '"',
      'a',
      textOf(rows.slice(0, 1)),
      `\ufeff${textOf(rows)}`,
      textOf(rows).replaceAll('\n', '\r\n'),
    ]) {
      await spoil(text, JSON.stringify(text.slice(0, 20)));
    }
  }
  expect(seen.size).toBeGreaterThan(1000);
}, 240_000);

const number = (...values: readonly number[]) => fc.constantFrom(...values.map(String));

test('extreme numbers in all cells together', async () => {
  const rps = number(0, 1e-300, 1e-9, 0.001, 1, 500, 1e9, 9e15);
  const row = fc.array(rps, { minLength: 3, maxLength: 3 });
  const extremes = fc.record({
    capacity: fc.tuple(number(0, 1e-300, 0.001, 1, 600, 9e15), number(1e-300, 0.001, 1, 600, 9e15)),
    rtt: fc.array(number(0, 1e-300, 1, 60_000 - 1), { minLength: 6, maxLength: 6 }),
    demand: fc.array(row, { minLength: 4, maxLength: 4 }),
    weights: fc.array(number(1e-300, 1e-9, 1, 1e9), { minLength: 4, maxLength: 4 }),
    policy: fc.constantFrom(...policies),
  });
  const column = (rows: Cells, c: number, values: readonly string[]): Cells =>
    rows.map((cells, r) => (r === 0 ? cells : cells.with(c, values[r - 1]!)));
  let replays = 0;
  await fc.assert(
    fc.asyncProperty(extremes, async ({ capacity, rtt, demand, weights, policy }) => {
      const world = worldFrom(
        textsOf({
          ...whole,
          'datacenters.csv': column(whole['datacenters.csv'], 3, capacity),
          'latency.csv': column(whole['latency.csv'], 2, rtt),
          'demand.csv': whole['demand.csv'].map((cells, r) => (r === 0 ? cells : [cells[0]!, ...demand[r - 1]!])),
          'users.csv': column(whole['users.csv'], 2, weights),
        }),
      );
      if (!world) return;
      await replayed(world, policy);
      replays += 1;
    }),
    runs(150),
  );
  expect(replays).toBeGreaterThan(25);
});
