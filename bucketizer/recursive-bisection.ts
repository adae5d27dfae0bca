/** The first tree: bisect all users, then each half, down to the leaves. Every tree node draws its own chance from the
 *  seed and its place, so subtrees may be worked off in any order, or at the same time, with the same result. */

import { halfCap } from './balance.ts';
import { fanoutProbability, refineFanout } from './fanout.ts';
import { subgraph } from './graph.ts';
import type { BisectEffort } from './multilevel/effort.ts';
import { everyNode, type Graph, sumOf } from './multilevel/graph.ts';
import { cutOf } from './multilevel/sides.ts';
import { bisectBalanced, plainSearches, type Searches } from './searches.ts';

/** A place in the tree: leaves are the places of level `height`. */
export interface TreePlace {
  readonly level: number;
  readonly index: number; // 0 .. 2^level - 1, in tree order
}

/** What a bisection keeps low: the weight of ties cut, or the tree nodes that a user's request reaches (`fanout.ts`; of
 *  users and friends of one part, for the others are out of sight there). */
export type Objective = 'cut' | 'p-fanout';

export interface BisectionPlan {
  readonly height: number;
  readonly leafShare: number; // total weight of all users / 2^height
  readonly seed: number;
  readonly effort: BisectEffort;
  readonly objective: Objective;
  readonly carefulLevels: number; // the first, whose bisections start more than once and go through `cycles` (a gain there is one for all below)
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
  const renumber = new Uint32Array(graph.nodeCount);
  const descend = (part: Graph, users: Uint32Array, { level, index }: TreePlace, plan: BisectionPlan): void => {
    if (level === plan.height || users.length <= 1) {
      putInto(index << (plan.height - level), users, leafOf);
      if (level < plan.height) onDescended(users.length * (plan.height - level), level);
      return;
    }
    const { side, below } =
      level === 0
        ? bisectRoot(part, plan, searches)
        : { side: bisectAt(part, { level, index }, plan, searches), below: plan };
    onDescended(users.length, level);
    for (const s of [0, 1]) {
      const nodes = nodesOf(side, s);
      const half = level + 1 < plan.height ? subgraph(part, nodes, renumber) : part;
      descend(half, usersAt(nodes, users), { level: level + 1, index: 2 * index + s }, below);
    }
  };
  descend(graph, everyNode(graph.nodeCount), place, plan);
  return leafOf;
}

function putInto(leaf: number, users: Uint32Array, leafOf: Uint32Array): void {
  for (let i = 0; i < users.length; i++) leafOf[users[i]!] = leaf;
}

function usersAt(nodes: Uint32Array, users: Uint32Array): Uint32Array {
  const them = new Uint32Array(nodes.length);
  for (let i = 0; i < nodes.length; i++) them[i] = users[nodes[i]!]!;
  return them;
}

/** Above this share of ties cut by the first bisection, users hang on popular ones rather than together. */
const scatteredCut = 0.2;

/** The bisection of the whole graph, and the plan as it suits what is below. Graphs where friends of friends are rarely
 *  friends want labels to follow popular users as far as parts are large (first level of an R-MAT graph: .96 of METIS's
 *  locality so, .91 by density). They show by a first bisection that cuts a lot; only then is the other rating tried. */
export function bisectRoot(
  graph: Graph,
  plan: BisectionPlan,
  searches: Searches = plainSearches(),
): { side: Uint8Array; below: BisectionPlan } {
  const root = { level: 0, index: 0 };
  const side = bisectAt(graph, root, plan, searches);
  const cut = cutOf(graph, side);
  if (plan.carefulLevels === 0 || cut <= scatteredCut * tieWeightOf(graph)) return { side, below: plan };
  const byWeight: BisectionPlan = { ...plan, effort: { ...plan.effort, byDensity: false } };
  const other = bisectAt(graph, root, byWeight, searches);
  return cutOf(graph, other) < cut ? { side: other, below: byWeight } : { side, below: plan };
}

function tieWeightOf(graph: Graph): number {
  let sum = 0;
  for (let k = 0; k < graph.tieWeight.length; k++) sum += graph.tieWeight[k]!;
  return sum / 2;
}

/** The bisection of one tree node. */
export function bisectAt(
  part: Graph,
  { level, index }: TreePlace,
  plan: BisectionPlan,
  searches: Searches = plainSearches(),
): Uint8Array {
  if (sumOf(part.nodeWeight) === 0) return new Uint8Array(part.nodeCount); // weightless users balance anyhow
  const { startTies } = plan.effort;
  const effort: BisectEffort =
    level < plan.carefulLevels
      ? { ...plan.effort, startTies: startTies / (1 + level / 2) } // parts double in number from level to level
      : { ...plan.effort, cycles: 0, startTies: 0, byDensity: true };
  const cap = halfCap(part, plan.height - level, plan.leafShare);
  const side = bisectBalanced(part, cap, effort, `${plan.seed}/${level}/${index}`, searches);
  if (plan.objective === 'p-fanout') refineFanout(part, side, fanoutProbability, cap);
  return side;
}

/** The graphs on either side of a bisection. */
export function halvesOf(part: Graph, side: Uint8Array): [Graph, Graph] {
  const renumber = new Uint32Array(part.nodeCount);
  return [subgraph(part, nodesOf(side, 0), renumber), subgraph(part, nodesOf(side, 1), renumber)];
}

export function nodesOf(side: Uint8Array, wanted: number): Uint32Array {
  let count = 0;
  for (let v = 0; v < side.length; v++) if (side[v] === wanted) count++;
  const nodes = new Uint32Array(count);
  let at = 0;
  for (let v = 0; v < side.length; v++) if (side[v] === wanted) nodes[at++] = v;
  return nodes;
}
