/** One balanced bisection, by whichever build of the multilevel search is given (`multilevel/bisect.ts`). */

import { seededRandom } from '../config/random.ts';
import { longestFirst } from './balance.ts';
import { bisect, patienceAt } from './multilevel/bisect.ts';
import type { BisectEffort } from './multilevel/effort.ts';
import { BisectionSearch } from './multilevel/fm.ts';
import type { Graph } from './multilevel/graph.ts';
import { Scratch } from './multilevel/memory.ts';
import { heavierSide } from './multilevel/sides.ts';

/** A side (0 or 1) for every node, of which neither weighs more than `cap` where the search manages that. `chance`: name
 *  that chance is drawn from. All bisectors give the same sides. */
export type Bisector = (graph: Graph, cap: number, effort: BisectEffort, chance: string) => Uint8Array;

/** The search in JavaScript: for graphs of any size. */
export function plainBisector(): Bisector {
  const scratch = new Scratch();
  return (graph, cap, effort, chance) => bisect(graph, cap, effort, seededRandom(chance), scratch);
}

/** Neither side weighs more than `cap` if the search or `longestFirst` manages that. */
export function bisectBalanced(
  graph: Graph,
  cap: number,
  effort: BisectEffort,
  chance: string,
  bisector: Bisector = plainBisector(),
): Uint8Array {
  const side = bisector(graph, cap, effort, chance);
  if (heavierSide(graph, side) <= cap) return side;
  const balanced = longestFirst(graph); // few heavy users: what the search cannot balance, this can
  new BisectionSearch(graph, cap).improve(balanced, effort.passes, patienceAt(graph.nodeCount));
  return balanced;
}
