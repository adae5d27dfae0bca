/** A tree held against the users it is to route. Users whom it does not know go where their id hashes to, which is right
 *  for the newest few and a mistake for all. */

import { type BucketTree, heightMax } from '../../bucketizer/tree.ts';
import { ConfigError } from '../../config/errors.ts';
import type { Edge } from '../../config/topology.ts';
import type { WorldUsers } from '../../config/world.ts';
import { type BucketWeights, heaviestBuckets } from '../table/bucket-weights.ts';

/** Shares of an edge's demand that its heaviest bucket may be, in the mean of all demand: at .1 tables miss what is wanted
 *  by .001, at .36 by .017, and a datacenter that may take .04 more an epoch (`onloadMax`) never gets its first bucket. */
const coarseFrom = 0.2;
const fineEnough = 0.1;

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

/** What to warn of where buckets are so few that tables cannot follow fractions, or null. */
export function coarseBuckets(
  { height }: BucketTree,
  weights: BucketWeights,
  edges: readonly Edge[],
  treeName: string,
): string | null {
  const heaviest = heaviestBuckets(weights);
  const { edgeWeight } = weights;
  const all = edgeWeight.reduce((a, b) => a + b, 0);
  const mean = heaviest.reduce((sum, share, e) => sum + share * edgeWeight[e]!, 0) / all;
  if (!(mean >= coarseFrom)) return null;
  const [most] = [...heaviest.keys()].sort((a, b) => heaviest[b]! - heaviest[a]! || a - b);
  let enough = height;
  for (let share = mean; share > fineEnough && enough < heightMax; share /= 2) enough += 1; // a level halves a bucket
  const mend = enough > height ? `; build it with "taiji bucketize --height ${enough}"` : '';
  return (
    `${treeName}: its buckets are coarse: the heaviest holds ${percent(mean)} of its edge's users in the mean, ` +
    `${percent(heaviest[most!]!)} at ${edges[most!]!.id}, and tables cannot follow fractions more closely${mend}`
  );
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** Throws a ConfigError where the tree cannot take over from one of that height. */
export function checkSameHeight(tree: BucketTree, height: number, treeName: string): void {
  if (tree.height === height) return;
  throw new ConfigError(
    `${treeName}: height ${tree.height}, the tree in force has ${height}, and buckets of one mean nothing in the other; build it with "taiji bucketize --height ${height} --previous TREE"`,
  );
}
