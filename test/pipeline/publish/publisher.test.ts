/** Publication is atomic over any store that keeps the port's promises, wherever a crash comes. */

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compareIds, edgeId, serviceId } from '../../../config/ids.ts';
import { freshState } from '../../../pipeline/epoch.ts';
import { openEmbeddedStore } from '../../../pipeline/publish/io/embedded-store.ts';
import { prune, publish, readPublished, readVersion } from '../../../pipeline/publish/publisher.ts';
import { open } from '../../../pipeline/publish/rollout.ts';
import type { Head, Snapshot } from '../../../pipeline/publish/snapshot.ts';
import type { Store } from '../../../pipeline/publish/store.ts';
import { scratchDirectory } from '../../config/small-world.ts';

const service = serviceId('web', 'test');

function snapshotOf(version: number): Snapshot {
  return {
    service,
    version,
    parent: version - 1,
    cause: 'epoch',
    author: 'taiji',
    reason: 'test',
    inputsSha256: null,
    plan: null,
    restores: null,
    term: 1,
    publishedAtMs: version,
    epoch: version,
    startMs: version * 300_000,
    treeVersion: 'tree',
    tableSha256: `table ${version}`,
    table: { format: 'taiji-table/1', treeVersion: 'tree', height: 1, targets: [], edges: [] },
    bodies: [{ edge: edgeId('fra', 'test'), version: `body ${version}`, body: `{"v":${version}}` }],
    carried: freshState,
    trees: null,
  };
}

function headOf(version: number, epoch = version): Head {
  return {
    service,
    version,
    epoch,
    startMs: epoch * 300_000,
    sequence: epoch,
    generatedAtMs: epoch,
    freshUntilMs: epoch + 1,
    carried: freshState,
    trees: null,
    counted: null,
    rollout: open,
  };
}

async function published(
  directory: string,
  versions: number,
): Promise<{ store: Store; term: number; revision: number }> {
  const store = await openEmbeddedStore(directory);
  const { term } = await store.lease();
  let revision = 0;
  for (let version = 1; version <= versions; version++) {
    const answer = await publish(store, term, headOf(version), revision, snapshotOf(version));
    if (answer.kind !== 'published') throw new Error(answer.detail);
    revision = answer.headRevision;
  }
  return { store, term, revision };
}

test('nothing published is nothing found, without a complaint', async () => {
  const store = await openEmbeddedStore(scratchDirectory());
  expect(await readPublished(store, service)).toEqual({
    head: null,
    headRevision: 0,
    snapshot: null,
    newestVersion: 0,
    damaged: [],
  });
});

test('a crash after any write of a publication leaves the old version or the new one, whole', async () => {
  for (let writes = 0; writes <= 2; writes++) {
    const { store, term, revision } = await published(scratchDirectory(), 2);
    let left = writes;
    const dying: Store = {
      ...bound(store),
      put: (key, value, condition) =>
        left-- > 0 ? store.put(key, value, condition) : Promise.reject(new Error('the process is gone')),
    };
    const end = publish(dying, term, headOf(3), revision, snapshotOf(3));
    if (writes < 2) await expect(end).rejects.toThrow('gone');
    else expect((await end).kind).toBe('published');

    const found = await readPublished(store, service);
    const version = writes < 2 ? 2 : 3;
    expect(found.snapshot, `after ${writes} writes`).toEqual(snapshotOf(version));
    expect(found.head).toEqual(headOf(version));
    expect(found.damaged).toEqual([]);
    expect(found.newestVersion).toBe(writes === 0 ? 2 : 3); // a number once used is not used again
  }
});

test('a head that was not written last time is written by trying again', async () => {
  const { store, term, revision } = await published(scratchDirectory(), 1);
  const failing: Store = {
    ...bound(store),
    put: (key, value, condition) =>
      key.endsWith('head') ? Promise.reject(new Error('disk full')) : store.put(key, value, condition),
  };
  await expect(publish(failing, term, headOf(2), revision, snapshotOf(2))).rejects.toThrow('disk full');
  expect((await publish(store, term, headOf(2), revision, snapshotOf(2))).kind).toBe('published');
  expect((await readPublished(store, service)).snapshot).toEqual(snapshotOf(2));
});

test('a leader who was replaced is told so and changes nothing', async () => {
  const { store, term, revision } = await published(scratchDirectory(), 1);
  await store.lease();
  expect((await publish(store, term, headOf(2), revision, snapshotOf(2))).kind).toBe('deposed');
  expect((await readPublished(store, service)).snapshot).toEqual(snapshotOf(1));
});

test('a head that somebody else moved, and a version that somebody else wrote, depose', async () => {
  const { store, term, revision } = await published(scratchDirectory(), 1);
  expect((await publish(store, term, headOf(1, 2), revision + 1, null)).kind).toBe('deposed');
  const other = { ...snapshotOf(1), tableSha256: 'another' };
  expect((await publish(store, term, headOf(1, 2), revision, other)).kind).toBe('deposed');
});

test('where the version in force is torn or gone, the newest whole one serves, and the damage is told', async () => {
  for (const harm of ['torn', 'gone', 'empty'] as const) {
    const directory = scratchDirectory();
    const { store, term } = await published(directory, 3);
    const path = join(directory, 'services', 'web', 'versions', '000000000003.value');
    if (harm === 'gone') await store.delete('services/web/versions/000000000003', term);
    else writeFileSync(path, harm === 'empty' ? '' : '{"format":');
    const found = await readPublished(await openEmbeddedStore(directory), service);
    expect(found.snapshot, harm).toEqual(snapshotOf(2));
    expect(found.head?.version).toBe(2);
    expect(found.head?.epoch).toBe(3); // the epochs go on where they were
    expect(found.damaged.map(({ key }) => key)).toEqual(['services/web/versions/000000000003']);
  }
});

test('where the head is torn, the newest whole version serves', async () => {
  const directory = scratchDirectory();
  await published(directory, 3);
  writeFileSync(join(directory, 'services', 'web', 'head.value'), 'x');
  const store = await openEmbeddedStore(directory);
  const found = await readPublished(store, service);
  expect(found.snapshot).toEqual(snapshotOf(3));
  expect(found.damaged).toHaveLength(1);
  const { term } = await store.lease();
  expect((await publish(store, term, headOf(3, 4), found.headRevision, null)).kind).toBe('published');
  expect((await readPublished(store, service)).damaged).toEqual([]);
});

test('pruning keeps the newest versions and always the one in force', async () => {
  const directory = scratchDirectory();
  const { store, term } = await published(directory, 6);
  await prune(store, term, headOf(2), 3);
  const names = readdirSync(join(directory, 'services', 'web', 'versions'));
  expect(names.sort(compareIds).map((name) => Number.parseInt(name, 10))).toEqual([2, 4, 5, 6]);
  expect(await readVersion(store, service, 4)).toEqual(snapshotOf(4));
  expect(await readVersion(store, service, 3)).toBe(null);
});

/** Methods that keep their store when taken out of it. */
function bound(store: Store): Store {
  return {
    get: (key) => store.get(key),
    list: (prefix) => store.list(prefix),
    put: (key, value, condition) => store.put(key, value, condition),
    delete: (key, term) => store.delete(key, term),
    watch: (prefix, listener) => store.watch(prefix, listener),
    lease: () => store.lease(),
  };
}
