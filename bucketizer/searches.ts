/** The multilevel searches by name: in JavaScript, or compiled to WebAssembly (`io/compiled-searches.ts`). Whichever is used,
 *  the result is the same to the byte. */

import { seededRandom } from '../config/random.ts';
import { bisectAt, bisectRoot, type DescentPlan, descend, nodesOf, type RootBisection } from './multilevel/descend.ts';
import { improveByFewMoves } from './multilevel/few-moves.ts';
import type { Graph } from './multilevel/graph.ts';
import { type ListedRows, listedRows } from './multilevel/listed-rows.ts';
import { Scratch } from './multilevel/memory.ts';
import { refineTree } from './multilevel/refine.ts';
import { subgraph } from './multilevel/subgraph.ts';
import { swapUsers } from './multilevel/swap.ts';
import type { TreeBounds } from './multilevel/tree-room.ts';
import { type TreeTies, treeTies } from './multilevel/tree-ties.ts';

/** A place in the tree: leaves are the places of level `height`. */
export interface TreePlace {
  readonly level: number;
  readonly index: number; // 0 .. 2^level - 1, in tree order
}

export interface Searches {
  readonly descendedMax: number; // entries: parts with fewer go down to their leaves at once, which spares copies and tells no progress
  /** A side (0 or 1) for every node of the graph that lives under one tree node. */
  bisect(part: Graph, place: TreePlace, plan: DescentPlan): Uint8Array;
  bisectRoot(graph: Graph, plan: DescentPlan): RootBisection;
  /** A leaf for every node of it. */
  descend(part: Graph, place: TreePlace, plan: DescentPlan): Uint32Array;
  /** The graphs on either side of a bisection. */
  halves(part: Graph, side: Uint8Array): [Graph, Graph];
  /** Move users between leaves (`leafOf`, in place), one by one. `seed`: of 32 bits. */
  refine(graph: Graph, leafOf: Uint32Array, bounds: TreeBounds, rounds: number, seed: number): void;
  /** The same, two at a time. */
  swap(graph: Graph, leafOf: Uint32Array, bounds: TreeBounds, rounds: number, seed: number): void;
  /** Move as few of them as they can from where they lived before. */
  improve(graph: Graph, leafOf: Uint32Array, bounds: TreeBounds, before: Before, seed: number): void;
  /** Of a graph from a list of ties; `multilevel/listed-rows.ts`. */
  rows(
    ties: Uint32Array,
    weights: Float64Array | null,
    nodeCount: number,
    directed: boolean,
    place: Uint32Array | null,
  ): ListedRows;
  /** What is said of the tree in the end. */
  measure(graph: Graph, leafOf: Uint32Array, height: number): TreeTies;
}

/** Where users lived, and how many of them, by number and weight, may be elsewhere. */
export interface Before {
  readonly leaf: Int32Array; // [node] -1: nowhere
  readonly usersMax: number;
  readonly weightMax: number;
}

const descendedMaxPlain = 1 << 16;

/** In JavaScript: for graphs of any size. */
export function plainSearches(): Searches {
  const scratch = new Scratch();
  return {
    descendedMax: descendedMaxPlain,
    bisect: (part, { level, index }, plan) => bisectAt(part, level, index, plan, scratch),
    bisectRoot: (graph, plan) => bisectRoot(graph, plan, scratch),
    descend: (part, { level, index }, plan) => descend(part, level, index, plan, scratch),
    halves: halvesOf,
    refine: (graph, leafOf, bounds, rounds, seed) => refineTree(graph, leafOf, bounds, rounds, seededRandom(seed)),
    swap: (graph, leafOf, bounds, rounds, seed) => swapUsers(graph, leafOf, bounds, rounds, seededRandom(seed)),
    improve: (graph, leafOf, bounds, { leaf, usersMax, weightMax }, seed) =>
      improveByFewMoves(graph, leafOf, bounds, leaf, usersMax, weightMax, seededRandom(seed)),
    rows: listedRows,
    measure: treeTies,
  };
}

/** In JavaScript, as large graphs need it: WebAssembly would hold the part and its halves once more. */
export function halvesOf(part: Graph, side: Uint8Array): [Graph, Graph] {
  const renumber = new Int32Array(part.nodeCount);
  return [subgraph(part, nodesOf(side, 0), renumber), subgraph(part, nodesOf(side, 1), renumber)];
}
