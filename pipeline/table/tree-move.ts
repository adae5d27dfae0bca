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
import { unknownUserBucket } from '../../bucketizer/unknown-user.ts';
import { atOnce, type Steps } from '../../config/steps.ts';
import type { Topology } from '../../config/topology.ts';
import type { WorldUsers } from '../../config/world.ts';
import { type BucketWeights, bucketOfUser, denseOf, fixedPoint, placeOfUser, weightsOfSums } from './bucket-weights.ts';
import type { RoutingTable } from './routing-table.ts';

export type TreeDirection = 'on' | 'back';

/** What one epoch does. */
export interface TreeStep {
  readonly cut: number; // after it
  readonly users: number; // whose bucket changes
  readonly churn: number; // share of the service's demand that changes datacenter by it, under the table before
}

/** Where people are in either tree, and when they pass. */
interface People {
  readonly rank: Uint32Array; // [person]
  readonly before: Uint16Array; // [person] bucket in the old tree
  readonly after: Uint16Array; // [person] in the new one
}

/** Everybody who may pass, looked up in both trees: most of the work of a move. */
export interface Passengers {
  readonly residents: People; // [user of the world]
  readonly strangers: Strangers | null; // whom only the tree knows; null: somebody is known to live at every edge
  readonly unknown: number; // residents whom the new tree does not know
}

interface Strangers extends People {
  readonly weight: Float64Array; // [person] share of all
  readonly isResident: Uint8Array; // [person] of some edge, and counted there
}

/** Those whose bucket changes. `edge` is `everywhere` for users of whom only the tree knows: they count at each edge that
 *  nobody is known to live at. */
interface Movers extends People {
  readonly edge: Int32Array; // [mover] by rank, like all of them
  readonly share: Float64Array; // [mover] of the edge's users' weight
  readonly countedBefore: Uint32Array; // [mover + 1] users among those before it, each counted once
}

const everywhere = -1;
const peopleAStep = 4096;

/** Both trees are of the same height. */
export function* boarding(topology: Topology, from: BucketTree, to: BucketTree, users: WorldUsers): Steps<Passengers> {
  assert.equal(from.height, to.height, 'trees of different heights have different buckets');
  const { people: residents, unknown } = yield* lookedUp(from, to, users.ids);
  if (unpeopledOf(topology, users).length === 0) return { residents, strangers: null, unknown };
  const { people } = yield* lookedUp(from, to, from.users);
  const ids = new Set(users.ids);
  const isResident = Uint8Array.from(from.users, (id) => (ids.has(id) ? 1 : 0));
  return { residents, strangers: { ...people, weight: treeWeights(from), isResident }, unknown };
}

function* lookedUp(
  from: BucketTree,
  to: BucketTree,
  ids: readonly string[],
): Steps<{ readonly people: People; readonly unknown: number }> {
  const rank = new Uint32Array(ids.length);
  const [before, after] = [new Uint16Array(ids.length), new Uint16Array(ids.length)];
  let unknown = 0;
  for (const [person, id] of ids.entries()) {
    rank[person] = treeRank(id);
    before[person] = bucketOfUser(from, id);
    const place = placeOfUser(to, id);
    after[person] = place < 0 ? unknownUserBucket(id, to.height) : to.bucketOfUser[place]!;
    if (place < 0) unknown += 1;
    if (person % peopleAStep === 0) yield;
  }
  return { people: { rank, before, after }, unknown };
}

export class TreeMove {
  readonly from: BucketTree;
  readonly to: BucketTree;
  readonly #topology: Topology;
  readonly #users: WorldUsers;
  readonly #passengers: Passengers;
  readonly #movers: Movers;
  readonly #unpeopled: readonly number[]; // edges where nobody is known to live

