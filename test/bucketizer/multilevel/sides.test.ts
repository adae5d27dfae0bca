import { expect, test } from 'vitest';
import { BestSides, cutOf, heavierSide } from '../../../bucketizer/multilevel/sides.ts';
import { seededRandom } from '../../../config/random.ts';
import { randomGraph } from '../sample-graphs.ts';

test('the best of several sides is what sorting all of them finds, and each is told its rank among those before', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = seededRandom(seed);
    const graph = randomGraph(2 + Math.floor(random() * 6), seed, seed % 2 === 0);
    const cap = heavierSide(graph, new Uint8Array(graph.nodeCount)) * (0.5 + 0.2 * random());
    const best = new BestSides(graph, cap);
    let first: { side: Uint8Array; excess: number; cut: number } | null = null;
    for (let i = 0; i < 12; i++) {
      const side = Uint8Array.from({ length: graph.nodeCount }, () => (random() < 0.5 ? 0 : 1));
      const seen = { side, excess: Math.max(0, heavierSide(graph, side) - cap), cut: cutOf(graph, side) };
      const rank = first === null ? 1 : Math.sign(first.excess - seen.excess || first.cut - seen.cut);
      expect(best.see(side), `seed ${seed}, sides ${i}`).toBe(rank);
      if (rank === 1) first = seen;
      expect(best.side, `seed ${seed}, sides ${i}`).toBe(first!.side);
    }
  }
});
