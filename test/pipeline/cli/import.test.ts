/** Coming aboard with today's weights: the table they make, and what the first epochs do with it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { importCommand } from '../../../pipeline/cli/import.ts';
import { run as serve, smallSetting } from '../server/small-setting.ts';
import { filesOf, plan, run, world } from './dry-runs.ts';

const { edges, datacenters } = world.topology;

/** Everybody goes to the first datacenter but for a quarter, which no planner would come to. */
const weightsOf = (): string =>
  `edge,datacenter,weight\n${edges
    .map(({ id }) => `${id},${datacenters[0]!.id},75\n${id},${datacenters[1]!.id},25\n`)
    .join('')}`;

async function imported(
  files: ReturnType<typeof filesOf>,
  weights: string,
): Promise<{ readonly file: string; readonly out: string }> {
  const dir = dirname(files.policy);
  const [csv, file] = [join(dir, 'weights.csv'), join(dir, 'today.json')];
  writeFileSync(csv, weights);
  const flags = ['--world', files.world, '--policy', files.policy, '--tree', files.tree, '--out', file];
  const { out } = await run(importCommand(), csv, ...flags, '-o', 'json');
  return { file, out };
}

test('the table serves what the weights say, to a bucket', async () => {
  const { file, out } = await imported(filesOf(), weightsOf());
  const told = JSON.parse(out);
  expect(told.off).toBeLessThan(0.02);
  for (const { id } of edges) expect(told.served[id][datacenters[0]!.id]).toBeCloseTo(0.75, 1);
  const written = JSON.parse(readFileSync(file, 'utf8'));
  expect(written.checksum).toBe(told.checksum);
  expect(written.table.edges).toHaveLength(edges.length);
});

test('the epoch after it is held by churnMax, as a first one of Taiji’s own is not', async () => {
  const files = filesOf(world, { guards: { churnMax: 0.05, onloadMax: 1, damping: 1, minShift: 0 } });
  const { file } = await imported(files, weightsOf());
  const next = JSON.parse((await plan(files, '--previous', file, '-o', 'json')).out);
  expect(next.outcome).toBe('published');
  expect(next.churn.elective).toBeGreaterThan(0);
  if (!next.relaxed.includes('churnMax')) expect(next.churn.elective).toBeLessThanOrEqual(0.05 + 1e-9);
  const alone = JSON.parse((await plan(files, '-o', 'json')).out);
  expect(alone.outcome).toBe('initial');
});

test('a control plane begins with it, and a new dataDirectory alone does not', async () => {
  const setting = smallSetting();
  const files = { world: join(setting.directory, 'world'), policy: join(setting.directory, 'policy.yaml') };
  await imported({ ...files, tree: join(setting.directory, 'tree') }, weightsOf());
  const server = await serve(setting, { firstTable: 'today.json', dataDirectory: 'aboard' });
  const first = await server.epoch(({ version }) => version > 0);
  await server.stop();
  expect(first.outcome).not.toBe('initial');
  if (!first.relaxed.includes('churnMax')) expect(first.churn.elective).toBeLessThanOrEqual(0.05 + 1e-9);

  const again = await serve(setting, { firstTable: 'today.json', dataDirectory: 'aboard' });
  const later = await again.epoch(() => true);
  await again.stop();
  expect(later.epoch, 'a restart goes on from what was published').toBeGreaterThan(first.epoch);

  const anew = await serve(setting, { dataDirectory: 'anew' });
  expect((await anew.epoch(({ version }) => version > 0)).outcome).toBe('initial');
  await anew.stop();
});

test.each([
  ['{', 'not JSON'],
  ['{"a":1}', 'table'],
])('a first table of %j is refused at the start', async (text, message) => {
  const setting = smallSetting();
  writeFileSync(join(setting.directory, 'today.json'), text);
  await expect(serve(setting, { firstTable: 'today.json' })).rejects.toThrow(message);
});

test('a file of each edge’s own balancer makes the table that a CSV of the same weights makes', async () => {
  const files = filesOf();
  const dir = dirname(files.policy);
  const [first, second] = datacenters.map(({ id }): string => id) as [string, string];
  const said = edges.map(({ id }, e) => {
    const file = join(dir, `${id}.weights`);
    const bfe = JSON.stringify({ Clusters: { web: { 'idc.one': 50, 'idc.two': 25, [second]: 25, 'idc.gone': 0 } } });
    const haproxy = `backend web\n  server idc.one 127.0.0.1:1 weight 60\n  server ${second} 127.0.0.1:2 weight 20\n`;
    writeFileSync(file, e % 2 === 0 ? bfe : haproxy);
    return `${id}=${file}`;
  });
  const flags = ['--world', files.world, '--policy', files.policy, '--tree', files.tree];
  const names = ['--name', `idc.one=${first}`, '--name', `idc.two=${first}`];
  const table = join(dir, 'own.json');
  const { out } = await run(importCommand(), ...said, ...flags, ...names, '--out', table, '-o', 'json');
  const csv = await imported(files, weightsOf());
  expect(JSON.parse(out).wanted).toEqual(JSON.parse(csv.out).wanted);
  expect(JSON.parse(readFileSync(table, 'utf8')).table).toEqual(JSON.parse(readFileSync(csv.file, 'utf8')).table);
  const refused = (...args: string[]) => run(importCommand(), ...args, ...flags, '--out', table);
  await expect(refused(said[0]!, ...names)).rejects.toThrow(
    `no weights of the edges ${edges
      .slice(1)
      .map(({ id }) => id)
      .join(', ')}; give EDGE=FILE for each edge`,
  );
  await expect(refused(...said)).rejects.toThrow(/datacenter "idc\.one" is not in the topology/);
  await expect(refused(...said, said[0]!, ...names)).rejects.toThrow(/is given twice; keep one$/);
});

test('a dry run of a ramp moves from the table it is given, nothing of it at 0, and wants one', async () => {
  const none = filesOf(world, { ramp: { share: 0 } });
  await expect(plan(none)).rejects.toThrow(/^policy "web" has a ramp, .*name the imported table with --previous/);
  const { file } = await imported(none, weightsOf());
  const still = JSON.parse((await plan(none, '--previous', file, '-o', 'json')).out);
  expect([still.outcome, still.churn.elective]).toEqual(['unchanged', 0]);
});
