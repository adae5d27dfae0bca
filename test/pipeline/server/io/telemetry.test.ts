/** The control plane on telemetry that is brought to it: held until the fleet has reported, then steering by it. */

import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { formatTime } from '../../../../config/duration.ts';
import { compareIds } from '../../../../config/ids.ts';
import { explainEdge } from '../../../../pipeline/replay/explanation.ts';
import { journalFiles } from '../../../../pipeline/server/io/journal.ts';
import { replayJournal, watchRecorded } from '../../../../pipeline/server/io/recorded-file.ts';
import { type Run, run, service, smallSetting } from '../small-setting.ts';

const setting = smallSetting();
// A live fleet has neither recorded demand nor events, and its friends went into the tree.
for (const name of ['demand.csv', 'events.csv', 'friends.csv.gz']) rmSync(join(setting.directory, 'world', name));
const { edges, datacenters } = setting.world.topology;
const [first, second] = datacenters.map(({ id }): string => id) as [string, string];
let directories = 0;

async function running(limits: Record<string, unknown> = {}): Promise<Run> {
  const telemetry = { kind: 'push', topology: { dir: 'world' }, limits };
  const server = await run(setting, { dataDirectory: `live-${directories++}`, telemetry });
  onTestFinished(() => server.stop());
  return server;
}

interface Reply {
  readonly status: number;
  readonly body: { readonly detail?: string };
}

async function report(server: Run, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const reply = await fetch(`${server.url}/v1/telemetry`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: reply.status, body: JSON.parse(await reply.text()) };
}

const all = (more: Record<string, unknown> = {}) => ({
  observedAt: formatTime(Date.now()),
  demandRps: Object.fromEntries(edges.map(({ id }, e) => [id, 100 + e])),
  datacenters: Object.fromEntries(datacenters.map(({ id }) => [id, { state: 'normal', healthy: true }])),
  ...more,
});

/** The first epoch that ends from now on for which `holds`. */
const next = (server: Run, holds: (epoch: Run['epochs'][number]) => boolean = () => true) => {
  const from = server.epochs.length + 1; // one may be observed already
  return server.epoch((epoch) => server.epochs.indexOf(epoch) >= from && holds(epoch));
};

async function now(server: Run) {
  const { alerts, edges: of } = JSON.parse(await (await fetch(`${server.url}/v1/edges`)).text());
  const reasons = Object.keys(alerts).filter((reason) => reason !== 'epoch-overrun');
  return { reasons: reasons.sort(compareIds), alerts, edges: of };
}

test('epochs are held by name until the fleet has reported; then the first table goes out and the record replays', async () => {
  const server = await running();
  const held = await server.epoch(() => true);
  expect(held).toMatchObject({ outcome: 'held', version: 0 });
  expect(held.reason).toMatch(/^telemetry: no edge has a usable demand: demandRps of edge ".+" is missing; /);
  expect((await now(server)).reasons).toEqual(['telemetry-failing']);
  const part = { observedAt: formatTime(Date.now()), demandRps: { [edges[0]!.id]: 100 } };
  expect(await report(server, part)).toEqual({ status: 202, body: { accepted: 1, ignored: 0 } });
  expect((await next(server)).reason).toContain('no datacenter has a usable state');
  expect(await report(server, all())).toMatchObject({ status: 202, body: { ignored: 0 } });
  const initial = await server.epoch(({ version }) => version > 0);
  expect(initial.outcome).toBe('initial');
  expect(Math.abs(Date.parse(initial.time) - Date.now())).toBeLessThan(3_600_000); // the world's time is the clock's
  const { reasons, edges: served } = await now(server);
  expect(reasons).toEqual([]);
  expect(served.map(({ demandRps }: { demandRps: number }) => demandRps)).toEqual(edges.map((_, e) => 100 + e));
  await next(server);
  await server.stop();
  const directory = join(setting.directory, 'live-0');
  expect(existsSync(directory)).toBe(true);
  let epochs = 0;
  for (const file of await journalFiles(join(directory, 'journal'))) {
    const replayed = await replayJournal(file);
    expect(replayed.difference).toBe(null);
    epochs += replayed.epochs;
  }
  expect(epochs).toBeGreaterThan(1);
  expect(readdirSync(directory)).toContain('journal');
});

test('an abnormal datacenter is emptied; an unhealthy one alerts and keeps its users', async () => {
  const server = await running();
  const states = (more: Record<string, unknown>) => {
    const { datacenters: normal } = all();
    return all({ datacenters: { ...normal, ...more } });
  };
  await report(server, states({ [first]: { state: 'normal', healthy: false } }));
  const unhealthy = await server.epoch(({ version }) => version > 0);
  expect(unhealthy.utilization[first]).toBeGreaterThan(0);
  const told = await now(server);
  expect([told.reasons, told.alerts['service-unhealthy']]).toEqual([
    ['service-unhealthy'],
    `unhealthy by their service metrics: ${first}`,
  ]);
  await report(server, states({ [second]: { state: 'abnormal', healthy: true } }));
  const emptied = await next(server, ({ utilization }) => utilization[second] === 0);
  expect(emptied.utilization[first]).toBeGreaterThan(0);
});

