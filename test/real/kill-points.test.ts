/** The built program, killed with -9 before every single write of a publication: that of an epoch, that of a rollback, and
 *  that of another tree. No edge ever sees a table that was not published whole, versions never go back, and nothing
 *  published is lost.
 *
 *  The epoch is the same one each time, from a copy of one data directory; so what it publishes is known beforehand, and
 *  an edge can be held to it byte for byte. */

import { createHash, createPublicKey, verify } from 'node:crypto';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { readTree, writeTree } from '../../bucketizer/io/tree-file.ts';
import { serviceId } from '../../config/ids.ts';
import { openEmbeddedStore } from '../../pipeline/publish/io/embedded-store.ts';
import { readPublished, readVersion } from '../../pipeline/publish/publisher.ts';
import { encodeHead, headKey, type Snapshot } from '../../pipeline/publish/snapshot.ts';
import { decodeJournal } from '../../pipeline/replay/journal-record.ts';
import { journalFiles } from '../../pipeline/server/io/journal.ts';
import { replayJournal } from '../../pipeline/server/io/recorded-file.ts';
import { canonicalEnvelope } from '../../pipeline/table/compile.ts';
import { isBuilt, type Process, run, service, smallSetting, spawnServe } from '../pipeline/server/small-setting.ts';
import { killAtVariable, killPoints, type Write } from './kill-points.ts';

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

/** The edges' view: what they were given last, which nothing may take back, and which must be of one whole table. */
class Watcher {
  readonly #seen = new Map<string, { term: number; sequence: number; version: number }>();
  readonly #given = new Map<number, Map<string, string>>(); // version -> edge -> SHA-256
  newest = 0;
  isTreeMoving = false; // as somebody was answered

  async look(url: string): Promise<void> {
    const [key] = JSON.parse(await (await fetch(`${url}/v1/keys`)).text()).keys;
    for (const edge of edges) {
      const reply = await fetch(`${url}${of}/edges/${edge}/table`);
      if (reply.status === 503) continue; // nothing yet
      const body = await reply.text();
      const told = JSON.parse(Buffer.from(reply.headers.get('taiji-envelope')!, 'base64url').toString('utf8'));
      const { signature, ...envelope } = told;
      const signed = Buffer.from(canonicalEnvelope(envelope));
      expect(verify(null, signed, createPublicKey(key.pem), Buffer.from(signature, 'base64'))).toBe(true);
      expect(createHash('sha256').update(body).digest('hex')).toBe(told.bodySha256);
      const version = Number(reply.headers.get('taiji-version'));
      this.#expectWhole(version, edge, told.bodySha256);
      const before = this.#seen.get(edge) ?? { term: 0, sequence: 0, version: 0 };
      const order = told.term - before.term || told.sequence - before.sequence;
      expect(order, `${edge} was given an older envelope`).toBeGreaterThanOrEqual(0);
      expect(version, `${edge} went back`).toBeGreaterThanOrEqual(before.version);
      this.#seen.set(edge, { term: told.term, sequence: told.sequence, version });
      this.newest = Math.max(this.newest, version);
    }
  }

  #expectWhole(version: number, edge: string, sha256: string): void {
    const given = this.#given.get(version) ?? new Map<string, string>();
    this.#given.set(version, given.set(edge, sha256));
    const fits = (table: string): boolean => {
      const bodies = table.split(' ');
      return [...given].every(([id, of]) => bodies[edges.indexOf(id)] === of);
    };
    expect(tables.some(fits), `what edges have of version ${version} is of one table`).toBe(true);
  }

  /** Again and again, until the server is gone. */
  async watch(url: string): Promise<void> {
    for (;;) {
      const gone = await this.look(url).then(
        () => false,
        (error: Error) => {
          if (error.name === 'AssertionError') throw error;
          return true;
        },
      );
      if (gone) return;
      await sleep(5);
    }
  }
}

/** Serves a copy of the prepared directory, and asks for a rollback and another tree once its epoch has ended. What it was
 *  answered is published, as if an edge had seen it. */
async function publishing(dataDirectory: string, killAt: number, watcher: Watcher | null): Promise<Process> {
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

/** Whoever was killed cannot give its lock back; nobody else is here to wait for. */
function unlock(dataDirectory: string): void {
  rmSync(join(setting.directory, dataDirectory, 'lock'), { recursive: true, force: true });
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
    const old = { ...head!, generatedAtMs: head!.generatedAtMs - 3_600_000 };
    await store.put(headKey(old.service), encodeHead(old), { term, expected: headRevision });
    lastVersion = old.version + 1;
    const { snapshot } = await readPublished(store, old.service);
    tables.push(tableOf(snapshot!));

    const reference = await publishing('reference', 0, null);
    unlock('reference');
    writes = reference
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith('{"msg":"write"'))
      .map((line) => JSON.parse(line));
    const found = await openEmbeddedStore(join(setting.directory, 'reference', 'store'));
    const { head: last, snapshot: back } = await readPublished(found, serviceId(service, 'test'));
    tables.push(tableOf((await readVersion(found, old.service, lastVersion))!), tableOf(back!));
    expect(last).toMatchObject({ version: lastVersion + 1, rollout: { kind: 'pinned', version: lastVersion - 1 } });
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
  const watcher = new Watcher();
  const server = await publishing(dataDirectory, number, watcher);
  expect(await server.exit, where).toEqual({ code: null, signal: 'SIGKILL' });
  unlock(dataDirectory);

  const store = await openEmbeddedStore(join(setting.directory, dataDirectory, 'store'));
  const { snapshot, damaged } = await readPublished(store, serviceId(service, 'test'));
  expect(damaged, where).toEqual([]);
  expect(tables, where).toContain(tableOf(snapshot!));
  expect(snapshot!.version, where).toBeGreaterThanOrEqual(watcher.newest);

  const again = await run(setting, { ...config, dataDirectory });
  try {
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
  for (const path of await journalFiles(join(setting.directory, dataDirectory, 'journal'))) {
    const { records } = decodeJournal(readFileSync(path, 'utf8'));
    if (records.length > 0) expect((await replayJournal(path)).difference, where).toBe(null);
  }
  rmSync(join(setting.directory, dataDirectory), { recursive: true });
}

function tableOf({ bodies }: Snapshot): string {
  return bodies.map(({ version }) => version).join(' ');
}
