import { expect, test } from 'vitest';
import { type BucketizeInput, bucketize, prepareBuild } from '../../bucketizer/bucketize.ts';
import { type Refreshed, refresh } from '../../bucketizer/refresh.ts';
import type { BucketTree } from '../../bucketizer/tree.ts';
import { unknownUserBucket } from '../../bucketizer/unknown-user.ts';
import { ConfigError } from '../../config/errors.ts';
import { seededRandom } from '../../config/random.ts';
import { checkTree } from './check-tree.ts';
import { drifted, usualDrift } from './drift.ts';
import { below, communityTies, randomWeights, userNames } from './sample-graphs.ts';

function inputOf(users: number, ties: ArrayLike<number>, userWeights: Float64Array | null = null): BucketizeInput {
  return { users: userNames(users), userWeights, ties: Uint32Array.from(ties), tieWeights: null };
}

const refreshed = (input: BucketizeInput, previous: BucketTree, moveMax: number, seed = 1): Refreshed =>
  refresh(prepareBuild(input, { height: previous.height, seed }), previous, moveMax);

const weightsById = (input: BucketizeInput): ((user: string) => number) => {
  const weightOf = new Map(input.users.map((user, i) => [user, input.userWeights?.[i] ?? 1]));
  return (user) => weightOf.get(user)!;
};

/** Everything the report says of moves, counted again from the two trees. */
function recount(input: BucketizeInput, previous: BucketTree, { tree, moves, report }: Refreshed): void {
  const before = new Map(previous.users.map((user, i) => [user, previous.bucketOfUser[i]!]));
  const weight = weightsById(input);
  const kept = tree.users.filter((user) => before.has(user));
  const bucket = (user: string): number => tree.bucketOfUser[tree.users.indexOf(user)]!;
  const away = kept.filter((user) => before.get(user) !== bucket(user));
  expect(moves).toEqual(away.map((user) => ({ user, from: before.get(user), to: bucket(user) })));
  const sum = (users: readonly string[]): number => users.reduce((total, user) => total + weight(user), 0);
  const { refresh: said } = report;
  expect(said.usersKept).toBe(kept.length);
  expect(said.usersMoved).toBe(away.length);
  expect(said.usersPlaced).toBe(tree.users.length - kept.length);
  expect(said.usersGone).toBe(previous.users.length - kept.length);
  expect(said.weightMovedShare).toBeCloseTo(sum(away) / sum(kept), 9);
  expect(said.usersMovedShare).toBeLessThanOrEqual(said.moveMax);
  expect(said.weightMovedShare).toBeLessThanOrEqual(said.moveMax);
  for (const { level, usersShare, weightShare } of said.movedByLevel) {
    const up = tree.height - level;
    const crossed = away.filter((user) => before.get(user)! >> up !== bucket(user) >> up);
    expect(usersShare).toBeCloseTo(crossed.length / kept.length, 9);
    expect(weightShare).toBeCloseTo(sum(crossed) / sum(kept), 9);
  }
}

