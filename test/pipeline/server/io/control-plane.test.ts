/** The control plane over HTTP, the real one on a free loopback port: what edges, operators, monitors and strangers get. */

import { createPublicKey, verify } from 'node:crypto';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alertReasons } from '../../../../pipeline/server/alert.ts';
import { openApi } from '../../../../pipeline/server/openapi.ts';
import { canonicalEnvelope, parseBody, type SignedEnvelope } from '../../../../pipeline/table/compile.ts';
import { type Run, run, service, smallSetting } from '../small-setting.ts';

const setting = smallSetting();
const edge = setting.world.topology.edges[0]!.id;
const datacenter = setting.world.topology.datacenters[0]!.id;
let server: Run;

beforeAll(async () => {
  server = await run(setting, { allowedHosts: ['taiji.example.org'] });
  await server.epoch(({ version }) => version > 0);
});
afterAll(() => server.stop());

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Buffer;
}

/** As sent: no decompression, and any Host. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET', body?: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${server.url}${path}`, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { statusCode, headers: got } = response;
        resolve({ status: statusCode!, headers: got as Record<string, string>, bytes: Buffer.concat(chunks) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
const json = (reply: Reply) => JSON.parse(reply.bytes.toString('utf8'));
const table = `/v1/services/${service}/edges/${edge}/table`;
const authorized = (): Record<string, string> => ({
  Authorization: `Bearer ${server.token}`,
  'Content-Type': 'application/json',
});
const envelopeOf = (reply: Reply): SignedEnvelope =>
  JSON.parse(Buffer.from(reply.headers['taiji-envelope']!, 'base64url').toString('utf8'));

/** Holds the tables still, for as long as the test needs the body not to change. */
async function frozen(body: () => Promise<void>): Promise<void> {
  const intent = { kind: 'freeze', id: 'hold-still', author: 'test', reason: 'test' };
  expect((await ask('/v1/intents', authorized(), 'POST', JSON.stringify(intent))).status).toBe(201);
  const from = server.epochs.length;
  await server.epoch((epoch) => epoch.reason === 'frozen by test: test' && server.epochs.indexOf(epoch) >= from);
  try {
    await body();
  } finally {
    await ask('/v1/intents/hold-still', authorized(), 'DELETE');
  }
}

test('an edge gets its table, whole, with a strong tag of what is in it', async () => {
  const reply = await ask(table);
  expect(reply.status).toBe(200);
  expect(reply.headers['content-type']).toMatch(/^application\/json/);
  const parsed = parseBody(reply.bytes.toString('utf8'), 'reply');
  expect(parsed.edge).toBe(edge);
  expect(parsed.assignment).toHaveLength(64);
  expect(reply.headers['etag']).toBe(`"${envelopeOf(reply).bodySha256}"`);
  expect(Number(reply.headers['taiji-version'])).toBeGreaterThan(0);
});

