/** The embedded store keeps the port's promises on real files. */

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEmbeddedStore } from '../../../../pipeline/publish/io/embedded-store.ts';
import type { Change, Store } from '../../../../pipeline/publish/store.ts';
import { scratchDirectory } from '../../../config/small-world.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = async (store: Store, key: string): Promise<string | null> => {
  const found = await store.get(key);
  return found.kind === 'found' ? new TextDecoder().decode(found.value) : null;
};

test('a value is there after a reopening, under the revision of its write', async () => {
  const directory = scratchDirectory();
  const store = await openEmbeddedStore(directory);
  const { term } = await store.lease();
  const put = await store.put('services/web/head', bytes('one'), { term, expected: 0 });
  expect(put.kind).toBe('stored');
  const again = await openEmbeddedStore(directory);
  expect(await again.get('services/web/head')).toEqual({
    kind: 'found',
    value: Buffer.from('one'),
    revision: put.kind === 'stored' ? put.revision : -1,
  });
  expect(await again.get('services/web/other')).toEqual({ kind: 'absent' });
});

test('compare-and-set lets one of many writers win, and tells the others what is there', async () => {
  const store = await openEmbeddedStore(scratchDirectory());
  const { term } = await store.lease();
  const puts = await Promise.all(
    Array.from({ length: 8 }, (_, i) => store.put('k', bytes(String(i)), { term, expected: 0 })),
  );
  expect(puts.filter(({ kind }) => kind === 'stored')).toHaveLength(1);
  const revision = puts[0]!.kind === 'stored' ? puts[0]!.revision : -1;
  expect(puts.slice(1)).toEqual(Array(7).fill({ kind: 'conflict', revision }));
  expect(await textOf(store, 'k')).toBe('0');
  expect((await store.put('k', bytes('next'), { term, expected: revision })).kind).toBe('stored');
});

test('a write with an older term is refused, also by a process that does not know of the newer one', async () => {
  const directory = scratchDirectory();
  const old = await openEmbeddedStore(directory);
  const before = await old.lease();
  await old.put('k', bytes('old'), { term: before.term, expected: 0 });
  const after = await (await openEmbeddedStore(directory)).lease();
  expect(after.term).toBeGreaterThan(before.term);
  expect(await old.put('k', bytes('older'), { term: before.term, expected: 'any' })).toEqual({
    kind: 'stale-term',
    term: after.term,
  });
  expect(await old.delete('k', before.term)).toEqual({ kind: 'stale-term', term: after.term });
  expect(await before.isHeld()).toBe(false);
  expect(await after.isHeld()).toBe(true);
  expect(await textOf(old, 'k')).toBe('old');
});

test('a restored backup gets a term above every term granted since it was taken', async () => {
  const backup = scratchDirectory();
  await (await openEmbeddedStore(backup)).lease();
  writeFileSync(join(backup, 'TERM'), '7\n'); // a backup from long ago
  const { term } = await (await openEmbeddedStore(backup)).lease();
  expect(term).toBeGreaterThanOrEqual(Math.floor(Date.now() / 1000) - 1);
});

test('a file cut at any length, or with any byte altered, is damaged and never another value', async () => {
  const directory = scratchDirectory();
  const store = await openEmbeddedStore(directory);
  const { term } = await store.lease();
  const value = bytes('the quick brown fox jumps over the lazy dog '.repeat(4));
  await store.put('k', value, { term, expected: 0 });
  const path = join(directory, 'k.value');
  const whole = readFileSync(path);
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    expect((await store.get('k')).kind, `cut to ${length} bytes`).toBe('damaged');
  }
  for (let at = 0; at < whole.length; at++) {
    const altered = Buffer.from(whole);
    altered[at]! ^= 0x55;
    writeFileSync(path, altered);
    const found = await store.get('k');
    // A byte of the gzip header (time, system) says nothing about the contents.
    if (found.kind === 'found') expect(Buffer.from(found.value).equals(value), `byte ${at}`).toBe(true);
    else expect(found.kind, `byte ${at}`).toBe('damaged');
  }
});

test('a damaged value conflicts with every revision and is repaired by a write that expects anything', async () => {
  const directory = scratchDirectory();
  const store = await openEmbeddedStore(directory);
  const { term } = await store.lease();
  await store.put('k', bytes('x'), { term, expected: 0 });
  writeFileSync(join(directory, 'k.value'), 'torn');
  expect(await store.put('k', bytes('y'), { term, expected: 1 })).toEqual({ kind: 'conflict', revision: -1 });
  expect((await store.put('k', bytes('y'), { term, expected: 'any' })).kind).toBe('stored');
  expect(await textOf(store, 'k')).toBe('y');
});

test('what a kill between write and rename left behind goes at the next opening, and was never a value', async () => {
  const directory = scratchDirectory();
  mkdirSync(join(directory, 'services'), { recursive: true });
  writeFileSync(join(directory, 'services', 'head.value.0123456789ab.tmp'), 'half');
  const store = await openEmbeddedStore(directory);
  expect(await store.list('')).toEqual([]);
  expect(readdirSync(join(directory, 'services'))).toEqual([]);
});

test('keys are listed in code unit order under their prefix, and no key leads out of the directory', async () => {
  const store = await openEmbeddedStore(scratchDirectory());
  const { term } = await store.lease();
  for (const key of ['v/10', 'v/09', 'w/1', 'v/11']) await store.put(key, bytes(key), { term, expected: 0 });
  expect(await store.list('v/')).toEqual(['v/09', 'v/10', 'v/11']);
  await store.delete('v/10', term);
  await store.delete('v/10', term);
  expect(await store.list('')).toEqual(['v/09', 'v/11', 'w/1']);
  for (const key of ['../k', 'a/../../k', '/k', 'a//b', '', '.', 'a/.']) {
    await expect(store.get(key), key).rejects.toThrow('not a store key');
  }
});

test('watchers hear every change under their prefix, in order, until they leave', async () => {
  const store = await openEmbeddedStore(scratchDirectory());
  const { term } = await store.lease();
  const heard: Change[] = [];
  const leave = store.watch('v/', (change) => heard.push(change));
  await store.put('v/1', bytes('a'), { term, expected: 0 });
  await store.put('w/1', bytes('b'), { term, expected: 0 });
  await store.delete('v/1', term);
  leave();
  await store.put('v/2', bytes('c'), { term, expected: 0 });
  expect(heard.map(({ key, kind }) => `${kind} ${key}`)).toEqual(['put v/1', 'delete v/1']);
});

test('files are for their owner only', async () => {
  const directory = join(scratchDirectory(), 'store');
  const store = await openEmbeddedStore(directory);
  const { term } = await store.lease();
  await store.put('a/b', bytes('x'), { term, expected: 0 });
  const modeOf = (...names: string[]): number => statSync(join(directory, ...names)).mode & 0o777;
  expect([modeOf(), modeOf('a'), modeOf('a', 'b.value'), modeOf('TERM')]).toEqual([0o700, 0o700, 0o600, 0o600]);
});

test('a damaged term file is one clear line, not a guessed term', async () => {
  const directory = scratchDirectory();
  writeFileSync(join(directory, 'TERM'), 'x');
  await expect(openEmbeddedStore(directory)).rejects.toThrow(/TERM: holds "x", expected a whole number/);
});
