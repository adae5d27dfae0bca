/** Who is in which bucket, as CSV for other programs. Readable by its owner only, as the tree is. */

import { csvField } from '../../config/csv.ts';
import { ConfigError } from '../../config/errors.ts';
import { writeFileAtomically } from '../../config/load.ts';
import type { BucketTree } from '../tree.ts';
import { reasonOf } from './reason.ts';

const ownerOnly = 0o600;

/** `user,bucket`, in the tree's order of users. */
export function writeLeaves(path: string, tree: BucketTree): void {
  const lines = tree.users.map((user, i) => `${csvField(user)},${tree.bucketOfUser[i]}\n`);
  try {
    writeFileAtomically(path, `user,bucket\n${lines.join('')}`, ownerOnly);
  } catch (error) {
    throw new ConfigError(`${path}: the leaves cannot be written (${reasonOf(error)}); check the folder and its space`);
  }
}
