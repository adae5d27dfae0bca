/** The room's one door to the disk: worlds, policies and intents read from files, and files written so that a crash
 *  leaves the old one or the new one, never half of one. */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
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
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ConfigError } from './errors.ts';
import { type Policy, parsePolicy } from './policy.ts';
import type { StaticWorld, World } from './world.ts';
import {
  formatWorld,
  optionalWorldFileNames,
  parseStaticWorld,
  parseWorld,
  type WorldFiles,
  worldFileNames,
} from './world-files.ts';
import type { WorldFile } from './world-rows.ts';

const textBytesMax = 500_000_000; // a JavaScript string ends soon after

/** Reads a world directory. Throws a ConfigError naming file and line of whatever is missing or wrong. */
export function readWorld(dir: string): World {
  return parseWorld(worldFilesIn(dir));
}

/** Reads what a world directory says of places and users: edges, datacenters, latency and users. Throws a ConfigError. */
export function readStaticWorld(dir: string): StaticWorld {
  return parseStaticWorld(worldFilesIn(dir));
}

function worldFilesIn(dir: string): WorldFiles {
  const where = dir.replace(/\/+$/, '') || '/';
  if (!isDirectory(dir)) {
    throw new ConfigError(`${where}: not a directory; a world is a directory with ${worldFileNames.join(', ')}[.gz]`);
  }
  const read = (name: (typeof worldFileNames)[number]): WorldFile => {
    const file = name === 'friends.csv' ? friendsFile(dir, where) : name;
    if (!isFile(join(dir, file))) {
      throw new ConfigError(`${where}/${file}: no such file; a world has ${worldFileNames.join(', ')}[.gz]`);
    }
    return { text: readText(join(dir, file)), where: `${where}/${file}` };
  };
  const optional = (name: string): WorldFile | null =>
    isFile(join(dir, name)) ? { text: readText(join(dir, name)), where: `${where}/${name}` } : null;
  return Object.assign(read, { optional });
}

/** Names of files in the directory that writing the world there would change or remove; none where it is there already,
 *  in whole or in part. */
export function replacedBy(dir: string, world: World): string[] {
  const texts: Readonly<Record<string, string>> = formatWorld(world);
  const names = [...worldFileNames, 'friends.csv.gz', ...optionalWorldFileNames];
  return names.filter((name) => {
    const path = join(dir, name);
    return existsSync(path) && textOrNull(path) !== texts[name.replace(/\.gz$/, '')];
  });
}

/** Writes a world directory: the files a real one has, the friends gzipped. The same world gives the same contents. */
export function writeWorld(dir: string, world: World): void {
  makeDirectory(dir);
  const texts = formatWorld(world);
  // What another world left there would be read as part of this one.
  for (const name of optionalWorldFileNames) if (texts[name] === undefined) rmSync(join(dir, name), { force: true });
  for (const [name, text] of Object.entries(texts)) {
    if (name === 'friends.csv') writeFileAtomically(join(dir, 'friends.csv.gz'), gzipSync(text, { level: 9 }));
    else writeFileAtomically(join(dir, name), text);
  }
  // Read from the directory alone, an old plain file beside the new gzipped one would be two answers to one question.
  rmSync(join(dir, 'friends.csv'), { force: true });
}

/** Reads a policy file (YAML or JSON), defaults filled in. Throws a ConfigError with file and line. */
export function readPolicy(file: string): Policy {
  return parsePolicy(readText(file), file);
}

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
    rmSync(temporary, { force: true });
    throw new ConfigError(
      `${path}: cannot be written (${reasonOf(error)}); check the directory, its permissions and space`,
    );
  }
  syncDirectory(dirname(path));
}

/** Null where it is no text that can be read. */
function textOrNull(path: string): string | null {
  try {
    return readText(path);
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}

function friendsFile(dir: string, where: string): string {
  if (!isFile(join(dir, 'friends.csv.gz'))) return 'friends.csv';
  if (isFile(join(dir, 'friends.csv'))) {
    throw new ConfigError(`${where}: both friends.csv and friends.csv.gz are there; remove one`);
  }
  return 'friends.csv.gz';
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
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
