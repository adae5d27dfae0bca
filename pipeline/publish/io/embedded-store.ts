/** The store port on plain files, for one control plane on one machine: a file a key, a header line with length and
 *  SHA-256 of the contents before compression, replaced by rename. A kill at any moment leaves the old value or the
 *  new one; damage done by a disk is seen, told as `damaged` and left to the reader to step around.
 *  Declined: SQLite or LMDB (a native module each, for a dozen small writes an epoch); one big file (a torn write would
 *  cost every version instead of one).
 *
 *  The term lives in a file of its own and is read back before every write: even where two processes came to share the
 *  directory (a suspended machine, a copied lock), the older one is refused. */

import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { ConfigError } from '../../../config/errors.ts';
import { compareIds } from '../../../config/ids.ts';
import type { Change, Found, Lease, Put, PutCondition, Store, StoreKey } from '../store.ts';
import { makePrivateDirectory, removeTemporaryFiles, syncDirectory, writeDurably } from './durable-file.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

const termFile = 'TERM';
const valueSuffix = '.value';
const keyPattern = /^[A-Za-z0-9%._-]+(\/[A-Za-z0-9%._-]+)*$/;

/** Opens or makes the store in `directory`. Whoever calls holds the directory's lock. Rejects with a ConfigError where
 *  the term file is damaged: a guessed term could be one that edges refuse. */
export async function openEmbeddedStore(directory: string): Promise<Store> {
  await makePrivateDirectory(directory);
  await removeTemporaryFiles(directory);
  const store = new EmbeddedStore(directory);
  await store.recover();
  return store;
}

class EmbeddedStore implements Store {
  readonly #directory: string;
  readonly #watchers = new Set<{ prefix: string; listener: (change: Change) => void }>();
  #revision = 0;
  #writes: Promise<unknown> = Promise.resolve(); // one write at a time: compare and set are two steps here

  constructor(directory: string) {
    this.#directory = directory;
  }

  async recover(): Promise<void> {
    for (const key of await this.list('')) {
      const found = await this.get(key);
      if (found.kind === 'found') this.#revision = Math.max(this.#revision, found.revision);
    }
    await this.#grantedTerm();
  }

  async get(key: StoreKey): Promise<Found> {
    let file: Buffer;
    try {
      file = await readFile(this.#path(key));
    } catch (error) {
      if (isAbsent(error)) return { kind: 'absent' };
      throw error;
    }
    return decodeFile(key, file);
  }

  async list(prefix: string): Promise<readonly StoreKey[]> {
    const keys: StoreKey[] = [];
    for (const entry of await readdir(this.#directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith(valueSuffix)) continue;
      const path = relative(this.#directory, join(entry.parentPath, entry.name));
      const key = path.split(sep).join('/').slice(0, -valueSuffix.length);
      if (key.startsWith(prefix)) keys.push(key);
    }
    return keys.sort(compareIds);
  }

  put(key: StoreKey, value: Uint8Array, condition: PutCondition): Promise<Put> {
    return this.#inTurn(async () => {
      const newest = await this.#grantedTerm();
      if (condition.term < newest) return { kind: 'stale-term', term: newest };
      if (condition.expected !== 'any') {
        const found = await this.get(key);
        const there = found.kind === 'found' ? found.revision : found.kind === 'absent' ? 0 : -1;
        if (there !== condition.expected) return { kind: 'conflict', revision: there };
      }
      const path = this.#path(key);
      await makePrivateDirectory(dirname(path));
      const revision = ++this.#revision; // used up even where the write fails: it may have reached the disk all the same
      await writeDurably(path, await encodeFile(key, revision, condition.term, value));
      this.#tell({ key, revision, kind: 'put' });
      return { kind: 'stored', revision };
    });
  }

  delete(key: StoreKey, term: number): Promise<Exclude<Put, { kind: 'conflict' }>> {
    return this.#inTurn(async () => {
      const newest = await this.#grantedTerm();
      if (term < newest) return { kind: 'stale-term', term: newest };
      const path = this.#path(key);
      await rm(path, { force: true });
      await syncDirectory(dirname(path)).catch((error: unknown) => {
        if (!isAbsent(error)) throw error;
      });
      this.#revision += 1;
      this.#tell({ key, revision: this.#revision, kind: 'delete' });
      return { kind: 'stored', revision: this.#revision };
    });
  }

