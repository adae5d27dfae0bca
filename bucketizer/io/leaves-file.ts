/** Who is in which bucket, as CSV for other programs. */

import { csvField } from '../../config/csv.ts';
import { writeFileAtomically } from '../../config/load.ts';
import type { BucketTree } from '../tree.ts';
import { ownerOnly } from './writable.ts';

/** `user,bucket`, in the tree's order of users. Throws a ConfigError where it cannot be written. */
export function writeLeaves(path: string, tree: BucketTree): void {
  const lines = tree.users.map((user, i) => `${csvField(user)},${tree.bucketOfUser[i]}\n`);
  writeFileAtomically(path, `user,bucket\n${lines.join('')}`, ownerOnly);
}
