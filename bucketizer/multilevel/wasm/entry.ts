/** Entry of the multilevel searches in WebAssembly: begin, make room for the arrays of a graph and fill it, search, read the
 *  result, all at addresses in its memory. */

import { bisect as bisectGraph } from '../bisect.ts';
import { BisectEffort } from '../effort.ts';
import { Graph } from '../graph.ts';
import { refineTree } from '../refine.ts';
import { swapUsers } from '../swap.ts';
import { TreeBounds } from '../tree-room.ts';
import {
  Chance,
  type Doubles,
  type Nodes,
  doubles as newDoubles,
  nodes,
  Scratch,
  type Sides,
  type TieWeights,
} from './memory.ts';

/** All memory is free: whatever was made before is gone. */
export function begin(): void {
  heap.reset();
}

/** Room for so many integers of 32 bits. */
export function ints(length: i32): Nodes {
  return nodes(length);
}

export function doubles(length: i32): Doubles {
  return newDoubles(length);
}

/** A graph of users. */
export function graph(rowStart: Nodes, neighbour: Nodes, tieWeight: TieWeights, nodeWeight: Doubles): Graph {
  return new Graph(rowStart, neighbour, tieWeight, nodeWeight, nodeWeight);
}

export function bounds(height: i32, even: Doubles, most: Doubles, least: Doubles, userMean: f64): TreeBounds {
  return new TreeBounds(height, even, most, least, userMean);
}

/** A byte a node. `chance`: hash of the name that chance is drawn from, here and below. */
export function bisect(
  on: Graph,
  cap: f64,
  coarsestNodes: i32,
  shrinkPerRound: f64,
  tries: i32,
  passes: i32,
  labelRounds: i32,
  byDensity: bool,
  startTies: f64,
  cycles: i32,
  chance: u32,
): Sides {
  const effort = new BisectEffort(
    coarsestNodes,
    shrinkPerRound,
    tries,
    passes,
    labelRounds,
    byDensity,
    startTies,
    cycles,
  );
  return bisectGraph(on, cap, effort, new Chance(chance), new Scratch());
}

/** In place. */
export function refine(on: Graph, leafOf: Nodes, within: TreeBounds, rounds: i32, chance: u32): void {
  refineTree(on, leafOf, within, rounds, new Chance(chance));
}

/** In place. */
export function swap(on: Graph, leafOf: Nodes, within: TreeBounds, rounds: i32, chance: u32): void {
  swapUsers(on, leafOf, within, rounds, new Chance(chance));
}
