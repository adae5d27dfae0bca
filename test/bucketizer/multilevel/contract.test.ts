import { expect, test } from 'vitest';
import { clusterFriends } from '../../../bucketizer/multilevel/cluster.ts';
import { contract } from '../../../bucketizer/multilevel/contract.ts';
import { degreesOf, Graph } from '../../../bucketizer/multilevel/graph.ts';
import { subgraph } from '../../../bucketizer/multilevel/subgraph.ts';
import { seededRandom } from '../../../config/random.ts';
import { randomGraph, tieTable } from '../sample-graphs.ts';

test('a contracted graph has the ties between clusters, added up, and the weights of its members', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const graph = randomGraph(50, seed, true);
    const { coarse, clusterOf } = contract(graph, clusterFriends(graph, 50, 2, seededRandom(seed)));
    const ties = new Map<string, number>();
    for (const [pair, weight] of tieTable(graph)) {
      const [a, b] = pair.split(' ').map((v) => clusterOf[Number(v)]!);
      if (a !== b) ties.set(`${a} ${b}`, (ties.get(`${a} ${b}`) ?? 0) + weight);
    }
    expect(tieTable(coarse), `seed ${seed}`).toEqual(ties);
    for (let c = 0; c < coarse.nodeCount; c++) {
      const members = [...clusterOf.keys()].filter((v) => clusterOf[v] === c).map((v) => graph.nodeWeight[v]!);
      expect(coarse.nodeWeight[c]).toBe(members.reduce((sum, w) => sum + w, 0));
      expect(coarse.heaviestUser[c]).toBe(Math.max(...members));
    }
  }
});

test('tie weights of nodes, added up while a graph is made, are those of its rows', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const graph = randomGraph(50, seed, true);
    const { coarse } = contract(graph, clusterFriends(graph, 50, 2, seededRandom(seed)));
    const some = Uint32Array.from({ length: 25 }, (_, i) => 2 * i);
    for (const made of [coarse, subgraph(graph, some, new Int32Array(50))]) {
      expect(made.degree, `seed ${seed}`).not.toBeNull();
      const plain = new Graph(made.rowStart, made.neighbour, made.tieWeight, made.nodeWeight, made.heaviestUser);
      expect(made.degree, `seed ${seed}`).toEqual(degreesOf(plain));
    }
  }
});
