/** Text files read whole, and files written so that a crash leaves the old one or the new one, never half of one. Apart
 *  from `../load.ts`, so that who only reads and writes does not load the schemas of what is in worlds and policies. */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ConfigError } from '../errors.ts';

const textBytesMax = 500_000_000; // a JavaScript string ends soon after

/** Reads a whole text file, plain or gzipped by its name. Throws a ConfigError where it is absent or damaged. */
export function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new ConfigError(`${path}: cannot be read (${reasonOf(error)}); check the name and its permissions`);
  }
  if (path.endsWith('.gz')) {
    try {
      bytes = gunzipSync(bytes, { maxOutputLength: textBytesMax });
    } catch (error) {
      throw new ConfigError(`${path}: not a whole gzip file (${reasonOf(error)}); copy it again`);
    }
  }
  if (bytes.length > textBytesMax) {
    throw new ConfigError(`${path}: ${bytes.length} bytes of text, expected at most ${textBytesMax}; split the world`);
  }
  const text = bytes.toString('utf8');
  if (text.includes('\u0000')) throw new ConfigError(`${path}: not a text file (it holds a zero byte), expected UTF-8`);
  return text;
}

/** With its parents, where absent. Throws a ConfigError. */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new ConfigError(`${path}: the directory cannot be made (${reasonOf(error)}); choose another place`);
  }
}

/** Temporary file beside it, fsync, rename, fsync of the directory. `mode` as in chmod, before the umask. Throws a
 *  ConfigError where the file cannot be written; the old one is then untouched. Devices and pipes are written to as they
 *  are: renamed over, /dev/null would be a file from then on. */
export function writeFileAtomically(path: string, contents: string | Uint8Array, mode = 0o644): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there !== undefined && !there.isFile() && !there.isDirectory()) {
      writeFileSync(path, contents);
      return;
    }
    const file = openSync(temporary, 'wx', mode);
    try {
      const bytes = typeof contents === 'string' ? Buffer.from(contents) : contents;
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    removeIfThere(temporary);
    throw new ConfigError(
      `${path}: cannot be written (${reasonOf(error)}); check the directory, its permissions and space`,
    );
  }
  syncDirectory(dirname(path));
}

/** Whatever there is to say against it: the complaint is another one. */
function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    return;
  }
}

/** The new name itself must survive a power cut; file systems that cannot sync a directory are left as they are. */
function syncDirectory(path: string): void {
  let directory: number;
  try {
    directory = openSync(path, 'r');
  } catch {
    return;
  }
  try {
    fsyncSync(directory);
  } catch {
    return;
  } finally {
    closeSync(directory);
  }
}

/** Node's words, without the call and the path that the complaint names already. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const words = /^[A-Z0-9]+: (.+?), \w+/.exec(error.message)?.[1] ?? error.message.split('\n')[0]!;
  return words === 'no such file or directory' ? 'no such file' : words;
}
