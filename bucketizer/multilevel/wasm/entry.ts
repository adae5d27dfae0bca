/** Entry of the multilevel searches in WebAssembly: begin, make room for the arrays of a graph and fill it, search, read the
 *  result, all at addresses in its memory. */

import {
  bisectAt,
  bisectRoot as bisectRootBy,
  DescentPlan,
  descend as descendTo,
  nodesOf,
  type RootBisection,
} from '../descend.ts';
import { BisectEffort } from '../effort.ts';
import { improveByFewMoves } from '../few-moves.ts';
import { degreesOf, Graph } from '../graph.ts';
import { type ListedRows, listedRows } from '../listed-rows.ts';
import { refineTree } from '../refine.ts';
import { subgraph } from '../subgraph.ts';
import { swapUsers } from '../swap.ts';
import { TreeBounds } from '../tree-room.ts';
import { type TreeTies, treeTies } from '../tree-ties.ts';
import {
  chanceOf,
  type Doubles,
  giveBack,
  type Nodes,
  doubles as newDoubles,
  ints as newInts,
  roomForNodes,
  Scratch,
  type Sides,
  sides,
  type TieWeights,
} from './memory.ts';

export { addUpRow, countTies, enterTies, turnRow } from '../listed-rows.ts'; // remain functions of their own

/** All memory is free: whatever was made before is gone. */
export function begin(): void {
  heap.reset();
}

/** Room for so many integers of 32 bits, all of which are to be written. */
export function ints(length: i32): Nodes {
  return roomForNodes(length);
}

/** Room for so many bytes. */
export function bytes(length: i32): Sides {
  return sides(length);
}

export function doubles(length: i32): Doubles {
  return newDoubles(length);
}

/** Of ties listed. `weights` and `place` may be null. */
export function rows(
  ties: Nodes,
  weights: Doubles | null,
  nodeCount: i32,
  directed: bool,
  place: Nodes | null,
): ListedRows {
  return listedRows(ties, weights, nodeCount, directed, place);
}

export function listedStart(listed: ListedRows): Nodes {
  return listed.rowStart;
}

export function listedNeighbour(listed: ListedRows): Nodes {
  return listed.neighbour;
}

export function listedWeight(listed: ListedRows): TieWeights {
  return listed.tieWeight;
}

/** Null where not asked for. */
export function listedDirection(listed: ListedRows): Sides | null {
  return listed.direction;
}

export function listedEntries(listed: ListedRows): i32 {
  return listed.listed;
}

let madeAfter: usize = 0;

/** A graph of users. What was made before it is kept with it. */
export function graph(rowStart: Nodes, neighbour: Nodes, tieWeight: TieWeights, nodeWeight: Doubles): Graph {
  const made = new Graph(rowStart, neighbour, tieWeight, nodeWeight, nodeWeight);
  degreesOf(made); // kept too
  madeAfter = heap.alloc(0);
  return made;
}

/** All that was made after the graph is gone. */
export function beginAgain(): void {
  giveBack(madeAfter);
}

export function bounds(height: i32, even: Doubles, most: Doubles, least: Doubles, userMean: f64): TreeBounds {
  return new TreeBounds(height, even, most, least, userMean);
}

export function plan(
  height: i32,
  leafShare: f64,
  seed: i32,
  carefulLevels: i32,
  coarsestNodes: i32,
  shrinkPerRound: f64,
  tries: i32,
  passes: i32,
  labelRounds: i32,
  byDensity: bool,
  startTies: f64,
  startsMax: i32,
  settles: bool,
  cycles: i32,
): DescentPlan {
  const effort = new BisectEffort(
    coarsestNodes,
    shrinkPerRound,
    tries,
    passes,
    labelRounds,
    byDensity,
    startTies,
    startsMax,
    settles,
    cycles,
  );
  return new DescentPlan(height, leafShare, seed, effort, carefulLevels);
}

/** A byte a node. */
export function bisect(part: Graph, level: i32, index: i32, by: DescentPlan): Sides {
  return bisectAt(part, level, index, by, new Scratch());
}

export function bisectRoot(on: Graph, by: DescentPlan): RootBisection {
  return bisectRootBy(on, by, new Scratch());
}

export function rootSides(root: RootBisection): Sides {
  return root.side;
}

export function isByWeight(root: RootBisection): bool {
  return root.isByWeight;
}

/** A leaf a node. */
export function descend(part: Graph, level: i32, index: i32, by: DescentPlan): Nodes {
  return descendTo(part, level, index, by, new Scratch());
}

/** Of the nodes on one side. */
export function half(part: Graph, sides: Sides, side: i32): Graph {
  return subgraph(part, nodesOf(sides, side), newInts(part.nodeCount));
}

export function nodeCount(on: Graph): i32 {
  return on.nodeCount;
}

export function startOfRows(on: Graph): Nodes {
  return on.rowStart;
}

export function neighbours(on: Graph): Nodes {
  return on.neighbour;
}

export function tieWeights(on: Graph): TieWeights {
  return on.tieWeight;
}

export function nodeWeights(on: Graph): Doubles {
  return on.nodeWeight;
}

export function degrees(on: Graph): TieWeights {
  return degreesOf(on);
}

/** In place. */
export function refine(on: Graph, leafOf: Nodes, within: TreeBounds, rounds: i32, seed: u32): void {
  refineTree(on, leafOf, within, rounds, chanceOf(seed));
}

/** In place. */
export function swap(on: Graph, leafOf: Nodes, within: TreeBounds, rounds: i32, seed: u32): void {
  swapUsers(on, leafOf, within, rounds, chanceOf(seed));
}

/** In place. */
export function improve(
  on: Graph,
  leafOf: Nodes,
  within: TreeBounds,
  homeLeaf: Nodes,
  usersMax: f64,
  weightMax: f64,
  seed: u32,
): void {
  improveByFewMoves(on, leafOf, within, homeLeaf, usersMax, weightMax, chanceOf(seed));
}

export function measure(on: Graph, leafOf: Nodes, height: i32): TreeTies {
  return treeTies(on, leafOf, height);
}

export function byDistance(ties: TreeTies): Doubles {
  return ties.byDistance;
}

export function rowStart(ties: TreeTies): Nodes {
  return ties.quotient.rowStart;
}

export function neighbour(ties: TreeTies): Nodes {
  return ties.quotient.neighbour;
}

export function weight(ties: TreeTies): Doubles {
  return ties.quotient.weight;
}
