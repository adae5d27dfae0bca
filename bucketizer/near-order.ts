/** Friends near each other in memory. Searches of a large graph wait for memory at every tie, and users in the order of
 *  their ids are scattered; numbered by cluster, clusters by cluster of clusters, and so on, most friends of a user are
 *  in the cache already (Arai et al., "Rabbit Order", IPDPS 2016, by the clustering we have). Declined: the order of a
 *  breadth-first search, which one popular user is enough to scatter. */

import type { Random } from '../config/random.ts';
import { clusterFriends } from './multilevel/cluster.ts';
import { contract } from './multilevel/contract.ts';
import { everyNode, type Graph, sumOf } from './multilevel/graph.ts';
import { Scratch } from './multilevel/memory.ts';
import { subgraph } from './multilevel/subgraph.ts';

const shrinkPerRound = 8;
const clustersEnough = 60; // their order hardly matters: each is far larger than a cache

/** The same graph with nodes numbered by nearness, and [node] = its number there. */
export function inNearOrder(graph: Graph, random: Random): { near: Graph; nodeOf: Uint32Array } {
  const order = nearOrder(graph, random);
  const near = subgraph(graph, order, new Int32Array(graph.nodeCount));
  const nodeOf = new Uint32Array(graph.nodeCount);
  for (let at = 0; at < order.length; at++) nodeOf[order[at]!] = at;
  return { near, nodeOf };
}

/** [number] = node. */
function nearOrder(graph: Graph, random: Random): Uint32Array {
  const clusterings: Uint32Array[] = []; // [stage][node of it] = node of the next
  const scratch = new Scratch();
  const total = sumOf(graph.nodeWeight);
  let finer = graph;
  while (finer.nodeCount > clustersEnough) {
    const weightMax = (total / finer.nodeCount) * shrinkPerRound;
    const { coarse, clusterOf } = contract(finer, clusterFriends(finer, weightMax, 1, random, null, scratch), scratch);
    if (coarse.nodeCount > 0.9 * finer.nodeCount) break;
    clusterings.push(clusterOf);
    finer = coarse;
  }
  let order = everyNode(finer.nodeCount);
  for (const clusterOf of clusterings.reverse()) order = membersInOrder(clusterOf, order);
  return order;
}

/** Members of every cluster, clusters in their `order`. */
function membersInOrder(clusterOf: Uint32Array, order: Uint32Array): Uint32Array {
  const next = new Uint32Array(order.length + 1); // [cluster + 1] size, then [cluster] where its next member goes
  for (let v = 0; v < clusterOf.length; v++) next[clusterOf[v]! + 1]! += 1;
  const size = next.slice(1);
  for (let at = 0, end = 0; at < order.length; at++) {
    next[order[at]!] = end;
    end += size[order[at]!]!;
  }
  const members = new Uint32Array(clusterOf.length);
  for (let v = 0; v < clusterOf.length; v++) members[next[clusterOf[v]!]!++] = v;
  return members;
}
