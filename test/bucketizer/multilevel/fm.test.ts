import { expect, test } from 'vitest';
import { buildGraph } from '../../../bucketizer/graph.ts';
import { BisectionSearch } from '../../../bucketizer/multilevel/fm.ts';
import { type Graph, sumOf } from '../../../bucketizer/multilevel/graph.ts';
import { cutOf, heavierSide } from '../../../bucketizer/multilevel/sides.ts';
import { seededRandom } from '../../../config/random.ts';
import { communityTies, keepAll, randomGraph, tieTable } from '../sample-graphs.ts';

function plainCut(graph: Graph, side: Uint8Array): number {
  let cut = 0;
  for (const [pair, weight] of tieTable(graph)) {
    const [a, b] = pair.split(' ').map(Number);
    if (a! < b! && side[a!] !== side[b!]) cut += weight;
  }
  return cut;
}

function randomSide(n: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length: n }, () => (random() < 0.5 ? 0 : 1));
}

test('the cut is the tie weight between the sides', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const graph = randomGraph(40, seed);
    const side = randomSide(40, seed);
    expect(cutOf(graph, side), `seed ${seed}`).toBe(plainCut(graph, side));
  }
});

test('a balanced bisection stays balanced and its cut never grows', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const graph = randomGraph(60, seed, seed % 3 === 0);
    const side = randomSide(60, seed);
    const cap = heavierSide(graph, side);
    const before = cutOf(graph, side);
    new BisectionSearch(graph, cap).improve(side, 3, 50);
    expect(cutOf(graph, side), `seed ${seed}`).toBeLessThanOrEqual(before);
    expect(heavierSide(graph, side), `seed ${seed}`).toBeLessThanOrEqual(cap);
  }
});

test('an unbalanced bisection ends balanced where users are light', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const graph = randomGraph(60, seed);
    const side = new Uint8Array(60);
    const cap = 0.55 * sumOf(graph.nodeWeight);
    new BisectionSearch(graph, cap).improve(side, 3, 60);
    expect(heavierSide(graph, side), `seed ${seed}`).toBeLessThanOrEqual(cap);
  }
});

test('the search is as good as trying every bisection, on nearly all graphs of twelve users', () => {
  let best = 0;
  const trials = 40;
  for (let seed = 1; seed <= trials; seed++) {
    const graph = buildGraph(
      communityTies(12, 6, seed, { inside: 2 }),
      null,
      new Float64Array(12).fill(1),
      keepAll,
    ).graph;
    let optimum = Infinity;
    for (let bits = 0; bits < 1 << 12; bits++) {
      const side = Uint8Array.from({ length: 12 }, (_, v) => (bits >> v) & 1);
      if (heavierSide(graph, side) === 6) optimum = Math.min(optimum, cutOf(graph, side));
    }
    let found = Infinity;
    const search = new BisectionSearch(graph, 6);
    for (let start = 0; start < 8; start++) {
      const side = Uint8Array.from({ length: 12 }, (_, v) => ((v * (start + 1)) % 12 < 6 ? 0 : 1));
      search.improve(side, 4, 12);
      if (heavierSide(graph, side) === 6) found = Math.min(found, cutOf(graph, side));
    }
    expect(found, `seed ${seed}: below the optimum`).toBeGreaterThanOrEqual(optimum);
    if (found === optimum) best++;
  }
  expect(best).toBeGreaterThanOrEqual(0.9 * trials);
});
