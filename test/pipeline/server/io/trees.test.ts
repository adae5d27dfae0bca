/** Another bucket tree on the real control plane, over HTTP: users pass to it within `churnMax`, come back the same way, and
 *  a restart, after a kill -9 too, goes on from where they are. */

import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { stringify } from 'yaml';
import { bucketize } from '../../../../bucketizer/bucketize.ts';
import { readTree, writeTree } from '../../../../bucketizer/io/tree-file.ts';
import type { BucketTree } from '../../../../bucketizer/tree.ts';
import { isOnNextTree } from '../../../../bucketizer/tree-share.ts';
import { serviceId } from '../../../../config/ids.ts';
import { openEmbeddedStore } from '../../../../pipeline/publish/io/embedded-store.ts';
import { readVersion } from '../../../../pipeline/publish/publisher.ts';
import { type Snapshot, versionOfKey, versionsPrefix } from '../../../../pipeline/publish/snapshot.ts';
import { journalFiles } from '../../../../pipeline/server/io/journal.ts';
import { describeReplay, replayJournal } from '../../../../pipeline/server/io/recorded-file.ts';
import { bucketOfUser } from '../../../../pipeline/table/bucket-weights.ts';
import { decodeTable } from '../../../../pipeline/table/routing-table.ts';
import { isBuilt, type Run, run, service, smallSetting, spawnServe } from '../small-setting.ts';

const setting = smallSetting();
const { directory, world } = setting;
const { users, friends, topology } = world;
writeFileSync(join(directory, 'world', 'events.csv'), 'time,datacenter,state\n');
const of = `/v1/services/${service}`;
const churnMax = 0.15; // one of 400 users is a large share of an edge
const policy = (guards: object) => ({
  ...{ apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service } },
  spec: { guards: { churnMax, onloadMax: 1, ...guards } },
});
writeFileSync(join(directory, 'policy.yaml'), stringify(policy({})));
writeFileSync(join(directory, 'slow.yaml'), stringify(policy({ churnMax: 0.02 })));

function bucketized(name: string, ids: readonly string[], height: number, seed: number): BucketTree {
  const input = { users: ids, userWeights: users.weight, ties: friends, tieWeights: null };
  const { tree } = bucketize(input, { height, seed, effort: 'fast' });
  writeTree(join(directory, name), tree);
  return tree;
}
const first = readTree(join(directory, 'tree'));
const second = bucketized('second', users.ids, 6, 2);
const third = bucketized('third', users.ids, 6, 3);
const taller = bucketized('taller', users.ids, 7, 1);
const strange = bucketized(
  'strange',
  users.ids.map((id) => `nobody-${id}`),
  6,
  1,
);
let directories = 0;

/** Where a control plane answers, and who may write there. */
interface Server {
  readonly url: string;
  readonly token: string;
}

async function expectReplays(dataDirectory: string): Promise<void> {
  for (const path of await journalFiles(join(directory, dataDirectory, 'journal'))) {
    const replay = await replayJournal(path);
    expect(replay.difference, describeReplay(replay)).toBe(null);
  }
}

/** Stopped after the test, whose journal must then replay byte for byte. */
async function running(context: TestContext, more: Record<string, unknown> = {}): Promise<Run> {
  const dataDirectory = String(more['dataDirectory'] ?? `trees-${directories++}`);
  const server = await run(setting, { clock: { epochWall: '50ms' }, ...more, dataDirectory });
  context.onTestFinished(async () => {
    await server.stop();
    await expectReplays(dataDirectory);
  });
  await server.epoch(() => true);
  return server;
}

async function get(server: Server, path = `${of}/tree`) {
  return JSON.parse(await (await fetch(`${server.url}${path}`)).text());
}

async function post(server: Server, path: string, body: object) {
  const headers = { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' };
  const said = JSON.stringify({ author: 'ann', reason: 'refresh', ...body });
  const reply = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: said });
  const answer = JSON.parse(await reply.text());
  return { status: reply.status, detail: String(answer.detail ?? ''), body: answer };
}

