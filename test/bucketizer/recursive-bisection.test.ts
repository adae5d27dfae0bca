import { expect, test } from 'vitest';
import { buildGraph } from '../../bucketizer/graph.ts';
import { byWeightAlone, isScattered, nodesOf } from '../../bucketizer/multilevel/descend.ts';
import { sumOf } from '../../bucketizer/multilevel/graph.ts';
import { cutOf } from '../../bucketizer/multilevel/sides.ts';
import { subgraph } from '../../bucketizer/multilevel/subgraph.ts';
import { bisectPart, bisectRecursively, bisectRoot } from '../../bucketizer/recursive-bisection.ts';
import { seededRandom } from '../../config/random.ts';
import { communityTies, keepAll, randomGraph, scatteredGraph } from './sample-graphs.ts';

const effort = {
  coarsestNodes: 20,
  shrinkPerRound: 3,
  tries: 2,
  passes: 2,
  labelRounds: 2,
  startTies: 1000,
  startsMax: 6,
  settles: false,
  byDensity: true,
  cycles: 1,
} as const;

test('a subtree comes out the same when it is worked off alone', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const graph = randomGraph(120, seed, true);
    const plan = {
      height: 5,
      leafShare: sumOf(graph.nodeWeight) / 32,
      seed,
      effort,
      objective: 'cut',
      carefulLevels: 2,
    } as const;
    const whole = bisectRecursively(graph, { level: 0, index: 0 }, plan);
    const side = bisectPart(graph, { level: 0, index: 0 }, plan);
    for (const s of [1, 0]) {
      const nodes = nodesOf(side, s);
      const part = subgraph(graph, nodes, new Int32Array(graph.nodeCount));
      const alone = bisectRecursively(part, { level: 1, index: s }, plan);
      expect([...alone], `seed ${seed}, half ${s}`).toEqual([...nodes].map((v) => whole[v]));
    }
  }
});

for (const objective of ['cut', 'p-fanout'] as const) {
  test(`for ${objective}, the root has the better side of two ratings where the first cuts a lot`, () => {
    const root = { level: 0, index: 0 };
    const chosen = { byDensity: 0, byWeight: 0 };
    for (let seed = 1; seed <= 40; seed++) {
      const graph = scatteredGraph(60 + 5 * seed, seededRandom(seed));
      const plan = { height: 3, leafShare: graph.nodeCount / 8, seed, effort, objective, carefulLevels: 2 } as const;
      const byWeight = { ...plan, effort: byWeightAlone(plan).effort };
      const [first, other] = [plan, byWeight].map((each) => bisectPart(graph, root, each));
      expect(isScattered(graph, first!, plan), `seed ${seed}`).toBe(true);
      const isOther = cutOf(graph, other!) < cutOf(graph, first!);
      const { side, below } = bisectRoot(graph, plan);
      expect(side, `seed ${seed}`).toEqual(isOther ? other : first);
      expect(below, `seed ${seed}`).toEqual(isOther ? byWeight : plan);
      chosen[isOther ? 'byWeight' : 'byDensity']++;
    }
    expect(Math.min(chosen.byDensity, chosen.byWeight)).toBeGreaterThan(5);
  });
}

test('everybody comes down every level once', () => {
  const graph = randomGraph(100, 1);
  let settled = 0;
  bisectRecursively(
    graph,
    { level: 0, index: 0 },
    { height: 9, leafShare: 1, seed: 1, effort, objective: 'cut', carefulLevels: 2 },
    (userLevels) => {
      settled += userLevels;
    },
  );
  expect(settled).toBe(9 * 100);
});

test('ties that just fit into 32 bits together come out as they do in 64 bits', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const users = 150;
    const ties = communityTies(users, 8, seed);
    const weights = new Float64Array(ties.length / 2).fill(1);
    if (seed % 2 === 0)
      weights[3] = 2 ** 30 - weights.length; // one tie that is nearly all there is
    else weights.fill(Math.floor((2 ** 30 - 1) / weights.length));
    const { graph } = buildGraph(ties, weights, new Float64Array(users).fill(1), keepAll);
    expect(sumOf(weights)).toBeGreaterThan(0.98 * 2 ** 30);
    expect(graph.tieWeight).toBeInstanceOf(Int32Array);
    const wide = { ...graph, tieWeight: Float64Array.from(graph.tieWeight) };
    const plan = { height: 4, leafShare: users / 16, seed, effort, objective: 'cut', carefulLevels: 2 } as const;
    const [narrow, right] = [graph, wide].map((each) => bisectRecursively(each, { level: 0, index: 0 }, plan));
    expect([...narrow!], `seed ${seed}`).toEqual([...right!]);
  }
  const heavy = Float64Array.of(2 ** 30, 1);
  const { graph } = buildGraph(Uint32Array.of(0, 1, 1, 2), heavy, new Float64Array(3).fill(1), keepAll);
  expect([...graph.tieWeight]).toEqual([2 ** 30, 2 ** 30, 1, 1]);
  expect(graph.tieWeight).toBeInstanceOf(Float64Array);
});
