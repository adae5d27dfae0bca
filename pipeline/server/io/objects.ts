/** Trees and bucket weights, too large to repeat in every journal file, kept once under their digests: whoever has a
 *  journal file and this directory can replay it. */

import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { readTree } from '../../../bucketizer/io/tree-file.ts';
import type { BucketTree } from '../../../bucketizer/tree.ts';
import { ConfigError } from '../../../config/errors.ts';
import { makePrivateDirectory, writeDurably } from '../../publish/io/durable-file.ts';

export const treeObject = (treeVersion: string): string => `tree-${treeVersion}`;
export const weightsObject = (sha256: string): string => `weights-${sha256}.json.gz`;

/** Writes what is not there yet. The name says what is inside, so what is there is right or damaged, never old. */
async function keepObject(directory: string, name: string, contents: () => Promise<Uint8Array>): Promise<void> {
  await makePrivateDirectory(directory);
  if ((await readdir(directory)).includes(name)) return;
  await writeDurably(join(directory, name), await contents());
}

function packWeights(text: string): Promise<Uint8Array> {
  return promisify(gzip)(text, { level: 1 });
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

/** A tree and bucket weights as a replay will want them. The tree's file may have been replaced since it was read: what goes
 *  under a tree's version is that tree. */
export async function keepTreeAndWeights(
  directory: string,
  { tree, treeFile }: { readonly tree: BucketTree; readonly treeFile: string },
  weights: { readonly text: string; readonly sha256: string },
): Promise<void> {
  await keepObject(directory, treeObject(tree.version), async () => {
    if (readTree(treeFile).version !== tree.version) {
      throw new Error(`${treeFile} is another tree than the one in use; restart to use it`);
    }
    return readFile(treeFile);
  });
  await keepObject(directory, weightsObject(weights.sha256), () => packWeights(weights.text));
}

/** Deletes what is not to be kept. */
export async function pruneObjects(directory: string, keep: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!keep.has(name)) await rm(join(directory, name), { force: true });
  }
}
