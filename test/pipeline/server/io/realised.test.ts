/** Where requests went against where tables say, on the real control plane over HTTP. */

import { expect, onTestFinished, test } from 'vitest';
import { type Run, run, service, smallSetting } from '../small-setting.ts';

const setting = smallSetting();
const { edges, datacenters } = setting.world.topology;
const [edge, other] = edges.map(({ id }): string => id) as [string, string];
const freeze = { kind: 'freeze', id: 'still', author: 'test', reason: 'test' };

async function acknowledge(server: Run, served: Record<string, number>) {
  const table = await fetch(`${server.url}/v1/services/${service}/edges/${edge}/table`);
  const sha256 = table.headers.get('ETag')!.replace(/^"|(-gzip)?"$/g, '');
  const reply = await fetch(`${server.url}/v1/edges/${edge}/acks`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ sha256, appliedAt: '2026-03-05T12:00:00Z', served }),
  });
  return { status: reply.status, detail: String(JSON.parse(await reply.text()).detail ?? '') };
}

test('an edge that sends its requests elsewhere has a series, and edges that do not count have none', async () => {
  const server = await run(setting, { dataDirectory: 'realised' });
  onTestFinished(() => server.stop());
  await server.epoch(({ version }) => version > 0);
  await fetch(`${server.url}/v1/intents`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(freeze),
  });
  const from = server.epochs.length + 1;
  await server.epoch((epoch) => server.epochs.indexOf(epoch) > from);
  const edgesNow = async () => JSON.parse(await (await fetch(`${server.url}/v1/edges`)).text()).edges;
  const { fractions } = (await edgesNow())[0];
  expect((await edgesNow())[0].realised).toBe(null);
  const all = 100_000;
  const [least] = datacenters.map(({ id }) => id as string).sort((a, b) => fractions[a] - fractions[b]);
  expect(await acknowledge(server, { [least!]: all })).toMatchObject({ status: 202 });
  const { distance, by } = (await edgesNow())[0].realised;
  expect(by).toBe('acks');
  expect(distance).toBeCloseTo(1 - fractions[least!], 9);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const series = metrics.split('\n').filter((line) => line.startsWith('taiji_edge_realised_distance_ratio{'));
  expect(series).toHaveLength(1);
  expect(series[0]).toContain(`{service="${service}",edge="${edge}"} ${distance}`);
  expect((await edgesNow()).find((one: { edge: string }) => one.edge === other).realised).toBe(null);
  expect(await acknowledge(server, { nowhere: 5 })).toMatchObject({
    status: 422,
    detail: expect.stringMatching(/^ack: served: unknown datacenter "nowhere"/),
  });
  expect((await acknowledge(server, { [least!]: -5 })).status).toBe(422);
});
