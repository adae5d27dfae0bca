/** Ties between cells (one bucket at one edge) where it is known who is whose friend and where everybody lives. Finer than
 *  the tree's quotient graph, which knows buckets whole and the heaviest ties of each: it tells the friends at this edge
 *  from those at another, and about a point more of them meet. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { WorldUsers } from '../../config/world.ts';
import { type BucketWeights, bucketOfUser } from './bucket-weights.ts';

/** Symmetric CSR over the cells of all edges, edge after edge, ascending by bucket; a row sorted by neighbour; ties inside
 *  a cell are left out. */
export interface CellTies {
  readonly of: BucketWeights; // whose cells they are: with others they say nothing
  readonly rowStart: Uint32Array; // [cell + 1]
  readonly neighbour: Uint32Array;
  readonly weight: Float64Array; // ties
}

/** `friends`: pairs of user indices. `weights` were made from the same users and tree. */
export function cellTies(
  { users, friends }: { readonly users: WorldUsers; readonly friends: Uint32Array },
  tree: BucketTree,
  weights: BucketWeights,
): CellTies {
  const cellOfUser = cellsOfUsers(users, tree, weights);
  const cellCount = weights.byEdge.reduce((sum, { bucket }) => sum + bucket.length, 0);
  // Directed ties as one number each, so that sorting them groups rows and orders neighbours.
  const directed = new Float64Array(friends.length);
  let count = 0;
  for (let k = 0; k < friends.length; k += 2) {
    const a = cellOfUser[friends[k]!]!;
    const b = cellOfUser[friends[k + 1]!]!;
    if (a === b) continue;
    directed[count++] = a * cellCount + b;
    directed[count++] = b * cellCount + a;
  }
  const sorted = directed.subarray(0, count).sort();
  const rowStart = new Uint32Array(cellCount + 1);
  const neighbour = new Uint32Array(count);
  const weight = new Float64Array(count);
  let last = -1;
  for (let k = 0, at = -1; k < count; k++) {
    if (sorted[k] !== last) {
      at += 1;
      last = sorted[k]!;
      const row = Math.floor(last / cellCount);
      neighbour[at] = last - row * cellCount;
      rowStart[row + 1]! += 1;
    }
    weight[at]! += 1;
  }
  for (let cell = 0; cell < cellCount; cell++) rowStart[cell + 1]! += rowStart[cell]!;
  const kept = rowStart[cellCount]!;
  return { of: weights, rowStart, neighbour: neighbour.slice(0, kept), weight: weight.slice(0, kept) };
}

function cellsOfUsers(users: WorldUsers, tree: BucketTree, weights: BucketWeights): Uint32Array {
  let first = 0;
  const cellOf = weights.byEdge.map(({ bucket }) => {
    const byBucket = new Map<number, number>();
    for (const [i, b] of bucket.entries()) byBucket.set(b, first + i);
    first += bucket.length;
    return byBucket;
  });
  return Uint32Array.from(users.ids, (id, user) => cellOf[users.homeEdge[user]!]!.get(bucketOfUser(tree, id))!);
}