test('round trips of users are planned with, told as what changed, and replay to the byte', async () => {
  const server = await running();
  await report(server, all());
  await server.epoch(({ version }) => version > 0);
  const edge = edges[0]!.id;
  const { rttMs } = setting.world.topology;
  const longer = Math.round(rttMs[0]! + 40);
  const detour = { [edge]: { [first]: longer } };
  const dir = `live-${directories - 1}`;
  await report(server, all({ rttMs: detour }));
  const after = await next(server);
  await expect.poll(async () => (await now(server)).edges[0].rttMs[first]).toBe(longer);
  expect((await now(server)).edges[0].rttMs[second]).toBe(rttMs[1]);
  await report(server, all({ rttMs: { [edge]: { [first]: longer + 1 } } })); // jitter
  await next(server);
  expect((await now(server)).edges[0].rttMs[first]).toBe(longer);
  await server.stop();
  const [file] = await journalFiles(join(setting.directory, dir, 'journal'));
  expect((await replayJournal(file!)).difference).toBe(null);
  const changed: string[] = [];
  for (let epoch = 1; epoch <= after.epoch; epoch++) {
    const watched = await watchRecorded(file!, epoch).catch(() => null);
    const changes = watched ? explainEdge(watched, 0, 0).changes : [];
    for (const { input, name, before, after: is } of changes) {
      if (input === 'rtt') changed.push(`${name}: ${before} to ${is}`);
    }
  }
  expect(changed).toEqual([`${edge} to ${first}: ${rttMs[0]} to ${longer}`]);
});

test('counted sessions of a sticky service stay where they were counted, are told, and replay to the byte', async () => {
  const policy = {
    apiVersion: 'taiji/v1',
    kind: 'Policy',
    metadata: { service },
    spec: { traffic: { kind: 'sticky', sessionLifetime: '10m' } },
  };
  writeFileSync(join(setting.directory, 'sticky.yaml'), stringify(policy));
  const dataDirectory = `live-${directories++}`;
  const telemetry = { kind: 'push', topology: { dir: 'world' } };
  const server = await run(setting, { dataDirectory, telemetry, policy: 'sticky.yaml' });
  onTestFinished(() => server.stop());
  await report(server, all());
  await server.epoch(({ version }) => version > 0);
  const edge = edges[0]!.id;
  type Sessions = { readonly count: number; readonly by: string };
  const explained = async (): Promise<Map<string, Sessions>> => {
    const reply = await fetch(`${server.url}/v1/explain?edge=${edge}`);
    const { datacenters: rows } = JSON.parse(await reply.text());
    return new Map(rows.map((row: { datacenter: string; sessions: Sessions }) => [row.datacenter, row.sessions]));
  };
  await next(server);
  const modelled = [...(await explained())].sort(([, one], [, other]) => one.count - other.count);
  expect(modelled.map(([, { by }]) => by)).toEqual(datacenters.map(() => 'model'));
  const [far, uncounted, near] = modelled.map(([id]) => id) as [string, string, string];
  let counts: Record<string, number> = { [far]: 90, [near]: 0 };
  /** Counts again and lets an epoch see it: each count is used once. */
  const count = async (): Promise<void> => {
    await report(server, all({ observedAt: new Date().toISOString(), sessions: { [edge]: counts } }));
    await next(server);
  };
  const told = (reason: string) =>
    String(server.logged.find((line) => line['reason'] === reason)?.['message'] ?? 'nothing');
  await count();
  expect(told('allocation-contradicting')).toMatch(
    new RegExp(`^sessions of edge "${edge}" differs from the last tables`),
  );
  /** A count is used in one epoch: the next one, or the one after where that was observed already. */
  const explainedAsCounted = async (): ReturnType<typeof explained> => {
    await report(server, all({ observedAt: new Date().toISOString(), sessions: { [edge]: counts } }));
    let rows = await explained();
    for (let epoch = 0; epoch < 2 && rows.get(far)!.by !== 'telemetry'; epoch++) {
      const from = server.epochs.length;
      await server.epoch((one) => server.epochs.indexOf(one) >= from);
      rows = await explained();
    }
    return rows;
  };
  let rows = await explainedAsCounted();
  for (let tries = 0; tries < 50 && rows.get(far)!.by !== 'telemetry'; tries++) rows = await explainedAsCounted();
  // Of 90, those that outlive the epoch, and what a slow machine left out before it: half a lifetime each.
  const epochsOutlived = 2 * Math.log(90 / rows.get(far)!.count);
  expect(epochsOutlived).toBeGreaterThan(0.99);
  expect(epochsOutlived).toBeCloseTo(Math.round(epochsOutlived), 3);
  expect(rows.get(near)).toEqual({ count: 0, by: 'telemetry' });
  expect(rows.get(uncounted)).toMatchObject({ by: 'model' });
  counts = { [far]: 9000 };
  await count();
  expect(told('telemetry-partial')).toContain(`sessions of pair "${edge} to ${far}" jumped from 90 to 9000`);
  await server.stop();
  for (const file of await journalFiles(join(setting.directory, dataDirectory, 'journal'))) {
    expect((await replayJournal(file)).difference).toBe(null);
  }
});

