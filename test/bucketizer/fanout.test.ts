import { expect, test } from 'vitest';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { fanoutProbability, meanFanout, refineFanout } from '../../bucketizer/fanout.ts';
import { buildGraph } from '../../bucketizer/graph.ts';
import type { Graph } from '../../bucketizer/multilevel/graph.ts';
import { seededRandom } from '../../config/random.ts';
import { checkTree } from './check-tree.ts';
import { below, communityTies, keepAll, randomGraph, userNames } from './sample-graphs.ts';

/** p-fanout said plainly: [user] chance that at least one friend in a part is asked, over parts. */
function plainFanout(graph: Graph, partOf: ArrayLike<number>, p: number): number {
  let sum = 0;
  let asking = 0;
  for (let q = 0; q < graph.nodeCount; q++) {
    const friends = [...graph.neighbour.subarray(graph.rowStart[q]!, graph.rowStart[q + 1]!)];
    if (friends.length > 0) asking++;
    for (const part of new Set(friends.map((v) => partOf[v]!))) {
      let nobody = 1;
      for (const v of friends) if (partOf[v] === part) nobody *= 1 - p;
      sum += 1 - nobody;
    }
  }
  return asking === 0 ? 0 : sum / asking;
}

/** Ties between users with friends in common, one for each such friend, that run between parts. */
function cliqueNetCut(graph: Graph, partOf: ArrayLike<number>): number {
  let cut = 0;
  for (let q = 0; q < graph.nodeCount; q++) {
    const friends = [...graph.neighbour.subarray(graph.rowStart[q]!, graph.rowStart[q + 1]!)];
    for (const [i, v] of friends.entries()) for (const u of friends.slice(0, i)) if (partOf[u] !== partOf[v]) cut++;
  }
  return cut;
}

function randomSides(users: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length: users }, () => below(2, random));
}

test('fanout is what its definition says, for any p', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const graph = randomGraph(30, seed);
    for (const p of [0.01, 0.5, 1]) {
      const sides = randomSides(30, seed);
      expect(meanFanout(graph, sides, p), `seed ${seed}, p ${p}`).toBeCloseTo(plainFanout(graph, sides, p), 9);
    }
  }
});

test('as p goes to 0 the difference between two bisections is that of the cut between users with friends in common', () => {
  const p = 1e-5;
  for (let seed = 1; seed <= 20; seed++) {
    const graph = randomGraph(30, seed);
    const [a, b] = [randomSides(30, seed), randomSides(30, seed + 100)];
    const fanout = (30 * (meanFanout(graph, a, p) - meanFanout(graph, b, p))) / (p * p);
    const cut = cliqueNetCut(graph, a) - cliqueNetCut(graph, b);
    expect(Math.abs(fanout - cut), `seed ${seed}: ${fanout} and ${cut}`).toBeLessThan(0.05 + 1e-3 * Math.abs(cut));
  }
});

test('refinement lowers the fanout, keeps the balance it was given, and near p = 0 lowers the cut', () => {
  let lowered = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const graph = randomGraph(80, seed);
    const p = seed % 2 === 0 ? fanoutProbability : 1e-5;
    const side = randomSides(80, seed);
    const weigh = (s: number): number => side.reduce((sum, at, v) => sum + (at === s ? graph.nodeWeight[v]! : 0), 0);
    const heavier = Math.max(weigh(0), weigh(1));
    const [before, cutBefore] = [plainFanout(graph, side, p), cliqueNetCut(graph, side)];
    const moves = refineFanout(graph, side, p, 0);
    expect(Math.max(weigh(0), weigh(1)), `seed ${seed}`).toBeLessThanOrEqual(heavier);
    if (moves > 0) expect(plainFanout(graph, side, p), `seed ${seed}`).toBeLessThan(before);
    if (p < fanoutProbability) expect(cliqueNetCut(graph, side), `seed ${seed}`).toBeLessThanOrEqual(cutBefore);
    if (moves > 0) lowered++;
  }
  expect(lowered).toBeGreaterThan(30);
});

test('a tree built for p-fanout reaches far fewer buckets than chance does, and says so', () => {
  const users = 600;
  const ties = communityTies(users, 30, 2);
  const input = { users: userNames(users), userWeights: null, ties, tieWeights: null };
  const { tree, report } = bucketize(input, { height: 4, seed: 1, objective: 'p-fanout' });
  checkTree(tree);
  const random = seededRandom(1);
  const chance = Uint32Array.from({ length: users }, () => below(16, random));
  const { graph } = buildGraph(ties, null, new Float64Array(users).fill(1), keepAll);
  expect(report.objective).toBe('p-fanout');
  expect(report.fanout).toBeGreaterThan(fanoutProbability);
  expect(report.fanout).toBeLessThan(0.7 * meanFanout(graph, chance, fanoutProbability));
  expect(bucketize(input, { height: 4, seed: 1 }).report.fanout).toBeNull();
});
