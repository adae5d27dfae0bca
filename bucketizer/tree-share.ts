/** Which of two trees a user goes by while a new one takes over. Users pass from the old tree to the new one in the order
 *  of a hash of their id, up to a cut that the control plane moves: any frontend comes to the same answer from the id
 *  and one number, and going back is moving the cut back. The hash is another one than that of `unknown-user.ts`, so that
 *  strangers of one bucket do not all pass at once. */

import { hash32 } from '../config/random.ts';
import type { BucketLookup } from './lookup.ts';
import { checkId } from './user-id.ts';

/** A cut that all users are below. */
export const fullCut = 4_294_967_296;

/** A whole number, 0 .. fullCut - 1. */
export function treeRank(user: string): number {
  checkId(user, 'the user');
  return hash32(user, 0x7472_6565);
}

/** `cut`: 0 .. fullCut, as the control plane's tree route says. */
export function isOnNextTree(user: string, cut: number): boolean {
  return treeRank(user) < cut;
}

type Lookup = Pick<BucketLookup, 'bucketOf' | 'height'>;

/** Looks each user up in the tree they go by: `tree`, `next` and `cut` as the control plane's tree route says. */
export function lookupBetween(tree: Lookup, next: Lookup, cut: number): Lookup {
  return {
    height: tree.height,
    bucketOf: (user, friends) => (isOnNextTree(user, cut) ? next : tree).bucketOf(user, friends),
  };
}
