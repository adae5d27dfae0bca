import { expect, test } from 'vitest';
import { GainBounds } from '../../../bucketizer/multilevel/gain-bounds.ts';
import { worthByMeeting } from '../../../bucketizer/multilevel/leaf-worth.ts';
import { seededRandom } from '../../../config/random.ts';
import { plainWorth } from '../plain-worth.ts';
import { below, randomGraph } from '../sample-graphs.ts';

const meeting = (a: number, b: number): number => 32 - Math.clz32(a ^ b);

test('nobody gains more by a move than its bound, and who has no friends near the new leaf gains just that, as others move', () => {
  let exact = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const n = 60;
    const height = 1 + below(4, random);
    const graph = randomGraph(n, seed);
    const { rowStart, neighbour, tieWeight } = graph;
    const leafOf = Uint32Array.from({ length: n }, () => below(1 << height, random));
    const bounds = new GainBounds(graph, leafOf, height, n);
    for (let step = 0; step < 30; step++) {
      const v = below(n, random);
      const from = leafOf[v]!;
      const friends = neighbour.subarray(rowStart[v]!, rowStart[v + 1]!);
      leafOf[v] = below(1 << height, random);
      bounds.recount(v);
      for (const [i, u] of friends.entries()) bounds.friendMoved(u, tieWeight[rowStart[v]! + i]!, from, leafOf[v]!);

      const u = below(n, random);
      const own = leafOf[u]!;
      const leaf = below(1 << height, random);
      if (leaf === own) continue;
      const up = meeting(own, leaf);
      const before = plainWorth(graph, leafOf, height);
      leafOf[u] = leaf;
      const gain = plainWorth(graph, leafOf, height) - before;
      leafOf[u] = own;
      const told = `seed ${seed}, step ${step}`;
      expect(bounds.at(u, up), told).toBeGreaterThanOrEqual(gain);
      expect(bounds.anywhere(u), told).toBeGreaterThanOrEqual(bounds.at(u, up));
      const near = Array.from(neighbour.subarray(rowStart[u]!, rowStart[u + 1]!)).some(
        (friend) => meeting(own, leafOf[friend]!) === up,
      );
      if (near) continue;
      expect(bounds.at(u, up), told).toBe(gain);
      exact++;
    }
  }
  expect(exact).toBeGreaterThan(30);
});

test('of friends just where a node goes, all are taken to be in the very leaf', () => {
  const graph = randomGraph(30, 1);
  const height = 3;
  const leafOf = Uint32Array.from({ length: 30 }, (_, v) => (v === 0 ? 0 : 4 + (v % 4)));
  const bounds = new GainBounds(graph, leafOf, height, 30);
  const ties = Array.from(graph.tieWeight.subarray(0, graph.rowStart[1]!)).reduce((sum, weight) => sum + weight, 0);
  expect(ties).toBeGreaterThan(0);
  expect(bounds.anywhere(0)).toBe(ties * (worthByMeeting(height)[0]! - worthByMeeting(height)[height]!));
});
