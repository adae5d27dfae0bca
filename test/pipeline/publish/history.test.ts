/** History is what was in force: neither what a crash left lying, nor with a gap where a version was never stored. */

import { expect, test } from 'vitest';
import { serviceId } from '../../../config/ids.ts';
import { freshState } from '../../../pipeline/epoch.ts';
import { infoOf, VersionHistory } from '../../../pipeline/publish/history.ts';
import { openEmbeddedStore } from '../../../pipeline/publish/io/embedded-store.ts';
import { decodeSnapshot, encodeSnapshot, type Snapshot, versionKey } from '../../../pipeline/publish/snapshot.ts';
import { scratchDirectory } from '../../config/small-world.ts';

const service = serviceId('web', 'test');

function snapshotOf(version: number, parent: number): Snapshot {
  return {
    ...{ service, version, parent, term: 1, publishedAtMs: version, epoch: version, startMs: 0 },
    ...{ cause: 'epoch', author: 'taiji', reason: `why ${version}`, inputsSha256: null, plan: null, restores: null },
    ...{ treeVersion: 'tree', tableSha256: `table ${version}`, bodies: [], carried: freshState, trees: null },
    table: { format: 'taiji-table/1', treeVersion: 'tree', height: 1, targets: [], edges: [] },
  };
}

async function historyOf(kept: readonly (readonly [version: number, parent: number])[], limit = 100) {
  const store = await openEmbeddedStore(scratchDirectory());
  const { term } = await store.lease();
  for (const [version, parent] of kept) {
    await store.put(versionKey(service, version), encodeSnapshot(snapshotOf(version, parent)), { term, expected: 0 });
  }
  const [version, parent] = kept.at(-1)!;
  const chain = await new VersionHistory(store, service).upTo(infoOf(snapshotOf(version, parent)), limit);
  return chain.map((info) => info.version);
}

test('versions come newest first, each after the one it names', async () => {
  expect(
    await historyOf([
      [1, 0],
      [2, 1],
      [3, 2],
    ]),
  ).toEqual([3, 2, 1]);
  expect(
    await historyOf(
      [
        [1, 0],
        [2, 1],
        [3, 2],
      ],
      2,
    ),
  ).toEqual([3, 2]);
});

test('a version that a crash kept from being in force is none', async () => {
  expect(
    await historyOf([
      [1, 0],
      [2, 1],
      [3, 1],
      [4, 3],
    ]),
  ).toEqual([4, 3, 1]);
});

test('one that was fed and never stored leaves a gap, and the history goes on below it', async () => {
  expect(
    await historyOf([
      [1, 0],
      [2, 1],
      [5, 4],
    ]),
  ).toEqual([5, 2, 1]);
});

test('a version of a Taiji that kept no reasons is read, and says so', () => {
  const { parent: _, cause: __, author: ___, reason: ____, term: _____, ...old } = snapshotOf(4, 3);
  const read = decodeSnapshot(new TextEncoder().encode(JSON.stringify(old)));
  expect(read).toMatchObject({ version: 4, parent: 3, cause: 'epoch', author: 'taiji', term: 0 });
  expect(read.reason).toContain('older Taiji');
});
