/** Two things at once on the real control plane, over HTTP: each is tried alone elsewhere. Every journal must replay byte for
 *  byte, and no epoch of choice may move more than `churnMax`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { stringify } from 'yaml';
import { bucketize } from '../../../../bucketizer/bucketize.ts';
import { readTree, writeTree } from '../../../../bucketizer/io/tree-file.ts';
import { journalFiles } from '../../../../pipeline/server/io/journal.ts';
import { describeReplay, replayJournal } from '../../../../pipeline/server/io/recorded-file.ts';
import { parseBody } from '../../../../pipeline/table/compile.ts';
import { boardingOrder } from '../../../../pipeline/table/ramp.ts';
import { decodeTable, encodeTable } from '../../../../pipeline/table/routing-table.ts';
import { importWeights } from '../imported-weights.ts';
import { type Run, run, service, smallSetting, type Told } from '../small-setting.ts';

const setting = smallSetting();
const { directory, world } = setting;
const { users, friends, topology } = world;
const at = (name: string): string => join(directory, name);
writeFileSync(join(at('world'), 'events.csv'), 'time,datacenter,state\n');
const edges = topology.edges.map(({ id }): string => id);
const [home] = topology.datacenters.map(({ id }): string => id);
const of = `/v1/services/${service}`;
const churnMax = 0.15; // one of 400 users is a large share of an edge

const input = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
writeTree(at('second'), bucketize(input, { height: 6, seed: 2, effort: 'fast' }).tree);
const [first, second] = ['tree', 'second'].map((name) => readTree(at(name)).version) as [string, string];
let today: readonly Uint8Array[] = []; // [edge][bucket] as imported
let policies = 0;

beforeAll(async () => {
  await importWeights(setting);
  today = decodeTable(JSON.parse(readFileSync(at('today.json'), 'utf8')).table, 'today').byEdge;
});

/** Stopped after the test. Nobody may have moved too many by choice then, and the journal replays. */
async function serving(context: TestContext, dataDirectory: string, spec: object): Promise<Run> {
  const policy = `policy-${policies++}.yaml`;
  const guards = { churnMax, onloadMax: 1 };
  const document = { apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service }, spec: { guards, ...spec } };
  writeFileSync(at(policy), stringify(document));
  const firstTable = 'ramp' in spec ? { firstTable: 'today.json' } : {};
  const server = await run(setting, { policy, dataDirectory, clock: { epochWall: '50ms' }, ...firstTable });
  context.onTestFinished(async () => {
    await server.stop();
    for (const { outcome, reason, relaxed, churn, treeMove } of server.epochs) {
      expect(outcome, reason ?? '').not.toBe('rejected');
      const moved = churn.elective + (treeMove?.churn ?? 0);
      if (outcome !== 'initial' && relaxed.length === 0) expect(moved).toBeLessThanOrEqual(churnMax + 1e-9);
    }
    for (const path of await journalFiles(join(at(dataDirectory), 'journal'))) {
      const replay = await replayJournal(path);
      expect(replay.difference, describeReplay(replay)).toBe(null);
    }
  });
  return server;
}

async function get(server: Run, path: string) {
  return JSON.parse(await (await fetch(`${server.url}${path}`)).text());
}

async function send(server: Run, method: string, path: string, body: object | Uint8Array) {
  const isBytes = body instanceof Uint8Array;
  const type = isBytes ? 'application/octet-stream' : 'application/json';
  const headers = { Authorization: `Bearer ${server.token}`, 'Content-Type': type };
  const reply = await fetch(`${server.url}${path}`, { method, headers, body: isBytes ? body : JSON.stringify(body) });
  const text = await reply.text();
  return { status: reply.status, body: text === '' ? null : JSON.parse(text) };
}

const ask = (server: Run, path: string, body: object) =>
  send(server, 'POST', path, { author: 'ann', reason: 'a try', ...body });

/** So many epochs from now, each begun since. */
function later(server: Run, count = 1): Promise<Told> {
  const from = server.epochs.length + count;
  return server.epoch((epoch) => server.epochs.indexOf(epoch) >= from);
}

/** Asked once an epoch, until it holds. */
async function until<T>(server: Run, look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    await later(server);
  }
}

const treeOf = (server: Run) => get(server, `${of}/tree`);
const isSettled = ({ kind }: { kind: string }): boolean => kind === 'settled';

async function activateSecond(server: Run) {
  expect((await send(server, 'PUT', `/v1/trees/${second}`, readFileSync(at('second')))).status).toBe(201);
  return ask(server, `${of}/tree`, { tree: second });
}

/** [edge][bucket] as edges fetch it. */
async function tableNow(server: Run): Promise<readonly Uint8Array[]> {
  const { edges: bodies } = await get(server, `${of}/tables/current`);
  return edges.map((id) => parseBody(JSON.stringify(bodies[id].body), id).assignment);
}

