/** A text file as a stream of pieces of lines, plain or gzip by its first bytes (names lie), never whole in memory. */

import { createReadStream, type ReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import { createGunzip, type Gunzip } from 'node:zlib';
import { ConfigError } from '../../config/errors.ts';
import { reasonOf } from './reason.ts';

/** Calls `onLine` with every line, without its end, and its number from 1; the last line may lack its end.
 *  Throws a ConfigError naming the file where it cannot be read, is cut, or is not UTF-8. */
export async function eachLine(
  path: string,
  onLine: (line: string, number: number) => void,
  onRead: (bytes: number, of: number) => void = () => {},
): Promise<void> {
  const { gzip, bytes } = await lookInto(path);
  const decoder = new TextDecoder('utf-8', { fatal: true }); // drops a byte order mark
  let rest = '';
  let number = 0;
  const source = createReadStream(path, { highWaterMark: 1 << 18 });
  // Not stream.pipeline: which of several errors it tells (often that it aborted the others) differs between versions.
  const text: AsyncIterable<Uint8Array> = gzip ? unzipped(source) : source;
  try {
    for await (const chunk of text) {
      rest = emitLines(rest + decode(decoder, chunk, path, number), (line) => onLine(line, ++number));
      onRead(source.bytesRead, bytes);
    }
    rest += decode(decoder, undefined, path, number);
    if (rest !== '') onLine(rest, ++number);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'Z_BUF_ERROR') {
      throw new ConfigError(`${path}: the gzip file ends early, after line ${number}; it was cut, copy it again`);
    }
    if (code.startsWith('Z_')) {
      throw new ConfigError(`${path}: the gzip file is damaged after line ${number}; copy it again`);
    }
    if (code !== '') throw new ConfigError(`${path}: cannot be read (${reasonOf(error)})`);
    throw error;
  } finally {
    source.destroy();
  }
}

function unzipped(source: ReadStream): Gunzip {
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error)).pipe(gunzip);
  return gunzip;
}

async function lookInto(path: string): Promise<{ gzip: boolean; bytes: number }> {
  let file: FileHandle | null = null;
  try {
    file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return { gzip: bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b, bytes: (await file.stat()).size };
  } catch (error) {
    throw new ConfigError(`${path}: cannot be read (${reasonOf(error)}); check the name and its permissions`);
  } finally {
    await file?.close();
  }
}

function decode(decoder: TextDecoder, chunk: Uint8Array | undefined, path: string, number: number): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch {
    throw new ConfigError(`${path}: not UTF-8 text after line ${number}; expected UTF-8, plain or gzip`);
  }
}

/** Emits the whole lines of `text`; returns the piece after the last line end. */
function emitLines(text: string, emit: (line: string) => void): string {
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    emit(text.slice(start, end > start && text.charCodeAt(end - 1) === 13 ? end - 1 : end));
    start = end + 1;
  }
  return text.slice(start);
}