  constructor(
    topology: Topology,
    from: BucketTree,
    to: BucketTree,
    users: WorldUsers,
    passengers: Passengers = atOnce(boarding(topology, from, to, users)),
  ) {
    this.from = from;
    this.to = to;
    this.#topology = topology;
    this.#users = users;
    this.#passengers = passengers;
    this.#unpeopled = unpeopledOf(topology, users);
    this.#movers = moversOf(topology, users, passengers);
  }

  /** Users of the world whom the new tree does not know. */
  get unknown(): number {
    return this.#passengers.unknown;
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
    const buckets = 1 << this.from.height;
    const { homeEdge, weight } = this.#users;
    const { residents, strangers } = this.#passengers;
    const sums = this.#topology.edges.map(() => new Float64Array(buckets));
    for (let user = 0; user < weight.length; user++) {
      sums[homeEdge[user]!]![bucketBetween(residents, user, cut)]! += fixedPoint(weight[user]!);
    }
    if (cut === 0) return weightsOfSums(sums, this.from.bucketWeight);
    if (cut === fullCut) return weightsOfSums(sums, this.to.bucketWeight);
    const elsewhere = new Float64Array(buckets);
    strangers?.weight.forEach((share, person) => {
      elsewhere[bucketBetween(strangers, person, cut)]! += share;
    });
    return weightsOfSums(sums, elsewhere);
  }

  /** Users whose bucket is another one with everybody below `cut` passed; of `fullCut`, in all. */
  movedUsers(cut: number): number {
    return this.#movers.countedBefore[this.#below(cut)]!;
  }

