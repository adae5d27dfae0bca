/** From one bucket tree to another of the same height without a jump: users pass one after the other, in the order of
 *  `bucketizer/tree-share.ts`, as many an epoch as the churn they cause allows.
 *
 *  A table maps buckets, and knows no trees; a user who passes keeps the table and changes bucket. Whom that sends to
 *  another datacenter is known exactly: those whose two buckets are on different ones at their edge. So a step is a cut,
 *  what it moves is counted before it is made, and the rest of the epoch's `churnMax` is the plan's. Until the last user
 *  has passed, a bucket's weight is that of the users who are in it.
 *  Declined: tables with both trees' buckets in them, told apart by the cookie (twice the bytes at every edge, and cookies
 *  that outlive the switch would mean the wrong tree); passing whole buckets at a time (a bucket of one tree has users of
 *  half the buckets of the other, and moves them all at once). See docs/decisions/0012. */

import { strict as assert } from 'node:assert';
import type { BucketTree } from '../../bucketizer/tree.ts';
import { fullCut, treeRank } from '../../bucketizer/tree-share.ts';
import type { Topology } from '../../config/topology.ts';
import type { WorldUsers } from '../../config/world.ts';
import {
  type BucketWeights,
  bucketOfUser,
  bucketWeights,
  denseOf,
  fixedPoint,
  weightsOfSums,
} from './bucket-weights.ts';
import type { RoutingTable } from './routing-table.ts';

export type TreeDirection = 'on' | 'back';

/** What one epoch does. */
export interface TreeStep {
  readonly cut: number; // after it
  readonly users: number; // whose bucket changes
  readonly churn: number; // share of the service's demand that changes datacenter by it, under the table before
}

/** `edge` is `everywhere` for users of whom only the tree knows: they count at each edge that nobody is known to live at. */
interface Mover {
  readonly rank: number;
  readonly edge: number;
  readonly before: number; // bucket in the old tree
  readonly after: number; // in the new one
  readonly share: number; // of the edge's users' weight
  readonly isCounted: boolean; // once a user
}

const everywhere = -1;

export class TreeMove {
  readonly from: BucketTree;
  readonly to: BucketTree;
  readonly #topology: Topology;
  readonly #users: WorldUsers;
  readonly #movers: readonly Mover[]; // by rank
  readonly #unpeopled: readonly number[]; // edges where nobody is known to live

