/** The first tree: bisect all users, then each half, down to the leaves. Every tree node draws its own chance from the
 *  seed and its place, so subtrees may be worked off in any order, or at the same time, with the same result. */

import { seededRandom } from '../config/random.ts';
import { halfCap } from './balance.ts';
import { type BisectEffort, bisect } from './bisect.ts';
import { fanoutProbability, refineFanout } from './fanout.ts';
import { type Graph, subgraph, sumOf } from './graph.ts';
import { Scratch } from './scratch.ts';

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
  readonly cycledLevels: number; // the first levels, whose bisections go through `cycles` (a gain there is one for all below)
}

/** Puts the users of `graph`, all of whom live under `place`, into leaves: returns [node of graph] = leaf.
 *  `onDescended(userLevels, level)` is told whenever users have come so many levels down, all of them together, by the
 *  bisection of a tree node of `level`: they add up to users x levels. */
export function bisectRecursively(
  graph: Graph,
  place: TreePlace,
  plan: BisectionPlan,
  onDescended: (userLevels: number, level: number) => void = () => {},
): Uint32Array {
  const leafOf = new Uint32Array(graph.nodeCount);
  const renumber = new Uint32Array(graph.nodeCount);
  const scratch = new Scratch();
  const descend = (part: Graph, users: Uint32Array, { level, index }: TreePlace): void => {
    if (level === plan.height || users.length <= 1) {
      for (const u of users) leafOf[u] = index << (plan.height - level);
      if (level < plan.height) onDescended(users.length * (plan.height - level), level);
      return;
    }
    const side = bisectAt(part, { level, index }, plan, scratch);
    onDescended(users.length, level);
    for (const s of [0, 1]) {
      const nodes = nodesOf(side, s);
      const half = level + 1 < plan.height ? subgraph(part, nodes, renumber) : part;
      descend(
        half,
        nodes.map((v) => users[v]!),
        { level: level + 1, index: 2 * index + s },
      );
    }
  };
  descend(
    graph,
    Uint32Array.from({ length: graph.nodeCount }, (_, v) => v),
    place,
  );
  return leafOf;
}

/** The bisection of one tree node. */
export function bisectAt(
  part: Graph,
  { level, index }: TreePlace,
  plan: BisectionPlan,
  scratch: Scratch = new Scratch(),
): Uint8Array {
  if (sumOf(part.nodeWeight) === 0) return new Uint8Array(part.nodeCount); // weightless users balance anyhow
  const random = seededRandom(`${plan.seed}/${level}/${index}`);
  const effort = level < plan.cycledLevels ? plan.effort : { ...plan.effort, cycles: 0 };
  const cap = halfCap(part, plan.height - level, plan.leafShare);
  const side = bisect(part, cap, effort, random, scratch);
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