  /** Share of the service's demand that would change datacenter, were everybody between the cuts to pass now. */
  churnBetween(low: number, high: number, table: RoutingTable, edgeLoad: Float64Array): number {
    let churn = 0;
    for (let i = this.#below(low); i < this.#below(high); i++) churn += this.#churnOf(i, table, edgeLoad);
    return churn;
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
    const { edge, share: own, ...movers } = this.#movers;
    const [low, high] = cut < next ? [cut, next] : [next, cut];
    const [lefts, entereds] = cut < next ? [movers.before, movers.after] : [movers.after, movers.before];
    for (let i = this.#below(low); i < this.#below(high); i++) {
      const [left, entered] = [lefts[i]!, entereds[i]!];
      for (const e of edge[i] === everywhere ? this.#unpeopled : [edge[i]!]) {
        if (!known[e]) continue;
        const taken = known[e][left]! * Math.min(1, own[i]! / share[e]![left]!);
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
    const { rank, countedBefore } = this.#movers;
    const [ahead, by] = direction === 'on' ? [this.#below(cut), 1] : [this.#below(cut) - 1, -1];
    let churn = 0;
    let users = 0;
    for (let i = ahead; i >= 0 && i < rank.length; ) {
      const together = rank[i]!;
      let more = 0;
      let passing = 0;
      let end = i;
      for (; rank[end] === together; end += by) {
        more += this.#churnOf(end, table, edgeLoad);
        passing += countedBefore[end + 1]! - countedBefore[end]!;
      }
      if (churn + more > churnMax && i !== ahead) {
        return { cut: direction === 'on' ? together : together + 1, users, churn };
      }
      churn += more;
      users += passing;
      i = end;
    }
    return { cut: direction === 'on' ? fullCut : 0, users, churn };
  }

  /** How many movers' ranks are below the cut. */
  #below(cut: number): number {
    const { rank } = this.#movers;
    let low = 0;
    let high = rank.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (rank[middle]! < cut) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #churnOf(i: number, table: RoutingTable, edgeLoad: Float64Array): number {
    const { edge, before, after, share } = this.#movers;
    const at = (e: number): number => {
      const assignment = table.byEdge[e]!;
      return assignment[before[i]!] === assignment[after[i]!] ? 0 : edgeLoad[e]! * share[i]!;
    };
    return edge[i] === everywhere ? this.#unpeopled.reduce((sum, e) => sum + at(e), 0) : at(edge[i]!);
  }
}

/** The bucket of who goes by the new tree where they are below the cut. */
function bucketBetween({ rank, before, after }: People, person: number, cut: number): number {
  return rank[person]! < cut ? after[person]! : before[person]!;
}

function moversOf(topology: Topology, users: WorldUsers, { residents, strangers }: Passengers): Movers {
  const edgeWeight = edgeWeightsOf(topology, users);
  const crowd = residents.rank.length; // strangers are numbered after residents
  const passing: number[] = [];
  const passingOf = ({ before, after }: People, first: number): void => {
    for (let at = 0; at < before.length; at++) if (before[at] !== after[at]) passing.push(first + at);
  };
  passingOf(residents, 0);
  if (strangers) passingOf(strangers, crowd);
  const ranks = Uint32Array.from(passing, (person) =>
    person < crowd ? residents.rank[person]! : strangers!.rank[person - crowd]!,
  );
  // Stable: of people with one rank, who pass together, the order means nothing but the order of a sum.
  const order = byRank(ranks);
  const count = order.length;
  const [rank, edge] = [new Uint32Array(count), new Int32Array(count)];
  const [before, after] = [new Uint16Array(count), new Uint16Array(count)];
  const [share, countedBefore] = [new Float64Array(count), new Uint32Array(count + 1)];
  order.forEach((mover, i) => {
    const person = passing[mover]!;
    const isResident = person < crowd;
    const [people, at] = isResident ? [residents, person] : [strangers!, person - crowd];
    const home = isResident ? users.homeEdge[at]! : everywhere;
    rank[i] = people.rank[at]!;
    edge[i] = home;
    before[i] = people.before[at]!;
    after[i] = people.after[at]!;
    share[i] = isResident ? fixedPoint(users.weight[at]!) / edgeWeight[home]! : strangers!.weight[at]!;
    countedBefore[i + 1] = countedBefore[i]! + (isResident || strangers!.isResident[at] === 0 ? 1 : 0);
  });
  return { rank, edge, before, after, share, countedBefore };
}

/** Indices in the order of ranks; stable, in two passes over halves of a rank: a comparison sort of a million takes longer
 *  than all the rest. */
function byRank(ranks: Uint32Array): Uint32Array {
  let sorted = Uint32Array.from(ranks.keys());
  for (const shift of [0, 16]) {
    const start = new Uint32Array(0x10000 + 1);
    for (const rank of ranks) start[((rank >>> shift) & 0xffff) + 1]! += 1;
    for (let digit = 0; digit < 0x10000; digit++) start[digit + 1]! += start[digit]!;
    const next = new Uint32Array(sorted.length);
    for (const i of sorted) next[start[(ranks[i]! >>> shift) & 0xffff]!++] = i;
    sorted = next;
  }
  return sorted;
}

/** [edge] weight of its users. */
function edgeWeightsOf({ edges }: Topology, { homeEdge, weight }: WorldUsers): Float64Array {
  const sums = new Float64Array(edges.length);
  for (let user = 0; user < weight.length; user++) sums[homeEdge[user]!]! += fixedPoint(weight[user]!);
  return sums;
}

function unpeopledOf(topology: Topology, users: WorldUsers): readonly number[] {
  const sums = edgeWeightsOf(topology, users);
  return [...sums.keys()].filter((e) => sums[e] === 0);
}

/** [user] The tree tells weights of buckets only: users of one bucket count alike. */
function treeWeights(tree: BucketTree): Float64Array {
  const count = new Float64Array(tree.bucketWeight.length);
  for (const bucket of tree.bucketOfUser) count[bucket]! += 1;
  const all = tree.bucketWeight.reduce((a, b) => a + b, 0);
  return Float64Array.from(tree.users, (_, user) => {
    const bucket = tree.bucketOfUser[user]!;
    return all > 0 ? tree.bucketWeight[bucket]! / count[bucket]! / all : 1 / tree.users.length;
  });
}