  /** Both trees are of the same height. */
  constructor(topology: Topology, from: BucketTree, to: BucketTree, users: WorldUsers) {
    assert.equal(from.height, to.height, 'trees of different heights have different buckets');
    this.from = from;
    this.to = to;
    this.#topology = topology;
    this.#users = users;
    const edgeWeight = new Float64Array(topology.edges.length);
    for (const [user, edge] of users.homeEdge.entries()) edgeWeight[edge]! += fixedPoint(users.weight[user]!);
    this.#unpeopled = [...edgeWeight.keys()].filter((e) => edgeWeight[e] === 0);
    const movers: Mover[] = [];
    const add = (id: string, edge: number, share: number, isCounted: boolean): void => {
      const [before, after] = [bucketOfUser(from, id), bucketOfUser(to, id)];
      if (before !== after) movers.push({ rank: treeRank(id), edge, before, after, share, isCounted });
    };
    users.ids.forEach((id, user) => {
      const edge = users.homeEdge[user]!;
      add(id, edge, fixedPoint(users.weight[user]!) / edgeWeight[edge]!, true);
    });
    const residents = new Set(users.ids);
    for (const { id, weight } of this.#strangers()) add(id, everywhere, weight, !residents.has(id));
    // Stable: of users with one rank, who pass together, the order means nothing but the order of a sum.
    this.#movers = movers.sort((a, b) => a.rank - b.rank);
  }

  /** The tree whose ties say who belongs together: that of most users. */
  treeAt(cut: number): BucketTree {
    return cut * 2 < fullCut ? this.from : this.to;
  }

  bucketAt(user: string, cut: number): number {
    return bucketOfUser(treeRank(user) < cut ? this.to : this.from, user);
  }

  /** As `bucketWeights`, with each user in the bucket of the tree they go by. */
  weightsAt(cut: number): BucketWeights {
    if (cut === 0) return bucketWeights(this.#topology, this.from, this.#users);
    if (cut === fullCut) return bucketWeights(this.#topology, this.to, this.#users);
    const buckets = 1 << this.from.height;
    const { ids, homeEdge, weight } = this.#users;
    const sums = this.#topology.edges.map(() => new Float64Array(buckets));
    ids.forEach((id, user) => {
      sums[homeEdge[user]!]![this.bucketAt(id, cut)]! += fixedPoint(weight[user]!);
    });
    const strangers = new Float64Array(buckets);
    for (const user of this.#strangers()) {
      strangers[this.bucketAt(user.id, cut)]! += user.weight;
    }
    return weightsOfSums(sums, strangers);
  }

  /** Users whose bucket is another one with everybody below `cut` passed; of `fullCut`, in all. */
  movedUsers(cut: number): number {
    return this.#movers.filter(({ rank, isCounted }) => isCounted && rank < cut).length;
  }

  /** Share of the service's demand that would change datacenter, were everybody between the cuts to pass now. */
  churnBetween(low: number, high: number, table: RoutingTable, edgeLoad: Float64Array): number {
    return this.#movers.reduce(
      (sum, mover) => sum + (mover.rank >= low && mover.rank < high ? this.#churnOf(mover, table, edgeLoad) : 0),
      0,
    );
  }

  /** [edge] what is known of each bucket, once those between the two cuts have passed: they take along of the bucket they
   *  leave as much as they are of its users' weight. `weights`: as they are at `cut`. Null: nothing is known of the edge. */
  passed(
    known: readonly (Float64Array | null)[],
    weights: BucketWeights,
    cut: number,
    next: number,
  ): (Float64Array | null)[] {
    const after = known.map((byBucket) => byBucket?.slice() ?? null);
    const share = weights.byEdge.map((cells, e) => (known[e] ? denseOf(cells, 1 << this.from.height) : null));
    const [low, high] = cut < next ? [cut, next] : [next, cut];
    for (let i = this.#below(low); i < this.#below(high); i++) {
      const mover = this.#movers[i]!;
      const [left, entered] = cut < next ? [mover.before, mover.after] : [mover.after, mover.before];
      for (const e of mover.edge === everywhere ? this.#unpeopled : [mover.edge]) {
        if (!known[e]) continue;
        const taken = known[e][left]! * Math.min(1, mover.share / share[e]![left]!);
        after[e]![left]! -= taken;
        after[e]![entered]! += taken;
      }
    }
    // Of a bucket that everybody has left, sums of shares may leave a hair less than nothing.
    return after.map((byBucket) => byBucket?.map((value) => Math.max(0, value)) ?? null);
  }

  /** As far as `churnMax` of the service's demand goes, and by one user at least, so that it ends. `edgeLoad`: [edge]
   *  share of the service's demand that changes target where all of the edge's buckets do. */
  step(cut: number, direction: TreeDirection, table: RoutingTable, edgeLoad: Float64Array, churnMax: number): TreeStep {
    const [ahead, by] = direction === 'on' ? [this.#below(cut), 1] : [this.#below(cut) - 1, -1];
    let churn = 0;
    let users = 0;
    for (let i = ahead; i >= 0 && i < this.#movers.length; ) {
      const { rank } = this.#movers[i]!;
      let more = 0;
      let passing = 0;
      let end = i;
      for (; this.#movers[end]?.rank === rank; end += by) {
        more += this.#churnOf(this.#movers[end]!, table, edgeLoad);
        if (this.#movers[end]!.isCounted) passing += 1;
      }
      if (churn + more > churnMax && i !== ahead) return { cut: direction === 'on' ? rank : rank + 1, users, churn };
      churn += more;
      users += passing;
      i = end;
    }
    return { cut: direction === 'on' ? fullCut : 0, users, churn };
  }

  /** How many movers' ranks are below the cut. */
  #below(cut: number): number {
    let low = 0;
    let high = this.#movers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#movers[middle]!.rank < cut) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Who may be at the edges where nobody is known to live. */
  #strangers(): readonly { readonly id: string; readonly weight: number }[] {
    return this.#unpeopled.length > 0 ? treeUsers(this.from) : [];
  }

  #churnOf({ edge, before, after, share }: Mover, table: RoutingTable, edgeLoad: Float64Array): number {
    const at = (e: number): number => {
      const assignment = table.byEdge[e]!;
      return assignment[before] === assignment[after] ? 0 : edgeLoad[e]! * share;
    };
    return edge === everywhere ? this.#unpeopled.reduce((sum, e) => sum + at(e), 0) : at(edge);
  }
}

/** The tree tells weights of buckets only: users of one bucket count alike. */
function treeUsers(tree: BucketTree): readonly { readonly id: string; readonly weight: number }[] {
  const count = new Float64Array(tree.bucketWeight.length);
  for (const bucket of tree.bucketOfUser) count[bucket]! += 1;
  const all = tree.bucketWeight.reduce((a, b) => a + b, 0);
  return tree.users.map((id, user) => {
    const bucket = tree.bucketOfUser[user]!;
    return { id, weight: all > 0 ? tree.bucketWeight[bucket]! / count[bucket]! / all : 1 / tree.users.length };
  });
}
