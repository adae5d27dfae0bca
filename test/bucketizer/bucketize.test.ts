import { expect, test } from 'vitest';
import { type BucketizeInput, type BucketizeOptions, bucketize } from '../../bucketizer/bucketize.ts';
import { orderOfIds } from '../../bucketizer/id-order.ts';
import { seededRandom, shuffle } from '../../config/random.ts';
import { checkTree } from './check-tree.ts';
import { communityTies, randomWeights, userNames } from './sample-graphs.ts';

function inputOf(users: number, ties: readonly number[] | Uint32Array, userWeights: Float64Array | null = null) {
  return { users: userNames(users), userWeights, ties: Uint32Array.from(ties), tieWeights: null };
}

/** Builds and checks; the weights of `input` are per user of `input`, those of the tree by sorted id. */
function buildChecked(input: BucketizeInput, options: BucketizeOptions): ReturnType<typeof bucketize> {
  const built = bucketize(input, options);
  const weightOf = new Map(input.users.map((user, i) => [user, input.userWeights?.[i] ?? 1]));
  checkTree(
    built.tree,
    built.tree.users.map((user) => weightOf.get(user)!),
  );
  return built;
}

const complete = (n: number): number[] =>
  Array.from({ length: n * n }, (_, i) => [Math.floor(i / n), i % n] as const)
    .filter(([a, b]) => a < b)
    .flat();

test.each([
  ['one user at height 14', inputOf(1, []), 14],
  ['one user whose only tie is to itself', inputOf(1, [0, 0]), 3],
  ['two users', inputOf(2, [0, 1]), 1],
  ['ten users at height 14', inputOf(10, complete(10)), 14],
  ['a complete graph', inputOf(60, complete(60)), 5],
  ['a star', inputOf(200, Array.from({ length: 199 }, (_, i) => [0, i + 1]).flat()), 6],
  ['nobody tied to anybody', inputOf(100, []), 5],
  ['many small components', inputOf(300, Array.from({ length: 100 }, (_, i) => [3 * i, 3 * i + 1]).flat()), 6],
  ['a path', inputOf(257, Array.from({ length: 256 }, (_, i) => [i, i + 1]).flat()), 8],
  [
    'one user heavier than all others together',
    inputOf(
      50,
      communityTies(50, 10, 1),
      Float64Array.from({ length: 50 }, (_, i) => (i === 7 ? 1000 : 1)),
    ),
    4,
  ],
  [
    'users of weight 0',
    inputOf(
      50,
      communityTies(50, 10, 1),
      Float64Array.from({ length: 50 }, (_, i) => i % 2),
    ),
    4,
  ],
] as const)('%s: a whole, balanced tree', (_, input, height) => {
  const { tree, report } = buildChecked(input, { height, seed: 1 });
  expect(tree.height).toBe(height);
  expect(tree.users.length).toBe(input.users.length);
  expect(report.levels.every((level) => Object.values(level).every(Number.isFinite))).toBe(true);
});

