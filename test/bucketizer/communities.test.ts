import { expect, test } from 'vitest';
import { auditCommunities, louvainCommunities } from '../../bucketizer/communities.ts';
import { buildGraph } from '../../bucketizer/graph.ts';
import { seededRandom } from '../../config/random.ts';
import { communityTies, keepAll, randomGraph } from './sample-graphs.ts';

const ties: number[] = [];
for (let clique = 0; clique < 8; clique++) {
  for (let i = 0; i < 6; i++) for (let j = 0; j < i; j++) ties.push(clique * 6 + i, clique * 6 + j);
  ties.push(clique * 6, ((clique + 1) % 8) * 6);
}
const { graph } = buildGraph(Uint32Array.from(ties), null, new Float64Array(48).fill(1), keepAll);

test('a tree that keeps communities together is told from one that scatters them', () => {
  const kept = Uint32Array.from({ length: 48 }, (_, v) => Math.floor(v / 6));
  const scattered = Uint32Array.from({ length: 48 }, (_, v) => v % 8);
  const good = auditCommunities(graph, kept, 3, seededRandom(1))!;
  const bad = auditCommunities(graph, scattered, 3, seededRandom(1))!;
  expect(good.communities).toBe(8);
  expect(good.levels.map(({ whole }) => whole)).toEqual([1, 1, 1, 1]);
  expect(bad.levels.at(-1)).toMatchObject({ fitting: 8, whole: 0, together: 1 / 6 });
});

test('the audit is the same for the same seed', () => {
  const random = randomGraph(300, 5);
  const leafOf = Uint32Array.from({ length: 300 }, (_, v) => v % 16);
  expect(auditCommunities(random, leafOf, 4, seededRandom(3))).toEqual(
    auditCommunities(random, leafOf, 4, seededRandom(3)),
  );
});

test('a graph without ties has no communities, and no NaN', () => {
  const alone = buildGraph(new Uint32Array(0), null, new Float64Array(3).fill(1), keepAll).graph;
  const audit = auditCommunities(alone, new Uint32Array(3), 1, seededRandom(1))!;
  expect(audit).toMatchObject({ communities: 0, modularity: 0 });
});

test('users without ties are asked about nowhere: beside any number of them, of no weight, the audit is the same', () => {
  const apart = 20; // every 20th user has ties
  const pairs = communityTies(300, 10, 7, { inside: 1, across: 3 }); // vague: what Louvain finds hangs on its order
  const weights = new Float64Array(300 * apart).map((_, v) => (v % apart === 0 ? 1 : 0));
  const dense = buildGraph(pairs, null, new Float64Array(300).fill(1), keepAll).graph;
  const sparse = buildGraph(
    pairs.map((v) => v * apart),
    null,
    weights,
    keepAll,
  ).graph;
  const leafOf = Uint32Array.from({ length: 300 }, (_, v) => v % 8);
  const spread = Uint32Array.from({ length: 300 * apart }, (_, v) => leafOf[Math.floor(v / apart)]!);
  expect(auditCommunities(sparse, spread, 3, seededRandom(1))).toEqual(
    auditCommunities(dense, leafOf, 3, seededRandom(1)),
  );
  const { communityOf } = louvainCommunities(sparse, seededRandom(1));
  const found = new Set(communityOf.filter((_, v) => v % apart === 0));
  const alone = communityOf.filter((_, v) => v % apart !== 0);
  expect(new Set([...alone, ...found]).size).toBe(alone.length + found.size);
  expect(Math.max(...communityOf)).toBeLessThan(sparse.nodeCount);
});

test('where no community fits into a segment, none is said to be whole', () => {
  const leafOf = Uint32Array.from({ length: 48 }, (_, v) => v % 16);
  const { levels } = auditCommunities(graph, leafOf, 4, seededRandom(1))!;
  expect(levels.at(-1)).toEqual({ level: 4, fitting: 0, whole: null, together: null });
  expect(levels[0]).toMatchObject({ fitting: 8, whole: 1, together: 1 });
});
