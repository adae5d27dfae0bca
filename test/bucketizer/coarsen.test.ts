import { expect, test } from 'vitest';
import { clusterFriends, contract, joinLoners } from '../../bucketizer/coarsen.ts';
import { seededRandom } from '../../config/random.ts';
import { randomGraph, tieTable } from './sample-graphs.ts';

test('no cluster is heavier than its limit, except a single heavy user', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const graph = randomGraph(80, seed, seed % 2 === 0);
    const limit = 40;
    const label = clusterFriends(graph, limit, 3, seededRandom(seed));
    joinLoners(graph, label, limit);
    const members = new Map<number, number[]>();
    for (const [v, l] of label.entries()) members.set(l, [...(members.get(l) ?? []), v]);
    for (const users of members.values()) {
      const weight = users.reduce((sum, v) => sum + graph.nodeWeight[v]!, 0);
      expect(users.length === 1 || weight <= limit, `seed ${seed}: ${users}`).toBe(true);
    }
    expect(members.size, `seed ${seed}`).toBeLessThan(80);
  }
});

test('clusters within borders never cross them', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const graph = randomGraph(80, seed);
    const within = Uint32Array.from({ length: 80 }, (_, v) => (v * 7) % 4);
    const label = clusterFriends(graph, 60, 3, seededRandom(seed), within);
    const borderOf = new Map<number, number>();
    label.forEach((l, v) => {
      expect(borderOf.get(l) ?? within[v], `seed ${seed}`).toBe(within[v]);
      borderOf.set(l, within[v]!);
    });
  }
});

test('loners without ties are packed together', () => {
  const graph = { ...randomGraph(20, 1), rowStart: new Uint32Array(21), neighbour: new Uint32Array(0) };
  const label = Uint32Array.from({ length: 20 }, (_, v) => v);
  joinLoners(graph, label, 1000);
  expect(new Set(label).size).toBe(1);
});

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
