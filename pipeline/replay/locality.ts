/** What a table does to friends and segments. Both measures are brought up to date from one table to the next by the
 *  edges that changed, for a week has two thousand tables. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { World } from '../../config/world.ts';
import { type BucketWeights, bucketOfUser } from '../table/bucket-weights.ts';
import type { RoutingTable } from '../table/routing-table.ts';

/** Share of ties whose two users are routed to the same datacenter, each at the edge where they live. */
export class ConnectionLocality {
  readonly #ties: number;
  readonly #inOneCell: number; // ties whose users share edge and bucket are always together
  readonly #edgeA: Uint16Array;
  readonly #bucketA: Uint16Array;
  readonly #edgeB: Uint16Array;
  readonly #bucketB: Uint16Array;

  constructor(world: World, tree: BucketTree) {
    const { users, friends } = world;
    const bucketOf = users.ids.map((id) => bucketOfUser(tree, id));
    const apart: number[] = [];
    for (let i = 0; i < friends.length; i += 2) {
      const a = friends[i]!;
      const b = friends[i + 1]!;
      if (users.homeEdge[a] !== users.homeEdge[b] || bucketOf[a] !== bucketOf[b]) apart.push(a, b);
    }
    const pick = (from: ArrayLike<number>, side: 0 | 1): Uint16Array =>
      Uint16Array.from({ length: apart.length / 2 }, (_, i) => from[apart[2 * i + side]!]!);
    this.#ties = friends.length / 2;
    this.#inOneCell = this.#ties - apart.length / 2;
    this.#edgeA = pick(users.homeEdge, 0);
    this.#bucketA = pick(bucketOf, 0);
    this.#edgeB = pick(users.homeEdge, 1);
    this.#bucketB = pick(bucketOf, 1);
  }

  /** 1 where there are no ties. */
  of(table: RoutingTable): number {
    if (this.#ties === 0) return 1;
    let together = this.#inOneCell;
    for (let i = 0; i < this.#edgeA.length; i++) {
      const a = table.byEdge[this.#edgeA[i]!]![this.#bucketA[i]!];
      if (a === table.byEdge[this.#edgeB[i]!]![this.#bucketB[i]!]) together += 1;
    }
    return together / this.#ties;
  }
}

/** Share of segments with demand at an edge that have one datacenter there, demand-weighted over edges. */
export class SegmentsWhole {
  readonly #weights: BucketWeights;
  readonly #shift: number;
  readonly #known: { assignment: Uint8Array; share: number }[] = [];

  constructor(weights: BucketWeights, height: number, segmentLevel: number) {
    this.#weights = weights;
    this.#shift = Math.max(0, height - segmentLevel);
  }

  of(table: RoutingTable, demandRps: Float64Array): number {
    let sum = 0;
    let total = 0;
    table.byEdge.forEach((assignment, e) => {
      const known = this.#known[e];
      const share = known?.assignment === assignment ? known.share : this.#shareAt(e, assignment);
      this.#known[e] = { assignment, share };
      sum += demandRps[e]! * share;
      total += demandRps[e]!;
    });
    return total > 0 ? sum / total : 1;
  }

  #shareAt(e: number, assignment: Uint8Array): number {
    const { bucket } = this.#weights.byEdge[e]!;
    let segments = 0;
    let split = 0;
    for (let i = 0; i < bucket.length; ) {
      const segment = bucket[i]! >>> this.#shift;
      const first = assignment[bucket[i]!];
      let whole = true;
      for (; i < bucket.length && bucket[i]! >>> this.#shift === segment; i++)
        whole &&= assignment[bucket[i]!] === first;
      segments += 1;
      if (!whole) split += 1;
    }
    return segments === 0 ? 1 : 1 - split / segments;
  }
}