test('gzip is the same body under a tag of its own', async () => {
  await frozen(async () => {
    const plain = await ask(table);
    const packed = await ask(table, { 'Accept-Encoding': 'gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.headers['vary']).toContain('Accept-Encoding');
    expect(gunzipSync(packed.bytes).equals(plain.bytes)).toBe(true);
    expect(packed.headers['etag']).toBe(plain.headers['etag']!.replace(/"$/, '-gzip"'));
    const refused = await ask(table, { 'Accept-Encoding': 'gzip;q=0' });
    expect(refused.headers['content-encoding']).toBe(undefined);
  });
});

test('a known body is 304 without a body, under an envelope that is renewed every epoch', async () => {
  await frozen(async () => {
    const first = await ask(table);
    const tag = first.headers['etag']!;
    const again = await ask(table, { 'If-None-Match': `"other", ${tag}` });
    expect(again.status).toBe(304);
    expect(again.bytes).toHaveLength(0);
    expect(again.headers['etag']).toBe(tag);
    const { epoch } = envelopeOf(again);
    await server.epoch((summary) => summary.epoch > epoch);
    const renewed = envelopeOf(await ask(table, { 'If-None-Match': tag }));
    expect(renewed.bodySha256).toBe(envelopeOf(first).bodySha256);
    expect(renewed.sequence).toBeGreaterThan(envelopeOf(first).sequence);
    expect(renewed.freshUntilMs).toBeGreaterThan(envelopeOf(first).freshUntilMs);
    expect((await ask(table, { 'If-None-Match': '"other"' })).status).toBe(200);
    expect((await ask(table, { 'If-None-Match': tag, 'Accept-Encoding': 'gzip' })).status).toBe(200);
  });
});

test('the envelope is signed by the key that is told, over exactly its fields, and is for this body', async () => {
  const reply = await ask(table);
  const { signature, ...envelope } = envelopeOf(reply);
  const [key] = json(await ask('/v1/keys')).keys;
  const check = (text: string): boolean =>
    verify(null, Buffer.from(text), createPublicKey(key.pem), Buffer.from(signature, 'base64'));
  expect(check(canonicalEnvelope(envelope))).toBe(true);
  expect(check(canonicalEnvelope({ ...envelope, freshUntilMs: envelope.freshUntilMs + 1 }))).toBe(false);
  const { kty, crv, x } = key;
  expect(createPublicKey({ key: { kty, crv, x }, format: 'jwk' }).equals(createPublicKey(key.pem))).toBe(true);
  expect(envelope).toMatchObject({ service, edge });
  expect(envelope.generatedAtMs).toBeLessThan(envelope.freshUntilMs);
});

test('a long poll is answered when the body changes, and with 304 when it does not', async () => {
  await frozen(async () => {
    const tag = (await ask(table)).headers['etag']!;
    const quiet = await ask(`${table}?wait=50ms`, { 'If-None-Match': tag });
    expect(quiet.status).toBe(304);
    const waiting = ask(`${table}?wait=60s`, { 'If-None-Match': tag });
    const intent = { kind: 'drain', id: 'wake', author: 'test', reason: 'test', datacenter };
    await ask('/v1/intents', authorized(), 'POST', JSON.stringify(intent));
    const woken = await waiting;
    expect(woken.status).toBe(200);
    expect(woken.headers['etag']).not.toBe(tag);
    await ask('/v1/intents/wake', authorized(), 'DELETE');
  });
});

test('a wait that is no duration up to a minute is refused', async () => {
  for (const wait of ['soon', '61s', '-1s', '5', '']) {
    const reply = await ask(`${table}?wait=${wait}`);
    expect(reply.status, wait).toBe(400);
    expect(json(reply).detail).toContain('expected a duration up to 60s');
  }
});

test('unknown services, edges, versions and paths are 404 as problem documents', async () => {
  const paths = [
    `/v1/services/other/edges/${edge}/table`,
    `/v1/services/${service}/edges/nowhere/table`,
    `/v1/services/${service}/tables/999999`,
    `/v1/services/${service}/tables/-1`,
    `/v1/services/${service}/tables/..%2f..%2fhead`,
    '/v1/nothing',
  ];
  for (const path of paths) {
    const reply = await ask(path);
    expect(reply.status, path).toBe(404);
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(Object.keys(json(reply))).toEqual(['type', 'title', 'status', 'detail']);
  }
});

test('a version is kept as it was published', async () => {
  const current = json(await ask(`/v1/services/${service}/tables/current`));
  const byNumber = await ask(`/v1/services/${service}/tables/${current.version}`);
  expect(json(byNumber)).toEqual(current);
  expect(byNumber.headers['cache-control']).toContain('immutable');
  expect(Object.keys(current.edges)).toEqual(setting.world.topology.edges.map(({ id }) => id));
});

test('a drain handed in over HTTP empties the datacenter in the next epoch, and its end lets it fill again', async () => {
  const intent = { kind: 'drain', author: 'ann', reason: 'power work', datacenter };
  const reply = await ask('/v1/intents', authorized(), 'POST', JSON.stringify(intent));
  expect(reply.status).toBe(201);
  const { id } = json(reply).intent;
  expect(reply.headers['location']).toBe(`/v1/intents/${id}`);
  expect(json(await ask('/v1/intents')).intents).toContainEqual(json(reply).intent);
  await server.epoch(({ time }) => time >= json(reply).effectiveFrom);
  for (const { fractions } of json(await ask('/v1/edges')).edges) expect(fractions[datacenter]).toBe(0);
  expect((await ask(`/v1/intents/${id}`, authorized(), 'DELETE')).status).toBe(204);
  expect((await ask(`/v1/intents/${id}`, authorized(), 'DELETE')).status).toBe(404);
  const count = server.epochs.length;
  await server.epoch((epoch) => epoch.utilization[datacenter]! > 0 && server.epochs.indexOf(epoch) > count);
});

test('nothing is changed without the token, on loopback too', async () => {
  const intent = JSON.stringify({ kind: 'freeze', author: 'mallory', reason: 'x' });
  const type = { 'Content-Type': 'application/json' };
  const wrong = [
    {},
    { Authorization: 'Bearer wrong' },
    { Authorization: `Basic ${server.token}` },
    { Authorization: 'Bearer' },
  ];
  for (const headers of wrong) {
    const reply = await ask('/v1/intents', { ...type, ...headers } as Record<string, string>, 'POST', intent);
    expect(reply.status).toBe(401);
    expect(reply.headers['www-authenticate']).toMatch(/^Bearer/);
    expect((await ask('/v1/intents/x', headers as Record<string, string>, 'DELETE')).status).toBe(401);
    expect((await ask('/v1/nothing', headers as Record<string, string>, 'PUT')).status).toBe(401);
  }
  expect(json(await ask('/v1/intents')).intents).toEqual([]);
});

test('an intent that cannot be acted on is refused with what is expected', async () => {
  const base = { author: 'ann', reason: 'x' };
  const cases: readonly (readonly [unknown, number, RegExp])[] = [
    [{ ...base, kind: 'drain', datacenter: 'atlantis' }, 422, /atlantis.*not in the topology/],
    [{ ...base, kind: 'drain' }, 422, /datacenter/],
    [{ ...base, kind: 'drain', datacenter, keep: 5 }, 422, /keep is 5, expected/],
    [{ ...base, kind: 'freeze', surprise: 1 }, 422, /surprise/],
    [{ ...base, kind: 'freeze', until: '2020-01-01T00:00:00Z' }, 422, /expected a time after/],
    [{ ...base, kind: 'shift', edge, from: datacenter, to: datacenter, fraction: 0.1 }, 422, /from and to are both/],
    [[], 422, /JSON object/],
    [null, 400, /JSON/],
  ];
  for (const [body, status, detail] of cases) {
    const reply = await ask('/v1/intents', authorized(), 'POST', JSON.stringify(body));
    expect([reply.status, json(reply).detail], JSON.stringify(body)).toEqual([status, expect.stringMatching(detail)]);
  }
  const malformed = await ask('/v1/intents', authorized(), 'POST', '{"kind":');
  expect(malformed.status).toBe(400);
  const text = await ask('/v1/intents', { ...authorized(), 'Content-Type': 'text/plain' }, 'POST', '{}');
  expect(text.status).toBe(415);
  const huge = await ask('/v1/intents', authorized(), 'POST', JSON.stringify({ reason: 'x'.repeat(70_000) }));
  expect(huge.status).toBe(413);
  for (const reply of [malformed, text, huge]) expect(reply.bytes.toString()).not.toMatch(/node_modules|at .*\(|\.ts:/);
});

test('the same id is the same intent or a conflict', async () => {
  const intent = { kind: 'freeze', id: 'twice', author: 'ann', reason: 'x' };
  const post = (body: unknown) => ask('/v1/intents', authorized(), 'POST', JSON.stringify(body));
  expect((await post(intent)).status).toBe(201);
  expect((await post(intent)).status).toBe(200);
  expect((await post({ ...intent, reason: 'y' })).status).toBe(409);
  expect((await ask('/v1/intents/twice', authorized(), 'DELETE')).status).toBe(204);
});

test('only stated names are served, so that no page elsewhere reads through a visitor', async () => {
  const { port } = new URL(server.url);
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example']) {
    for (const path of ['/v1/edges', '/metrics', '/', table]) {
      const reply = await ask(path, { Host: host });
      expect([reply.status, reply.headers['content-type']], `${host} ${path}`).toEqual([
        421,
        expect.stringContaining('problem+json'),
      ]);
    }
  }
  for (const host of [`localhost:${port}`, '127.0.0.1', 'taiji.example.org']) {
    expect((await ask('/v1/edges', { Host: host })).status, host).toBe(200);
  }
  expect((await ask('/healthz', { Host: '10.1.2.3:8470' })).status).toBe(200); // a probe that knows no name
});

test('every answer is framed for browsers', async () => {
  for (const path of ['/v1/edges', '/v1/nothing', '/metrics', table, '/']) {
    const { headers } = await ask(path);
    expect(headers['content-security-policy'], path).toMatch(/^default-src 'self';.*frame-ancestors 'none'/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['x-powered-by']).toBe(undefined);
    expect(headers['access-control-allow-origin']).toBe(undefined);
  }
});

test('recent epochs are told, all or since a number or a time', async () => {
  await server.epoch(({ epoch }) => epoch >= 3);
  const { epochs } = json(await ask('/v1/epochs'));
  expect(epochs[0]).toMatchObject({ epoch: 0, outcome: 'initial', version: 1, relaxed: [] });
  expect(Object.keys(epochs[0].churn)).toEqual(['forced', 'elective', 'deferred', 'minimum']);
  expect(Object.keys(epochs[0].utilization)).toEqual(setting.world.topology.datacenters.map(({ id }) => id));
  expect(json(await ask('/v1/epochs?since=1&limit=100')).epochs[0].epoch).toBe(2);
  expect(json(await ask(`/v1/epochs?since=${epochs[2].time}`)).epochs[0].epoch).toBe(2);
  expect(json(await ask('/v1/epochs?limit=1')).epochs).toHaveLength(1);
  for (const query of ['since=yesterday', 'limit=0', 'limit=x', 'since=1&since=2']) {
    expect((await ask(`/v1/epochs?${query}`)).status, query).toBe(400);
  }
});

test('fractions of every edge sum to one', async () => {
  const { edges, datacenters, version } = json(await ask('/v1/edges'));
  expect(version).toBeGreaterThan(0);
  expect(datacenters).toHaveLength(3);
  for (const { fractions } of edges) {
    const sum = Object.values<number>(fractions).reduce((a, b) => a + b, 0);
    expect(Math.abs(sum - 1)).toBeLessThan(1e-9);
  }
});

test('the event stream tells each epoch once, and what a client missed', async () => {
  await server.epoch(({ epoch }) => epoch >= 3);
  const gone = new AbortController();
  const response = await fetch(`${server.url}/v1/events`, { headers: { 'Last-Event-ID': '1' }, signal: gone.signal });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const target = server.epochs.at(-1)!.epoch + 2;
  let text = '';
  for await (const chunk of response.body!) {
    text += new TextDecoder().decode(chunk);
    if (text.includes(`\nid: ${target}\n`) && text.endsWith('\n\n')) break;
  }
  gone.abort();
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  expect(ids).toEqual(ids.map((_, i) => 2 + i));
  expect([...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!).epoch)).toEqual(ids);
});

test('metrics name every alert reason and outcome from the start, and hold no bucket or user', async () => {
  const reply = await ask('/metrics');
  const text = reply.bytes.toString('utf8');
  expect(reply.headers['content-type']).toContain('text/plain');
  for (const reason of alertReasons) {
    expect(text).toMatch(new RegExp(`^taiji_alert_active\\{service="web",reason="${reason}"\\} [01]$`, 'm'));
  }
  const names = [
    `taiji_utilization_ratio{service="web",datacenter="${datacenter}"}`,
    'taiji_churn_ratio{service="web",kind="minimum"}',
    'taiji_epochs_total{service="web",outcome="rejected"} 0',
    'taiji_epoch_duration_seconds_count{service="web"}',
    'taiji_solve_duration_seconds_count{service="web"}',
    'taiji_solver_disagreements_total{service="web"} 0',
    'taiji_table_age_seconds{service="web"}',
    'taiji_journal_written_bytes{service="web"}',
  ];
  for (const name of names) expect(text).toContain(name);
  expect(text).not.toMatch(/bucket="|user="/);
});

test('health and readiness answer in a word', async () => {
  expect((await ask('/healthz')).bytes.toString()).toBe('ok\n');
  const ready = await ask('/readyz');
  expect([ready.status, ready.bytes.toString()]).toEqual([200, 'ready\n']);
});

test('the OpenAPI document is served and describes the routes that answer', async () => {
  expect(json(await ask('/openapi.json'))).toEqual(JSON.parse(JSON.stringify(openApi)));
  for (const [path, methods] of Object.entries(openApi.paths)) {
    if (!('get' in methods) || path === '/v1/events') continue; // the stream never ends
    const real = path.replace('{service}', service).replace('{edge}', edge).replace('{version}', 'current');
    const query = path === '/v1/explain' ? `?edge=${edge}` : '';
    const status = path === '/v1/plans/{id}' || path.endsWith('/shadow') ? 404 : 200; // nothing is planned here, all is published
    expect((await ask(`${real}${query}`)).status, path).toBe(status);
  }
});

test('a HEAD is a GET without a body', async () => {
  const reply = await ask(table, {}, 'HEAD');
  expect([reply.status, reply.bytes.length]).toEqual([200, 0]);
  expect(reply.headers['taiji-envelope']).toBeDefined();
});

test('secrets are made at the first start for their owner only, and refused where others can read them', async () => {
  const data = join(setting.directory, 'data');
  const modes = ['', 'token', 'keys', 'keys/signing-key.pem', 'journal', 'store/TERM'].map(
    (name) => statSync(join(data, name)).mode & 0o777,
  );
  expect(modes).toEqual([0o700, 0o600, 0o700, 0o600, 0o700, 0o600]);
  writeFileSync(join(setting.directory, 'open-token'), 'a-token-that-everybody-knows\n', { mode: 0o644 });
  const start = run(setting, { dataDirectory: 'other', tokenFile: 'open-token' });
  await expect(start).rejects.toThrow(/open-token: the token can be read by others \(mode 644\), expected 600/);
  rmSync(join(setting.directory, 'other'), { recursive: true });
});

test('a port that is taken is one clear line', async () => {
  const port = Number(new URL(server.url).port);
  const start = run(setting, { dataDirectory: 'other', listen: { host: '127.0.0.1', port } });
  await expect(start).rejects.toThrow(
    `listen 127.0.0.1:${port}: another program listens there; choose another port or host`,
  );
  rmSync(join(setting.directory, 'other'), { recursive: true });
});
