/** Which tree users are on where the store was written by an older Taiji, which said so only by the table. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Published } from '../../../../pipeline/publish/publisher.ts';
import { RoutingObjects } from '../../../../pipeline/server/io/objects.ts';
import { openTrees } from '../../../../pipeline/server/io/open-trees.ts';
import { TreeShelf } from '../../../../pipeline/server/io/tree-shelf.ts';
import { bucketWeights } from '../../../../pipeline/table/bucket-weights.ts';
import { topologyOf, treeOf } from '../../../scene.ts';

const directory = mkdtempSync(join(tmpdir(), 'taiji-trees-'));
afterAll(() => rmSync(directory, { recursive: true }));
const topology = topologyOf(2, [10, 10]);
const [before, stated] = [treeOf(200, 4, 1), treeOf(200, 4, 2)];
const users = { ids: before.users, homeEdge: new Uint32Array(200), weight: new Float64Array(200).fill(1) };
const places = { topology, users };

function openedAt(name: string, treeVersion: string) {
  const [objects, shelf] = [new RoutingObjects(join(directory, name)), new TreeShelf(join(directory, name), 'none')];
  const published = { head: { trees: null }, snapshot: { treeVersion } } as Published;
  const own = { tree: stated, treeFile: 'tree', weights: bucketWeights(topology, stated, users) };
  return { objects, open: () => openTrees(own, published, { shelf, objects }, places, 1) };
}

test('users of an older store pass to the config’s tree where theirs is kept, and are on it at once where it is not', async () => {
  const kept = openedAt('kept', before.version);
  await kept.objects.keepTree(before);
  const { trees, notes } = await kept.open();
  expect(trees.published).toMatchObject({
    course: { kind: 'moving', from: before.version, to: stated.version, cut: 0 },
    asked: { author: 'config' },
    stated: stated.version,
  });
  expect(notes[0]).toMatch(/^tree: another tree than at the last start: users pass to it/);

  for (const [name, treeVersion] of [['gone', before.version] as const, ['same', stated.version] as const]) {
    const { trees: settled } = await openedAt(name, treeVersion).open();
    expect(settled.published.course).toEqual({ kind: 'settled', tree: stated.version, before: null });
  }
});

test('a tree that cannot be stored waits: a head must name none that is nowhere', async () => {
  const full = openedAt('full', before.version);
  await full.objects.keepTree(before);
  full.objects.keepTree = () => Promise.reject(new Error('ENOSPC: no space left'));
  const { trees, notes } = await full.open();
  expect(trees.published.course).toMatchObject({ kind: 'settled', tree: before.version });
  expect(trees.published.stated).toBe(before.version);
  expect(notes).toEqual(['tree: the tree waits: it cannot be stored: ENOSPC: no space left']);
});
