import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { restoreBalance, treeBounds } from '../../../bucketizer/balance.ts';
import { buildGraph } from '../../../bucketizer/graph.ts';
import { compiledSearches } from '../../../bucketizer/io/compiled-searches.ts';
import { readTree } from '../../../bucketizer/io/tree-file.ts';
import type { DescentPlan } from '../../../bucketizer/multilevel/descend.ts';
import { Graph, sumOf } from '../../../bucketizer/multilevel/graph.ts';
import { plainSearches } from '../../../bucketizer/searches.ts';
import { type Random, seededRandom } from '../../../config/random.ts';
import { below, communityTies, keepAll, randomGraph, scatteredGraph } from '../sample-graphs.ts';
import { scratchFolder } from './scratch.ts';

const program = fileURLToPath(new URL('../../../dist/pipeline/cli/main.js', import.meta.url));
const built = new URL('../../../dist/bucketizer/multilevel/searches.wasm', import.meta.url);

function anyPlan(graph: Graph, height: number, random: Random): DescentPlan {
  return {
    height,
    leafShare: sumOf(graph.nodeWeight) / (1 << height),
    seed: Math.floor(random() * 2 ** 32),
    carefulLevels: below(3, random),
    effort: {
      coarsestNodes: 10 + below(40, random),
      shrinkPerRound: 2 + 3 * random(),
      tries: 1 + below(5, random),
      passes: 1 + below(4, random),
      labelRounds: 1 + below(2, random),
      byDensity: random() < 0.5,
      startTies: random() < 0.5 ? 0 : 1 + below(3000, random),
      startsMax: 1 + below(8, random),
      settles: random() < 0.5,
      cycles: below(3, random),
    },
  };
}

/** Some with users who weigh a hundred times what others do, some with users who weigh nothing. */
function anyGraph(seed: number, random: Random): Graph {
  const graph = randomGraph(1 + below(seed % 10 === 0 ? 3000 : 300, random), seed, seed % 2 === 0);
  if (seed % 7 === 0) graph.nodeWeight.fill(0);
  else if (seed % 3 === 0) for (let v = 0; v < graph.nodeCount; v += 2) graph.nodeWeight[v] = 0;
  return graph;
}

for (const search of ['bisect', 'descend'] as const) {
  test(`compiled to WebAssembly, ${search} finds what it finds in JavaScript`, (context) => {
    if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
    const [compiled, plain] = [compiledSearches(), plainSearches()];
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed);
      const graph = anyGraph(seed, random);
      const height = 1 + below(8, random);
      const plan = anyPlan(graph, height, random);
      const level = below(search === 'descend' ? height + 1 : height, random);
      const place = { level, index: below(1 << level, random) };
      const [found, expected] = [compiled, plain].map((searches) => searches[search](graph, place, plan));
      expect(found, `seed ${seed}`).toEqual(expected);
    }
  });
}

test('and bisects the root alike, by either rating', (context) => {
  if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
  const [compiled, plain] = [compiledSearches(), plainSearches()];
  const root = { level: 0, index: 0 };
  let byWeight = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const graph = seed % 2 === 0 ? scatteredGraph(2 + below(300, random), random) : anyGraph(seed, random);
    const plan = anyPlan(graph, 1 + below(8, random), random);
    const [found, expected] = [compiled, plain].map((searches) => searches.bisectRoot(graph, plan));
    expect(found, `seed ${seed}`).toEqual(expected);
    const [foundLeaves, leaves] = [compiled, plain].map((searches) => searches.descend(graph, root, plan));
    expect(foundLeaves, `seed ${seed}`).toEqual(leaves);
    if (expected!.isByWeight) byWeight++;
  }
  expect(byWeight).toBeGreaterThan(10);
});

