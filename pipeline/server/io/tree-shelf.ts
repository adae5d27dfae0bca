/** Tree files of a data directory: those in use, those a journal names, and those handed in for an activation. A tree is
 *  handed in as a file and not as a path, because whoever activates it is seldom on this machine. */

import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readingTree } from '../../../bucketizer/io/tree-file.ts';
import type { BucketTree } from '../../../bucketizer/tree.ts';
import { ConfigError } from '../../../config/errors.ts';
import type { Steps } from '../../../config/steps.ts';
import { makePrivateDirectory, privateFileMode, syncDirectory } from '../../publish/io/durable-file.ts';
import { HttpProblem } from '../problem.ts';
import { inTurns } from './in-turns.ts';
import { treeObject } from './objects.ts';

/** A hundred million users; beyond that something else is handed in. */
const treeBytesMax = 4_294_967_296;

const handedInMax = 8;

export class TreeShelf {
  readonly #objects: string;
  readonly #incoming: string;
  readonly #handedIn: string[] = []; // versions, oldest first: nothing names them until they are activated

  /** `incoming`: a directory of its own on the same file system. */
  constructor(objects: string, incoming: string) {
    this.#objects = objects;
    this.#incoming = incoming;
  }

  /** Names of objects that nothing may delete yet. */
  get kept(): readonly string[] {
    return this.#handedIn.map(treeObject);
  }

  async has(version: string): Promise<boolean> {
    const names = await readdir(this.#objects).catch((): string[] => []);
    return names.includes(treeObject(version));
  }

  /** The whole tree, in steps: one of millions of users takes seconds. Throws a ConfigError where its file is missing or
   *  damaged. */
  *reading(version: string): Steps<BucketTree> {
    const path = join(this.#objects, treeObject(version));
    const tree = yield* readingTree(path);
    if (tree.version !== version) throw new ConfigError(`${path}: holds another tree; restore the file from a backup`);
    return tree;
  }

  /** Keeps what is handed in under `version`, durably. Rejects with an HttpProblem where it is no whole tree, or another. */
  async take(version: string, bytes: Readable): Promise<void> {
    await makePrivateDirectory(this.#objects);
    await makePrivateDirectory(this.#incoming);
    const path = join(this.#incoming, randomBytes(6).toString('hex'));
    try {
      await pipeline(bytes, limitedTo(treeBytesMax), createWriteStream(path, { flags: 'wx', mode: privateFileMode }));
      const found = await versionOf(path);
      if (found !== version) {
        throw new HttpProblem(422, `the tree handed in is ${found.slice(0, 12)}, expected ${version.slice(0, 12)}`);
      }
      const file = await open(path, 'r+');
      await file.sync().finally(() => file.close());
      this.#handedIn.push(version);
      this.#handedIn.splice(0, this.#handedIn.length - handedInMax);
      await rename(path, join(this.#objects, treeObject(version)));
      await syncDirectory(this.#objects);
    } finally {
      await rm(path, { force: true });
    }
  }
}

async function versionOf(path: string): Promise<string> {
  try {
    return (await inTurns(readingTree(path))).version;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new HttpProblem(422, error.message.replaceAll(path, 'the body'));
  }
}

function limitedTo(bytesMax: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      done(bytes > bytesMax ? new HttpProblem(413, `the tree is over ${bytesMax} bytes`) : null, chunk);
    },
  });
}
