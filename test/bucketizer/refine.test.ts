import { expect, test } from 'vitest';
import { restoreBalance, treeBounds } from '../../bucketizer/balance.ts';
import type { Graph } from '../../bucketizer/graph.ts';
import { refineClusters, refineTree } from '../../bucketizer/refine.ts';
import { seededRandom } from '../../config/random.ts';
import { checkBalance } from './check-tree.ts';
import { below, randomGraph, tieTable } from './sample-graphs.ts';

/** What the refinement raises: a tie is worth one a level shared, three at the leaf. */
function plainWorth(graph: Graph, leafOf: Uint32Array, height: number): number {
  let worth = 0;
  for (const [pair, weight] of tieTable(graph)) {
    const [a, b] = pair.split(' ').map((v) => leafOf[Number(v)]!);
    for (let level = 1; level <= height; level++) {
      if (a! >> (height - level) === b! >> (height - level)) worth += weight * (level === height ? 3 : 1);
    }
  }
  return worth / 2;
}

test('every refinement raises the worth of the tree and keeps its balance', () => {
  let raised = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const height = 1 + below(5, random);
    const graph = randomGraph(120, seed, seed % 2 === 0);
    const leafOf = Uint32Array.from({ length: 120 }, () => below(1 << height, random));
    restoreBalance(graph, leafOf, height);
    const before = plainWorth(graph, leafOf, height);
    const bounds = treeBounds(graph, height);
    const moved =
      seed % 3 === 0 ? refineClusters(graph, leafOf, bounds, 4, random) : refineTree(graph, leafOf, bounds, 4, random);
    const after = plainWorth(graph, leafOf, height);
    if (moved > 0) expect(after, `seed ${seed}`).toBeGreaterThan(before);
    else expect(after, `seed ${seed}`).toBe(before);
    if (after > before) raised++;
    try {
      checkBalance({ height, bucketOfUser: leafOf }, graph.nodeWeight);
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`);
    }
  }
  expect(raised).toBeGreaterThan(40);
});
