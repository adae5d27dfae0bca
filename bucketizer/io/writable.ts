/** What can be known about files to write before the work that fills them. */

import { accessSync, type BigIntStats, constants, fstatSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigError } from '../../config/errors.ts';
import { standardInput } from './byte-source.ts';
import { reasonOf } from './reason.ts';

/** Files that name users are for their owner only. */
export const ownerOnly = 0o600;

/** `noun`: what is to be written, for the complaint. Throws a ConfigError where `path` could not be written after it, or is one
 *  of the files read, or of `others`, which are written too. */
export function checkWritable(path: string, noun: string, inputs: readonly string[], others: readonly string[]): void {
  const refuse = (why: string, next: string): never => {
    throw new ConfigError(`${path}: the ${noun} cannot be written (${why}); ${next}`);
  };
  if (path === standardInput) refuse('"-" is standard output, which has the summary', 'name a file');
  if (path === '') refuse('its name is empty', 'name a file');
  if (path.endsWith('/')) refuse('its name ends in /, as those of folders do', 'name a file');
  const folder = dirname(resolve(path));
  try {
    if (!statSync(folder).isDirectory()) refuse(`${folder} is no folder`, 'check the folder');
    accessSync(folder, constants.W_OK);
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory()) refuse('it is a folder', 'name a file');
    if (there !== undefined && !there.isFile()) return; // /dev/null takes all there is
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    refuse(reasonOf(error), 'check the folder');
  }
  if (inputs.some((input) => isSameFile(input, path))) {
    throw new ConfigError(`${path}: the ${noun} would replace a file that is read; give it another name`);
  }
  if (others.some((other) => entryOf(other) === entryOf(path))) {
    throw new ConfigError(`${path}: the ${noun} would replace another file that is written; give it another name`);
  }
}

/** Whether writing `path` takes away what reading `input` gives, by whatever names. */
function isSameFile(input: string, path: string): boolean {
  const read = statOfInput(input);
  const replaced = lstatSync(path, { bigint: true, throwIfNoEntry: false }); // a link is replaced, not what it leads to
  return read !== null && replaced !== undefined && read.dev === replaced.dev && read.ino === replaced.ino;
}

/** Null where nobody can tell: reading says what is wrong with it, in a line of its own. */
function statOfInput(input: string): BigIntStats | null {
  try {
    return input === standardInput ? fstatSync(0, { bigint: true }) : statSync(input, { bigint: true });
  } catch {
    return null;
  }
}

/** Where a file in a folder is that is there. */
function entryOf(path: string): string {
  const whole = resolve(path);
  return join(realpathSync(dirname(whole)), basename(whole));
}