async function handIn(server: Server, version: string, bytes: Uint8Array) {
  const headers = { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/octet-stream' };
  const reply = await fetch(`${server.url}/v1/trees/${version}`, { method: 'PUT', headers, body: bytes });
  return { status: reply.status, detail: String(JSON.parse(await reply.text()).detail ?? '') };
}

async function activate(server: Server, { version }: BucketTree, file: string, more: object = {}) {
  expect((await handIn(server, version, readFileSync(join(directory, file)))).status).toBe(201);
  return post(server, `${of}/tree`, { tree: version, ...more });
}

/** Asked again and again, until it holds. */
async function until(server: Server, holds: (now: Awaited<ReturnType<typeof get>>) => boolean) {
  for (;;) {
    const now = await get(server);
    if (holds(now)) return now;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const isSettled = ({ kind }: { kind: string }): boolean => kind === 'settled';

async function versionsOf(dataDirectory: string): Promise<readonly Snapshot[]> {
  const store = await openEmbeddedStore(join(directory, dataDirectory, 'store'));
  const of = serviceId(service, 'test');
  const keys = await store.list(versionsPrefix(of));
  const all = await Promise.all(keys.map((key) => readVersion(store, of, versionOfKey(key))));
  return all.map((snapshot) => snapshot!);
}

/** Share of demand that a version has at another datacenter than the one before it, user by user, edges alike: at most
 *  what so many epochs of any demand may move. */
function movedBetween(before: Snapshot, after: Snapshot, trees: ReadonlyMap<string, BucketTree>): number[] {
  const [was, is] = [before, after].map(({ trees: stored, table }) => {
    const { byEdge } = decodeTable(table, 'version');
    const course = stored!.course;
    return (id: string, e: number): number => {
      const on = course.kind === 'settled' ? course.tree : isOnNextTree(id, course.cut) ? course.to : course.from;
      return byEdge[e]![bucketOfUser(trees.get(on)!, id)]!;
    };
  });
  const [moved, all] = [topology.edges.map(() => 0), topology.edges.map(() => 0)];
  users.ids.forEach((id, u) => {
    const e = users.homeEdge[u]!;
    all[e]! += users.weight[u]!;
    if (was!(id, e) !== is!(id, e)) moved[e]! += users.weight[u]!;
  });
  return moved.map((weight, e) => weight / all[e]!);
}

/** Demand shares at the hour of an epoch, as it was planned on. */
function sharesAt(startMs: number): readonly number[] {
  const { timesMs, rps } = world.demand;
  const t = timesMs.indexOf(startMs) - 1;
  const row = [...rps.slice(t * topology.edges.length, (t + 1) * topology.edges.length)];
  const total = row.reduce((a, b) => a + b, 0);
  return row.map((one) => one / total);
}

function expectCapped(versions: readonly Snapshot[], known: readonly BucketTree[]): void {
  const trees = new Map(known.map((tree) => [tree.version, tree]));
  let compared = 0;
  for (let i = 1; i < versions.length; i++) {
    const [before, after] = [versions[i - 1]!, versions[i]!];
    if (after.epoch !== before.epoch + 1) continue; // between them the table stood, and somebody may have passed
    const shares = sharesAt(after.startMs);
    const moved = movedBetween(before, after, trees).reduce((sum, share, e) => sum + share * shares[e]!, 0);
    expect(moved, `version ${after.version}`).toBeLessThanOrEqual(churnMax + 1e-6);
    compared += 1;
  }
  expect(compared).toBeGreaterThan(0); // eight where the machine keeps up with the epochs
}

describe('another tree', { concurrent: true }, () => {
  test('is handed in, looked at, and takes over within churnMax; the one before comes back the same way', async (context) => {
    const server = await running(context, { dataDirectory: 'on-and-back' });
    expect(await get(server)).toMatchObject({ kind: 'settled', tree: first.version, next: null, cut: 0, before: null });
    const dry = await activate(server, second, 'second', { dryRun: true });
    expect(dry.body).toMatchObject({ begun: false, plan: { from: first.version, to: second.version, usersAll: 400 } });
    expect(dry.body.plan.churn).toBeGreaterThan(churnMax);
    expect(dry.body.plan.epochs).toBeGreaterThan(3);
    expect(isSettled(await get(server))).toBe(true);

    const begun = await post(server, `${of}/tree`, { tree: second.version });
    expect(begun.body).toMatchObject({ begun: true, stored: true, standstill: null });
    expect(await until(server, isSettled)).toMatchObject({
      ...{ tree: second.version, before: first.version, direction: null, progress: null },
      asked: { author: 'ann', reason: 'refresh' },
    });
    expect((await get(server, `/v1/edges`)).treeVersion).toBe(second.version);
    expect((await post(server, `${of}/tree/rollback`, {})).body.plan).toMatchObject({ direction: 'back' });
    expect(await until(server, isSettled)).toMatchObject({ tree: first.version, before: second.version });
    const last = server.epochs.length;
    await server.epoch((epoch) => server.epochs.indexOf(epoch) > last);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(
      new RegExp(`taiji_tree_moved_users_total\\{service="web"\\} ${2 * dry.body.plan.users}\\b`),
    );
    expect(metrics).toContain('taiji_tree_moving{service="web"} 0');

    await server.stop();
    const moves = server.epochs.flatMap(({ treeMove, churn }) => (treeMove ? [{ ...treeMove, ...churn }] : []));
    expect(moves.reduce((sum, move) => sum + move.users, 0)).toBe(2 * dry.body.plan.users);
    for (const { churn, elective } of moves) expect(churn + elective).toBeLessThanOrEqual(churnMax + 1e-9);
    expectCapped(await versionsOf('on-and-back'), [first, second]);
  });

  test('is turned around on its way, and turned around again', async (context) => {
    const server = await running(context, { policy: 'slow.yaml' });
    await activate(server, second, 'second');
    await until(server, ({ progress }) => progress?.moved > 100); // the way back takes several epochs
    expect((await post(server, `${of}/tree/rollback`, {})).body).toMatchObject({
      begun: true,
      plan: { to: first.version },
    });
    const turned = await get(server);
    expect(turned).toMatchObject({ kind: 'moving', tree: first.version, next: second.version, direction: 'back' });
    expect((await post(server, `${of}/tree/rollback`, {})).detail).toMatch(
      /on their way back to tree .*; wait for its end/,
    );
    const again = await post(server, `${of}/tree`, { tree: second.version });
    expect(again.body).toMatchObject({ begun: true, plan: { to: second.version, direction: 'on' } });
  });

  test('that cannot take over is refused in one line that says what to do', async (context) => {
    const server = await running(context, { policy: 'slow.yaml' });
    const detailOf = async (tree: BucketTree, file: string) => {
      const { status, detail } = await activate(server, tree, file);
      expect(status).toBe(409);
      return detail;
    };
    expect(await detailOf(taller, 'taller')).toMatch(
      /has height 7, the one in force has 6, .*bucketize --height 6 --previous TREE"$/,
    );
    expect(await detailOf(strange, 'strange')).toMatch(/knows none of the 400 users/);
    expect(await detailOf(first, 'tree')).toMatch(/is in force already$/);
    expect((await post(server, `${of}/tree/rollback`, {})).detail).toMatch(/took over from no other/);
    const unknown = await post(server, `${of}/tree`, { tree: third.version });
    expect(unknown).toMatchObject({
      status: 404,
      detail: expect.stringContaining(`PUT its file to /v1/trees/${third.version}`),
    });
    expect((await post(server, `${of}/tree`, { tree: 'x' })).detail).toMatch(
      /^activation: tree is "x", expected 64 hexadecimal digits/,
    );
    expect(await handIn(server, third.version, readFileSync(join(directory, 'second')))).toMatchObject({
      ...{
        status: 422,
        detail: `the tree handed in is ${second.version.slice(0, 12)}, expected ${third.version.slice(0, 12)}`,
      },
    });
    const cut = readFileSync(join(directory, 'third')).subarray(0, 1000);
    expect(await handIn(server, third.version, cut)).toMatchObject({
      ...{ status: 422, detail: expect.stringMatching(/^the body: the tree file is cut off/) },
    });
    await activate(server, second, 'second');
    expect(await detailOf(third, 'third')).toMatch(
      /^users are on their way to tree .* % go by the newer one\); wait for its end, or/,
    );
  });

  test('waits while a freeze is in force, and says so', async (context) => {
    const server = await running(context, { policy: 'slow.yaml' });
    const freeze = { kind: 'freeze', id: 'still', author: 'bob', reason: 'holidays' };
    expect((await post(server, '/v1/intents', freeze)).status).toBe(201);
    await server.epoch(({ reason }) => reason === 'frozen by bob: holidays');
    expect((await activate(server, second, 'second')).body).toMatchObject({ standstill: 'frozen by bob: holidays' });
    const stands = await until(server, ({ progress }) => progress.standstill !== null);
    expect(stands).toMatchObject({ cut: 0, progress: { moved: 0, standstill: 'frozen by bob: holidays' } });
    const headers = { Authorization: `Bearer ${server.token}` };
    await until(server, () => server.logged.some(({ reason }) => reason === 'tree-move-stuck'));
    await fetch(`${server.url}/v1/intents/still`, { method: 'DELETE', headers });
    await until(server, ({ progress }) => progress.moved > 0);
    await until(server, () =>
      server.logged.some(({ reason, msg }) => reason === 'tree-move-stuck' && msg === 'alert over'),
    );
  });

  test('in the place of the config’s takes over paced at a restart; a config left alone undoes no activation', async (context) => {
    copyFileSync(join(directory, 'tree'), join(directory, 'stated'));
    const config = { dataDirectory: 'restated', tree: 'stated' };
    const before = await running(context, config);
    await activate(before, second, 'second');
    await until(before, isSettled);
    await before.stop();

    const left = await running(context, config);
    expect(await get(left)).toMatchObject({ kind: 'settled', tree: second.version, before: first.version });
    await left.stop();

    copyFileSync(join(directory, 'third'), join(directory, 'stated'));
    const slow = await running(context, { ...config, policy: 'slow.yaml' });
    expect(await get(slow)).toMatchObject({
      ...{ kind: 'moving', tree: second.version, next: third.version },
      asked: { author: 'config', reason: expect.stringContaining('stated was replaced') },
    });
    await until(slow, ({ progress }) => progress.moved > 0);
    await slow.stop();

    // Another one while users are on their way waits, and is said.
    copyFileSync(join(directory, 'second'), join(directory, 'stated'));
    const waiting = await running(context, { ...config, policy: 'slow.yaml' });
    expect(await get(waiting)).toMatchObject({ kind: 'moving', next: third.version });
    expect(waiting.logged.some(({ msg }) => /stated: the tree waits: users are between/.test(String(msg)))).toBe(true);
    await waiting.stop();

    const done = await running(context, config);
    await until(done, ({ kind, tree }) => kind === 'settled' && tree === third.version);
    await done.stop();
    const taken = await running(context, config);
    expect(await until(taken, ({ tree, kind }) => kind === 'settled' && tree === second.version)).toBeTruthy();
  });

  test('that is gone from the data directory is asked for in one line, where users are on it', async (context) => {
    const config = { dataDirectory: 'gone' };
    const before = await running(context, config);
    await activate(before, second, 'second');
    await until(before, isSettled);
    await before.stop();
    const object = join(directory, 'gone', 'objects', `tree-${second.version}`);
    const kept = readFileSync(object);
    rmSync(object);
    await expect(run(setting, config)).rejects.toThrow(
      new RegExp(`^users are on tree ${second.version}, and .*; put its file there or at .*tree, then start again$`),
    );
    writeFileSync(object, kept);
  });
});

describe.skipIf(!isBuilt)('the built program between two trees', () => {
  test('killed with -9 on the way, it goes on from where users are, arrives, and goes back', async (context) => {
    const config = { dataDirectory: 'killed', clock: { epochWall: '60ms' }, versionsKept: 2000 };
    const serve = async () => {
      const child = spawnServe(setting, config);
      context.onTestFinished(() => void child.child.kill('SIGKILL'));
      const serving = await child.line(({ msg }) => msg === 'serving');
      await child.line(({ msg }) => msg === 'epoch');
      const token = readFileSync(String(serving!['tokenFile']), 'utf8').trim();
      return { ...child, url: String(serving!['url']), token };
    };
    let server = await serve();
    await activate(server, second, 'second');
    let told = 0;
    for (const share of [0.2, 0.5, 0.8]) {
      const now = await until(
        server,
        ({ kind, progress }) => kind === 'settled' || progress.moved > share * progress.of,
      );
      told = now.kind === 'settled' ? Number.POSITIVE_INFINITY : now.cut;
      server.child.kill('SIGKILL');
      await server.exit;
      server = await serve();
      const after = await get(server);
      if (after.kind === 'moving') expect(after.cut).toBeGreaterThanOrEqual(told);
      else expect(after.tree).toBe(second.version);
    }
    await until(server, ({ kind, tree }) => kind === 'settled' && tree === second.version);
    await post(server, `${of}/tree/rollback`, {});
    await until(server, ({ direction, progress }) => direction === 'back' && progress.moved < 0.6 * progress.of);
    server.child.kill('SIGKILL');
    await server.exit;
    server = await serve();
    expect(await until(server, isSettled)).toMatchObject({ tree: first.version, before: second.version });
    server.child.kill('SIGTERM');
    await server.exit;
    await expectReplays('killed');
    expectCapped(await versionsOf('killed'), [first, second]);
  });
});
