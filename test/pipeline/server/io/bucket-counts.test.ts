/** Counts of buckets on the real control plane: posted over HTTP, planned with, recorded, replayed. */

import { readFileSync } from 'node:fs';
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

test('what an edge counts becomes its weights, epoch by epoch; records name them, and replay to the byte', async () => {
  const server = await run(setting, { dataDirectory: 'counted' });
  onTestFinished(() => server.stop());
  await server.epoch(({ version }) => version > 0);
  await post(server, '/v1/intents', { kind: 'freeze', id: 'still', author: 'test', reason: 'test' });
  const later = (epochs: number) => {
    const from = server.epochs.length + epochs;
    return server.epoch((epoch) => server.epochs.indexOf(epoch) >= from);
  };
  await later(2);
  const parted = ({ fractions }: Fractions): number => Math.max(...Object.values(fractions));
  const before = [...(await edgesNow(server))].sort((a, b) => parted(a) - parted(b))[0]!;
  const { edge } = before;
  const body = JSON.parse(await (await fetch(`${server.url}/v1/services/web/edges/${edge}/table`)).text());
  const { assignment } = parseBody(JSON.stringify(body), edge);
  const counted = Object.fromEntries([...assignment].map((d, b) => [b, d === assignment[0] ? 1_000_000 : 0]));
  expect(await acknowledge(server, edge, counted)).toMatchObject({ status: 202 });
  await later(3);
  const after = (await edgesNow(server)).find((one) => one.edge === edge)!;
  const moved =
    Object.keys(before.fractions).reduce((sum, id) => sum + Math.abs(before.fractions[id]! - after.fractions[id]!), 0) /
    2;
  expect(moved).toBeGreaterThan(0.01); // the table is frozen: it is known to serve something else
  await server.stop();
  const files = await journalFiles(join(setting.directory, 'counted', 'journal'));
  const named = new Set(
    files.flatMap((file) => readFileSync(file, 'utf8').match(/"weightsSha256":"[0-9a-f]+"/g) ?? []),
  );
  expect(named.size).toBeGreaterThan(2);
  for (const file of files) expect((await replayJournal(file)).difference).toBe(null);
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