test('more nodes than its memory has blocks for go down in JavaScript, however few their ties', (context) => {
  if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
  const users = 5_000_000;
  const graph = buildGraph(Uint32Array.of(0, users - 1), null, new Float64Array(users).fill(1), keepAll).graph;
  const effort = { ...anyPlan(graph, 1, seededRandom(1)).effort, tries: 1, startTies: 0, cycles: 0 };
  const plan = { height: 2, leafShare: users / 4, seed: 1, carefulLevels: 0, effort };
  const leafOf = compiledSearches().descend(graph, { level: 0, index: 0 }, plan);
  expect(leafOf[0]).toBe(leafOf[users - 1]);
  for (let leaf = 0; leaf < 4; leaf++) expect(leafOf.filter((l) => l === leaf).length).toBeLessThan(1.05 * (users / 4));
});

test('and makes the same halves of a part', (context) => {
  if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
  const [compiled, plain] = [compiledSearches(), plainSearches()];
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const made = anyGraph(seed, random);
    const graph = seed % 4 === 1 ? withTiesInBytes(made) : made;
    const firstShare = random();
    const side = Uint8Array.from({ length: graph.nodeCount }, () => (random() < firstShare ? 0 : 1));
    const [found, expected] = [compiled, plain].map((searches) => searches.halves(graph, side));
    expect(found, `seed ${seed}`).toEqual(expected);
  }
});

/** As large graphs have them. */
function withTiesInBytes({ rowStart, neighbour, tieWeight, nodeWeight, heaviestUser }: Graph): Graph {
  const light = tieWeight.map((weight) => 1 + (weight % 255));
  return new Graph(rowStart, neighbour, Uint8Array.from(light), nodeWeight, heaviestUser);
}

test('and move users to the same leaves', (context) => {
  if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
  const [compiled, plain] = [compiledSearches(), plainSearches()];
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const users = 1 + below(seed % 10 === 0 ? 3000 : 300, random);
    const made = randomGraph(users, seed, seed % 2 === 0);
    const graph = seed % 4 === 1 ? withTiesInBytes(made) : made;
    const height = 1 + below(7, random);
    const leafOf = Uint32Array.from({ length: users }, () => below(1 << height, random));
    restoreBalance(graph, leafOf, height);
    const bounds = treeBounds(graph, height);
    const [found, expected] = [compiled, plain].map((searches) => {
      const leaves = leafOf.slice();
      searches.refine(graph, leaves, bounds, 4, seed);
      searches.swap(graph, leaves, bounds, 4, seed + 1);
      return leaves;
    });
    expect(found, `seed ${seed}`).toEqual(expected);
  }
});

test('and moves the same users in a refresh', (context) => {
  if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
  const [compiled, plain] = [compiledSearches(), plainSearches()];
  let moved = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const users = 1 + below(seed % 10 === 0 ? 3000 : 300, random);
    const graph = randomGraph(users, seed, seed % 2 === 0);
    const height = 1 + below(7, random);
    const leafOf = Uint32Array.from({ length: users }, () => below(1 << height, random));
    restoreBalance(graph, leafOf, height);
    const before = {
      leaf: Int32Array.from(leafOf, (leaf) =>
        random() < 0.05 ? -1 : random() < 0.05 ? below(1 << height, random) : leaf,
      ),
      usersMax: users * random(),
      weightMax: sumOf(graph.nodeWeight) * random(),
    };
    const bounds = treeBounds(graph, height);
    const [found, expected] = [compiled, plain].map((searches) => {
      const leaves = leafOf.slice();
      searches.improve(graph, leaves, bounds, before, seed);
      return leaves;
    });
    expect(found, `seed ${seed}`).toEqual(expected);
    if (found!.some((leaf, v) => leaf !== leafOf[v])) moved++;
  }
  expect(moved).toBeGreaterThan(150);
});

test('and measures the same of a tree', (context) => {
  if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
  const [compiled, plain] = [compiledSearches(), plainSearches()];
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const made = anyGraph(seed, random);
    const graph = seed % 4 === 1 ? withTiesInBytes(made) : made;
    const height = 1 + below(9, random);
    // most users in few buckets: rows longer than the limit occur
    const leafOf = Uint32Array.from({ length: graph.nodeCount }, () => below(below(1 << height, random) + 1, random));
    const [found, expected] = [compiled, plain].map((searches) => {
      const { byDistance, quotient } = searches.measure(graph, leafOf, height);
      return { byDistance, quotient: { ...quotient } }; // whatever class it is of
    });
    expect(found, `seed ${seed}`).toEqual(expected);
  }
});

