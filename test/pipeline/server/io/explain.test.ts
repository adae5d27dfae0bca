/** `GET /v1/explain` of a running control plane, and the same epoch explained from its journal. */

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Explanation, explainEdge } from '../../../../pipeline/replay/explanation.ts';
import { journalFiles } from '../../../../pipeline/server/io/journal.ts';
import { watchRecorded } from '../../../../pipeline/server/io/recorded-file.ts';
import { openApi } from '../../../../pipeline/server/openapi.ts';
import { type Run, run, smallSetting } from '../small-setting.ts';

const setting = smallSetting();
const { edges, datacenters } = setting.world.topology;
const edge = edges[0]!.id;
let server: Run;

beforeAll(async () => {
  server = await run(setting);
  await server.epoch(({ version }) => version > 0);
});
afterAll(() => server.stop());

const ask = async (query: string): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(`${server.url}/v1/explain${query}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

test('a drain is told as what changed, and as the reason why nothing goes there', async () => {
  const drained = datacenters[0]!.id;
  const intent = { kind: 'drain', id: 'hall-3', author: 'ann', reason: 'power work', datacenter: drained };
  const posted = await fetch(`${server.url}/v1/intents`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(intent),
  });
  expect(posted.status).toBe(201);
  const from = server.epochs.length;
  const { epoch } = await server.epoch(
    ({ utilization, epoch: number }) => utilization[drained] === 0 && number >= server.epochs[from - 1]!.epoch,
  );
  const { status, body } = await ask(`?edge=${edge}&datacenter=${drained}`);
  expect(status).toBe(200);
  expect(body['epoch']).toBeGreaterThanOrEqual(epoch);
  expect(body['datacenters']).toEqual([
    expect.objectContaining({
      datacenter: drained,
      served: 0,
      reason: 'draining',
      detail: 'drain by ann: power work; keeps nothing',
    }),
  ]);

  // Of the epoch that emptied it, once it is in the journal.
  await server.epoch((summary) => summary.epoch > epoch + 1);
  const [file] = await journalFiles(join(setting.directory, 'data', 'journal'));
  const watched = await watchRecorded(file!, epoch);
  const words = 'drain by ann: power work';
  expect(explainEdge(watched, 0, 0).changes).toContainEqual(
    expect.objectContaining({
      input: 'intent',
      name: 'hall-3',
      before: null,
      after: expect.stringContaining(words.slice(9)),
    }),
  );
  expect(explainEdge(watched, 0, 0).datacenters[0]).toMatchObject({ served: 0, reason: 'draining' });
  await expect(watchRecorded(file!, 123_456)).rejects.toThrow(/^--epoch 123456: .* has decided epochs from 0 to /);
});

test('every datacenter of the edge has a row, with a reason where it gets nothing, in the form that is described', async () => {
  const { body } = await ask(`?edge=${edge}`);
  const explanation = body as unknown as Explanation;
  expect(explanation.datacenters.map(({ datacenter }) => datacenter).sort()).toEqual(datacenters.map(({ id }) => id));
  expect(explanation.datacenters.reduce((sum, { served }) => sum + served, 0)).toBeCloseTo(1, 4);
  for (const { served, reason } of explanation.datacenters) expect(reason === null).toBe(served > 0);
  const { Explanation: schema } = openApi.components.schemas;
  expect(Object.keys(body)).toEqual(schema['required']);
  expect(body['bucket']).toBe(null);
});

test('a bucket is explained beside its edge, in the form that is described', async () => {
  const { body } = await ask(`?edge=${edge}&bucket=5`);
  const { properties } = openApi.components.schemas.Explanation;
  expect(body['bucket']).toMatchObject({ bucket: 5, detail: expect.stringMatching(/./) });
  expect(properties).toMatchObject({ bucket: { required: Object.keys(body['bucket'] as object) } });
  for (const none of ['64', '-1', 'x', ''])
    expect(await ask(`?edge=${edge}&bucket=${none}`)).toMatchObject({ status: 400 });
});

test('an edge that is not named or not there, and a datacenter that is not there, are told', async () => {
  expect(await ask('')).toMatchObject({ status: 400, body: { detail: expect.stringContaining('no edge is named') } });
  expect(await ask('?edge=nowhere')).toMatchObject({ status: 404 });
  expect(await ask(`?edge=${edge}&datacenter=nowhere`)).toMatchObject({ status: 404 });
});
