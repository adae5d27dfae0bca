/** Who is in which bucket, and who changed it, as CSV for other programs. */

import { csvField } from '../../config/csv.ts';
import { writeFileAtomically } from '../../config/io/files.ts';
import type { Move } from '../refresh.ts';
import type { BucketTree } from '../tree.ts';
import { ownerOnly } from './writable.ts';

/** `user,bucket`, in the tree's order of users. Throws a ConfigError where it cannot be written. */
export function writeLeaves(path: string, tree: BucketTree): void {
  const lines = tree.users.map((user, i) => `${csvField(user)},${tree.bucketOfUser[i]}\n`);
  writeFileAtomically(path, `user,bucket\n${lines.join('')}`, ownerOnly);
}

/** `user,from,to`: buckets in the previous tree and in this one. Throws a ConfigError where it cannot be written. */
export function writeMoves(path: string, moves: readonly Move[]): void {
  const lines = moves.map(({ user, from, to }) => `${csvField(user)},${from},${to}\n`);
  writeFileAtomically(path, `user,from,to\n${lines.join('')}`, ownerOnly);
}
