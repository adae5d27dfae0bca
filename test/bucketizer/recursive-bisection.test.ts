import { expect, test } from 'vitest';
import { subgraph, sumOf } from '../../bucketizer/graph.ts';
import { bisectAt, bisectRecursively, nodesOf } from '../../bucketizer/recursive-bisection.ts';
import { randomGraph } from './sample-graphs.ts';

const effort = { coarsestNodes: 20, shrinkPerRound: 3, tries: 2, passes: 2, labelRounds: 2, cycles: 1 };

test('a subtree comes out the same when it is worked off alone', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const graph = randomGraph(120, seed, true);
    const plan = {
      height: 5,
      leafShare: sumOf(graph.nodeWeight) / 32,
      seed,
      effort,
      objective: 'cut',
      cycledLevels: 2,
    } as const;
    const whole = bisectRecursively(graph, { level: 0, index: 0 }, plan);
    const side = bisectAt(graph, { level: 0, index: 0 }, plan);
    for (const s of [1, 0]) {
      const nodes = nodesOf(side, s);
      const part = subgraph(graph, nodes, new Uint32Array(graph.nodeCount));
      const alone = bisectRecursively(part, { level: 1, index: s }, plan);
      expect([...alone], `seed ${seed}, half ${s}`).toEqual([...nodes].map((v) => whole[v]));
    }
  }
});

test('everybody is settled once', () => {
  const graph = randomGraph(100, 1);
  let settled = 0;
  bisectRecursively(
    graph,
    { level: 0, index: 0 },
    { height: 9, leafShare: 1, seed: 1, effort, objective: 'cut', cycledLevels: 2 },
    (users) => {
      settled += users;
    },
  );
  expect(settled).toBe(100);
});
