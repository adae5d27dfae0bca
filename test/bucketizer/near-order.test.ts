import { expect, test } from 'vitest';
import { buildGraph } from '../../bucketizer/graph.ts';
import { clusterFriends } from '../../bucketizer/multilevel/cluster.ts';
import { contract } from '../../bucketizer/multilevel/contract.ts';
import type { Graph } from '../../bucketizer/multilevel/graph.ts';
import { entriesLarge } from '../../bucketizer/multilevel/memory.ts';
import { inNearOrder } from '../../bucketizer/near-order.ts';
import { seededRandom } from '../../config/random.ts';
import { below, keepAll, randomGraph, tieTable } from './sample-graphs.ts';

test('near its friends a graph has the same ties and users, under other numbers', () => {
  for (const users of [1, 30, 3000]) {
    const graph = randomGraph(users, users);
    const { near, nodeOf } = inNearOrder(graph, seededRandom(1));
    expect([...nodeOf].sort((a, b) => a - b)).toEqual(Array.from({ length: users }, (_, v) => v));
    const renamed = [...tieTable(graph)].map(([pair, weight]) => {
      return [
        pair
          .split(' ')
          .map((v) => nodeOf[Number(v)])
          .join(' '),
        weight,
      ] as const;
    });
    expect(tieTable(near), `${users} users`).toEqual(new Map(renamed));
    expect([...nodeOf].map((at) => near.nodeWeight[at])).toEqual([...graph.nodeWeight]);
  }
});

test('friends who are scattered come to lie near each other', () => {
  const users = 10_000;
  const random = seededRandom(3);
  const ties = Uint32Array.from({ length: 2 * 10 * users }, (_, i) => {
    const v = (i >>> 1) % users;
    return i % 2 === 0 ? v : (v % 250) + 250 * below(40, random); // 250 communities
  });
  const { graph } = buildGraph(ties, null, new Float64Array(users).fill(1), keepAll);
  const { near } = inNearOrder(graph, seededRandom(1));
  expect(meanDistance(near)).toBeLessThan(meanDistance(graph) / 10);
});

test('a large graph, kept in bytes, is clustered as the same graph in words is, in two stages as in one', () => {
  const users = 30_000;
  const random = seededRandom(5);
  const ties = Uint32Array.from({ length: entriesLarge + 300_000 }, (_, i) => {
    const v = (i >>> 1) % users;
    return i % 2 === 0 ? v : v - (v % 3000) + below(3000, random);
  });
  const { graph } = buildGraph(ties, null, new Float64Array(users).fill(1), keepAll);
  expect(graph.tieWeight.constructor.name).toBe('Uint8Array');
  const wide = { ...graph, tieWeight: Int32Array.from(graph.tieWeight) };
  const label = clusterFriends(graph, 10, 1, seededRandom(2));
  expect(firstDifference(clusterFriends(wide, 10, 1, seededRandom(2)), label)).toBe(-1);
  const { coarse, clusterOf } = contract(graph, label);
  for (let c = 0; c < coarse.nodeCount; c += 200) {
    expect(rowOf(coarse, c), `cluster ${c}`).toEqual(plainRow(graph, clusterOf, c));
  }
  const next = contract(coarse, clusterFriends(coarse, 40, 1, seededRandom(3)));
  const throughBoth = clusterOf.map((c) => next.clusterOf[c]!);
  const atOnce = contract(graph, throughBoth);
  expect(firstDifference(atOnce.clusterOf, throughBoth)).toBe(-1);
  for (let c = 0; c < next.coarse.nodeCount; c += 200) {
    expect(rowOf(atOnce.coarse, c), `cluster ${c}`).toEqual(rowOf(next.coarse, c));
  }
  const coarseWide = contract(wide, label).coarse;
  expect(coarse.nodeCount).toBeLessThan(users / 2);
  expect(firstDifference(coarse.neighbour, coarseWide.neighbour)).toBe(-1);
  expect(firstDifference(coarse.tieWeight, coarseWide.tieWeight)).toBe(-1);
});

/** [neighbour] = tie weight. */
function rowOf({ rowStart, neighbour, tieWeight }: Graph, v: number): Map<number, number> {
  const row = new Map<number, number>();
  for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) row.set(neighbour[k]!, tieWeight[k]!);
  return row;
}

function plainRow(graph: Graph, clusterOf: Uint32Array, cluster: number): Map<number, number> {
  const row = new Map<number, number>();
  for (const [v, c] of clusterOf.entries()) {
    if (c !== cluster) continue;
    for (const [u, weight] of rowOf(graph, v)) {
      const other = clusterOf[u]!;
      if (other !== cluster) row.set(other, (row.get(other) ?? 0) + weight);
    }
  }
  return row;
}

/** -1: none. Arrays of millions are too long for `toEqual`. */
function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i;
  return -1;
}

function meanDistance(graph: Graph): number {
  let sum = 0;
  for (let v = 0; v < graph.nodeCount; v++) {
    for (let k = graph.rowStart[v]!; k < graph.rowStart[v + 1]!; k++) sum += Math.abs(graph.neighbour[k]! - v);
  }
  return sum / graph.neighbour.length;
}
