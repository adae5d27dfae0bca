import { expect, test } from 'vitest';
import { restoreBalance, treeBounds } from '../../../bucketizer/balance.ts';
import { refineTree } from '../../../bucketizer/multilevel/refine.ts';
import { swapUsers } from '../../../bucketizer/multilevel/swap.ts';
import { refineClusters } from '../../../bucketizer/v-cycle.ts';
import { seededRandom } from '../../../config/random.ts';
import { checkBalance } from '../check-tree.ts';
import { plainWorth } from '../plain-worth.ts';
import { below, randomGraph } from '../sample-graphs.ts';

type Search = typeof refineTree;

test.each<[string, Search]>([
  ['refinement', refineTree],
  ['refinement of clusters', refineClusters],
  ['swaps', swapUsers],
])('%s raises the worth of a tree and keeps its balance', (_, search) => {
  let raised = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const height = 1 + below(5, random);
    const graph = randomGraph(120, seed, seed % 2 === 0);
    const leafOf = Uint32Array.from({ length: 120 }, () => below(1 << height, random));
    restoreBalance(graph, leafOf, height);
    const before = plainWorth(graph, leafOf, height);
    const moved = search(graph, leafOf, treeBounds(graph, height), 4, random);
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
  expect(raised).toBeGreaterThan(30);
});
