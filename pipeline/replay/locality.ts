/** What a table does to friends and segments. Two of the measures are brought up to date from one table to the next by the
 *  edges that changed, for a week has two thousand tables. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { World } from '../../config/world.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import { type BucketWeights, bucketOfUser } from '../table/bucket-weights.ts';
import type { RoutingTable } from '../table/routing-table.ts';

/** Share of ties whose two users are routed to the same datacenter, each at the edge where they live. */
export class ConnectionLocality {
  readonly #ties: number;
  readonly #inOneCell: number; // ties whose users share edge and bucket are always together
  readonly #cellA: Uint32Array; // [tie that can part] edge << height | bucket
  readonly #cellB: Uint32Array;
  readonly #height: number;
  readonly #targetOfCell: Uint8Array; // the last table, edge after edge
  readonly #known: (Uint8Array | undefined)[] = []; // [edge] the row it holds

  /** `bucketOf`: where users are, while not all go by `tree`. */
  constructor(world: World, tree: BucketTree, bucketOf = (user: string): number => bucketOfUser(tree, user)) {
    const { users, friends, topology } = world;
    const cellOf = users.ids.map((id, user) => (users.homeEdge[user]! << tree.height) | bucketOf(id));
    const parting: number[] = [];
    for (let i = 0; i < friends.length; i += 2) {
      if (cellOf[friends[i]!] !== cellOf[friends[i + 1]!]) parting.push(i);
    }
    this.#ties = friends.length / 2;
    this.#inOneCell = this.#ties - parting.length;
    this.#cellA = Uint32Array.from(parting, (i) => cellOf[friends[i]!]!);
    this.#cellB = Uint32Array.from(parting, (i) => cellOf[friends[i + 1]!]!);
    this.#height = tree.height;
    this.#targetOfCell = new Uint8Array(topology.edges.length << tree.height);
  }

  /** 1 where there are no ties. */
  of(table: RoutingTable): number {
    if (this.#ties === 0) return 1;
    table.byEdge.forEach((row, e) => {
      if (this.#known[e] !== row) this.#targetOfCell.set(row, e << this.#height);
      this.#known[e] = row;
    });
    const target = this.#targetOfCell;
    let together = this.#inOneCell;
    for (let i = 0; i < this.#cellA.length; i++) {
      if (target[this.#cellA[i]!] === target[this.#cellB[i]!]) together += 1;
    }
    return together / this.#ties;
  }
}

/** Share of ties whose two users could be routed to the same datacenter, were the right buckets of their edges there: over
 *  ties the sum over datacenters of the smaller of their edges' served fractions. Those inside one edge count in full. About as
 *  much as the choice of buckets can make of `ConnectionLocality`. */
export class TiesCanMeet {
  readonly #inOneEdge: number; // share of all ties
  readonly #pairs: readonly { readonly e: number; readonly f: number; readonly share: number }[];

  constructor({ users, friends, topology }: World) {
    const edges = topology.edges.length;
    const ties = new Float64Array(edges * edges);
    let inOneEdge = 0;
    for (let i = 0; i < friends.length; i += 2) {
      const [a, b] = [users.homeEdge[friends[i]!]!, users.homeEdge[friends[i + 1]!]!];
      if (a === b) inOneEdge += 1;
      else ties[Math.min(a, b) * edges + Math.max(a, b)]! += 1;
    }
    const all = friends.length / 2;
    this.#inOneEdge = all === 0 ? 1 : inOneEdge / all;
    this.#pairs = [...ties].flatMap((count, i) =>
      count === 0 ? [] : [{ e: Math.floor(i / edges), f: i % edges, share: count / all }],
    );
  }

  /** 1 where there are no ties. */
  of(served: FractionMatrix, datacenters: number): number {
    let sum = this.#inOneEdge;
    for (const { e, f, share } of this.#pairs) {
      let both = 0;
      for (let d = 0; d < datacenters; d++)
        both += Math.min(served[e * datacenters + d]!, served[f * datacenters + d]!);
      sum += share * both;
    }
    return sum;
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
