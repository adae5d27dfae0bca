import { expect, test } from 'vitest';
import { clusterFriends, joinLoners } from '../../../bucketizer/multilevel/cluster.ts';
import { seededRandom } from '../../../config/random.ts';
import { randomGraph } from '../sample-graphs.ts';

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
