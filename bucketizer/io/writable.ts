/** What can be known about files to write before the work that fills them. */

import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../../config/errors.ts';
import { reasonOf } from './reason.ts';

/** Files that name users are for their owner only. */
export const ownerOnly = 0o600;

/** `noun`: what is to be written, for the complaint. Throws a ConfigError where `path` could not be written after it, or is one of the files read. */
export function checkWritable(path: string, noun: string, inputs: readonly string[]): void {
  if (inputs.some((input) => resolve(input) === resolve(path))) {
    throw new ConfigError(`${path}: the ${noun} would replace a file that is read; give it another name`);
  }
  try {
    accessSync(dirname(resolve(path)), constants.W_OK);
  } catch (error) {
    throw new ConfigError(`${path}: the ${noun} cannot be written (${reasonOf(error)}); check the folder`);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ConfigError(`${path}: the ${noun} cannot be written (it is a folder); name a file`);
  }
}
