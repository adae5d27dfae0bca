/** Two services in one process that share the datacenters, over loopback: requests of "web" and sessions of "chat", which
 *  is due every other tick. */

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { writeWorld } from '../../../../config/load.ts';
import {
  decodeJournal,
  encodeRecord,
  inputsIn,
  inputsOfAll,
  outcomesIn,
} from '../../../../pipeline/replay/journal-record.ts';
import { journalFiles } from '../../../../pipeline/server/io/journal.ts';
import {
  acceptJournal,
  describeReplay,
  replayJournal,
  watchRecorded,
} from '../../../../pipeline/server/io/recorded-file.ts';
import { bothServices, type Run, run, servicesSetting } from '../small-setting.ts';

const setting = servicesSetting();
const { edges, datacenters } = setting.world.topology;
const datacenter = datacenters[0]!.id;
const names = ['chat', 'web'];
let directories = 0;

async function running(more: Record<string, unknown> = {}): Promise<Run> {
  const server = await run(setting, { ...bothServices, dataDirectory: `services-${directories++}`, ...more });
  onTestFinished(() => server.stop());
  return server;
}

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

async function ask({ url, token }: Run, path: string, body?: unknown, method = body ? 'POST' : 'GET'): Promise<Reply> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const reply = await fetch(`${url}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  return { status: reply.status, headers: reply.headers, body: await reply.text() };
}

const get = async (server: Run, path: string) => JSON.parse((await ask(server, path)).body);

/** The next epoch to begin of every service has ended. */
async function nextOfAll(server: Run): Promise<number> {
  const epoch = Math.max(-1, ...server.epochs.map((one) => one.epoch)) + 2;
  for (const service of names) await server.epoch((one) => one.service === service && one.epoch >= epoch);
  return epoch;
}

async function expectReplays(dataDirectory: string): Promise<void> {
  const files = await journalFiles(join(setting.directory, dataDirectory, 'journal'));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const replay = await replayJournal(file);
    expect(replay.difference, describeReplay(replay)).toBe(null);
    expect(replay.epochs).toBeGreaterThan(0);
  }
}

test('both get tables, a lost datacenter moves both, the journal replays and a restart resumes', async () => {
  const server = await running({ dataDirectory: 'both' });
  await nextOfAll(server);

  const { services } = await get(server, '/v1/services');
  expect(services.map((one: { service: string; kind: string }) => [one.service, one.kind])).toEqual([
    ['chat', 'sticky'],
    ['web', 'stateless'],
  ]);
  for (const one of services) expect(one.solvedWith).toEqual(names);

  const tables = new Map<string, string>();
  for (const service of names) {
    for (const { id } of edges) {
      const reply = await ask(server, `/v1/services/${service}/edges/${id}/table`);
      expect(reply.status).toBe(200);
      const envelope = JSON.parse(Buffer.from(reply.headers.get('taiji-envelope')!, 'base64url').toString());
      expect(envelope).toMatchObject({ service, edge: id });
      tables.set(`${service} ${id}`, reply.body);
    }
  }
  // Utilization is of the datacenter, whoever fills it.
  const [chat, web] = await Promise.all(names.map((service) => get(server, `/v1/epochs?service=${service}&limit=100`)));
  expect([chat.service, web.service]).toEqual(names);
  for (const epoch of web.epochs) {
    const beside = chat.epochs.find((one: { epoch: number }) => one.epoch === epoch.epoch);
    if (beside === undefined || epoch.epoch === 0) continue;
    expect(Math.max(...Object.values<number>(epoch.utilization))).toBeGreaterThan(0.3);
  }

  const drain = { kind: 'drain', id: 'both', author: 'ann', reason: 'power', datacenter };
  expect((await ask(server, '/v1/intents', drain)).status).toBe(201);
  await nextOfAll(server);
  for (const service of names) {
    const now = await get(server, `/v1/edges?service=${service}`);
    expect(now.service).toBe(service);
    for (const { fractions } of now.edges) expect(fractions[datacenter], service).toBe(0);
    const moved = server.epochs.filter((one) => one.service === service && one.churn.forced > 0);
    expect(moved.length, service).toBeGreaterThan(0);
    const explained = await get(server, `/v1/explain?service=${service}&edge=${edges[0]!.id}&datacenter=${datacenter}`);
    expect(explained.datacenters[0].reason).toBe('draining');
  }
  await server.stop();
  await expectReplays('both');

  const before = new Map(names.map((service) => [service, server.epochs.findLast((one) => one.service === service)!]));
  const again = await running({ dataDirectory: 'both' });
  for (const service of names) {
    const current = await get(again, `/v1/services/${service}/tables/current`);
    expect(current.version, service).toBeGreaterThanOrEqual(before.get(service)!.version);
    expect((await get(again, `/v1/epochs?service=${service}`)).epochs[0].epoch).toBe(0);
  }
  await nextOfAll(again);
  for (const service of names) {
    const first = again.epochs.find((one) => one.service === service)!;
    expect(first.epoch).toBe(before.get(service)!.epoch + 1);
    expect(first.outcome).not.toBe('initial');
  }
  await again.stop();
  await expectReplays('both');
});

test('a service that is not due in a tick is fixed load, unless a state empties what serves it', async () => {
  const server = await running({ dataDirectory: 'ticks' });
  await server.epoch(({ service, epoch }) => service === 'chat' && epoch >= 4);
  const drain = { kind: 'drain', author: 'ann', reason: 'power', datacenter };
  await ask(server, '/v1/intents', drain);
  await server.epoch(({ service, churn }) => service === 'chat' && churn.forced > 0);
  await nextOfAll(server);
  await server.stop();
  const [file] = await journalFiles(join(setting.directory, 'ticks', 'journal'));
  const { records } = decodeJournal(readFileSync(file!, 'utf8'));
  let between = 0;
  for (const [i, record] of records.entries()) {
    const [chat, web] = inputsIn(record);
    if (!chat || !web) continue;
    expect([chat.isDue ?? true, web.isDue ?? true]).toEqual([chat.epoch % 2 === 0, true]);
    const [ofChat] = outcomesIn(records[i + 1]);
    if (chat.isDue !== false || !ofChat || chat.intents.length > 0) continue;
    expect([ofChat.outcome, ofChat.reason]).toEqual(['unchanged', 'not-due']);
    between += 1;
  }
  expect(between).toBeGreaterThanOrEqual(2);
  await expectReplays('ticks');
  // Both of one epoch are explained from one record, each with what the other put there in its utilization.
  const { epoch } = outcomesIn(records[2])[0]!;
  const [ofChat, ofWeb] = await Promise.all(names.map((service) => watchRecorded(file!, epoch, service)));
  expect([...ofChat!.plan.utilization].map((share) => share.toFixed(9))).toEqual(
    [...ofWeb!.plan.utilization].map((share) => share.toFixed(9)),
  );
  await expect(watchRecorded(file!, epoch)).rejects.toThrow(/--service: .* has chat, web, and none is named/);
});

test('an intent is for the service it names, or for all', async () => {
  const server = await running();
  await nextOfAll(server);
  const drain = { kind: 'drain', id: 'web-only', service: 'web', author: 'ann', reason: 'release', datacenter };
  expect((await ask(server, '/v1/intents', drain)).status).toBe(201);
  await nextOfAll(server);
  const shares = async (service: string): Promise<number> => {
    const { edges: now } = await get(server, `/v1/edges?service=${service}`);
    return now.reduce((sum: number, one: { fractions: Record<string, number> }) => sum + one.fractions[datacenter]!, 0);
  };
  expect(await shares('web')).toBe(0);
  expect(await shares('chat')).toBeGreaterThan(0);
  const unknown = await ask(server, '/v1/intents', { ...drain, id: 'x', service: 'wep' });
  expect([unknown.status, JSON.parse(unknown.body).detail]).toEqual([
    422,
    'service "wep" is not here (did you mean "web"?); name chat, web, or none for all',
  ]);
});

test('routes say which services there are, and ask which one is meant', async () => {
  const server = await running();
  await nextOfAll(server);
  const refused = async (path: string) => {
    const { status, headers, body } = await ask(server, path);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    return [status, JSON.parse(body).detail];
  };
  const edge = edges[0]!.id;
  expect(await refused(`/v1/services/mail/edges/${edge}/table`)).toEqual([
    404,
    'service "mail" is not here; here are chat, web',
  ]);
  expect(await refused('/v1/edges?service=mail')).toEqual([404, 'service "mail" is not here; here are chat, web']);
  for (const path of ['/v1/edges', '/v1/epochs', `/v1/explain?edge=${edge}`]) {
    expect(await refused(path), path).toEqual([400, 'no service is named, expected ?service= one of chat, web']);
  }
  expect(await refused('/v1/events?service=mail')).toEqual([404, 'service "mail" is not here; here are chat, web']);
  const metrics = (await ask(server, '/metrics')).body;
  for (const service of names) {
    expect(metrics).toContain(`taiji_epochs_total{service="${service}",outcome="initial"} 1`);
    expect(metrics).toMatch(new RegExp(`^taiji_table_version\\{service="${service}"\\} [1-9]`, 'm'));
    expect(metrics).toContain(`taiji_alert_active{service="${service}",reason="plan-held"} 0`);
  }
  expect((await ask(server, '/readyz')).status).toBe(200);
});

test('the event stream tells what a client missed of every service, or of one', async () => {
  const server = await running();
  const until = await nextOfAll(server);
  const listen = async (path: string, last: string): Promise<[string, number][]> => {
    const gone = new AbortController();
    const response = await fetch(`${server.url}${path}`, { headers: { 'Last-Event-ID': last }, signal: gone.signal });
    const heard: [string, number][] = [];
    let text = '';
    for await (const chunk of response.body!) {
      text += new TextDecoder().decode(chunk);
      heard.splice(0);
      for (const [, data] of text.slice(0, text.lastIndexOf('\n\n') + 2).matchAll(/^data: (.*)$/gm)) {
        const { service, epoch } = JSON.parse(data!);
        heard.push([service, epoch]);
      }
      if (heard.some(([service, epoch]) => service === 'web' && epoch > until)) break;
    }
    gone.abort();
    const [, id] = [...text.matchAll(/^id: (.*)$/gm)].at(-1)!;
    expect(id).toMatch(/^chat=\d+,web=\d+$/);
    return heard;
  };
  const all = await listen('/v1/events', 'chat=0,web=1');
  const of = (service: string) => all.flatMap(([name, epoch]) => (name === service ? [epoch] : []));
  expect(of('chat')).toEqual(of('chat').map((_, i) => i + 1));
  expect(of('web')).toEqual(of('web').map((_, i) => i + 2));
  const web = await listen('/v1/events?service=web', 'chat=0,web=1');
  expect(web.every(([service]) => service === 'web')).toBe(true);
  expect(web[0]).toEqual(['web', 2]);
});

test('where one falls silent it is load as it was last, and the other goes on; before it ever spoke both wait', async () => {
  const limits = { staleAfter: '500ms', fillFor: '500ms' };
  const server = await running({
    dataDirectory: 'silent',
    telemetry: { kind: 'push', topology: { dir: 'world' }, limits },
  });
  const report = async (service: string): Promise<void> => {
    const reply = await ask(server, '/v1/telemetry', {
      observedAt: new Date().toISOString(),
      service,
      demandRps: Object.fromEntries(edges.map(({ id }) => [id, 100])),
      datacenters: Object.fromEntries(datacenters.map(({ id }) => [id, { state: 'normal' }])),
    });
    expect(reply.status, reply.body).toBe(202);
  };
  let speaking = ['web'];
  let isOver = false;
  const reporting = (async () => {
    while (!isOver) {
      for (const service of speaking) await report(service);
      await sleep(50);
    }
  })();
  try {
    const waits = await server.epoch(
      ({ service, reason }) => service === 'web' && /nothing is known yet/.test(reason!),
    );
    expect([waits.outcome, waits.reason]).toEqual([
      'held',
      'telemetry: nothing is known yet of the load of "chat", which draws on the same',
    ]);
    speaking = names;
    for (const service of names) await server.epoch((one) => one.service === service && one.version > 0);
    speaking = ['web'];
    const silent = await server.epoch(
      ({ service, outcome, version }) => service === 'chat' && outcome === 'held' && version > 0,
    );
    const beside = await server.epoch(({ service, epoch }) => service === 'web' && epoch === silent.epoch);
    expect(silent.reason).toMatch(/^telemetry: /);
    expect(beside.outcome).not.toBe('held');
    await nextOfAll(server);
    expect((await ask(server, `/v1/services/chat/edges/${edges[0]!.id}/table`)).status).toBe(200);
  } finally {
    isOver = true;
    await reporting;
  }
  await server.stop();
  const [file] = await journalFiles(join(setting.directory, 'silent', 'journal'));
  const { records } = decodeJournal(readFileSync(file!, 'utf8'));
  const ofBoth = records.filter((record) => inputsIn(record)[0]?.isSilent === true);
  expect(ofBoth.length).toBeGreaterThan(0);
  for (const record of ofBoth) {
    const [chat, web] = inputsIn(record);
    expect(chat).toMatchObject({ isDue: false, demandRps: edges.map(() => 100) });
    expect(web!.isSilent).toBe(undefined);
  }
  await expectReplays('silent');
});

test('services that share nothing are planned apart, in one process and one directory', async () => {
  const apart = servicesSetting();
  const { topology } = apart.world;
  const own = (name: string, share: number) => ({
    name,
    capacity: Float64Array.from(topology.datacenters, ({ capacityRps }) => capacityRps * share),
  });
  writeWorld(join(apart.directory, 'world'), {
    ...apart.world,
    topology: { ...topology, resources: [own('slots', 0.5)] },
  });
  writeFileSync(
    join(apart.directory, 'chat.yaml'),
    stringify({
      apiVersion: 'taiji/v1',
      kind: 'Policy',
      metadata: { service: 'chat' },
      spec: { resources: { slots: 1 } },
    }),
  );
  const server = await run(apart, { ...bothServices, dataDirectory: 'apart' });
  onTestFinished(() => server.stop());
  for (const service of names) await server.epoch((one) => one.service === service && one.epoch >= 3);
  const { services } = await get(server, '/v1/services');
  expect(services.map((one: { solvedWith: string[] }) => one.solvedWith)).toEqual([['chat'], ['web']]);
  await server.stop();
  const directory = join(apart.directory, 'apart', 'journal');
  expect(
    readdirSync(directory)
      .map((file) => file.replace(/^\d+-\d+/, ''))
      .sort(),
  ).toEqual(['-chat.jsonl', '-web.jsonl']);
  for (const file of await journalFiles(directory)) {
    expect(decodeJournal(readFileSync(file, 'utf8')).records[0]!.kind).toBe('checkpoint');
    expect((await replayJournal(file)).difference).toBe(null);
  }
});

test('a journal of both accepts what they come to, once no control plane is at work on it', async () => {
  const server = await running({ dataDirectory: 'accepting' });
  const last = await nextOfAll(server);
  const file = (await journalFiles(join(setting.directory, 'accepting', 'journal'))).at(-1)!;
  await expect(acceptJournal(file)).rejects.toThrow(/in use by process \d+ .*accept in a copy/);
  await server.stop();

  const grown = decodeJournal(readFileSync(file, 'utf8')).records.map((record) => {
    const services = inputsIn(record);
    if (services[0]?.epoch !== last - 1) return encodeRecord(record);
    const own = services.map((one) => ({
      ...one,
      demandRps: one.demandRps.map((rps, e) => (e === 0 ? 3 * rps : rps)),
    }));
    return encodeRecord(inputsOfAll(own));
  });
  writeFileSync(file, grown.join(''));
  expect((await replayJournal(file)).difference).toMatchObject({ epoch: last - 1, service: expect.any(String) });
  expect((await acceptJournal(file)).accepted[0]).toMatchObject({ epoch: last - 1 });
  expect((await replayJournal(file)).difference).toBe(null);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('health is of the service it is reported of: it alarms and bars there, and nowhere else', async () => {
  const server = await running({ telemetry: { kind: 'push', topology: { dir: 'world' } } });
  const reportOf = async (service: string, healthy: boolean): Promise<void> => {
    const { status, body } = await ask(server, '/v1/telemetry', {
      observedAt: new Date().toISOString(),
      service,
      demandRps: Object.fromEntries(edges.map(({ id }) => [id, 100])),
      datacenters: Object.fromEntries(datacenters.map(({ id }) => [id, { state: 'normal', healthy }])),
    });
    expect(status, body).toBe(202);
  };
  for (const service of names) await reportOf(service, true);
  for (const service of names) await server.epoch((one) => one.service === service && one.version > 0);
  await reportOf('web', false);
  await nextOfAll(server);
  const alertsOf = async (service: string) => (await get(server, `/v1/edges?service=${service}`)).alerts;
  expect((await alertsOf('web'))['service-unhealthy']).toContain(datacenter);
  expect(await alertsOf('chat')).not.toHaveProperty('service-unhealthy');
  await server.stop();
  const [file] = await journalFiles(join(setting.directory, `services-${directories - 1}`, 'journal'));
  const { records } = decodeJournal(readFileSync(file!, 'utf8'));
  const last = records.findLast((record) => inputsIn(record).length > 0);
  const [chat, web] = inputsIn(last).map(({ states }) => states.filter(({ refill }) => !refill).length);
  expect({ chat, web }).toEqual({ chat: 0, web: datacenters.length });
});
