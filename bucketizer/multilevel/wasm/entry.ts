/** Entry of the multilevel search in WebAssembly: begin, make room for the arrays of a graph and fill it, bisect, read the
 *  sides, all at addresses in its memory. */

import { bisect as bisectGraph } from '../bisect.ts';
import { BisectEffort } from '../effort.ts';
import { Graph } from '../graph.ts';
import {
  Chance,
  type Doubles,
  type Nodes,
  doubles as newDoubles,
  ints as newInts,
  Scratch,
  type Sides,
  type TieWeights,
} from './memory.ts';

/** All memory is free: whatever was made before is gone. */
export function begin(): void {
  heap.reset();
}

/** Address of so many integers of 32 bits. */
export function ints(length: i32): Nodes {
  return newInts(length);
}

/** Address of so many doubles. */
export function doubles(length: i32): Doubles {
  return newDoubles(length);
}

/** Address of a byte a node. `chance`: hash of the name that chance is drawn from. */
export function bisect(
  rowStart: Nodes,
  neighbour: Nodes,
  tieWeight: TieWeights,
  nodeWeight: Doubles,
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
  const graph = new Graph(rowStart, neighbour, tieWeight, nodeWeight, nodeWeight);
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
  return bisectGraph(graph, cap, effort, new Chance(chance), new Scratch());
}
