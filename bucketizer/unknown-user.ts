/** The bucket of a user whom the tree does not know: the first `height` bits of the SHA-256 of the id in UTF-8. Any
 *  language has both, so a frontend that is not ours finds the same bucket; and it is the same on every machine. */

import { createHash } from 'node:crypto';
import { checkId } from './user-id.ts';

/** `height`: 0 .. 16, of the tree. */
export function unknownUserBucket(user: string, height: number): number {
  checkId(user, 'the user');
  const digest = createHash('sha256').update(user, 'utf8').digest();
  return ((digest[0]! << 8) | digest[1]!) >>> (16 - height);
}
