import { expect, test } from 'vitest';
import { restoreBalance, treeBounds } from '../../../bucketizer/balance.ts';
import { buildGraph } from '../../../bucketizer/graph.ts';
import { BudgetedSearch } from '../../../bucketizer/multilevel/budgeted-search.ts';
import { Homes, MoveBudget } from '../../../bucketizer/multilevel/move-budget.ts';
import { seededRandom } from '../../../config/random.ts';
import { checkBalance } from '../check-tree.ts';
import { plainWorth } from '../plain-worth.ts';
import { below, communityTies, keepAll, randomGraph, randomWeights, twoTriangles } from '../sample-graphs.ts';

test('moves and swaps raise the worth of a tree, keep its balance, and never spend more than the budget', () => {
  let raised = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const height = 1 + below(5, random);
    const n = 120;
    const graph = randomGraph(n, seed, seed % 2 === 0);
    const leafOf = Uint32Array.from({ length: n }, () => below(1 << height, random));
    restoreBalance(graph, leafOf, height);
    const newcomers = seed % 4;
    const leaf = Int32Array.from(leafOf, (b, v) =>
      v < newcomers ? -1 : v % 11 === 0 ? below(1 << height, random) : b,
    );
    const homes = new Homes(leaf, new Float64Array(n).fill(1), graph.nodeWeight);
    const budget = new MoveBudget(n * 0.3, graph.nodeWeight.reduce((a, b) => a + b, 0) * 0.2);
    budget.count(homes, leafOf);
    const least = { users: budget.usersMoved, weight: budget.weightMoved };
    const before = plainWorth(graph, leafOf, height);
    const moves = new BudgetedSearch(graph, leafOf, treeBounds(graph, height), homes, budget).refine(0);
    const after = plainWorth(graph, leafOf, height);
    if (moves > 0) expect(after, `seed ${seed}`).toBeGreaterThan(before);
    else expect(after, `seed ${seed}`).toBe(before);
    if (after > before) raised++;
    const away = Array.from(leafOf.keys()).filter((v) => leaf[v]! >= 0 && leaf[v] !== leafOf[v]);
    expect(budget.usersMoved, `seed ${seed}`).toBe(away.length);
    expect(budget.weightMoved, `seed ${seed}`).toBe(away.reduce((sum, v) => sum + graph.nodeWeight[v]!, 0));
    expect(budget.usersMoved).toBeLessThanOrEqual(Math.max(least.users, budget.usersMax));
    expect(budget.weightMoved).toBeLessThanOrEqual(Math.max(least.weight, budget.weightMax));
    try {
      checkBalance({ height, bucketOfUser: leafOf }, graph.nodeWeight);
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`);
    }
  }
  expect(raised).toBeGreaterThan(25);
});

test('whoever leaves home gains the price of it; a leaf that is full is entered by changing places', () => {
  // one user of each triangle in the other's leaf; every leaf full to its cap
  const graph = twoTriangles();
  const bounds = { ...treeBounds(graph, 1), userMean: 0 };
  const leaf = Int32Array.of(0, 0, 1, 1, 1, 0);
  const homes = new Homes(leaf, new Float64Array(6).fill(1), graph.nodeWeight);
  const after = (price: number): number[] => {
    const leafOf = Uint32Array.from(leaf);
    new BudgetedSearch(graph, leafOf, bounds, homes, new MoveBudget(6, 6)).refine(price);
    return [...leafOf];
  };
  expect(after(5.9)).toEqual([0, 0, 0, 1, 1, 1]); // two ties come together in a leaf for each of the two: 2 x 3
  expect(after(6)).toEqual([...leaf]);
});

test('where the leaf that is wanted is full and nobody there wants to go, the nearest leaf with room is taken', () => {
  const leafOf = Uint32Array.of(0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3); // three users fill a leaf
  const ties = Uint32Array.of(0, 1, 1, 2, 0, 2, 11, 0);
  const each = new Float64Array(12).fill(1);
  const { graph } = buildGraph(ties, Float64Array.of(9, 9, 9, 1), each, keepAll);
  const bounds = { ...treeBounds(graph, 2), userMean: 0 };
  const homes = new Homes(Int32Array.from(leafOf), each, each);
  const after = (price: number): number[] => {
    const leaves = leafOf.slice();
    new BudgetedSearch(graph, leaves, bounds, homes, new MoveBudget(12, 12)).refine(price);
    return [...leaves];
  };
  const beside = [...leafOf];
  beside[11] = 1; // one level with its friend
  expect(after(0.9)).toEqual(beside);
  expect(after(1)).toEqual([...leafOf]);
});

test('two who want the same place equally do not take turns: a price paid and got back leaves nothing', () => {
  const [one, other, friend, same, far] = [3, 9, 10, 11, 0];
  const ties = Uint32Array.from([one, other].flatMap((v) => [friend, same, far].flatMap((of) => [v, of])));
  const leafOf = Uint32Array.from({ length: 12 }, (_, v) => Math.floor(v / 3));
  const leaf = Int32Array.from(leafOf, (b, v) => (v === other ? leafOf[one]! : b));
  const each = new Float64Array(12).fill(1);
  const homes = new Homes(leaf, each, each);
  for (const weight of [1, 2 ** 43]) {
    const { graph } = buildGraph(ties, new Float64Array(6).fill(weight), each, keepAll);
    const bounds = { ...treeBounds(graph, 2), userMean: 0 };
    for (let tenths = 1; tenths <= 20; tenths++) {
      const budget = new MoveBudget(12, 12);
      budget.count(homes, leafOf);
      const price = (tenths / 10) * weight;
      const moves = new BudgetedSearch(graph, leafOf.slice(), bounds, homes, budget).refine(price);
      expect(moves, `price ${price}`).toBe(0);
    }
  }
});

test('what a search remembers from one price to the next, and of who was moved by others, is nearly always what a new one finds', () => {
  let moved = 0;
  let same = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const height = 2 + below(4, random);
    const n = 150;
    const ties = communityTies(n, 8, seed);
    const { graph } = buildGraph(ties, null, randomWeights(n, seed, seed % 2 === 0), keepAll);
    // most are where their friends are: else the search would end for having weighed up enough
    const start = Uint32Array.from({ length: n }, (_, v) =>
      v % 6 === 0 ? below(1 << height, random) : Math.floor((v << height) / n),
    );
    restoreBalance(graph, start, height);
    const homeLeaf = Int32Array.from(start, (b, v) => (v < 3 ? -1 : b));
    const homes = new Homes(homeLeaf, new Float64Array(n).fill(1), graph.nodeWeight);
    const bounds = treeBounds(graph, height);
    const movers = Array.from({ length: 5 }, () => [below(n, random), below(1 << height, random)] as const);
    const refined = (remembering: boolean): number[] => {
      const leafOf = start.slice();
      const budget = new MoveBudget(n, Number.MAX_SAFE_INTEGER);
      const search = new BudgetedSearch(graph, leafOf, bounds, homes, budget);
      search.refine(6);
      for (const [v, leaf] of movers) search.follow(v, leaf);
      budget.count(homes, leafOf);
      (remembering ? search : new BudgetedSearch(graph, leafOf, bounds, homes, budget)).refine(1);
      return [...leafOf];
    };
    const remembered = refined(true);
    const anew = refined(false);
    if (remembered.some((leaf, v) => leaf !== start[v])) moved++;
    if (remembered.every((leaf, v) => leaf === anew[v])) same++;
    const worth = plainWorth(graph, Uint32Array.from(remembered), height);
    const worthAnew = plainWorth(graph, Uint32Array.from(anew), height);
    expect(Math.abs(worth / worthAnew - 1), `seed ${seed}`).toBeLessThan(0.01);
  }
  expect(moved).toBe(40);
  expect(same).toBeGreaterThan(35); // not all: the order in which equal ones are found depends on who came when
});
