/** How much a half may weigh, and the halves that are balanced best. */

import { type Graph, sumOf } from './graph.ts';
import { type Doubles, type Nodes, nodes, type Sides, sides, toSide } from './memory.ts';
import { heavierSide } from './sides.ts';

/** Most by which a tree node exceeds its even share. */
export const imbalanceMax: f64 = 0.05;

/** Of the imbalance not yet used up, what a bisection may use at least. */
const leftoverMin: f64 = 0.2;

/** Most a half of `graph` may weigh, `levelsLeft` bisections (this one included) before its leaves, each of which is to
 *  have `leafShare`. Imbalance not yet used up is shared by the levels still to come, the first of them taking more, for
 *  there it lets whole communities stay together; a light part has no more of it
 *  than others, or whole subtrees would be left empty. */
export function halfCap(graph: Graph, levelsLeft: i32, leafShare: f64): f64 {
  const total = sumOf(graph.nodeWeight);
  const levels: f64 = levelsLeft;
  const leaves: i32 = 1 << levelsLeft;
  const half = total / 2;
  const shareHere = leafShare * leaves;
  const leftover = Math.max(0, Math.min(imbalanceMax, ((1 + imbalanceMax) * shareHere) / total - 1));
  const oneMore = Math.min(half, shareHere / 2) + total / graph.nodeCount;
  const cap = Math.max(half * (1 + leftover * Math.max(leftoverMin, 1 / levels)), oneMore);
  const heaviest = maxOf(graph.nodeWeight);
  return cap - half >= heaviest / 2 ? cap : Math.max(cap, heavierSide(graph, longestFirst(graph)));
}

/** Heaviest node first, always to the lighter side: the sides differ by at most the lightest node of the heavier one. */
export function longestFirst(graph: Graph): Sides {
  const nodeWeight = graph.nodeWeight;
  const order = heaviestFirst(nodeWeight);
  const side = sides(order.length);
  let lead: f64 = 0; // weight of side 0 minus weight of side 1
  for (let i = 0; i < order.length; i++) {
    const v = order[i]!;
    const lighter = lead > 0 ? 1 : 0;
    side[v] = toSide(lighter);
    lead += lighter === 1 ? -nodeWeight[v]! : nodeWeight[v]!;
  }
  return side;
}

export function maxOf(values: Doubles): f64 {
  let max: f64 = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > max) max = values[i]!;
  return max;
}

class Weighed {
  readonly node: i32;
  readonly weight: f64;

  constructor(node: i32, weight: f64) {
    this.node = node;
    this.weight = weight;
  }
}

function heaviestFirst(nodeWeight: Doubles): Nodes {
  const all: Weighed[] = [];
  for (let v = 0; v < nodeWeight.length; v++) all.push(new Weighed(v, nodeWeight[v]!));
  all.sort((a, b) => (a.weight === b.weight ? a.node - b.node : a.weight > b.weight ? -1 : 1));
  const order = nodes(nodeWeight.length);
  for (let i = 0; i < order.length; i++) order[i] = all[i]!.node;
  return order;
}