/** Buckets that are elsewhere than imported, of those that are not aboard. */
function astray(table: readonly Uint8Array[], share: number, ramped: readonly string[] = edges): number {
  const place = boardingOrder(6, 7);
  return table.reduce((sum, row, e) => {
    const isAboard = (bucket: number): boolean => ramped.includes(edges[e]!) && place[bucket]! < share * 64;
    return sum + row.filter((d, bucket) => !isAboard(bucket) && d !== today[e]![bucket]).length;
  }, 0);
}

/** Says that all of an edge's requests are of the buckets that `isLoud`. */
async function count(server: Run, edge: string, isLoud: (bucket: number) => boolean): Promise<void> {
  const buckets = Object.fromEntries(Array.from({ length: 64 }, (_, b) => [b, isLoud(b) ? 1_000_000 : 0]));
  const ack = { sha256: 'a'.repeat(64), appliedAt: '2026-03-05T12:00:00Z', buckets };
  expect((await send(server, 'POST', `/v1/edges/${edge}/acks`, ack)).status).toBe(202);
}

describe('at once', { concurrent: true }, () => {
  test('a ramp and another tree: users wait for the ramp to end, and pass then', async (context) => {
    const ramped = await serving(context, 'ramp-tree', { ramp: { share: 0.5 } });
    await later(ramped);
    const begun = await activateSecond(ramped);
    expect(begun.body).toMatchObject({ begun: true, standstill: expect.stringMatching(/^the policy has a ramp/) });
    await later(ramped, 5);
    expect(await treeOf(ramped)).toMatchObject({ kind: 'moving', cut: 0, progress: { moved: 0 } });
    expect(astray(await tableNow(ramped), 0.5)).toBe(0);
    await ramped.stop();
    const whole = await serving(context, 'ramp-tree', {});
    expect(await until(whole, () => treeOf(whole), isSettled)).toMatchObject({ tree: second, before: first });
  });

  test('a ramp and what edges count: what is not aboard stays as imported, whatever its weight', async (context) => {
    const server = await serving(context, 'ramp-counts', { ramp: { share: 0.5 } });
    await later(server);
    const before = (await get(server, '/v1/edges')).edges[0].fractions;
    for (const edge of edges.slice(0, 2)) await count(server, edge, (bucket) => bucket < 8);
    for (let epoch = 0; epoch < 8; epoch++) {
      await later(server);
      expect(astray(await tableNow(server), 0.5)).toBe(0);
    }
    expect((await get(server, '/v1/edges')).edges[0].fractions).not.toEqual(before);
  });

  test('what edges count and another tree: users pass within churnMax, and what was learnt passes with them', async (context) => {
    const server = await serving(context, 'counts-tree', {});
    await later(server);
    for (const edge of edges) await count(server, edge, (bucket) => bucket % 3 === 0);
    await later(server, 5);
    expect((await activateSecond(server)).body).toMatchObject({ begun: true, standstill: null });
    await later(server);
    await count(server, edges[1]!, (bucket) => bucket % 3 === 1); // and while they pass
    expect(await until(server, () => treeOf(server), isSettled)).toMatchObject({ tree: second });
    await server.stop();
    const again = await serving(context, 'counts-tree', {});
    await later(again);
    expect((await ask(again, `${of}/tree/rollback`, {})).body).toMatchObject({ begun: true });
    expect(await until(again, () => treeOf(again), isSettled)).toMatchObject({ tree: first });
  });

  test('a freeze of one edge and a tree on its way: users stay where they are until it ends', async (context) => {
    const server = await serving(context, 'freeze-tree', { guards: { churnMax: 0.02, onloadMax: 1 } });
    await later(server);
    await activateSecond(server);
    await until(
      server,
      () => treeOf(server),
      ({ progress }) => progress.moved > 0,
    );
    const freeze = { kind: 'freeze', id: 'still', edge: edges[0] };
    expect((await ask(server, '/v1/intents', freeze)).status).toBe(201);
    const frozen = await until(
      server,
      () => treeOf(server),
      ({ progress }) => progress.standstill !== null,
    );
    expect(frozen.progress.standstill).toBe(`edge ${edges[0]} is frozen`);
    const row = (await tableNow(server))[0];
    await later(server, 3);
    expect(await treeOf(server)).toMatchObject({ cut: frozen.cut });
    expect((await tableNow(server))[0]).toEqual(row);
    await send(server, 'DELETE', '/v1/intents/still', {});
    await until(
      server,
      () => treeOf(server),
      ({ kind, cut }) => kind === 'settled' || cut > frozen.cut,
    );
  });

  test('a rollback and a tree on its way: users stand still at the old table, and go on once it is resumed', async (context) => {
    const server = await serving(context, 'rollback-tree', { guards: { churnMax: 0.02, onloadMax: 1 } });
    await server.epoch(({ version }) => version >= 2);
    await activateSecond(server);
    await until(
      server,
      () => treeOf(server),
      ({ progress }) => progress.moved > 0,
    );
    const { version } = await get(server, `${of}/rollout`);
    const back = await ask(server, `${of}/rollback`, { version: version - 1, force: true });
    expect(back.status, back.body.detail).toBe(200);
    const pinned = await until(
      server,
      () => treeOf(server),
      ({ progress }) => progress.standstill !== null,
    );
    expect(pinned.progress.standstill).toMatch(/^frozen by ann: held at version/);
    const table = await tableNow(server);
    await later(server, 3);
    expect(await treeOf(server)).toMatchObject({ cut: pinned.cut });
    expect(await tableNow(server)).toEqual(table);
    // The way back of the tree waits for the same.
    expect((await ask(server, `${of}/tree/rollback`, {})).body.standstill).toMatch(/^frozen by ann/);
    await server.stop();
    const again = await serving(context, 'rollback-tree', { guards: { churnMax: 0.02, onloadMax: 1 } });
    await later(again);
    expect(await treeOf(again)).toMatchObject({ kind: 'moving', cut: pinned.cut, direction: 'back' });
    expect((await ask(again, `${of}/resume`, {})).status).toBe(200);
    expect(await until(again, () => treeOf(again), isSettled)).toMatchObject({ tree: first });
  });

  test('a ramp and intents: a drain empties what is not aboard too, and after it everybody is back', async (context) => {
    const server = await serving(context, 'ramp-intents', { ramp: { share: 0.25, edges: edges.slice(0, 2) } });
    await later(server);
    const shift = {
      kind: 'shift',
      id: 'over',
      from: home,
      to: topology.datacenters[2]!.id,
      fraction: 0.1,
      force: true,
    };
    expect((await ask(server, '/v1/intents', shift)).status).toBe(201);
    await later(server, 3);
    expect(astray(await tableNow(server), 0.25, edges.slice(0, 2))).toBe(0);
    const drain = { kind: 'drain', id: 'out', datacenter: home, force: true };
    expect((await ask(server, '/v1/intents', drain)).status).toBe(201);
    await server.epoch(({ churn }) => churn.forced > 0);
    for (const row of await tableNow(server)) expect(row).not.toContain(0);
    for (const id of ['out', 'over']) await send(server, 'DELETE', `/v1/intents/${id}`, {});
    await until(
      server,
      () => tableNow(server),
      (table) => astray(table, 0.25, edges.slice(0, 2)) === 0,
    );
  });

  test('a ramp and a plan from outside: what is not aboard is told, and comes back where somebody insists', async (context) => {
    const server = await serving(context, 'ramp-plan', { ramp: { share: 0.25 } });
    await later(server);
    const { edges: bodies } = await get(server, `${of}/tables/current`);
    const parsed = edges.map((id) => parseBody(JSON.stringify(bodies[id].body), id));
    const { treeVersion, height, targets } = parsed[0]!;
    const byEdge = parsed.map(({ assignment }, e) => (e === 0 ? assignment.map((d) => (d + 1) % 3) : assignment));
    const table = encodeTable({ treeVersion, height, targets, edges: topology.edges.map(({ id }) => id), byEdge });
    await ask(server, '/v1/intents', { kind: 'freeze', id: 'still' });
    await server.epoch(({ reason }) => reason?.startsWith('frozen') ?? false);
    const made = await send(server, 'POST', `${of}/plans`, { author: 'ann', table });
    const { id } = made.body.plan;
    const refused = await ask(server, `/v1/plans/${id}/apply`, {});
    expect(refused.body.detail).toMatch(/0\.\d{3} of demand is not aboard the ramp, and epochs would bring it back/);
    expect((await ask(server, `/v1/plans/${id}/apply`, { force: true })).status).toBe(200);
    expect(astray(await tableNow(server), 0.25)).toBeGreaterThan(0);
    await send(server, 'DELETE', '/v1/intents/still', {});
    await until(
      server,
      () => tableNow(server),
      (now) => astray(now, 0.25) === 0,
    );
  });

  test('a ramp and a canary: only what is aboard is tried, and only that is promoted', async (context) => {
    const ramp = { share: 0.5 };
    const server = await serving(context, 'ramp-canary', { ramp, canary: { edges: [edges[0]], for: '100ms' } });
    const { rollout } = await until(
      server,
      () => get(server, `${of}/rollout`),
      ({ rollout: { kind } }) => kind === 'canary',
    );
    const tried = await tableNow(server);
    expect(astray(tried, 0.5)).toBe(0);
    for (const e of [1, 2, 3]) expect(tried[e]).toEqual(today[e]);
    const asked = { author: 'ann', force: true, reason: 'seen elsewhere' };
    const { body } = await send(server, 'POST', `/v1/plans/${rollout.plan}/apply`, asked);
    expect(body).toMatchObject({ rollout: { kind: 'open' } });
    const promoted = await tableNow(server);
    expect(astray(promoted, 0.5)).toBe(0);
    expect(promoted.filter((row, e) => e > 0 && Buffer.compare(row, today[e]!) !== 0)).not.toEqual([]);
  });
});
