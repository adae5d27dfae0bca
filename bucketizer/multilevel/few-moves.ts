/** A tree made better by few moves: users move by what they gain for what they cost, then whole clusters where single
 *  users no longer help, then users for whoever gains little. What may move is a budget that all of them spend from. */

import { BudgetedSearch } from './budgeted-search.ts';
import { clusterFriends } from './cluster.ts';
import { type Contraction, contract } from './contract.ts';
import { Graph } from './graph.ts';
import { type Chance, doubles, type Ints, ints, type Nodes, nodes, roomForNodes, tiesLike } from './memory.ts';
import { Homes, MoveBudget } from './move-budget.ts';
import type { TreeBounds } from './tree-room.ts';

/** What a user must gain before it leaves home: to come so many levels nearer to as many ties as the average user has. The
 *  dear price first, so that all searches have had their turn before the budget goes to whoever gains little. */
const dearLevels: f64 = 0.5;
const cheapLevels: f64 = 0.2;

/** Changes `leafOf` in place. `homeLeaf`: [node] leaf of the previous tree; -1: none. */
export function improveByFewMoves(
  graph: Graph,
  leafOf: Nodes,
  bounds: TreeBounds,
  homeLeaf: Ints,
  usersMax: f64,
  weightMax: f64,
  chance: Chance,
): void {
  const users = doubles(graph.nodeCount);
  users.fill(1, 0, graph.nodeCount);
  const homes = new Homes(homeLeaf, users, graph.nodeWeight);
  const budget = new MoveBudget(usersMax, weightMax);
  budget.count(homes, leafOf);
  const dear = dearLevels * meanTies(graph);
  const cheap = cheapLevels * meanTies(graph);
  const search = new BudgetedSearch(graph, leafOf, bounds, homes, budget);
  search.refine(dear);
  if (!hasRoom(budget)) return;
  const contraction = clusterWithinLeaves(graph, leafOf, bounds, chance);
  const place = placeOfClusters(contraction, leafOf);
  const clusters = new BudgetedSearch(
    contraction.coarse,
    place,
    bounds,
    homesOfClusters(contraction, homes, leafOf),
    budget,
  );
  clusters.refine(dear);
  if (hasRoom(budget)) clusters.refine(cheap);
  for (let v = 0; v < graph.nodeCount; v++) {
    const leaf = place[contraction.clusterOf[v]!]!;
    if (leaf !== leafOf[v]!) search.follow(v, leaf);
  }
  budget.count(homes, leafOf); // exactly: some may have come home with their cluster
  if (hasRoom(budget)) search.refine(cheap);
}

/** Whether it is worth another search, which costs as much however little it may move. */
function hasRoom(budget: MoveBudget): boolean {
  return budget.usersMoved < 0.9 * budget.usersMax && budget.weightMoved < 0.9 * budget.weightMax;
}

/** Tie weight of an average user. */
function meanTies(graph: Graph): f64 {
  const tieWeight = graph.tieWeight;
  let sum: f64 = 0;
  for (let k = 0; k < tieWeight.length; k++) sum += tieWeight[k]!;
  return sum / graph.nodeCount;
}

/** Clusters of a few friends. */
function clusterWithinLeaves(graph: Graph, leafOf: Nodes, bounds: TreeBounds, chance: Chance): Contraction {
  const weightMax = Math.min(bounds.even[bounds.height]! / 3, 4 * bounds.userMean);
  return contract(graph, clusterFriends(tiesWithinLeaves(graph, leafOf), weightMax, 1, chance));
}

/** The same nodes, and of their ties those between two in the same leaf. */
function tiesWithinLeaves(graph: Graph, leafOf: Nodes): Graph {
  const rowStart = graph.rowStart;
  const neighbour = graph.neighbour;
  const tieWeight = graph.tieWeight;
  const start = nodes(graph.nodeCount + 1);
  const near = roomForNodes(neighbour.length); // most of it is never written to
  const weight = tiesLike(tieWeight, tieWeight.length);
  let end = 0;
  for (let v = 0; v < graph.nodeCount; v++) {
    const leaf = leafOf[v]!;
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      near[end] = neighbour[k]!; // no branch to guess: written over by the next where they live apart
      weight[end] = tieWeight[k]!;
      end += leafOf[neighbour[k]!]! === leaf ? 1 : 0;
    }
    start[v + 1] = end;
  }
  return new Graph(start, near, weight, graph.nodeWeight, graph.heaviestUser);
}

function placeOfClusters(contraction: Contraction, leafOf: Nodes): Nodes {
  const place = nodes(contraction.coarse.nodeCount);
  for (let v = 0; v < leafOf.length; v++) place[contraction.clusterOf[v]!] = leafOf[v]!;
  return place;
}

/** Of a cluster those are at home who are in their home leaf now. */
function homesOfClusters(contraction: Contraction, homes: Homes, leafOf: Nodes): Homes {
  const clusters = contraction.coarse.nodeCount;
  const leaf = ints(clusters);
  const users = doubles(clusters);
  const weight = doubles(clusters);
  leaf.fill(-1, 0, clusters);
  for (let v = 0; v < leafOf.length; v++) {
    const own = leafOf[v]!;
    if (homes.leaf[v]! !== own) continue;
    const c = contraction.clusterOf[v]!;
    leaf[c] = own;
    users[c] = users[c]! + homes.users[v]!;
    weight[c] = weight[c]! + homes.weight[v]!;
  }
  return new Homes(leaf, users, weight);
}
