/** Trees and bucket weights, too large to repeat in every journal file, kept once under their digests: whoever has a
 *  journal file and this directory can replay it. */

import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { treeFile } from '../../../bucketizer/io/tree-file.ts';
import type { BucketTree } from '../../../bucketizer/tree.ts';
import { ConfigError } from '../../../config/errors.ts';
import { makePrivateDirectory, writeDurably } from '../../publish/io/durable-file.ts';
import type { RecordedRouting } from '../../replay/journal-record.ts';
import { decodeWeights, type EncodedWeights, encodeWeights, encodingWeights } from '../../replay/recorded-weights.ts';
import type { BucketWeights } from '../../table/bucket-weights.ts';
import type { Routing } from '../../table/tree-course.ts';
import { inTurns } from './in-turns.ts';

export const treeObject = (treeVersion: string): string => `tree-${treeVersion}`;
export const weightsObject = (sha256: string): string => `weights-${sha256}.json.gz`;

/** Writes what is not there yet. The name says what is inside, so what is there is right or damaged, never old. */
async function keepObject(directory: string, name: string, contents: () => Promise<Uint8Array>): Promise<void> {
  await makePrivateDirectory(directory);
  if ((await readdir(directory)).includes(name)) return;
  await writeDurably(join(directory, name), await contents());
}

/** The text of a weights object. Rejects with a ConfigError where it is missing or damaged. */
export async function readWeights(directory: string, sha256: string): Promise<string> {
  const path = join(directory, weightsObject(sha256));
  let text: string;
  try {
    text = (await promisify(gunzip)(await readFile(path))).toString('utf8');
  } catch {
    throw new ConfigError(
      `${path}: missing or damaged; a journal replays beside the objects directory it was written with`,
    );
  }
  if (createHash('sha256').update(text).digest('hex') !== sha256) {
    throw new ConfigError(`${path}: checksum differs; restore the file from a backup`);
  }
  return text;
}

/** Names of the objects. */
export function objectsOf({ treeVersion, weightsSha256 }: RecordedRouting): readonly string[] {
  return [treeObject(treeVersion), weightsObject(weightsSha256)];
}

/** Puts trees and weights where a replay finds them. */
export class RoutingObjects {
  readonly #directory: string;
  readonly #sha256 = new WeakMap<BucketWeights, string>();
  #encoded: (EncodedWeights & { readonly weights: BucketWeights }) | null = null; // the last: what is named is kept next

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What a record calls the routing. */
  nameOf({ tree, weights }: Routing): RecordedRouting {
    const weightsSha256 = this.#sha256.get(weights) ?? encodeWeights(weights).sha256;
    this.#sha256.set(weights, weightsSha256);
    return { treeVersion: tree.version, weightsSha256 };
  }

  /** Works out in turns what `nameOf` then knows. */
  async prepare({ weights }: Routing): Promise<void> {
    if (!this.#sha256.has(weights)) await this.#encode(weights);
  }

  /** Rejects with a ConfigError where they are missing or damaged. */
  async weights(sha256: string): Promise<BucketWeights> {
    const weights = decodeWeights(await readWeights(this.#directory, sha256));
    this.#sha256.set(weights, sha256);
    return weights;
  }

  async keep(routing: Routing): Promise<void> {
    await this.prepare(routing);
    const { weightsSha256 } = this.nameOf(routing);
    await this.keepTree(routing.tree);
    await keepObject(this.#directory, weightsObject(weightsSha256), async () => {
      const { text } = this.#encoded?.weights === routing.weights ? this.#encoded : await this.#encode(routing.weights);
      return promisify(gzip)(text, { level: 1 });
    });
    this.#encoded = null;
  }

  async #encode(weights: BucketWeights): Promise<EncodedWeights> {
    const encoded = await inTurns(encodingWeights(weights));
    this.#encoded = { ...encoded, weights };
    this.#sha256.set(weights, encoded.sha256);
    return encoded;
  }

  /** From memory, not from its file: that may hold another tree by now. */
  keepTree(tree: BucketTree): Promise<void> {
    return keepObject(this.#directory, treeObject(tree.version), async () => treeFile(tree));
  }
}

/** Deletes what is not to be kept. `keep` is asked after the directory: an epoch puts its objects there before it is
 *  recorded. */
export async function pruneObjects(directory: string, keep: () => Promise<ReadonlySet<string>>): Promise<void> {
  const names = await readdir(directory);
  const kept = await keep();
  for (const name of names) if (!kept.has(name)) await rm(join(directory, name), { force: true });
}
