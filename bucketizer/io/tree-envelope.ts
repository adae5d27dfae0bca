/** What is around the contents of a tree on disk: magic, format version, SHA-256 and length of the contents, so that a
 *  reader notices a file that was cut or altered. Apart from `tree-file.ts`, so that the types of what frontends import
 *  reach nothing of how trees are built. */

import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../../config/errors.ts';
import { sha256Hex } from '../tree-bytes.ts';
import { reasonOf } from './reason.ts';

export const treeMagic = 'TAIJITRE';
const magic = Buffer.from(treeMagic, 'latin1');
const formatVersion = 1;
const checksumAt = magic.length + 4;
const lengthAt = checksumAt + 32;
const headBytes = lengthAt + 8;
const again = 'build it again with "taiji bucketize"';

export function inEnvelope(contents: Uint8Array): Uint8Array {
  const file = Buffer.alloc(headBytes + contents.length);
  magic.copy(file);
  file.writeUInt32LE(formatVersion, magic.length);
  Buffer.from(sha256Hex(contents), 'hex').copy(file, checksumAt);
  file.writeBigUInt64LE(BigInt(contents.length), lengthAt);
  file.set(contents, headBytes);
  return file;
}

/** Throws a ConfigError, one line that names the file, where it is absent, no tree, of another format, cut or altered. */
export function readContents(path: string): { contents: Uint8Array; version: string } {
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch (error) {
    throw new ConfigError(
      `${path}: the tree cannot be read (${reasonOf(error)}); expected a file of "taiji bucketize"`,
    );
  }
  if (!file.subarray(0, magic.length).equals(magic)) {
    const found = file.length === 0 ? 'is empty' : `begins with ${printable(file.subarray(0, magic.length))}`;
    throw new ConfigError(`${path}: not a tree file, it ${found}; expected a file written by "taiji bucketize"`);
  }
  if (file.length < headBytes) throw new ConfigError(`${path}: the tree file is cut off in its head; ${again}`);
  const version = file.readUInt32LE(magic.length);
  if (version !== formatVersion) {
    throw new ConfigError(`${path}: tree format ${version}, this program reads format ${formatVersion}; ${again}`);
  }
  const contents = file.subarray(headBytes);
  const length = file.readBigUInt64LE(lengthAt);
  if (BigInt(contents.length) < length) {
    throw new ConfigError(
      `${path}: the tree file is cut off, ${contents.length} of ${length} bytes are there; ${again}`,
    );
  }
  const checksum = sha256Hex(contents);
  if (BigInt(contents.length) > length || checksum !== file.toString('hex', checksumAt, lengthAt)) {
    throw new ConfigError(`${path}: the tree file was altered, its checksum does not match; ${again}`);
  }
  return { contents, version: checksum };
}

function printable(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1').replace(/[^\x20-\x7e]/g, '?'));
}
