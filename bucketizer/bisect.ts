/** One balanced bisection by the multilevel scheme: coarsen, grow a half greedily on the coarsest graph (best of a few
 *  tries), improve it on the way back at every size. At the first levels of a tree, where most is at stake, all of this is
 *  done several times over on a graph of a few hundred nodes, and the best of it is carried on to full size: better than
 *  coarsening the whole graph once more within the sides found, and cheaper. Recursive use of it gives the tree
 *  (`recursive-bisection.ts`).
 *  Declined: spectral starts (no better after local search, and a rounding error away from another result). */

import type { Random } from '../config/random.ts';
import { heavierSide, longestFirst } from './balance.ts';
import { clusterFriends, contract, joinLoners, type Rating } from './coarsen.ts';
import { cutOf, fiducciaMattheyses } from './fm.ts';
import { entriesLarge, type Graph, sumOf } from './graph.ts';
import { Scratch } from './scratch.ts';

export interface BisectEffort {
  readonly coarsestNodes: number; // stop coarsening here
  readonly shrinkPerRound: number; // clusters of at most this many mean nodes
  readonly tries: number; // starts on the coarsest graph; more where it is all there is
  readonly passes: number;
  readonly labelRounds: number; // of every coarsening
  readonly rating: Rating;
  readonly startTies: number; // of the graph that starts are made on, all starts together; 0: one start, from the coarsest
  readonly cycles: number; // coarsened once more within its sides, and improved again at every size
}

const startNodes = 500;
const startsMax = 6;
const triesUncoarsened = 3;
const coarsestPasses = 4;
const coarsestPatience = 30;
const patienceMin = 60; // 25 lost .001 of mean locality where communities are few and dense

/** A side (0 or 1) for every node; neither weighs more than `cap` if `longestFirst` manages that. */
export function bisect(
  graph: Graph,
  cap: number,
  effort: BisectEffort,
  random: Random,
  scratch: Scratch = new Scratch(),
): Uint8Array {
  let side = (effort.startTies > 0 ? bestOfStarts : firstSides)(graph, cap, effort, random, scratch);
  for (let cycle = 0; cycle < effort.cycles; cycle++) {
    const better = cycled(graph, side, cap, effort, random, scratch);
    if (better === null) break;
    side = better;
  }
  if (heavierSide(graph, side) <= cap) return side;
  const balanced = longestFirst(graph); // few heavy users: what the search cannot balance, this can
  fiducciaMattheyses(graph, cap, scratch)(balanced, effort.passes, patienceAt(graph.nodeCount));
  return balanced;
}

/** Of several bisections of the graph coarsened to `startNodes` the best, improved on the way back: they differ in which
 *  communities they keep whole, and no search at a finer size makes up for that. */
function bestOfStarts(graph: Graph, cap: number, effort: BisectEffort, random: Random, scratch: Scratch): Uint8Array {
  const stages = coarsenTo(graph, null, { ...effort, coarsestNodes: startNodes }, random, scratch);
  const core = coarsestOf(stages, graph, scratch);
  const affordable = Math.round(effort.startTies / Math.max(1, core.neighbour.length / 2));
  const best = new BestSides(core, cap);
  for (let start = 0; start < Math.max(1, Math.min(startsMax, affordable)); start++) {
    const side = firstSides(core, cap, effort, random, scratch);
    best.see(cycled(core, side, cap, effort, random, scratch) ?? side); // for the best alone: facebook_combined loses .0004
  }
  return refineUpwards(graph, stages, best.side, cap, effort, scratch);
}

/** Each coarsening is dropped before the next: of a large graph it takes more memory than the graph. */
function firstSides(graph: Graph, cap: number, effort: BisectEffort, random: Random, scratch: Scratch): Uint8Array {
  const stages = coarsenTo(graph, null, effort, random, scratch);
  const coarsest = coarsestOf(stages, graph, scratch);
  const tries = effort.tries * (stages.length === 0 ? triesUncoarsened : 1);
  return refineUpwards(graph, stages, bestStart(coarsest, cap, tries, random, scratch), cap, effort, scratch);
}

/** Coarsened within its sides and improved at every size; null: it does not get any coarser. */
function cycled(
  graph: Graph,
  side: Uint8Array,
  cap: number,
  effort: BisectEffort,
  random: Random,
  scratch: Scratch,
): Uint8Array | null {
  const stages = coarsenTo(graph, side, effort, random, scratch);
  const top = stages.at(-1);
  if (top === undefined) return null;
  const start = top.side!.slice();
  fiducciaMattheyses(coarsestOf(stages, graph, scratch), cap, scratch)(start, coarsestPasses, coarsestPatience);
  return refineUpwards(graph, stages, start, cap, effort, scratch);
}

/** Carries a bisection of the coarsest graph back to `graph`, improving it at every size. */
function refineUpwards(
  graph: Graph,
  stages: Stage[], // emptied
  coarsestSide: Uint8Array,
  cap: number,
  effort: BisectEffort,
  scratch: Scratch,
): Uint8Array {
  let side = coarsestSide;
  for (let stage = stages.pop(); stage !== undefined; stage = stages.pop()) {
    const finer = coarsestOf(stages, graph, scratch);
    side = sidesOfMembers(stage.clusterOf, side);
    fiducciaMattheyses(finer, cap, scratch)(side, effort.passes, patienceAt(finer.nodeCount));
  }
  return side;
}

function sidesOfMembers(clusterOf: Uint32Array, clusterSide: Uint8Array): Uint8Array {
  const side = new Uint8Array(clusterOf.length);
  for (let v = 0; v < clusterOf.length; v++) side[v] = clusterSide[clusterOf[v]!]!;
  return side;
}

