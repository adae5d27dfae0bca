/** The built program, killed with -9 before every single write of a publication: that of an epoch that has learnt from what
 *  edges counted, that of a rollback, and that of another tree. No edge ever sees a table that was not published whole,
 *  versions never go back, and nothing published is lost.
 *
 *  The epoch is the same one each time, from a copy of one data directory; so what it publishes is known beforehand, and
 *  an edge can be held to it byte for byte. */

import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { readTree, writeTree } from '../../bucketizer/io/tree-file.ts';
import { serviceId } from '../../config/ids.ts';
import { openEmbeddedStore } from '../../pipeline/publish/io/embedded-store.ts';
import { readPublished, readVersion } from '../../pipeline/publish/publisher.ts';
import { encodeHead, headKey } from '../../pipeline/publish/snapshot.ts';
import { encodeCounts } from '../../pipeline/server/counts-memory.ts';
import { isBuilt, type Process, run, service, smallSetting, spawnServe } from '../pipeline/server/small-setting.ts';
import { killAtVariable, killPoints, type Write, writesOf } from './kill-points.ts';
import { expectJournalsReplay, unlock } from './killed.ts';
import { tableOf, Watcher } from './watcher.ts';

const setting = smallSetting();
const next = join(setting.directory, 'next');
const { users, friends } = setting.world;
const input = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
writeTree(next, bucketize(input, { height: 6, seed: 2, effort: 'fast' }).tree);
const nextVersion = readTree(next).version;
const edges = setting.world.topology.edges.map(({ id }): string => id);
const of = `/v1/services/${service}`;
/** One epoch, and then none for longer than the test. */
const config = { clock: { epochWall: '10m' }, versionsKept: 2 };

/** What is published, table by table: SHA-256 of the body of each edge, in their order. */
const tables: string[] = [];
let writes: readonly Write[] = [];
let lastVersion = 0;
let decided = 0; // the epoch before the one that is killed

class TreeWatcher extends Watcher {
  isTreeMoving = false; // as somebody was answered
}

/** Serves a copy of the prepared directory, and asks for a rollback and another tree once its epoch has ended. What it was
 *  answered is published, as if an edge had seen it. */
