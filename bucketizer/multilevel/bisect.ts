/** One bisection by the multilevel scheme: coarsen, grow a half greedily on the coarsest graph (best of a few
 *  tries), improve it on the way back at every size. At the first levels of a tree, where most is at stake, all of this is
 *  done several times over on a graph of a few hundred nodes, and the best of it is carried on to full size: better than
 *  coarsening the whole graph once more within the sides found, and cheaper. Recursive use of it gives the tree
 *  (`recursive-bisection.ts`).
 *  Declined: spectral starts (no better after local search, and a rounding error away from another result). */

import { clusterFriends, joinLoners } from './cluster.ts';
import { contract } from './contract.ts';
import type { BisectEffort } from './effort.ts';
import { BisectionSearch } from './fm.ts';
import { type Graph, sumOf } from './graph.ts';
import { HalfGrower } from './grow.ts';
import { longestFirst } from './half.ts';
import { type Chance, copyOf, entriesLarge, type Nodes, nodes, type Scratch, type Sides } from './memory.ts';
import { BestSides, heavierSide, sidesOfClusters, sidesOfMembers } from './sides.ts';

const startNodes: i32 = 500;
const triesUncoarsened: i32 = 3;
const coarsestPasses: i32 = 4;
const coarsestPatience: i32 = 30;
const patienceMin: i32 = 60; // 25 lost .001 of mean locality where communities are few and dense

/** With fewer neighbours than these to a node, a round of labels joins few, and the next one more: .001 of mean locality on a
 *  graph of three ties a user. Where there are more it loses as much. */
const sparseDegree: i32 = 8;

/** A side for every node; neither weighs more than `cap` if the search or `longestFirst` manages that. */
export function bisect(graph: Graph, cap: f64, effort: BisectEffort, chance: Chance, scratch: Scratch): Sides {
  const bisection = new Bisection(cap, effort, chance, scratch);
  let side = effort.startTies > 0 ? bisection.bestOfStarts(graph) : bisection.firstSides(graph);
  for (let cycle = 0; cycle < effort.cycles; cycle++) {
    const better = bisection.cycled(graph, side);
    if (better === null) break;
    side = better;
  }
  if (heavierSide(graph, side) <= cap) return side;
  const balanced = longestFirst(graph); // few heavy users: what the search cannot balance, this can
  new BisectionSearch(graph, cap, scratch).improve(balanced, effort.passes, patienceAt(graph.nodeCount));
  return balanced;
}

/** Moves without a new best before a pass ends, on a graph of so many nodes. */
function patienceAt(nodeCount: i32): i32 {
  const share: i32 = (nodeCount / 50) | 0;
  return share < patienceMin ? patienceMin : share > 150 ? 150 : share;
}

class Stage {
  readonly clusterOf: Nodes; // [node of the finer graph] = node of this one
  readonly side: Sides | null; // [node of coarse], where clusters were kept within sides
  coarse: Graph | null; // null: made again when its turn comes

  constructor(coarse: Graph, clusterOf: Nodes, side: Sides | null) {
    this.coarse = coarse;
    this.clusterOf = clusterOf;
    this.side = side;
  }
}

class Bisection {
  private readonly cap: f64;
  private readonly effort: BisectEffort;
  private readonly chance: Chance;
  private readonly scratch: Scratch;

  constructor(cap: f64, effort: BisectEffort, chance: Chance, scratch: Scratch) {
    this.cap = cap;
    this.effort = effort;
    this.chance = chance;
    this.scratch = scratch;
  }

  /** Of several bisections of the graph coarsened to `startNodes` the best, improved on the way back: they differ in which
   *  communities they keep whole, and no search at a finer size makes up for that. */
  bestOfStarts(graph: Graph): Sides {
    const stages = this.coarsenTo(startNodes, graph, null);
    const core = coarsestOf(stages, graph, this.scratch);
    const affordable = Math.round(this.effort.startTies / Math.max(1, core.neighbour.length * 0.5));
    const best = new BestSides(core, this.cap);
    let vain: i32 = 0; // in a row; as good as the best counts twice
    for (let start = 0; start < Math.max(1, Math.min(this.effort.startsMax, affordable)); start++) {
      const side = this.firstSides(core);
      const better = this.cycled(core, side); // not for the best alone: facebook_combined loses .0004
      const rank = best.see(better === null ? side : better);
      vain = rank > 0 ? 0 : vain + (rank === 0 ? 2 : 1);
      if (this.effort.settles && vain >= 2) break;
    }
    return this.refineUpwards(graph, stages, best.side);
  }

