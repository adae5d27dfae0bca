/** A tree on disk: its contents (`tree-bytes.ts`) in their envelope (`tree-envelope.ts`). It is written beside its place,
 *  synced and renamed, readable by its owner only (user ids are in it): a reader sees the old tree or the new one. All
 *  functions are synchronous. */

import { writeFileAtomically } from '../../config/io/files.ts';
import { atOnce, type Steps } from '../../config/steps.ts';
import type { BucketTree } from '../tree.ts';
import { decodingTree, encodeTree } from '../tree-bytes.ts';
import { inEnvelope, readContents } from './tree-envelope.ts';
import { ownerOnly } from './writable.ts';

export function writeTree(path: string, tree: BucketTree): void {
  writeFileAtomically(path, treeFile(tree), ownerOnly);
}

/** A tree file's bytes. */
export function treeFile(tree: BucketTree): Uint8Array {
  return inEnvelope(encodeTree(tree));
}

/** Throws a ConfigError as `readContents` does. */
export function readTree(path: string): BucketTree {
  return atOnce(readingTree(path));
}

/** The same in steps, once it is found whole. Throws likewise. */
export function* readingTree(path: string): Steps<BucketTree> {
  const { contents, version } = readContents(path);
  yield;
  return { ...(yield* decodingTree(contents)), version };
}
