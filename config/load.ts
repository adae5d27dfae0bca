/** Worlds and policies read from disk, and worlds written. */

import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ConfigError } from './errors.ts';
import { makeDirectory, readText, writeFileAtomically } from './io/files.ts';
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
