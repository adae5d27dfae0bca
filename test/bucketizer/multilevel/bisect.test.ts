import { expect, test } from 'vitest';
import { buildGraph } from '../../../bucketizer/graph.ts';
import { bisect } from '../../../bucketizer/multilevel/bisect.ts';
import { sumOf } from '../../../bucketizer/multilevel/graph.ts';
import { halfCap } from '../../../bucketizer/multilevel/half.ts';
import { Scratch } from '../../../bucketizer/multilevel/memory.ts';
import { cutOf, heavierSide } from '../../../bucketizer/multilevel/sides.ts';
import { seededRandom } from '../../../config/random.ts';
import { keepAll, randomGraph } from '../sample-graphs.ts';

const effort = {
  coarsestNodes: 20,
  shrinkPerRound: 3,
  tries: 4,
  passes: 3,
  labelRounds: 2,
  startTies: 1000,
  startsMax: 6,
  settles: false,
  byDensity: true,
  cycles: 1,
} as const;

function cliques(count: number, size: number): Uint32Array {
  const ties: number[] = [];
  for (let c = 0; c < count; c++) {
    for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) ties.push(c * size + i, c * size + j);
    ties.push(c * size, ((c + 1) % count) * size);
  }
  return Uint32Array.from(ties);
}

test('a ring of cliques is cut at two of its links, whether or not it had to be coarsened', () => {
  for (const [count, size] of [
    [2, 5],
    [6, 5],
    [16, 8],
  ] as const) {
    const { graph } = buildGraph(cliques(count, size), null, new Float64Array(count * size).fill(1), keepAll);
    const side = bisect(graph, (count * size) / 2, effort, seededRandom(1), new Scratch());
    expect(cutOf(graph, side), `${count} cliques of ${size}`).toBe(2);
    expect(heavierSide(graph, side)).toBe((count * size) / 2);
  }
});

test('no side exceeds the cap a half is given, however skewed the weights', () => {
  for (let seed = 1; seed <= 80; seed++) {
    const graph = randomGraph(2 + ((seed * 13) % 150), seed, seed % 2 === 0);
    const levels = 1 + (seed % 7);
    const cap = halfCap(graph, levels, sumOf(graph.nodeWeight) / 2 ** levels);
    expect(
      heavierSide(graph, bisect(graph, cap, effort, seededRandom(seed), new Scratch())),
      `seed ${seed}`,
    ).toBeLessThanOrEqual(cap);
  }
});

test('more starts never cut more; starts that settle find what as many starts find, two or more', () => {
  let settledSooner = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const graph = randomGraph(60 + seed, seed, seed % 2 === 0); // small enough for starts on the graph itself
    const cap = halfCap(graph, 3, sumOf(graph.nodeWeight) / 8);
    const sidesBy = (startsMax: number, settles: boolean): Uint8Array => {
      const starts = { ...effort, startTies: 1e6, startsMax, settles, cycles: 0 };
      return bisect(graph, cap, starts, seededRandom(seed), new Scratch());
    };
    const byStarts = [1, 2, 3, 4, 5, 6, 7, 8].map((startsMax) => sidesBy(startsMax, false));
    const cuts = byStarts.map((side) => cutOf(graph, side));
    if (byStarts.every((side) => heavierSide(graph, side) <= cap)) {
      expect(cuts, `seed ${seed}`).toEqual([...cuts].sort((a, b) => b - a));
    }
    const settled = sidesBy(8, true);
    expect(byStarts.slice(1), `seed ${seed}`).toContainEqual(settled);
    if (cutOf(graph, settled) > cuts[7]!) settledSooner++;
  }
  expect(settledSooner).toBeGreaterThan(0);
});
