/** A control plane in shadow, over HTTP: it plans and compares, and no edge gets anything of it. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { formatTime } from '../../../../config/duration.ts';
import { getCommand } from '../../../../pipeline/cli/get.ts';
import { journalFiles } from '../../../../pipeline/server/io/journal.ts';
import { replayJournal } from '../../../../pipeline/server/io/recorded-file.ts';
import { importWeights, printed } from '../imported-weights.ts';
import { type Run, run, service, smallSetting } from '../small-setting.ts';

const setting = smallSetting();
const at = (name: string): string => join(setting.directory, name);
writeFileSync(join(at('world'), 'events.csv'), 'time,datacenter,state\n');
const { edges, datacenters } = setting.world.topology;
const [first, second] = datacenters.map(({ id }): string => id) as [string, string];

async function shadow(more: Record<string, unknown>): Promise<Run> {
  const server = await run(setting, more, { isShadow: true });
  onTestFinished(() => server.stop());
  return server;
}

async function get(server: Run, path: string) {
  const reply = await fetch(`${server.url}${path}`);
  return { status: reply.status, body: JSON.parse(await reply.text()) };
}

test('beside imported weights: figures an operator decides by, no table for anybody, state apart, and it replays', async () => {
  await importWeights(setting);
  const server = await shadow({ firstTable: 'today.json', dataDirectory: 'apart' });
  const last = await server.epoch(({ epoch }) => epoch >= 20);
  const figures = server.epochs[0]!.shadow!;
  if (figures.kind !== 'compared') throw new Error(figures.reason);
  // The edges' demand goes to two datacenters of three, three quarters of it to one.
  expect(figures.today.utilization[datacenters[2]!.id]).toBe(0);
  expect(
    Math.max(...Object.values(last.shadow?.kind === 'compared' ? last.shadow.taiji.utilization : {})),
  ).toBeLessThan(Math.max(...Object.values(figures.today.utilization)));
  const { body: report } = await get(server, `/v1/services/${service}/shadow`);
  expect(report.compared).toBe(report.epochs);
  expect(report.moved.firstHour).toBeGreaterThan(0.1);
  expect(report.taiji.utilizationMax.last).toBeLessThan(report.today.utilizationMax.last);
  const told = await printed(() => getCommand().parseAsync(['shadow', '--server', server.url], { from: 'user' }));
  expect(told).toMatch(/^FIGURE +TODAY +WITH TAIJI/);
  expect(told).toMatch(
    /with Taiji: highest utilization \d\.\d\d -> \d\.\d\d, mean RTT \d+ -> \d+ ms, would move [\d.]+ % of users in the first hour/,
  );
  const table = await get(server, `/v1/services/${service}/edges/${edges[0]!.id}/table?wait=30s`);
  expect([table.status, table.body.detail]).toEqual([
    503,
    expect.stringContaining('is in shadow: its tables are for nobody'),
  ]);
  const ack = await fetch(`${server.url}/v1/edges/${edges[0]!.id}/acks`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ sha256: 'a'.repeat(64), appliedAt: '2026-03-05T12:00:00Z' }),
  });
  expect(ack.status).toBe(409);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const names = [...new Set(metrics.match(/^taiji_[a-z0-9_]+/gm))];
  expect(names.filter((name) => !name.startsWith('taiji_shadow_'))).toEqual([]); // no rule of the one that steers fires
  expect(names).toContain('taiji_shadow_elsewhere_ratio');
  await server.stop();
  expect([existsSync(at('apart/shadow/store')), existsSync(at('apart/store'))]).toEqual([true, false]);
  for (const file of await journalFiles(at('apart/shadow/journal'))) {
    expect((await replayJournal(file)).difference).toBe(null);
  }
  const again = await shadow({ firstTable: 'today.json', dataDirectory: 'apart' });
  const { body: kept } = await get(again, `/v1/services/${service}/shadow`);
  expect(kept.epochs).toBeGreaterThanOrEqual(report.epochs); // a restart forgets nothing of it
  expect(kept.from).toBe(report.from);
});

test('beside observed allocation: unknown until every edge with demand is watched, and then what was seen', async () => {
  const telemetry = { kind: 'push', topology: { dir: 'world' } };
  const server = await shadow({ telemetry, dataDirectory: 'watched' });
  const report = async (allocation: Record<string, Record<string, number>>) => {
    const reply = await fetch(`${server.url}/v1/telemetry`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        observedAt: formatTime(Date.now()),
        demandRps: Object.fromEntries(edges.map(({ id }) => [id, 100])),
        datacenters: Object.fromEntries(datacenters.map(({ id }) => [id, { state: 'normal' }])),
        allocation,
      }),
    });
    expect(reply.status).toBe(202);
  };
  await report({ [edges[0]!.id]: { [first]: 1 } });
  const partly = await server.epoch((one) => one.shadow !== undefined);
  expect(partly.shadow).toMatchObject({
    kind: 'unknown',
    reason: expect.stringContaining(`"${edges[1]!.id}" and 2 more`),
  });
  await report(Object.fromEntries(edges.map(({ id }) => [id, { [second]: 1 }])));
  const compared = await server.epoch((one) => one.shadow?.kind === 'compared');
  if (compared.shadow?.kind !== 'compared') return;
  const capacityRps = setting.world.topology.datacenters[1]!.capacityRps;
  expect(compared.shadow.today.utilization).toEqual({
    ...Object.fromEntries(datacenters.map(({ id }) => [id, 0])),
    [second]: (100 * edges.length) / capacityRps,
  });
  expect(JSON.stringify((await get(server, '/v1/services')).body)).not.toContain('allocation-contradicting');
});

test('where nothing can ever say what is done today, it does not start; and one that steers has no such route', async () => {
  await expect(shadow({ dataDirectory: 'blind' })).rejects.toThrow(
    /^serve --shadow: nothing says what edges do today; give firstTable/,
  );
  const server = await run(setting, { dataDirectory: 'steering' });
  onTestFinished(() => server.stop());
  const { status, body } = await get(server, `/v1/services/${service}/shadow`);
  expect([status, body.detail]).toEqual([404, expect.stringContaining('is not in shadow')]);
});
