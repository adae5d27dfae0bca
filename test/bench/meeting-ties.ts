/** Where the ties that do meet are: inside an edge or between edges, and how many would if buckets were chosen anew for the
 *  same fractions. Says what of a fall is the fractions' doing, and what that of the tables before. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { World } from '../../config/world.ts';
import { assign } from '../../pipeline/table/assign.ts';
import { type BucketWeights, bucketOfUser } from '../../pipeline/table/bucket-weights.ts';
import { type RoutingTable, servedFractions } from '../../pipeline/table/routing-table.ts';

/** Means over the tables that were looked at. */
export interface MeetingParts {
  readonly insideShare: number; // of all ties: those of two users of one edge
  readonly inside: number; // of those, the share that meets
  readonly between: number; // of the others
  readonly anew: number; // of all, by a table begun anew from the same fractions
  readonly datacentersAnEdge: number; // as many as even shares would be
}

export class MeetingTies {
  readonly #world: World;
  readonly #tree: BucketTree;
  readonly #weights: BucketWeights;
  readonly #bucket: Uint16Array; // [user]
  readonly #sum = { insideShare: 0, inside: 0, between: 0, anew: 0, datacentersAnEdge: 0 };
  #tables = 0;

  constructor(world: World, tree: BucketTree, weights: BucketWeights) {
    this.#world = world;
    this.#tree = tree;
    this.#weights = weights;
    this.#bucket = Uint16Array.from(world.users.ids, (id) => bucketOfUser(tree, id));
  }

  look(table: RoutingTable, demandRps: Float64Array, segmentLevel: number): void {
    const { targets, edges } = table;
    const wanted = servedFractions(table, this.#weights);
    const total = demandRps.reduce((a, b) => a + b, 0);
    const anew = assign('friends', {
      tree: this.#tree,
      weights: this.#weights,
      edgeLoad: demandRps.map((rps) => rps / total),
      wanted,
      ceilings: new Float64Array(wanted.length).fill(1),
      previous: null,
      targets,
      edges,
      segmentLevel,
    }).table;
    const now = this.#shares(table);
    this.#sum.insideShare += now.insideShare;
    this.#sum.inside += now.inside;
    this.#sum.between += now.between;
    this.#sum.anew += this.#shares(anew).all;
    this.#sum.datacentersAnEdge += evenShares(wanted, targets.length);
    this.#tables += 1;
  }

  get parts(): MeetingParts {
    const mean = (sum: number): number => sum / this.#tables;
    const { insideShare, inside, between, anew, datacentersAnEdge } = this.#sum;
    return {
      insideShare: mean(insideShare),
      inside: mean(inside),
      between: mean(between),
      anew: mean(anew),
      datacentersAnEdge: mean(datacentersAnEdge),
    };
  }

  #shares({ byEdge }: RoutingTable): { insideShare: number; inside: number; between: number; all: number } {
    const { users, friends } = this.#world;
    const ties = [0, 0]; // between edges, inside one
    const meet = [0, 0];
    for (let i = 0; i < friends.length; i += 2) {
      const [a, b] = [friends[i]!, friends[i + 1]!];
      const [e, f] = [users.homeEdge[a]!, users.homeEdge[b]!];
      const where = e === f ? 1 : 0;
      ties[where]! += 1;
      if (byEdge[e]![this.#bucket[a]!] === byEdge[f]![this.#bucket[b]!]) meet[where]! += 1;
    }
    const [between, inside] = ties as [number, number];
    const all = between + inside;
    return {
      insideShare: inside / all,
      inside: meet[1]! / inside,
      between: meet[0]! / between,
      all: (meet[0]! + meet[1]!) / all,
    };
  }
}

/** Mean over edges of one over the sum of squared shares. */
function evenShares(fractions: Float64Array, width: number): number {
  const edges = fractions.length / width;
  let sum = 0;
  for (let e = 0; e < edges; e++) {
    sum += 1 / fractions.subarray(e * width, (e + 1) * width).reduce((squares, share) => squares + share * share, 0);
  }
  return sum / edges;
}
