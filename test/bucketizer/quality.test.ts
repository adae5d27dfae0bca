import { expect, test } from 'vitest';
import { levelQuality, meanLocality } from '../../bucketizer/quality.ts';
import { seededRandom } from '../../config/random.ts';
import { below, randomGraph, tieTable } from './sample-graphs.ts';

test('locality, cut and heaviest node are those of a plain count', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const height = 1 + below(5, random);
    const graph = randomGraph(50, seed, true);
    const leafOf = Uint32Array.from({ length: 50 }, () => below(1 << height, random));
    const levels = levelQuality(graph, leafOf, height);
    expect(levels.length).toBe(height + 1);
    for (const { level, nodes, locality, cutWeight, heaviestShare } of levels) {
      let all = 0;
      let inside = 0;
      for (const [pair, weight] of tieTable(graph)) {
        const [a, b] = pair.split(' ').map((v) => leafOf[Number(v)]! >> (height - level));
        all += weight;
        if (a === b) inside += weight;
      }
      const nodeWeight = new Array<number>(nodes).fill(0);
      for (const [v, leaf] of leafOf.entries()) nodeWeight[leaf >> (height - level)]! += graph.nodeWeight[v]!;
      const total = nodeWeight.reduce((sum, w) => sum + w, 0);
      expect(locality, `seed ${seed}, level ${level}`).toBeCloseTo(inside / all, 12);
      expect(cutWeight).toBe((all - inside) / 2);
      expect(heaviestShare).toBeCloseTo(Math.max(...nodeWeight) / total, 12);
    }
    for (let l = 1; l <= height; l++) expect(levels[l]!.locality).toBeLessThanOrEqual(levels[l - 1]!.locality);
    expect(meanLocality(levels)).toBeCloseTo(
      levels.slice(1).reduce((sum, { locality }) => sum + locality, 0) / height,
      12,
    );
  }
});
