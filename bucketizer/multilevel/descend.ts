/** A tree from bisections: all nodes in two halves, each half in two, down to the leaves. Every tree node draws its own
 *  chance from the seed and its place, so subtrees may be worked off in any order, or at the same time, with the same
 *  result. */

import { bisect } from './bisect.ts';
import { BisectEffort } from './effort.ts';
import { everyNode, type Graph, sumOf } from './graph.ts';
import { halfCap } from './half.ts';
import {
  chanceOf,
  giveBack,
  type Ints,
  ints,
  memoryMark,
  type Nodes,
  nodes,
  roomForNodes,
  type Scratch,
  type Sides,
  seedOf,
  sides,
} from './memory.ts';
import { cutOf } from './sides.ts';
import { subgraph } from './subgraph.ts';

export class DescentPlan {
  readonly height: i32; // of the whole tree
  readonly leafShare: f64; // total weight of all users / 2^height
  readonly seed: i32; // of the whole tree, 32 bits
  readonly effort: BisectEffort;
  readonly carefulLevels: i32; // the first, whose bisections start more than once and go through `cycles` (a gain there is one for all below)

  constructor(height: i32, leafShare: f64, seed: i32, effort: BisectEffort, carefulLevels: i32) {
    this.height = height;
    this.leafShare = leafShare;
    this.seed = seed;
    this.effort = effort;
    this.carefulLevels = carefulLevels;
  }
}

/** The bisection of one tree node; `index`: 0 .. 2^level - 1, in tree order. */
export function bisectAt(part: Graph, level: i32, index: i32, plan: DescentPlan, scratch: Scratch): Sides {
  if (sumOf(part.nodeWeight) === 0) return sides(part.nodeCount); // weightless users balance anyhow
  const effort = level < plan.carefulLevels ? carefulEffort(plan.effort, level) : plainEffort(plan.effort);
  const cap = halfCap(part, plan.height - level, plan.leafShare);
  return bisect(part, cap, effort, chanceOf(seedOf(plan.seed, (1 << level) + index)), scratch);
}

/** Above this share of ties cut by the first bisection, users hang on popular ones rather than together. */
const scatteredCut: f64 = 0.2;

/** Whether the first bisection shows a graph where friends of friends are rarely friends: it cuts a lot. Labels had better
 *  follow popular users there, as far as parts are large (first level of an R-MAT graph: .96 of METIS's locality so, .91 by
 *  density). Only then is the other rating tried. */
export function isScattered(graph: Graph, side: Sides, plan: DescentPlan): boolean {
  return plan.carefulLevels > 0 && cutOf(graph, side) > scatteredCut * tieWeightOf(graph);
}

function tieWeightOf(graph: Graph): f64 {
  const tieWeight = graph.tieWeight;
  let sum: f64 = 0;
  for (let k = 0; k < tieWeight.length; k++) sum += tieWeight[k]!;
  return sum / 2;
}

/** Where labels follow popular users, 2, 4 or 12 tries find the same within .002 of mean locality (R-MAT graphs). */
const triesScattered: i32 = 2;

/** The plan with labels that go by weight alone. */
export function byWeightAlone(plan: DescentPlan): DescentPlan {
  const tries = plan.effort.tries < triesScattered ? plan.effort.tries : triesScattered;
  const effort = changed(plan.effort, tries, false, plan.effort.startTies, plan.effort.cycles);
  return new DescentPlan(plan.height, plan.leafShare, plan.seed, effort, plan.carefulLevels);
}

/** Parts double in number from level to level. */
function carefulEffort(effort: BisectEffort, level: i32): BisectEffort {
  return changed(effort, effort.tries, effort.byDensity, effort.startTies / (1 + level * 0.5), effort.cycles);
}

function plainEffort(effort: BisectEffort): BisectEffort {
  return changed(effort, effort.tries, true, 0, 0);
}

function changed(effort: BisectEffort, tries: i32, byDensity: boolean, startTies: f64, cycles: i32): BisectEffort {
  return new BisectEffort(
    effort.coarsestNodes,
    effort.shrinkPerRound,
    tries,
    effort.passes,
    effort.labelRounds,
    byDensity,
    startTies,
    effort.startsMax,
    effort.settles,
    cycles,
  );
}

export class RootBisection {
  readonly side: Sides;
  readonly isByWeight: boolean; // what is below goes by `byWeightAlone`, too

  constructor(side: Sides, isByWeight: boolean) {
    this.side = side;
    this.isByWeight = isByWeight;
  }
}

/** The first bisection of all. */
export function bisectRoot(graph: Graph, plan: DescentPlan, scratch: Scratch): RootBisection {
  const side = bisectAt(graph, 0, 0, plan, scratch);
  if (!isScattered(graph, side, plan)) return new RootBisection(side, false);
  const other = bisectAt(graph, 0, 0, byWeightAlone(plan), scratch);
  const isBetter = cutOf(graph, other) < cutOf(graph, side);
  return new RootBisection(isBetter ? other : side, isBetter);
}

/** Puts the nodes of `part`, all of whom live under one tree node, into leaves: returns [node] = leaf. */
export function descend(part: Graph, level: i32, index: i32, plan: DescentPlan, scratch: Scratch): Nodes {
  const descent = new Descent(part.nodeCount, plan, scratch);
  descent.into(part, everyNode(part.nodeCount), level, index);
  return descent.leafOf;
}

class Descent {
  readonly leafOf: Nodes;
  private plan: DescentPlan;
  private readonly scratch: Scratch;
  private readonly renumber: Ints;

  constructor(nodeCount: i32, plan: DescentPlan, scratch: Scratch) {
    this.leafOf = nodes(nodeCount);
    this.plan = plan;
    this.scratch = scratch;
    this.renumber = ints(nodeCount);
  }

  /** `users`: [node of part] = node of the graph that is put into leaves. */
  into(part: Graph, users: Nodes, level: i32, index: i32): void {
    const height = this.plan.height;
    if (level === height || users.length <= 1) {
      const leafOf = this.leafOf;
      for (let v = 0; v < users.length; v++) leafOf[users[v]!] = index << (height - level);
      return;
    }
    const side = level === 0 ? this.rootSides(part) : bisectAt(part, level, index, this.plan, this.scratch);
    for (let s = 0; s < 2; s++) {
      const mark = memoryMark(this.scratch);
      const half = nodesOf(side, s);
      const graph = level + 1 < height ? subgraph(part, half, this.renumber) : part;
      this.into(graph, pickNodes(users, half), level + 1, 2 * index + s);
      giveBack(mark);
    }
  }

  private rootSides(graph: Graph): Sides {
    const root = bisectRoot(graph, this.plan, this.scratch);
    if (root.isByWeight) this.plan = byWeightAlone(this.plan);
    return root.side;
  }
}

export function nodesOf(side: Sides, wanted: i32): Nodes {
  let count = 0;
  for (let v = 0; v < side.length; v++) count += side[v]! === wanted ? 1 : 0;
  const found = roomForNodes(count);
  let at = 0;
  for (let v = 0; at < count; v++) {
    found[at] = v;
    at += side[v]! === wanted ? 1 : 0; // no branch to guess
  }
  return found;
}

export function pickNodes(all: Nodes, some: Nodes): Nodes {
  const picked = roomForNodes(some.length);
  for (let i = 0; i < some.length; i++) picked[i] = all[some[i]!]!;
  return picked;
}