  watch(prefix: string, listener: (change: Change) => void): () => void {
    const watcher = { prefix, listener };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** The directory's lock already says who is alone here. The term never falls behind the clock's seconds, so that a
   *  backup restored after a week still outranks every term the edges have seen. */
  lease(): Promise<Lease> {
    return this.#inTurn(async () => {
      const term = Math.max((await this.#grantedTerm()) + 1, Math.floor(Date.now() / 1000));
      await writeDurably(join(this.#directory, termFile), `${term}\n`);
      return { term, isHeld: async () => (await this.#grantedTerm()) === term, release: async () => {} };
    });
  }

  async #grantedTerm(): Promise<number> {
    const path = join(this.#directory, termFile);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (isAbsent(error)) return 0;
      throw error;
    }
    if (!/^\d{1,15}\n$/.test(text)) {
      throw new ConfigError(
        `${path}: holds ${JSON.stringify(text.slice(0, 40))}, expected a whole number and a newline; write one above every term the edges have seen, such as the Unix time in seconds`,
      );
    }
    return Number(text);
  }

  #path(key: StoreKey): string {
    // The shape is checked, not assumed: a service's name reaches this place, and ".." must not.
    if (!keyPattern.test(key) || key.split('/').some((part) => part === '.' || part === '..')) {
      throw new TypeError(`not a store key: ${JSON.stringify(key)}`);
    }
    return join(this.#directory, ...key.split('/')) + valueSuffix;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#writes.then(work);
    this.#writes = result.catch(() => {});
    return result;
  }

  #tell(change: Change): void {
    for (const { prefix, listener } of this.#watchers) if (change.key.startsWith(prefix)) listener(change);
  }
}

interface FileHeader {
  readonly format: 'taiji-store/1';
  readonly key: StoreKey;
  readonly revision: number;
  readonly term: number;
  readonly bytes: number; // of the contents before compression
  readonly sha256: string; // of key, revision, term and the contents before compression
}

async function encodeFile(key: StoreKey, revision: number, term: number, value: Uint8Array): Promise<Buffer> {
  const header: FileHeader = {
    format: 'taiji-store/1',
    key,
    revision,
    term,
    bytes: value.length,
    sha256: checksum(key, revision, term, value),
  };
  const packed = await compress(value, { level: 1 }); // tables shrink by ten; a higher level buys little and costs CPU
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), packed]);
}

async function decodeFile(key: StoreKey, file: Buffer): Promise<Found> {
  const damaged = (detail: string): Found => ({ kind: 'damaged', key, detail });
  const end = file.indexOf(10);
  if (end < 0) return damaged('no whole header line');
  let header: FileHeader;
  try {
    header = JSON.parse(file.toString('utf8', 0, end)) as FileHeader;
  } catch {
    return damaged('header is not JSON');
  }
  if (header?.format !== 'taiji-store/1') return damaged('header is of no known format');
  if (header.key !== key) return damaged(`header names the key ${JSON.stringify(header.key)}`);
  let value: Buffer;
  try {
    value = await decompress(file.subarray(end + 1));
  } catch {
    return damaged('contents are torn');
  }
  if (value.length !== header.bytes || checksum(key, header.revision, header.term, value) !== header.sha256) {
    return damaged('checksum differs');
  }
  return { kind: 'found', value, revision: header.revision };
}

function checksum(key: StoreKey, revision: number, term: number, value: Uint8Array): string {
  return createHash('sha256').update(`${key}\n${revision}\n${term}\n`).update(value).digest('hex');
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ENOENT';
}