test('values that grow stale hold the epoch by name, and the last table goes on serving', async () => {
  const server = await running({ staleAfter: '1s', fillFor: '1s' });
  await report(server, all());
  await server.epoch(({ version }) => version > 0);
  const held = await next(server, ({ outcome }) => outcome === 'held');
  expect(held.reason).toMatch(/demandRps of edge ".+" is \d+s old, expected at most 1s/);
  const { reasons, edges: served } = await now(server);
  expect(reasons).toContain('telemetry-failing');
  expect(served[0].sha256).toMatch(/^[0-9a-f]{64}$/);
  await report(server, all());
  await next(server, ({ outcome }) => outcome === 'unchanged' || outcome === 'published');
});

test('one silent edge of few is planned on its last good value, under an alert that names it', async () => {
  const server = await running({ staleAfter: '2s', fillFor: '1h', filledShareMax: 0.3 });
  await report(server, all());
  await server.epoch(({ version }) => version > 0);
  const silent = edges[0]!.id;
  let reported: Promise<unknown> = Promise.resolve();
  const alive = setInterval(() => {
    const { demandRps, ...rest } = all();
    const { [silent]: _, ...others } = demandRps;
    reported = Promise.allSettled([reported, report(server, { ...rest, demandRps: others })]);
  }, 200);
  onTestFinished(() => clearInterval(alive));
  await expect
    .poll(async () => (await now(server)).alerts['telemetry-partial'], { timeout: 30_000 })
    .toMatch(new RegExp(`^demandRps of edge "${silent}" is \\d+s old, expected at most 2s$`));
  const { reasons, edges: served } = await now(server);
  expect(reasons).toEqual(['telemetry-partial']);
  expect(served[0].demandRps).toBe(100);
  clearInterval(alive);
  await reported; // none is under way when the server stops
});

test('users seen elsewhere than the table says are an alert that names the edge, and are planned on all the same', async () => {
  const server = await running();
  await report(server, all({ allocation: { [edges[0]!.id]: { [first]: 1 } } }));
  await server.epoch(({ version }) => version > 0);
  const after = await next(server);
  expect(['unchanged', 'published']).toContain(after.outcome);
  const { alerts, edges: served } = await now(server);
  const isTrue = served[0].fractions[first] >= 0.9;
  expect(isTrue).toBe(false); // else the report agreed with the table
  expect(alerts['allocation-contradicting']).toMatch(new RegExp(`^allocation of edge "${edges[0]!.id}" differs`));
});

test('a report is refused without the token, in another form, too large, or of places nobody knows', async () => {
  const server = await running();
  const refused = async (body: unknown, headers?: Record<string, string>) => {
    const { status, body: problem } = await report(server, body, headers);
    return [status, problem.detail];
  };
  expect(await refused(all(), { Authorization: 'Bearer wrong' })).toEqual([
    401,
    expect.stringContaining('wrong bearer'),
  ]);
  expect(await refused('observedAt: now', { 'Content-Type': 'text/plain' })).toEqual([
    415,
    expect.stringContaining('json'),
  ]);
  expect(await refused('{"observedAt":')).toEqual([400, expect.stringContaining('valid JSON')]);
  expect(await refused({ ...all(), x: 'x'.repeat(70_000) })).toEqual([413, expect.stringContaining('65536')]);
  expect(await refused(all({ demandRps: { atlantis: 1 } }))).toEqual([
    422,
    expect.stringContaining('unknown edge "atlantis"'),
  ]);
  expect(await refused(all({ demandRps: { [edges[0]!.id]: -1 } }))).toEqual([422, expect.stringContaining('is -1')]);
  expect((await next(server)).reason).toContain('no edge has a usable demand');
});

test('what only a world can do is refused for a live fleet', async () => {
  const telemetry = { kind: 'push', topology: { dir: 'world' } };
  const start = run(setting, { dataDirectory: 'other', telemetry, clock: { acceleration: 5 } });
  await expect(start).rejects.toThrow(/only a world runs faster than the clock/);
});