test('any random graph gets a balanced tree, whatever the weights and the effort', () => {
  for (let seed = 1; seed <= 24; seed++) {
    const users = 20 + seed * 17;
    const weights = randomWeights(users, seed, seed % 2 === 0);
    const input = inputOf(users, communityTies(users, 12, seed), seed % 3 === 0 ? weights.map((w) => w / 7) : weights);
    const effort = (['fast', 'default', 'best'] as const)[seed % 3]!;
    try {
      buildChecked(input, { height: 1 + (seed % 10), seed, effort });
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`);
    }
  }
});

test('friends end up together: communities that fit a bucket are in one', () => {
  const users = 512;
  const { report } = bucketize(inputOf(users, communityTies(users, 16, 3, { inside: 8, across: 0 })), {
    height: 5,
    seed: 1,
  });
  expect(report.levels.at(-1)!.locality).toBeGreaterThan(0.97);
});

test('the order of users and of ties does not matter', () => {
  const users = 150;
  const ties = communityTies(users, 10, 4);
  const weights = randomWeights(users, 5);
  const straight = bucketize(inputOf(users, ties, weights), { height: 6, seed: 2 });
  const order = shuffle(
    Array.from({ length: users }, (_, i) => i),
    seededRandom(9),
  );
  const place = order.map((_, i) => order.indexOf(i));
  const pairs = shuffle(
    Array.from({ length: ties.length / 2 }, (_, i) => i),
    seededRandom(10),
  );
  const mixed = bucketize(
    {
      users: order.map((i) => `u${i}`),
      userWeights: Float64Array.from(order, (i) => weights[i]!),
      ties: Uint32Array.from(pairs.flatMap((i) => [place[ties[2 * i + 1]!]!, place[ties[2 * i]!]!])),
      tieWeights: null,
    },
    { height: 6, seed: 2 },
  );
  expect(mixed.tree.version).toBe(straight.tree.version);
  expect(mixed.report).toEqual(straight.report);
});

test('the same input gives the same bytes on every machine and Node version', () => {
  const users = 400;
  const input = inputOf(
    users,
    communityTies(users, 14, 11),
    randomWeights(users, 12, true).map((w) => w / 3),
  );
  // A change of the algorithm changes this version; a change of machine or Node version must not.
  expect(bucketize(input, { height: 8, seed: 5 }).tree.version).toBe(
    '8473d4da773187b067b0639d96c7089dd80db088827c89d8205a4d83657764f5',
  );
});

test('another seed gives another tree', () => {
  const input = inputOf(200, communityTies(200, 10, 4));
  const versions = [1, 2, 2 ** 40 + 1].map((seed) => bucketize(input, { height: 6, seed }).tree.version);
  expect(new Set(versions).size).toBe(3);
});

test('what the rules drop is counted: one-way ties, light ones, hubs', () => {
  const ties = [0, 1, 1, 0, 1, 2, 2, 3, 3, 2, 2, 3];
  const directed = bucketize(inputOf(4, ties), { height: 2, seed: 1, directed: true }).report.ties;
  expect(directed).toMatchObject({ given: 6, repeated: 3, oneWay: 1, kept: 2 });
  const light = bucketize(inputOf(4, ties), { height: 2, seed: 1, minWeight: 3 }).report.ties;
  expect(light).toMatchObject({ light: 2, kept: 1 });
  const hubs = bucketize(inputOf(4, ties), { height: 2, seed: 1, hubDegree: 1 }).report.ties;
  expect(hubs).toMatchObject({ hubUsers: 2, hubTies: 3, kept: 0 });
});

test('a heavy tie counts for more than several light ones', () => {
  // a square whose heavy sides are 0-2 and 1-3
  const input = {
    users: userNames(4),
    userWeights: null,
    ties: Uint32Array.of(0, 1, 1, 3, 3, 2, 2, 0, 0, 3, 1, 2),
    tieWeights: Float64Array.of(0.5, 9.5, 0.5, 9.5, 0.5, 0.5),
  };
  const { tree } = bucketize(input, { height: 1, seed: 1 });
  expect(tree.bucketOfUser[0]).toBe(tree.bucketOfUser[2]);
  expect(tree.bucketOfUser[1]).toBe(tree.bucketOfUser[3]);
  expect(tree.bucketOfUser[0]).not.toBe(tree.bucketOfUser[1]);
});

test('nobody at all, an id twice, and weights that are all 0 are refused in a line', () => {
  const options = { height: 2, seed: 1 };
  expect(() => bucketize(inputOf(0, []), options)).toThrow('no user is given');
  const twice = { ...inputOf(2, [0, 1]), users: ['a', 'a'] };
  expect(() => bucketize(twice, options)).toThrow('user "a" is listed twice; keep one');
  expect(() => bucketize(inputOf(2, [0, 1], Float64Array.of(0, 0)), options)).toThrow('all users weigh 0');
});

test('an order of users that is known already makes no difference, and one of other users is refused', () => {
  const [input, options] = [inputOf(100, communityTies(100, 10, 1)), { height: 3, seed: 1 }];
  const order = orderOfIds(input.users);
  expect(bucketize({ ...input, order }, options)).toEqual(bucketize(input, options));
  const refused = 'the order given is of other users';
  expect(() => bucketize({ ...input, order: order.toReversed() }, options)).toThrow(refused);
  expect(() => bucketize({ ...input, order: order.subarray(1) }, options)).toThrow(refused);
});

test('progress tells of every stage, up to its end', () => {
  const last = new Map<string, number>();
  bucketize(inputOf(100, communityTies(100, 10, 1)), { height: 4, seed: 1 }, ({ stage, done, total }) => {
    expect(done / total).toBeGreaterThanOrEqual(last.get(stage) ?? 0);
    last.set(stage, done / total);
  });
  expect([...last]).toEqual([
    ['bisect', 1],
    ['refine', 1],
  ]);
});

test('what comes after the searches is told before it begins, and whether it is long', () => {
  const told: string[] = [];
  const onSilent = (stage: string, long: boolean) => told.push(`${stage}${long ? ', long' : ''}`);
  const audit = () => {
    told.push('...');
    return null;
  };
  const build = (users: number, height: number, options: Partial<BucketizeOptions>) =>
    bucketize(inputOf(users, communityTies(users, 10, 1)), { height, seed: 1, effort: 'fast', onSilent, ...options });
  build(100, 4, {});
  expect(told.splice(0)).toEqual(['measure']);
  build(100, 4, { audit, simulateCache: true });
  expect(told.splice(0)).toEqual(['measure', 'simulate caches', 'audit', '...']);
  build(30_000, 16, { audit });
  expect(told).toEqual(['measure', 'audit, long', '...']);
});

test('the report tells cuts in the unit of the ties, whatever their fractions; the tree keeps integers', () => {
  const ties = Uint32Array.of(0, 1, 2, 3, 1, 2);
  const cutOf = (tieWeights: Float64Array) => {
    const { tree, report } = bucketize(
      { users: userNames(4), userWeights: null, ties, tieWeights },
      { height: 1, seed: 1 },
    );
    return [report.levels[1]!.cutWeight, tree.levels![1]!.cutWeight];
  };
  expect(cutOf(Float64Array.of(2, 2, 0.5))).toEqual([0.5, 50_000]);
  expect(cutOf(Float64Array.of(20, 20, 5))).toEqual([5, 5]);
});
