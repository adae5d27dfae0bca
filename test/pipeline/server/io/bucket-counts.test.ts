/** Counts of buckets on the real control plane: posted over HTTP, planned with, recorded, replayed. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { journalFiles } from '../../../../pipeline/server/io/journal.ts';
import { replayJournal } from '../../../../pipeline/server/io/recorded-file.ts';
import { parseBody } from '../../../../pipeline/table/compile.ts';
import { type Run, run, smallSetting } from '../small-setting.ts';

const setting = smallSetting();

async function post(server: Run, path: string, body: object): Promise<{ status: number; detail: string }> {
  const reply = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: reply.status, detail: String(JSON.parse(await reply.text()).detail ?? '') };
}

const acknowledge = (server: Run, edge: string, buckets: Record<string, unknown>) =>
  post(server, `/v1/edges/${edge}/acks`, { sha256: 'a'.repeat(64), appliedAt: '2026-03-05T12:00:00Z', buckets });

interface Fractions {
  readonly edge: string;
  readonly fractions: Readonly<Record<string, number>>;
}

const edgesNow = async (server: Run): Promise<readonly Fractions[]> =>
  JSON.parse(await (await fetch(`${server.url}/v1/edges`)).text()).edges;

/** Some epochs from now. */
function later(server: Run, epochs: number) {
  const from = server.epochs.length + epochs;
  return server.epoch((epoch) => server.epochs.indexOf(epoch) >= from);
}

/** Serves with its table frozen, and one edge that says that all its users are in the buckets of one datacenter. */
async function counting(dataDirectory: string): Promise<{ server: Run; edge: string; before: Fractions['fractions'] }> {
  const server = await run(setting, { dataDirectory });
  onTestFinished(() => server.stop());
  await server.epoch(({ version }) => version > 0);
  await post(server, '/v1/intents', { kind: 'freeze', id: 'still', author: 'test', reason: 'test' });
  await later(server, 2);
  const parted = ({ fractions }: Fractions): number => Math.max(...Object.values(fractions));
  const { edge, fractions: before } = [...(await edgesNow(server))].sort((a, b) => parted(a) - parted(b))[0]!;
  const body = JSON.parse(await (await fetch(`${server.url}/v1/services/web/edges/${edge}/table`)).text());
  const { assignment } = parseBody(JSON.stringify(body), edge);
  const counted = Object.fromEntries([...assignment].map((d, b) => [b, d === assignment[0] ? 1_000_000 : 0]));
  expect(await acknowledge(server, edge, counted)).toMatchObject({ status: 202 });
  return { server, edge, before };
}

const fractionsAt = async (server: Run, edge: string): Promise<Fractions['fractions']> =>
  (await edgesNow(server)).find((one) => one.edge === edge)!.fractions;

const apart = (a: Fractions['fractions'], b: Fractions['fractions']): number =>
  Object.keys(a).reduce((sum, id) => sum + Math.abs(a[id]! - b[id]!), 0) / 2;

async function expectReplays(dataDirectory: string): Promise<void> {
  for (const file of await journalFiles(join(setting.directory, dataDirectory, 'journal'))) {
    expect((await replayJournal(file)).difference, file).toBe(null);
  }
}

test('what an edge counts becomes its weights, epoch by epoch; records name them, and replay to the byte', async () => {
  const { server, edge, before } = await counting('counted');
  await later(server, 3);
  // The table is frozen: it is known to serve something else.
  expect(apart(before, await fractionsAt(server, edge))).toBeGreaterThan(0.01);
  await server.stop();
  const files = await journalFiles(join(setting.directory, 'counted', 'journal'));
  const named = new Set(
    files.flatMap((file) => readFileSync(file, 'utf8').match(/"weightsSha256":"[0-9a-f]+"/g) ?? []),
  );
  expect(named.size).toBeGreaterThan(2);
  await expectReplays('counted');
});

test('a restart goes on with the weights that were in force, towards what was counted', async () => {
  const { server, edge, before } = await counting('restarted');
  await later(server, 3);
  await server.stop();
  const stopped = await fractionsOf('restarted', edge);
  expect(apart(before, stopped)).toBeGreaterThan(0.01);
  const again = await run(setting, { dataDirectory: 'restarted' });
  onTestFinished(() => again.stop());
  await later(again, 4);
  expect(apart(before, await fractionsAt(again, edge))).toBeGreaterThan(apart(before, stopped) + 0.01);
  await again.stop();
  await expectReplays('restarted');
});

/** As a server tells them that has just started, and has had no epoch. */
async function fractionsOf(dataDirectory: string, edge: string): Promise<Fractions['fractions']> {
  const server = await run(setting, { dataDirectory, clock: { epochWall: '10m' } });
  const fractions = await fractionsAt(server, edge);
  await server.stop();
  return fractions;
}

test('counts and weights that a disk has damaged are told, and weights begin with where users live', async () => {
  const { server, edge, before } = await counting('damaged');
  await later(server, 3);
  await server.stop();
  const at = (...path: string[]): string => join(setting.directory, 'damaged', ...path);
  for (const slot of ['counts-0', 'counts-1']) writeFileSync(at(`store/services/web/${slot}.value`), 'rust');
  for (const name of readdirSync(at('objects'))) if (name.startsWith('weights')) writeFileSync(at('objects', name), '');
  const again = await run(setting, { dataDirectory: 'damaged', clock: { epochWall: '10m' } });
  onTestFinished(() => again.stop());
  expect(apart(before, await fractionsAt(again, edge))).toBeLessThan(1e-9);
  const told = again.logged.find(({ reason }) => reason === 'store-damaged');
  expect(told?.['message']).toMatch(/weights-\w+\.json\.gz: missing or damaged.*; services\/web\/counts-[01]: /);
});

test('what is no count of a bucket is refused by name, and counts nowhere', async () => {
  const server = await run(setting, { dataDirectory: 'refused' });
  onTestFinished(() => server.stop());
  await server.epoch(({ version }) => version > 0);
  for (const [buckets, detail] of [
    [{ 64: 5 }, /^ack: buckets: unknown bucket "64", expected 0\.\.63$/],
    [{ 3: -1 }, /buckets.*3/],
    [{ 3: 1.5 }, /buckets.*3/],
    [{ 3: 1e300 }, /buckets.*3/],
    [{ 3: null }, /buckets.*3/], // NaN, as JSON has it
    [{ '03': 1 }, /unknown bucket "03"/],
    [{ tokyo: 1 }, /unknown bucket "tokyo"/],
  ] as const) {
    const reply = await acknowledge(server, setting.world.topology.edges[0]!.id, buckets);
    expect(reply.status, JSON.stringify(buckets)).toBe(422);
    expect(reply.detail).toMatch(detail);
  }
});