test('the cap on moved users and weight holds whatever changes, and balance holds unless the report says it gave way', () => {
  let gave = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const users = 60 + below(300, random);
    const weights = randomWeights(users, seed, seed % 2 === 0);
    const input = inputOf(users, communityTies(users, 12, seed), weights);
    const { tree } = bucketize(input, { height: 1 + below(6, random), seed, effort: 'fast' });
    const later = drifted(input, { rewired: random() * 0.4, joined: random() * 0.2, gone: random() * 0.2 }, seed);
    if (seed % 3 === 0) for (let v = 0; v < later.users.length; v++) later.userWeights![v]! *= 1 + below(4, random);
    const result = refreshed(later, tree, [0, 0.01, 0.05, 0.3][seed % 4]!);
    try {
      recount(later, tree, result);
      if (result.report.refresh.balanceGiven > 0) gave++;
      else checkTree(result.tree, result.tree.users.map(weightsById(later)));
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`);
    }
  }
  expect(gave).toBeGreaterThan(0);
  expect(gave).toBeLessThan(20);
});

test('after the usual drift at most 3 % move, and the tree is nearly as good as one built from scratch', () => {
  let [fresh, kept] = [0, 0];
  for (let seed = 1; seed <= 10; seed++) {
    const input = inputOf(3000, communityTies(3000, 30, seed, { inside: 5, across: 2 }));
    const { tree } = bucketize(input, { height: 6, seed });
    const later = drifted(input, usualDrift, seed);
    const { report } = refreshed(later, tree, 0.05);
    expect(report.refresh.usersMovedShare, `seed ${seed}`).toBeLessThanOrEqual(0.03);
    fresh += bucketize(later, { height: 6, seed }).report.meanLocality;
    kept += report.meanLocality;
  }
  expect(kept / fresh).toBeGreaterThan(0.995);
});

test('ten refreshes in a row keep the cap each time and the locality of a fresh tree', () => {
  let [fresh, kept] = [0, 0];
  for (let seed = 1; seed <= 5; seed++) {
    let input = inputOf(2000, communityTies(2000, 25, seed, { inside: 5, across: 2 }));
    let { tree } = bucketize(input, { height: 5, seed: 1 });
    for (let week = 1; week <= 10; week++) {
      input = drifted(input, usualDrift, week, week);
      const result = refreshed(input, tree, 0.05, week);
      if (seed === 1) recount(input, tree, result);
      checkTree(result.tree);
      tree = result.tree;
    }
    fresh += bucketize(input, { height: 5, seed: 99 }).report.meanLocality;
    kept += refreshed(input, tree, 0).report.meanLocality;
  }
  expect(kept / fresh).toBeGreaterThan(0.985);
});

test('the same trees and ties give the same refreshed tree, in whatever order they are listed', () => {
  const input = inputOf(300, communityTies(300, 10, 5));
  const { tree } = bucketize(input, { height: 5, seed: 1 });
  const later = drifted(input, usualDrift, 2);
  const backwards = { ...later, ties: later.ties.slice().reverse() };
  expect(refreshed(later, tree, 0.05).tree.version).toBe(refreshed(backwards, tree, 0.05).tree.version);
});

test('where the cap cannot mend balance, balance gives way by what the report says', () => {
  const input = inputOf(400, communityTies(400, 20, 3));
  const { tree } = bucketize(input, { height: 3, seed: 1 });
  const weights = Float64Array.from(input.users, (user) => (tree.bucketOfUser[tree.users.indexOf(user)] === 0 ? 3 : 1));
  const heavier = { ...input, userWeights: weights };
  const total = weights.reduce((a, b) => a + b, 0);
  const tight = refreshed(heavier, tree, 0.01);
  recount(heavier, tree, tight);
  const heaviest = Math.max(...Array.from(tight.tree.bucketWeight)) / (total / 8);
  expect(tight.report.refresh.balanceGiven).toBeCloseTo(heaviest - 1.05, 9);
  expect(tight.report.refresh.balanceGiven).toBeGreaterThan(1);
  const roomy = refreshed(heavier, tree, 1);
  expect(roomy.report.refresh.balanceGiven).toBe(0);
  checkTree(roomy.tree, roomy.tree.users.map(weightsById(heavier)));
});

test('newcomers go where their friends are; without friends, to the bucket of unknown users; nobody else moves for them', () => {
  const users = 320;
  const input = inputOf(users, communityTies(users, 20, 4, { inside: 6, across: 0 }));
  const { tree } = bucketize(input, { height: 3, seed: 1 });
  const full = tree.bucketOfUser[tree.users.indexOf('u5')]!; // once the guests are there
  const names = Array.from({ length: 100 }, (_, i) => `stranger ${i}`);
  const stranger = names.find((name) => unknownUserBucket(name, 3) !== full)!;
  const later: BucketizeInput = {
    ...input,
    users: [...input.users, 'guest', 'friend of guest', stranger],
    ties: Uint32Array.from([...input.ties, users, 5, users, 6, users + 1, users]),
  };
  const result = refreshed(later, tree, 0);
  expect(result.moves).toEqual([]);
  const bucket = (user: string): number => result.tree.bucketOfUser[result.tree.users.indexOf(user)]!;
  expect(bucket('guest')).toBe(bucket('u5'));
  expect(bucket('friend of guest')).toBe(bucket('guest'));
  expect(bucket(stranger)).toBe(unknownUserBucket(stranger, 3));
});

test('a tree of another height is refused in a line', () => {
  const input = inputOf(40, communityTies(40, 8, 1));
  const { tree } = bucketize(input, { height: 3, seed: 1 });
  const act = (): unknown => refresh(prepareBuild(input, { height: 4, seed: 1 }), tree, 0.05);
  expect(act).toThrow(ConfigError);
  expect(act).toThrow(/^the previous tree has height 3, --height is 4; another height is a migration[^\n]*$/);
});

test('users who all left, or all came, make no share a division by zero', () => {
  const input = inputOf(40, communityTies(40, 8, 1));
  const { tree } = bucketize(input, { height: 2, seed: 1 });
  const strangers = { ...input, users: input.users.map((user) => `other ${user}`) };
  const result = refreshed(strangers, tree, 0.05);
  expect(result.report.refresh).toMatchObject({ usersKept: 0, usersMovedShare: 0, usersPlaced: 40, usersGone: 40 });
  checkTree(result.tree);
});

test('newcomers find their friends also where nobody else may move, and where nobody else is', () => {
  const users = 600;
  const input = inputOf(users, communityTies(users, 12, 1, { inside: 5, across: 1 }));
  const strangers = inputOf(40, communityTies(40, 4, 2));
  const foreign = bucketize(
    { ...strangers, users: strangers.users.map((user) => `other-${user}`) },
    { height: 3, seed: 1, effort: 'fast' },
  ).tree;
  const fresh = bucketize(input, { height: 3, seed: 1, effort: 'fast' }).report.meanLocality;
  const result = refreshed(input, foreign, 0);
  expect(result.report.refresh).toMatchObject({ usersKept: 0, usersPlaced: users, usersGone: 40, usersMoved: 0 });
  expect(result.report.refresh.balanceGiven).toBe(0);
  expect(result.report.meanLocality).toBeGreaterThan(0.6 * fresh);
});

test('users of a previous tree who weigh nothing now may move, up to their number', () => {
  const users = 400;
  const ties = communityTies(users, 8, 3, { inside: 5, across: 1 });
  const { tree } = bucketize(inputOf(users, ties), { height: 3, seed: 1, effort: 'fast' });
  const weights = new Float64Array(users + 1);
  weights[users] = 1;
  const later = inputOf(users + 1, communityTies(users, 8, 4, { inside: 5, across: 1 }), weights);
  for (const moveMax of [0, 0.05, 1]) {
    const { usersMovedShare, weightMovedShare } = refreshed(later, tree, moveMax).report.refresh;
    expect(weightMovedShare).toBe(0);
    expect(usersMovedShare).toBeLessThanOrEqual(moveMax);
    if (moveMax > 0) expect(usersMovedShare).toBeGreaterThan(0);
    else expect(usersMovedShare).toBe(0);
  }
});
