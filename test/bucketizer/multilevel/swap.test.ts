import { expect, test } from 'vitest';
import { treeBounds } from '../../../bucketizer/balance.ts';
import { refineTree } from '../../../bucketizer/multilevel/refine.ts';
import { swapUsers } from '../../../bucketizer/multilevel/swap.ts';
import { seededRandom } from '../../../config/random.ts';
import { twoTriangles } from '../sample-graphs.ts';

test('a swap unties what single moves cannot: full leaves, each with a user of the other', () => {
  // one user of each triangle in the other's leaf; every leaf full to its cap
  const graph = twoTriangles();
  const bounds = { ...treeBounds(graph, 1), userMean: 0 };
  const leafOf = Uint32Array.of(0, 0, 1, 1, 1, 0);
  expect(refineTree(graph, leafOf, bounds, 4, seededRandom(1))).toBe(0);
  expect(swapUsers(graph, leafOf, bounds, 4, seededRandom(1))).toBe(1);
  expect([...leafOf]).toEqual([0, 0, 0, 1, 1, 1]);
});
