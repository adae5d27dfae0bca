/** What people can ask of a control plane that has just started again, and has had no epoch: what the one before it could
 *  have answered. */

import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { journalFiles } from '../../../../pipeline/server/io/journal.ts';
import { replayJournal } from '../../../../pipeline/server/io/recorded-file.ts';
import { parseBody } from '../../../../pipeline/table/compile.ts';
import { encodeTable } from '../../../../pipeline/table/routing-table.ts';
import { bothServices, type Run, run, service, servicesSetting } from '../small-setting.ts';

const setting = servicesSetting();
writeFileSync(join(setting.directory, 'world', 'events.csv'), 'time,datacenter,state\n');
const { topology } = setting.world;
const reason = 'a look';
const of = `/v1/services/${service}`;

async function get(server: Run, path: string) {
  return JSON.parse(await (await fetch(`${server.url}${path}`)).text());
}

const post = (server: Run, path: string, body: object) => tell(server, path, { author: 'ann', ...body });

async function tell(server: Run, path: string, body: object) {
  const headers = { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' };
  const reply = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = JSON.parse(await reply.text());
  return { status: reply.status, retry: reply.headers.get('Retry-After'), detail: answer.detail, body: answer };
}

/** A data directory of two services that has seen three versions, served again with ten minutes to its next epoch. */
async function restarted(dataDirectory: string, lose: (directory: string) => void = () => {}): Promise<Run> {
  const config = { ...bothServices, dataDirectory };
  const before = await run(setting, { ...config, clock: { epochWall: '50ms' } });
  await before.epoch((epoch) => epoch.service === service && epoch.version >= 3);
  await before.stop();
  lose(join(setting.directory, dataDirectory));
  const server = await run(setting, { ...config, clock: { epochWall: '10m' } });
  onTestFinished(() => server.stop());
  return server;
}

/** The table in force, with all of one edge at the next datacenter. */
async function anotherTable(server: Run) {
  const { edges: bodies } = await get(server, `${of}/tables/current`);
  const parsed = topology.edges.map(({ id }) => parseBody(JSON.stringify(bodies[id].body), id));
  const { treeVersion, height, targets } = parsed[0]!;
  const byEdge = parsed.map(({ assignment }, e) =>
    e === 0 ? assignment.map((d) => (d + 1) % targets.length) : assignment,
  );
  return encodeTable({ treeVersion, height, targets, edges: topology.edges.map(({ id }) => id), byEdge });
}

test('before its first epoch it goes back, plans, applies, checks a drain, and records what the next epochs replay from', async () => {
  const server = await restarted('at-once');
  const { version } = await get(server, `${of}/rollout`);
  const fallbackOf = async () => {
    const body = await get(server, `${of}/edges/${topology.edges[0]!.id}/table`);
    return body.fallback;
  };
  const fallback = await fallbackOf();
  const back = await post(server, `${of}/rollback`, { version: 1, reason });
  expect(back.body, back.detail).toMatchObject({ version: version + 1, stored: true, rollout: { kind: 'pinned' } });
  expect(await fallbackOf()).toEqual(fallback);

  const proposed = await post(server, `${of}/plans`, {});
  expect([200, 201], proposed.detail).toContain(proposed.status);
  const made = await post(server, `${of}/plans`, { table: await anotherTable(server) });
  expect(made.status, made.detail).toBe(201);
  const applied = await post(server, `/v1/plans/${made.body.plan.id}/apply`, { force: true, reason });
  expect(applied.body, applied.detail).toMatchObject({ version: version + 2, rollout: { kind: 'open' } });

  const drain = { kind: 'drain', datacenter: topology.datacenters[0]!.id, reason };
  const checked = await post(server, '/v1/intents?dryRun=true', drain);
  const { before, after } = checked.body.check[service];
  expect(after[drain.datacenter]).toBeLessThan(before[drain.datacenter]); // sessions of the other service stay
  const tree = await post(server, `${of}/tree/rollback`, { reason });
  expect(tree.detail).toMatch(/took over from no other/); // and not that it has to wait
  expect(server.epochs).toEqual([]);
  await server.stop();

  const again = await run(setting, { ...bothServices, dataDirectory: 'at-once', clock: { epochWall: '50ms' } });
  onTestFinished(() => again.stop());
  await again.epoch((epoch) => epoch.service === service && again.epochs.indexOf(epoch) > 3);
  await again.stop();
  for (const file of await journalFiles(join(setting.directory, 'at-once', 'journal'))) {
    expect((await replayJournal(file)).difference, file).toBe(null);
  }
});

test('edges that have acknowledged their table need not say so again, nor those that have not', async () => {
  const config = { ...bothServices, dataDirectory: 'acknowledged', clock: { epochWall: '10m' } };
  const before = await run(setting, config);
  onTestFinished(() => before.stop());
  await before.epoch((epoch) => epoch.service === service && epoch.version > 0);
  const currentAt = async (server: Run) =>
    (await get(server, `${of}/rollout`)).edges.map(({ isCurrent }: { isCurrent: boolean }) => isCurrent);
  const { edges } = await get(before, `${of}/rollout`);
  const appliedAt = '2026-11-01T00:00:00Z';
  // All at once: each is answered when it is on the disk.
  const heard = await Promise.all(
    edges
      .slice(1)
      .map(({ edge, sha256 }: { edge: string; sha256: string }) =>
        tell(before, `/v1/edges/${edge}/acks`, { service, sha256, appliedAt }),
      ),
  );
  expect(heard.map(({ status }) => status)).toEqual([202, 202, 202]);
  cpSync(join(setting.directory, 'acknowledged'), join(setting.directory, 'copied'), { recursive: true });
  rmSync(join(setting.directory, 'copied', 'lock'), { recursive: true });
  const again = await run(setting, { ...config, dataDirectory: 'copied' }); // as if the first had been killed now
  onTestFinished(() => again.stop());
  expect(await currentAt(again)).toEqual([false, true, true, true]);
  const told = (await get(again, `${of}/rollout`)).edges[1];
  expect(told.applied).toEqual((await get(before, `${of}/rollout`)).edges[1].applied);
});

test('where the record of the last epoch is lost it says when to ask again', async () => {
  const server = await restarted('no-record', (directory) => rmSync(join(directory, 'journal'), { recursive: true }));
  const refused = await post(server, `${of}/rollback`, { version: 1, reason });
  expect(refused.status).toBe(503);
  expect(refused.detail).toMatch(/^no epoch is on record .*; ask again after the next one, which is due in \d+ s$/);
  expect(Number(refused.retry)).toBeGreaterThan(1);
  expect(Number(refused.retry)).toBeLessThanOrEqual(600);
});
