import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { restoreBalance, treeBounds } from '../../../bucketizer/balance.ts';
import { buildGraph } from '../../../bucketizer/graph.ts';
import { compiledSearches } from '../../../bucketizer/io/compiled-searches.ts';
import type { BisectEffort } from '../../../bucketizer/multilevel/effort.ts';
import { type Graph, sumOf } from '../../../bucketizer/multilevel/graph.ts';
import { plainSearches } from '../../../bucketizer/searches.ts';
import { seededRandom } from '../../../config/random.ts';
import { below, communityTies, keepAll, randomGraph } from '../sample-graphs.ts';

const built = new URL('../../../dist/bucketizer/multilevel/searches.wasm', import.meta.url);

const effort: BisectEffort = {
  coarsestNodes: 25,
  shrinkPerRound: 4,
  tries: 4,
  passes: 3,
  labelRounds: 1,
  byDensity: true,
  startTies: 1000,
  cycles: 1,
};

const capOf = (graph: Graph): number => 0.52 * sumOf(graph.nodeWeight) + 1;

test('compiled to WebAssembly the searches find the sides that they find in JavaScript', (context) => {
  if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
  const [compiled, plain] = [compiledSearches(), plainSearches()];
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed);
    const graph = randomGraph(1 + below(seed % 10 === 0 ? 3000 : 300, random), seed, seed % 2 === 0);
    const chosen: BisectEffort = {
      coarsestNodes: 10 + below(40, random),
      shrinkPerRound: 2 + 3 * random(),
      tries: 1 + below(5, random),
      passes: 1 + below(4, random),
      labelRounds: 1 + below(2, random),
      byDensity: random() < 0.5,
      startTies: random() < 0.5 ? 0 : 1 + below(3000, random),
      cycles: below(3, random),
    };
    const cap = capOf(graph) * (0.9 + 0.2 * random());
    const [found, expected] = [compiled, plain].map((searches) => searches.bisect(graph, cap, chosen, `${seed}`));
    expect(Buffer.compare(found!, expected!), `seed ${seed}`).toBe(0);
  }
});

test('and puts users into the same leaves', (context) => {
  if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
  const [compiled, plain] = [compiledSearches(), plainSearches()];
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const users = 1 + below(seed % 10 === 0 ? 3000 : 300, random);
    const graph = randomGraph(users, seed, seed % 2 === 0);
    const height = 1 + below(7, random);
    const leafOf = Uint32Array.from({ length: users }, () => below(1 << height, random));
    restoreBalance(graph, leafOf, height);
    const bounds = treeBounds(graph, height);
    const [found, expected] = [compiled, plain].map((searches) => {
      const leaves = leafOf.slice();
      searches.refine(graph, leaves, bounds, 4, `${seed}/refine`);
      searches.swap(graph, leaves, bounds, 4, `${seed}/swap`);
      return leaves;
    });
    expect(found, `seed ${seed}`).toEqual(expected);
  }
});

test('a large graph first leaves nothing behind that changes how a small one is bisected', (context) => {
  if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
  const users = 40_000;
  const weights = new Float64Array(users).fill(1);
  const { graph: large } = buildGraph(communityTies(users, 40, 1, { inside: 6 }), null, weights, keepAll);
  const small = randomGraph(200, 2);
  const used = compiledSearches();
  used.bisect(large, capOf(large), effort, 'first');
  expect(used.bisect(small, capOf(small), effort, 'then')).toEqual(
    compiledSearches().bisect(small, capOf(small), effort, 'then'),
  );
});

test('ties that add up to more than 32 bits are weighed in full', () => {
  const heavy = (weight: number): Graph => {
    const ties = communityTies(300, 10, 3);
    const tieWeights = new Float64Array(ties.length / 2).fill(weight);
    return buildGraph(ties, tieWeights, new Float64Array(300).fill(1), keepAll).graph;
  };
  const light = heavy(1);
  const graph = heavy(3e9);
  expect(graph.tieWeight).toBeInstanceOf(Float64Array);
  const sides = compiledSearches().bisect(graph, capOf(graph), effort, 'same');
  expect(sides).toEqual(plainSearches().bisect(graph, capOf(graph), effort, 'same'));
  expect(new Set(sides)).toEqual(new Set(compiledSearches().bisect(light, capOf(light), effort, 'same')));
});
