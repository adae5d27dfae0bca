/** Small graphs for tests: as lists of pairs, and as the graph built from them. */

import { buildGraph, type TieRules } from '../../bucketizer/graph.ts';
import type { Graph } from '../../bucketizer/multilevel/graph.ts';
import { type Random, seededRandom } from '../../config/random.ts';

export const keepAll: TieRules = { directed: false, weightMin: 0, degreeMax: Infinity };

/** Communities of `size` users: `inside` ties a user within, `across` ties a user to anybody. Repeated and self-ties occur. */
export function communityTies(
  users: number,
  size: number,
  seed: number,
  { inside = 4, across = 1 }: { inside?: number; across?: number } = {},
): Uint32Array {
  const random = seededRandom(seed);
  const ties: number[] = [];
  for (let v = 0; v < users; v++) {
    const first = v - (v % size);
    const members = Math.min(size, users - first);
    for (let i = 0; i < inside; i++) ties.push(v, first + below(members, random));
    for (let i = 0; i < across; i++) ties.push(v, below(users, random));
  }
  return Uint32Array.from(ties);
}

/** `skewed`: some users weigh a hundred times what others do. */
export function randomWeights(users: number, seed: number, skewed = false): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: users }, () => {
    const weight = 1 + below(10, random);
    return skewed && random() < 0.05 ? weight * 100 : weight;
  });
}

export function randomGraph(users: number, seed: number, skewed = false): Graph {
  const ties = communityTies(users, 8, seed);
  const random = seededRandom(seed + 1);
  const weights = Float64Array.from({ length: ties.length / 2 }, () => 1 + below(5, random));
  return buildGraph(ties, weights, randomWeights(users, seed + 2, skewed), keepAll).graph;
}

/** Everybody tied to anybody: any bisection cuts a lot. */
export function scatteredGraph(users: number, random: Random): Graph {
  const ties = Uint32Array.from({ length: 6 * users }, () => below(users, random));
  return buildGraph(ties, null, new Float64Array(users).fill(1), keepAll).graph;
}

export function below(n: number, random: Random): number {
  return Math.floor(random() * n);
}

/** Tie weight between every pair of nodes, both ways round. */
export function tieTable(graph: Graph): Map<string, number> {
  const table = new Map<string, number>();
  for (let v = 0; v < graph.nodeCount; v++) {
    for (let k = graph.rowStart[v]!; k < graph.rowStart[v + 1]!; k++) {
      table.set(`${v} ${graph.neighbour[k]}`, graph.tieWeight[k]!);
    }
  }
  return table;
}

export function userNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `u${i}`);
}

/** Users 0, 1, 2 and 3, 4, 5, who all know each other; nobody knows one of the others. */
export function twoTriangles(): Graph {
  const ties = Uint32Array.of(0, 1, 1, 2, 2, 0, 3, 4, 4, 5, 5, 3);
  return buildGraph(ties, null, new Float64Array(6).fill(1), keepAll).graph;
}
