/** The bytes of a file, or of standard input (`-`), as they come: gzip is known by its first bytes (names lie) and undone,
 *  and the first of what comes out may be looked at before it is read. Never whole in memory. */

import { Buffer } from 'node:buffer';
import { createReadStream, type Stats, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ConfigError } from '../../config/errors.ts';
import { reasonOf } from './reason.ts';

export const standardInput = '-';

const headBytes = 4096;

export interface ByteSource {
  readonly name: string; // `nameOf` its path
  readonly head: Uint8Array; // the first bytes, `headBytes` of them where there are as many
  readonly chunks: AsyncIterable<Uint8Array>; // all bytes, those of the head too; once
  readonly gzip: boolean;
  readonly isFile: boolean; // and no pipe: it can be opened again
  readonly bytes: number; // of the file as it is; NaN: nobody knows
  bytesRead(): number;
  close(): void;
}

/** For complaints. */
export function nameOf(path: string): string {
  return path === standardInput ? 'standard input' : path;
}

/** Throws a ConfigError where the file cannot be opened. Reading `chunks` throws what `readError` puts into words. */
export async function openBytes(path: string): Promise<ByteSource> {
  const name = nameOf(path);
  let file: Stats | null = null; // null: a pipe, by whatever name
  try {
    const found = path === standardInput ? null : statSync(path);
    if (found?.isFile()) file = found;
  } catch (error) {
    throw new ConfigError(`${name}: cannot be read (${reasonOf(error)}); check the name and its permissions`);
  }
  let bytesRead = 0;
  const raw: Readable = path === standardInput ? process.stdin : createReadStream(path, { highWaterMark: 1 << 18 });
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of raw as AsyncIterable<Uint8Array>) {
      bytesRead += chunk.length;
      yield chunk;
    }
  }
  const outer = await peek(counted(), 2);
  const gzip = outer.head[0] === 0x1f && outer.head[1] === 0x8b;
  const unzip = gzip ? unzipped(Readable.from(outer.chunks, { objectMode: false })) : null;
  const inner = await peek(unzip ?? outer.chunks, headBytes);
  return {
    name,
    ...inner,
    gzip,
    isFile: file !== null,
    bytes: file?.size ?? Number.NaN,
    bytesRead: () => bytesRead,
    close: () => {
      unzip?.destroy();
      raw.destroy();
    },
  };
}

/** What went wrong while reading, in a line. `after`: how far it had come. Other errors are given back. */
export function readError(error: unknown, name: string, after: string): unknown {
  if (error instanceof ConfigError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'Z_BUF_ERROR') {
    return new ConfigError(`${name}: the gzip file ends early, after ${after}; it was cut, copy it again`);
  }
  if (code.startsWith('Z_')) {
    return new ConfigError(`${name}: the gzip file is damaged after ${after}; copy it again`);
  }
  return code === '' ? error : new ConfigError(`${name}: cannot be read (${reasonOf(error)})`);
}

/** Not stream.pipeline: which of several errors it tells (often that it aborted the others) differs between versions. */
function unzipped(source: Readable): Readable {
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error)).pipe(gunzip);
  return gunzip;
}

interface Peeked {
  readonly head: Uint8Array;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** What fails while the head is read is told when the rest is: there the complaint knows how far reading came. */
async function peek(chunks: AsyncIterable<Uint8Array>, count: number): Promise<Peeked> {
  const iterator = chunks[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let end: { readonly error: unknown } | null = null;
  for (let length = 0; length < count && end === null; ) {
    try {
      const next = await iterator.next();
      if (next.done === true) end = { error: null };
      else {
        seen.push(next.value);
        length += next.value.length;
      }
    } catch (error) {
      end = { error };
    }
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* seen.splice(0);
    while (end === null) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
    if (end.error !== null) throw end.error;
  }
  return { head: Buffer.concat(seen).subarray(0, count), chunks: all() };
}