  /** Each coarsening is dropped before the next: of a large graph it takes more memory than the graph. */
  firstSides(graph: Graph): Sides {
    const stages = this.coarsenTo(this.effort.coarsestNodes, graph, null);
    const coarsest = coarsestOf(stages, graph, this.scratch);
    const tries = this.effort.tries * (stages.length === 0 ? triesUncoarsened : 1);
    return this.refineUpwards(graph, stages, this.bestStart(coarsest, tries));
  }

  /** Coarsened within its sides and improved at every size; null: it does not get any coarser. */
  cycled(graph: Graph, side: Sides): Sides | null {
    const stages = this.coarsenTo(this.effort.coarsestNodes, graph, side);
    if (stages.length === 0) return null;
    const start = copyOf(stages[stages.length - 1]!.side!);
    this.searchOn(coarsestOf(stages, graph, this.scratch)).improve(start, coarsestPasses, coarsestPatience);
    return this.refineUpwards(graph, stages, start);
  }

  /** Carries a bisection of the coarsest graph back to `graph`, improving it at every size. `stages`: emptied. */
  private refineUpwards(graph: Graph, stages: Stage[], coarsestSide: Sides): Sides {
    let side = coarsestSide;
    while (stages.length > 0) {
      const stage = stages.pop()!;
      const finer = coarsestOf(stages, graph, this.scratch);
      side = sidesOfMembers(stage.clusterOf, side);
      this.searchOn(finer).improve(side, this.effort.passes, patienceAt(finer.nodeCount));
    }
    return side;
  }

  /** `within`: sides that no cluster crosses, where given. */
  private coarsenTo(coarsestNodes: i32, graph: Graph, within: Sides | null): Stage[] {
    const stages: Stage[] = [];
    const total = sumOf(graph.nodeWeight);
    const clusterMax = Math.max(1, total / (0.6 * coarsestNodes));
    let side = within;
    let finer = graph;
    while (finer.nodeCount > coarsestNodes) {
      const effort = this.effort;
      const sparse = finer.neighbour.length < sparseDegree * finer.nodeCount;
      const shrink = effort.shrinkPerRound * (sparse ? 2 : 1);
      const weightMax = Math.min(clusterMax, (total / finer.nodeCount) * shrink);
      const label = clusterFriends(
        finer,
        weightMax,
        effort.labelRounds + (sparse ? 1 : 0),
        this.chance,
        side,
        this.scratch,
        effort.byDensity,
      );
      if (side === null) joinLoners(finer, label, weightMax);
      const contraction = contract(finer, label, this.scratch);
      const coarse = contraction.coarse;
      if (coarse.nodeCount > 0.95 * finer.nodeCount) break;
      if (side !== null) side = sidesOfClusters(contraction.clusterOf, side, coarse.nodeCount);
      if (stages.length > 0 && finer.neighbour.length >= entriesLarge) stages[stages.length - 1]!.coarse = null;
      stages.push(new Stage(coarse, contraction.clusterOf, side));
      finer = coarse;
    }
    return stages;
  }

  private bestStart(graph: Graph, tries: i32): Sides {
    const search = this.searchOn(graph);
    const half = sumOf(graph.nodeWeight) / 2;
    const best = new BestSides(graph, this.cap);
    for (let t = 0; t < tries; t++) {
      const side = new HalfGrower(graph).grow(half, this.cap, this.chance);
      search.improve(side, coarsestPasses, coarsestPatience);
      best.see(side);
    }
    return best.side;
  }

  private searchOn(graph: Graph): BisectionSearch {
    return new BisectionSearch(graph, this.cap, this.scratch);
  }
}

/** The graph of the last stage; without any, `graph`. Large ones between those two were dropped, for together they take
 *  twice the memory of the graph: such a one is contracted from the graph again, at once through all stages up to it. */
function coarsestOf(stages: Stage[], graph: Graph, scratch: Scratch): Graph {
  if (stages.length === 0) return graph;
  const last = stages[stages.length - 1]!;
  if (last.coarse !== null) return last.coarse!;
  const label = nodes(graph.nodeCount);
  for (let v = 0; v < label.length; v++) {
    let cluster = v;
    for (let stage = 0; stage < stages.length; stage++) cluster = stages[stage]!.clusterOf[cluster]!;
    label[v] = cluster;
  }
  return contract(graph, label, scratch).coarse;
}
