import { expect, test } from 'vitest';
import { quotientGraph, tiesPerBucket } from '../../../bucketizer/multilevel/quotient.ts';
import { seededRandom } from '../../../config/random.ts';
import { below, randomGraph, tieTable } from '../sample-graphs.ts';

test('bucket ties are added up, symmetric, and no bucket misses one of its heaviest', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = seededRandom(seed);
    const graph = randomGraph(600, seed);
    const height = seed % 2 === 0 ? 3 : 7;
    // most users in few buckets: rows longer than the limit occur
    const leafOf = Uint32Array.from({ length: 600 }, () => below(below(1 << height, random) + 1, random));
    const ties = new Map<string, number>();
    for (const [pair, weight] of tieTable(graph)) {
      const [a, b] = pair.split(' ').map((v) => leafOf[Number(v)]!);
      if (a !== b) ties.set(`${a} ${b}`, (ties.get(`${a} ${b}`) ?? 0) + weight);
    }
    const quotient = quotientGraph(graph, leafOf, height);
    const kept = new Map<string, number>();
    for (let b = 0; b < 1 << height; b++) {
      const row = [...quotient.neighbour.slice(quotient.rowStart[b], quotient.rowStart[b + 1])];
      expect(row, `seed ${seed}`).toEqual([...new Set(row)].sort((x, y) => x - y));
      for (const [i, other] of row.entries()) kept.set(`${b} ${other}`, quotient.weight[quotient.rowStart[b]! + i]!);
      const all = [...ties].filter(([pair]) => pair.startsWith(`${b} `)).map(([, weight]) => weight);
      const heaviest = all.sort((x, y) => y - x).slice(0, tiesPerBucket);
      const held = row.map((other) => kept.get(`${b} ${other}`)!).sort((x, y) => y - x);
      expect(held.slice(0, tiesPerBucket), `seed ${seed}, bucket ${b}`).toEqual(heaviest);
    }
    for (const [pair, weight] of kept) {
      expect(weight, `seed ${seed}, ${pair}`).toBe(ties.get(pair));
      expect(kept.get(pair.split(' ').reverse().join(' ')), `seed ${seed}, ${pair}`).toBe(weight);
    }
  }
});