test('and makes the same rows of a list of ties', (context) => {
  if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
  const [compiled, plain] = [compiledSearches(), plainSearches()];
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const users = 1 + below(seed % 10 === 0 ? 3000 : 60, random);
    const ties = communityTies(users, 5, seed); // of users who repeat ties, and have ties to themselves
    const heaviest = seed % 5 === 0 ? 2 ** 32 : 1000; // too heavy for 32 bits together
    const weights =
      seed % 2 === 0 ? null : Float64Array.from({ length: ties.length / 2 }, () => 1 + below(heaviest, random));
    const place = seed % 3 === 0 ? null : Uint32Array.from({ length: users }, (_, v) => users - 1 - v);
    const [found, expected] = [compiled, plain].map((searches) => {
      const { rowStart, neighbour, tieWeight, direction, listed } = searches.rows(
        ties,
        weights,
        users,
        seed % 4 < 2,
        place,
      );
      const end = rowStart[users]!;
      return {
        rowStart,
        neighbour: neighbour.slice(0, end),
        tieWeight: tieWeight.slice(0, end),
        direction: direction?.slice(0, end),
        listed,
      };
    });
    expect(found, `seed ${seed}`).toEqual(expected);
  }
  expect(() => compiled.rows(Uint32Array.of(0, 3), null, 3, false, null)).toThrow('does not exist');
  expect(() => plain.rows(Uint32Array.of(0, 3), null, 3, false, null)).toThrow('does not exist');
});

test('a graph that was just searched is searched again as if it were new', (context) => {
  if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
  const used = compiledSearches();
  const random = seededRandom(1);
  const graphs = [1, 2, 3].map((seed) => randomGraph(200, seed));
  for (let i = 0; i < 100; i++) {
    const graph = graphs[below(3, random)]!;
    if (random() < 0.2) used.rows(communityTies(50, 5, i), null, 50, false, null);
    const plan = anyPlan(graph, 4, random);
    expect(used.descend(graph, root, plan), `search ${i}`).toEqual(plainSearches().descend(graph, root, plan));
  }
});

const root = { level: 0, index: 0 };

test('a large graph first leaves nothing behind that changes how a small one is bisected', (context) => {
  if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
  const users = 40_000;
  const weights = new Float64Array(users).fill(1);
  const { graph: large } = buildGraph(communityTies(users, 40, 1, { inside: 6 }), null, weights, keepAll);
  const small = randomGraph(200, 2);
  const used = compiledSearches();
  used.bisect(large, root, anyPlan(large, 3, seededRandom(1)));
  const plan = anyPlan(small, 4, seededRandom(2));
  expect(used.descend(small, root, plan)).toEqual(compiledSearches().descend(small, root, plan));
});

test('ties that add up to more than 32 bits are weighed in full', () => {
  const ties = communityTies(300, 10, 3);
  const tieWeights = new Float64Array(ties.length / 2).fill(3e9);
  const { graph } = buildGraph(ties, tieWeights, new Float64Array(300).fill(1), keepAll);
  expect(graph.tieWeight).toBeInstanceOf(Float64Array);
  const plan = anyPlan(graph, 4, seededRandom(1));
  expect(compiledSearches().descend(graph, root, plan)).toEqual(plainSearches().descend(graph, root, plan));
});

test('without WebAssembly the program builds the same tree', (context) => {
  if (!existsSync(built)) context.skip('the searches are compiled by npm run build');
  const { dir, write } = scratchFolder();
  const ties = communityTies(300, 10, 1);
  const lines = Array.from({ length: ties.length / 2 }, (_, i) => `${ties[2 * i]} ${ties[2 * i + 1]}\n`);
  const path = write('ties', lines.join(''));
  const tree = join(dir, 'tree');
  const versionBy = (...flags: string[]): string => {
    const build = ['bucketize', path, '--out', tree, '--height', '4'];
    execFileSync(process.execPath, [...flags, program, ...build], { stdio: 'ignore' });
    return readTree(tree).version;
  };
  expect(versionBy('--jitless')).toBe(versionBy());
});