function sidesOfClusters(clusterOf: Uint32Array, side: Uint8Array, clusters: number): Uint8Array {
  const clusterSide = new Uint8Array(clusters);
  for (let v = 0; v < clusterOf.length; v++) clusterSide[clusterOf[v]!] = side[v]!;
  return clusterSide;
}

function patienceAt(nodes: number): number {
  return Math.max(patienceMin, Math.min(150, Math.floor(nodes * 0.02)));
}

interface Stage {
  readonly clusterOf: Uint32Array; // [node of the finer graph] = node of this one
  coarse: Graph | null; // null: made again when its turn comes
  readonly side: Uint8Array | null; // [node of coarse], where clusters were kept within sides
}

/** `within`: sides that no cluster crosses, where given. */
function coarsenTo(
  graph: Graph,
  within: Uint8Array | null,
  effort: BisectEffort,
  random: Random,
  scratch: Scratch,
): Stage[] {
  const stages: Stage[] = [];
  const total = sumOf(graph.nodeWeight);
  const clusterMax = Math.max(1, total / (0.6 * effort.coarsestNodes));
  let side = within;
  for (let finer = graph; finer.nodeCount > effort.coarsestNodes; ) {
    const weightMax = Math.min(clusterMax, (total / finer.nodeCount) * effort.shrinkPerRound);
    const label = clusterFriends(finer, weightMax, effort.labelRounds, random, side, scratch, effort.rating);
    if (side === null) joinLoners(finer, label, weightMax);
    const { coarse, clusterOf } = contract(finer, label, scratch);
    if (coarse.nodeCount > 0.95 * finer.nodeCount) break;
    if (side !== null) side = sidesOfClusters(clusterOf, side, coarse.nodeCount);
    const before = stages.at(-1);
    if (before !== undefined && finer.neighbour.length >= entriesLarge) before.coarse = null;
    stages.push({ coarse, clusterOf, side });
    finer = coarse;
  }
  return stages;
}

/** The graph of the last stage; without any, `graph`. Large ones between those two were dropped, for together they take
 *  twice the memory of the graph: such a one is contracted from the graph again, at once through all stages up to it. */
function coarsestOf(stages: readonly Stage[], graph: Graph, scratch: Scratch): Graph {
  const last = stages.at(-1);
  if (last === undefined) return graph;
  if (last.coarse !== null) return last.coarse;
  const label = stages[0]!.clusterOf.slice();
  for (const { clusterOf } of stages.slice(1)) for (let v = 0; v < label.length; v++) label[v] = clusterOf[label[v]!]!;
  return contract(graph, label, scratch).coarse;
}

function bestStart(graph: Graph, cap: number, tries: number, random: Random, scratch: Scratch): Uint8Array {
  const improve = fiducciaMattheyses(graph, cap, scratch);
  const half = sumOf(graph.nodeWeight) / 2;
  const best = new BestSides(graph, cap);
  for (let t = 0; t < tries; t++) {
    const side = growHalf(graph, half, cap, random);
    improve(side, coarsestPasses, coarsestPatience);
    best.see(side);
  }
  return best.side;
}

/** The balanced sides with the smallest cut, of those seen; without any, the least unbalanced. */
class BestSides {
  side: Uint8Array;
  private readonly graph: Graph;
  private readonly cap: number;
  private excess = Infinity;
  private cut = Infinity;

  constructor(graph: Graph, cap: number) {
    this.graph = graph;
    this.cap = cap;
    this.side = new Uint8Array(graph.nodeCount);
  }

  see(side: Uint8Array): void {
    const excess = Math.max(0, heavierSide(this.graph, side) - this.cap);
    if (excess > this.excess) return;
    const cut = cutOf(this.graph, side);
    if (excess === this.excess && cut >= this.cut) return;
    this.side = side;
    this.excess = excess;
    this.cut = cut;
  }
}

/** Side 0 grows from a random node by whoever adds least to the cut, until it has half the weight. Tries run on graphs
 *  of a few hundred nodes, so the frontier is a plain list. */
function growHalf(graph: Graph, half: number, cap: number, random: Random): Uint8Array {
  const { nodeCount: n, rowStart, neighbour, tieWeight, nodeWeight } = graph;
  const side = new Uint8Array(n).fill(1);
  const gain = new Float64Array(n); // of taking the node in: ties to side 0 minus ties to side 1
  const frontier: number[] = [];
  const inFrontier = new Uint8Array(n);
  let weight = 0;
  const take = (v: number): void => {
    side[v] = 0;
    weight += nodeWeight[v]!;
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      const u = neighbour[k]!;
      if (side[u] === 0) continue;
      gain[u]! += 2 * tieWeight[k]!;
      if (inFrontier[u] === 1) continue;
      inFrontier[u] = 1;
      frontier.push(u);
      for (let j = rowStart[u]!; j < rowStart[u + 1]!; j++) gain[u]! -= tieWeight[j]!;
    }
  };
  const first = Math.floor(random() * n);
  let scanned = 0; // nodes after `first` already found unfit for a fresh start
  for (let next = first; next >= 0; ) {
    take(next);
    if (weight >= half) break;
    let best = -1;
    for (let i = 0; i < frontier.length; ) {
      const u = frontier[i]!;
      if (side[u] === 0) {
        frontier[i] = frontier.at(-1)!;
        frontier.pop();
        continue;
      }
      if (weight + nodeWeight[u]! <= cap && (best < 0 || gain[u]! > gain[frontier[best]!]!)) best = i;
      i++;
    }
    next = best >= 0 ? frontier[best]! : -1; // none: another component
    for (; scanned < n && next < 0; scanned++) {
      const u = (first + scanned) % n;
      if (side[u] === 1 && weight + nodeWeight[u]! <= cap) next = u;
    }
  }
  return side;
}
