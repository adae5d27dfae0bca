/** The first tree: bisect all users, then each half, down to the leaves; parts that are no longer large all the way at once
 *  (`multilevel/descend.ts`). */

import { fanoutProbability, refineFanout } from './fanout.ts';
import { byWeightAlone, type DescentPlan, isScattered, nodesOf, pickNodes } from './multilevel/descend.ts';
import { everyNode, type Graph, sumOf } from './multilevel/graph.ts';
import { halfCap } from './multilevel/half.ts';
import { cutOf } from './multilevel/sides.ts';
import { subgraph } from './multilevel/subgraph.ts';
import { plainSearches, type Searches, type TreePlace } from './searches.ts';

/** What a bisection keeps low: the weight of ties cut, or the tree nodes that a user's request reaches (`fanout.ts`; of
 *  users and friends of one part, for the others are out of sight there). */
export type Objective = 'cut' | 'p-fanout';

export interface BisectionPlan extends DescentPlan {
  readonly objective: Objective;
}

/** Puts the users of `graph`, all of whom live under `place`, into leaves: returns [node of graph] = leaf.
 *  `onDescended(userLevels, level)` is told whenever users have come so many levels down, all of them together, by the
 *  bisection of a tree node of `level`: they add up to users x levels. */
export function bisectRecursively(
  graph: Graph,
  place: TreePlace,
  plan: BisectionPlan,
  onDescended: (userLevels: number, level: number) => void = () => {},
  searches: Searches = plainSearches(),
): Uint32Array {
  const leafOf = new Uint32Array(graph.nodeCount);
  const renumber = new Int32Array(graph.nodeCount);
  const into = (part: Graph, users: Uint32Array, { level, index }: TreePlace, plan: BisectionPlan): void => {
    if (level === plan.height || users.length <= 1 || isDescendedAtOnce(part, plan, searches)) {
      const leaves = searches.descend(part, { level, index }, plan);
      for (let v = 0; v < users.length; v++) leafOf[users[v]!] = leaves[v]!;
      if (level < plan.height) onDescended(users.length * (plan.height - level), level);
      return;
    }
    const { side, below } =
      level === 0
        ? bisectRoot(part, plan, searches)
        : { side: bisectPart(part, { level, index }, plan, searches), below: plan };
    onDescended(users.length, level);
    for (const s of [0, 1]) {
      const nodes = nodesOf(side, s);
      const half = level + 1 < plan.height ? subgraph(part, nodes, renumber) : part;
      into(half, pickNodes(users, nodes), { level: level + 1, index: 2 * index + s }, below);
    }
  };
  into(graph, everyNode(graph.nodeCount), place, plan);
  return leafOf;
}

function isDescendedAtOnce(part: Graph, { objective }: BisectionPlan, { descendedMax }: Searches): boolean {
  return objective === 'cut' && part.rowStart[part.nodeCount]! < descendedMax;
}

/** The bisection of the whole graph, and the plan as it suits what is below. */
export function bisectRoot(
  graph: Graph,
  plan: BisectionPlan,
  searches: Searches = plainSearches(),
): { side: Uint8Array; below: BisectionPlan } {
  const byWeight: BisectionPlan = { ...plan, effort: byWeightAlone(plan).effort };
  if (plan.objective === 'cut') {
    const { side, isByWeight } = searches.bisectRoot(graph, plan);
    return { side, below: isByWeight ? byWeight : plan };
  }
  // the searches' own choice is between sides that have yet to be refined: trees of scattered graphs lost .01 of locality by it
  const root = { level: 0, index: 0 };
  const side = bisectPart(graph, root, plan, searches);
  if (!isScattered(graph, side, plan)) return { side, below: plan };
  const other = bisectPart(graph, root, byWeight, searches);
  return cutOf(graph, other) < cutOf(graph, side) ? { side: other, below: byWeight } : { side, below: plan };
}

/** The bisection of one tree node. */
export function bisectPart(
  part: Graph,
  place: TreePlace,
  plan: BisectionPlan,
  searches: Searches = plainSearches(),
): Uint8Array {
  const side = searches.bisect(part, place, plan);
  if (plan.objective === 'p-fanout' && sumOf(part.nodeWeight) > 0) {
    refineFanout(part, side, fanoutProbability, halfCap(part, plan.height - place.level, plan.leafShare));
  }
  return side;
}