async function publishing(dataDirectory: string, killAt: number, watcher: TreeWatcher | null): Promise<Process> {
  cpSync(join(setting.directory, 'prepared'), join(setting.directory, dataDirectory), { recursive: true });
  const shell = `export ${killAtVariable}=${killAt}`;
  const server = spawnServe(setting, { ...config, dataDirectory }, shell, ['--import', killPoints]);
  const serving = await server.line(({ msg }) => msg === 'serving');
  if (!serving) return server;
  const url = String(serving['url']);
  const watching = watcher?.watch(url);
  if (await server.line(({ msg }) => msg === 'epoch')) {
    const token = readFileSync(String(serving['tokenFile']), 'utf8').trim();
    const ask = (method: string, path: string, type: string, body: string | Uint8Array) =>
      fetch(`${url}${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': `application/${type}` },
        body,
      }).then(
        async (reply) => JSON.parse(await reply.text()),
        () => null, // killed while it answered
      );
    const post = (path: string, body: object) =>
      ask('POST', `${of}/${path}`, 'json', JSON.stringify({ ...body, author: 'test', reason: 'test' }));
    const done = await post('rollback', { version: lastVersion - 1 });
    await ask('PUT', `/v1/trees/${nextVersion}`, 'octet-stream', readFileSync(next));
    const begun = await post('tree', { tree: nextVersion });
    if (watcher) {
      watcher.newest = Math.max(watcher.newest, done?.version ?? 0);
      watcher.isTreeMoving = begun?.stored === true;
    }
  }
  if (killAt === 0) server.child.kill('SIGKILL');
  await server.exit;
  await watching;
  return server;
}

describe.skipIf(!isBuilt)('the built program, killed before every write of a publication', () => {
  beforeAll(async () => {
    // The second of two epochs in a row that publish is the one that is killed.
    const outcomes: string[] = [];
    const trial = await run(setting, { dataDirectory: 'trial', clock: { epochWall: '20ms' } });
    await trial.epoch((epoch) => {
      outcomes[epoch.epoch] = epoch.outcome;
      return epoch.outcome === 'published' && outcomes[epoch.epoch - 1] === 'published';
    });
    await trial.stop();
    const killed = outcomes.findIndex((outcome, e) => outcome === 'published' && outcomes[e - 1] === 'published');
    const options = {
      onEpoch: ({ epoch }: { epoch: number }) => {
        if (epoch === killed - 1) void prepared.then((server) => server.stop());
      },
    };
    const prepared = run(setting, { dataDirectory: 'prepared', clock: { epochWall: '20ms' } }, options);
    await (await prepared).done;

    // Its last decision an hour ago, so that the next epoch is due at once and the one after it never.
    const store = await openEmbeddedStore(join(setting.directory, 'prepared', 'store'));
    const { head, headRevision } = await readPublished(store, serviceId(service, 'test'));
    const { term } = await store.lease();
    const counted = { weightsSha256: null, slot: 0 };
    const old = { ...head!, generatedAtMs: head!.generatedAtMs - 3_600_000, counted };
    decided = old.epoch;
    // The epoch learns new bucket weights, too.
    const { topology } = setting.world;
    const loud = { atMs: Date.now(), requests: new Float64Array(64).fill(1e6, 0, 8), allowed: 0 };
    const counts = encodeCounts([loud, ...topology.edges.slice(1).map(() => null)], topology, 6);
    await store.put(`services/${service}/counts-0`, counts, { term, expected: 0 });
    await store.put(headKey(old.service), encodeHead(old), { term, expected: headRevision });
    lastVersion = old.version + 1;
    const { snapshot } = await readPublished(store, old.service);
    tables.push(tableOf(snapshot!));

    const reference = await publishing('reference', 0, null);
    unlock(join(setting.directory, 'reference'));
    writes = writesOf(reference.stderr());
    const found = await openEmbeddedStore(join(setting.directory, 'reference', 'store'));
    const { head: last, snapshot: back } = await readPublished(found, serviceId(service, 'test'));
    tables.push(tableOf((await readVersion(found, old.service, lastVersion))!), tableOf(back!));
    expect(last).toMatchObject({ version: lastVersion + 1, rollout: { kind: 'pinned', version: lastVersion - 1 } });
    expect(last!.counted).toMatchObject({ slot: 1, weightsSha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(last!.trees!.course).toMatchObject({ kind: 'moving', to: nextVersion });
    expect(writes.some(({ what }) => what.includes(`objects/tree-${nextVersion}`))).toBe(true);
    expect(writes.length).toBeGreaterThan(30);
  }, 120_000);

  test('no edge sees half a table or an older one, and nothing published is lost', { timeout: 600_000 }, async () => {
    let next = 1;
    const walk = async (): Promise<void> => {
      while (next <= writes.length) await expectSafe(writes[next++ - 1]!);
    };
    await Promise.all([walk(), walk()]);
  });
});

async function expectSafe({ number, what }: Write): Promise<void> {
  const dataDirectory = `killed-${number}`;
  const where = `killed before write ${number}, ${what}`;
  const watcher = new TreeWatcher(edges, tables);
  const server = await publishing(dataDirectory, number, watcher);
  expect(await server.exit, where).toEqual({ code: null, signal: 'SIGKILL' });
  unlock(join(setting.directory, dataDirectory));

  const store = await openEmbeddedStore(join(setting.directory, dataDirectory, 'store'));
  const { head, snapshot, damaged } = await readPublished(store, serviceId(service, 'test'));
  expect(damaged, where).toEqual([]);
  expect(tables, where).toContain(tableOf(snapshot!));
  expect(snapshot!.version, where).toBeGreaterThanOrEqual(watcher.newest);
  // What was learnt is in force with the epoch's table, or not at all.
  const isBefore = head!.epoch === decided;
  expect(head!.counted, where).toMatchObject({ slot: isBefore ? 0 : 1 });
  expect(head!.counted!.weightsSha256 === null, where).toBe(isBefore);

  const again = await run(setting, { ...config, dataDirectory });
  try {
    expect(
      again.logged.filter(({ reason }) => reason === 'store-damaged'),
      where,
    ).toEqual([]);
    await watcher.look(again.url);
    const { versions } = JSON.parse(await (await fetch(`${again.url}${of}/tables`)).text());
    expect(versions[0].version, where).toBeGreaterThanOrEqual(snapshot!.version);
    const rollout = JSON.parse(await (await fetch(`${again.url}${of}/rollout`)).text());
    // The hold and the version are one write: never one without the other.
    const isBack = versions[0].version === snapshot!.version && versions[0].cause === 'rollback';
    expect(rollout.rollout.kind, where).toBe(isBack ? 'pinned' : 'open');
    const tree = JSON.parse(await (await fetch(`${again.url}${of}/tree`)).text());
    if (watcher.isTreeMoving) expect(tree, where).toMatchObject({ kind: 'moving', next: nextVersion });
    else expect([null, nextVersion], where).toContain(tree.next);
  } finally {
    await again.stop();
  }
  await expectJournalsReplay(join(setting.directory, dataDirectory), where);
  rmSync(join(setting.directory, dataDirectory), { recursive: true });
}
