/** A tree held against the users it is to route. Users whom it does not know go where their id hashes to, which is right
 *  for the newest few and a mistake for all. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import { ConfigError } from '../../config/errors.ts';
import type { WorldUsers } from '../../config/world.ts';

/** Throws a ConfigError where the tree knows nobody; returns what to warn of, or null. The names are those of the
 *  sources. */
export function checkTreeFits(tree: BucketTree, users: WorldUsers, treeName: string, worldName: string): string | null {
  const known = new Set(tree.users);
  return checkKnown(users.ids.filter((id) => !known.has(id)).length, users.ids.length, treeName, worldName);
}

/** The same, of so many strangers among all users. */
export function checkKnown(strangers: number, all: number, treeName: string, worldName: string): string | null {
  if (all > 0 && strangers === all) {
    throw new ConfigError(
      `${treeName}: knows none of the ${all} users of ${worldName}; build it from that world's friends with "taiji bucketize"`,
    );
  }
  return strangers > all / 10 ? `${treeName}: does not know ${strangers} of the ${all} users of ${worldName}` : null;
}

/** Throws a ConfigError where the tree cannot take over from one of that height. */
export function checkSameHeight(tree: BucketTree, height: number, treeName: string): void {
  if (tree.height === height) return;
  throw new ConfigError(
    `${treeName}: height ${tree.height}, the tree in force has ${height}, and buckets of one mean nothing in the other; build it with "taiji bucketize --height ${height} --previous TREE"`,
  );
}
