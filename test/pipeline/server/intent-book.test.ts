/** Intents outlive restarts, end when they say, and count also where the store fails. */

import { expect, test } from 'vitest';
import type { Intent } from '../../../config/intent.ts';
import { openEmbeddedStore } from '../../../pipeline/publish/io/embedded-store.ts';
import type { Store } from '../../../pipeline/publish/store.ts';
import { IntentBook } from '../../../pipeline/server/intent-book.ts';
import { scratchDirectory } from '../../config/small-world.ts';

const drainOf = (id: string, until: string | null = null): Intent => ({
  kind: 'drain',
  id,
  author: 'ann',
  reason: 'power',
  priority: 'manual',
  until,
  datacenter: 'dublin',
  keep: 0,
});

async function openBook(directory: string): Promise<{ store: Store; term: number; book: IntentBook }> {
  const store = await openEmbeddedStore(directory);
  const { term } = await store.lease();
  return { store, term, book: (await IntentBook.open(store, term)).book };
}

test('an intent outlives a restart until it is withdrawn', async () => {
  const directory = scratchDirectory();
  const { book } = await openBook(directory);
  expect(await book.add(drainOf('a'))).toMatchObject({ kind: 'added', stored: true });
  const again = (await openBook(directory)).book;
  expect(again.all).toEqual([drainOf('a')]);
  const said = { by: 'bob', reason: 'done' };
  expect(await again.remove('a', said, 0)).toEqual(drainOf('a'));
  expect(await again.remove('a', said, 0)).toBe(null);
  const last = (await openBook(directory)).book;
  expect(last.all).toEqual([]);
  expect(last.ended).toEqual([{ intent: drainOf('a'), how: 'withdrawn', at: '1970-01-01T00:00:00Z', ...said }]);
});

test('the same intent twice is one; another under its id is refused', async () => {
  const { book } = await openBook(scratchDirectory());
  await book.add(drainOf('a'));
  expect((await book.add(drainOf('a'))).kind).toBe('unchanged');
  expect((await book.add({ ...drainOf('a'), reason: 'fire' })).kind).toBe('taken');
  expect(book.all).toHaveLength(1);
});

test('an intent ends by itself at its time and is then forgotten', async () => {
  const directory = scratchDirectory();
  const { book } = await openBook(directory);
  await book.add(drainOf('a', '2026-03-02T00:10:00Z'));
  await book.add(drainOf('b'));
  const endMs = Date.parse('2026-03-02T00:10:00Z');
  expect(book.inForce(endMs - 1).map(({ id }) => id)).toEqual(['a', 'b']);
  await book.settle(endMs);
  expect(book.all.map(({ id }) => id)).toEqual(['b']);
  const again = (await openBook(directory)).book;
  expect(again.all.map(({ id }) => id)).toEqual(['b']);
  expect(again.ended).toMatchObject([{ intent: { id: 'a' }, how: 'expired', at: '2026-03-02T00:10:00Z' }]);
});

test('an intent that begins later is not forgotten before', async () => {
  const { book } = await openBook(scratchDirectory());
  await book.add({ ...drainOf('a'), since: '2026-03-02T00:10:00Z' });
  await book.settle(0);
  expect(book.all).toHaveLength(1);
  expect(book.inForce(0)).toEqual([]);
  expect(book.inForce(Date.parse('2026-03-02T00:10:00Z'))).toHaveLength(1);
});

test('a book of an older version is read', async () => {
  const { store, term } = await openBook(scratchDirectory());
  const old = new TextEncoder().encode(JSON.stringify([drainOf('a')]));
  await store.put('intents', old, { term, expected: 'any' });
  expect((await IntentBook.open(store, term)).book.all).toEqual([drainOf('a')]);
});

test('where the store fails an intent counts all the same, and is stored once the store is well', async () => {
  const directory = scratchDirectory();
  const { store, term } = await openBook(directory);
  let isWell = false;
  const failing: Store = {
    get: (key) => store.get(key),
    list: (prefix) => store.list(prefix),
    put: (key, value, condition) =>
      isWell ? store.put(key, value, condition) : Promise.reject(new Error('disk full')),
    delete: (key, by) => store.delete(key, by),
    watch: (prefix, listener) => store.watch(prefix, listener),
    lease: () => store.lease(),
  };
  const { book } = await IntentBook.open(failing, term);
  expect(await book.add(drainOf('a'))).toMatchObject({ kind: 'added', stored: false });
  expect(book.inForce(0).map(({ id }) => id)).toEqual(['a']);
  await expect(book.settle(0)).rejects.toThrow('disk full');
  isWell = true;
  await book.settle(0);
  expect((await openBook(directory)).book.all.map(({ id }) => id)).toEqual(['a']);
});

test('a damaged book is begun anew and said to be damaged', async () => {
  const directory = scratchDirectory();
  const { store, term, book } = await openBook(directory);
  await book.add(drainOf('a'));
  const torn: Store = { ...store, get: async () => ({ kind: 'damaged', key: 'intents', detail: 'torn' }) };
  const opened = await IntentBook.open(torn, term);
  expect(opened.book.all).toEqual([]);
  expect(opened.damage).toBe('intents: torn');
});
