/** The multilevel searches by name: in JavaScript, or compiled to WebAssembly (`io/compiled-searches.ts`). Whichever is used,
 *  the result is the same to the byte. */

import { seededRandom } from '../config/random.ts';
import { longestFirst } from './balance.ts';
import { bisect, patienceAt } from './multilevel/bisect.ts';
import type { BisectEffort } from './multilevel/effort.ts';
import { BisectionSearch } from './multilevel/fm.ts';
import type { Graph } from './multilevel/graph.ts';
import { Scratch } from './multilevel/memory.ts';
import { refineTree } from './multilevel/refine.ts';
import { heavierSide } from './multilevel/sides.ts';
import { swapUsers } from './multilevel/swap.ts';
import type { TreeBounds } from './multilevel/tree-room.ts';

/** `chance`: the name that chance is drawn from. */
export interface Searches {
  /** A side (0 or 1) for every node, of which neither weighs more than `cap` where the search manages that. */
  bisect(graph: Graph, cap: number, effort: BisectEffort, chance: string): Uint8Array;
  /** Move users between leaves (`leafOf`, in place), one by one. */
  refine(graph: Graph, leafOf: Uint32Array, bounds: TreeBounds, rounds: number, chance: string): void;
  /** The same, two at a time. */
  swap(graph: Graph, leafOf: Uint32Array, bounds: TreeBounds, rounds: number, chance: string): void;
}

/** In JavaScript: for graphs of any size. */
export function plainSearches(): Searches {
  const scratch = new Scratch();
  return {
    bisect: (graph, cap, effort, chance) => bisect(graph, cap, effort, seededRandom(chance), scratch),
    refine: (graph, leafOf, bounds, rounds, chance) => refineTree(graph, leafOf, bounds, rounds, seededRandom(chance)),
    swap: (graph, leafOf, bounds, rounds, chance) => swapUsers(graph, leafOf, bounds, rounds, seededRandom(chance)),
  };
}

/** Neither side weighs more than `cap` if the search or `longestFirst` manages that. */
export function bisectBalanced(
  graph: Graph,
  cap: number,
  effort: BisectEffort,
  chance: string,
  searches: Searches = plainSearches(),
): Uint8Array {
  const side = searches.bisect(graph, cap, effort, chance);
  if (heavierSide(graph, side) <= cap) return side;
  const balanced = longestFirst(graph); // few heavy users: what the search cannot balance, this can
  new BisectionSearch(graph, cap).improve(balanced, effort.passes, patienceAt(graph.nodeCount));
  return balanced;
}
