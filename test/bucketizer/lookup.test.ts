import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { BucketLookup } from '../../bucketizer/lookup.ts';
import { encodeTree } from '../../bucketizer/tree-bytes.ts';
import { fullCut, isOnNextTree, lookupBetween } from '../../bucketizer/tree-share.ts';
import { unknownUserBucket } from '../../bucketizer/unknown-user.ts';
import { communityTies, userNames } from './sample-graphs.ts';

const odd = ['', '007', '7', 'Zoë, "Z"', '名前', '👩‍👩‍👧', 'a'.repeat(300), 'u\u0000x'];
const users = [...userNames(400), ...odd];
const { tree } = bucketize(
  { users, userWeights: null, ties: communityTies(users.length, 9, 1), tieWeights: null },
  { height: 6, seed: 1 },
);
const lookup = new BucketLookup(encodeTree(tree), tree.version);

test('everyone in the tree is found in their bucket, whatever the id', () => {
  expect(lookup).toMatchObject({ height: 6, users: users.length, version: tree.version });
  tree.users.forEach((user, i) => {
    expect(lookup.knows(user), user).toBe(true);
    expect(lookup.bucketOf(user), user).toBe(tree.bucketOfUser[i]);
  });
});

test('nobody else is found: they get the first bits of the SHA-256 of their id', () => {
  for (const stranger of ['u400', 'u', 'U1', '0', 'Zoë', 'a'.repeat(299), 'ß']) {
    expect(lookup.knows(stranger), stranger).toBe(false);
    const bits = BigInt(`0x${createHash('sha256').update(stranger).digest('hex')}`) >> BigInt(256 - 6);
    expect(lookup.bucketOf(stranger)).toBe(Number(bits));
  }
  expect(['ann', 'bob', '名前'].map((user) => unknownUserBucket(user, 14))).toEqual([4708, 8301, 8112]);
  const counts = new Uint32Array(16);
  for (let i = 0; i < 16_000; i++) counts[unknownUserBucket(`user ${i}`, 4)]! += 1;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(200);
});

test('a new user goes to the bucket of most friends, the lowest of equally common ones; known users stay', () => {
  const [a, b] = [...new Set(tree.bucketOfUser)].sort((x, y) => x - y) as [number, number];
  const inBucket = (bucket: number): string[] => tree.users.filter((_, i) => tree.bucketOfUser[i] === bucket);
  const [a1, a2] = inBucket(a) as [string, string];
  const [b1, b2] = inBucket(b) as [string, string];
  expect(lookup.bucketOf('guest', [a1, b1, b2, 'stranger'])).toBe(b);
  expect(lookup.bucketOf('guest', [b1, a1, a2, b2])).toBe(a);
  expect(lookup.bucketOf('guest', ['stranger'])).toBe(unknownUserBucket('guest', 6));
  expect(lookup.bucketOf(a1, [b1, b2])).toBe(a);
});

test('ids that are no text are refused in a line that says what was given and what to give', () => {
  const asGiven = (given: unknown): string => given as string; // plain JavaScript knows no types
  const expected = ', expected an id as a string, such as String(id)';
  for (const [given, shown] of [
    [10018, '10018 (a number)'],
    [10018n, '10018 (a bigint)'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ id: 'a' }, 'an object'],
  ] as const) {
    const refusal = new TypeError(`the user is ${shown}${expected}`);
    expect(() => lookup.bucketOf(asGiven(given))).toThrow(refusal);
    expect(() => lookup.knows(asGiven(given))).toThrow(refusal);
    expect(() => unknownUserBucket(asGiven(given), 6)).toThrow(refusal);
    expect(() => isOnNextTree(asGiven(given), 1)).toThrow(refusal);
  }
  const friends = (given: unknown): Iterable<string> => given as Iterable<string>;
  expect(() => lookup.bucketOf('guest', friends([7]))).toThrow(`a friend is 7 (a number)${expected}`);
  const list = ', expected a list of ids as strings, such as ids.map(String)';
  expect(() => lookup.bucketOf('guest', friends('ann'))).toThrow(`the list of friends is "ann" (a string)${list}`);
  expect(() => lookup.bucketOf('guest', friends(null))).toThrow(`the list of friends is null${list}`);
  expect(lookup.bucketOf('guest', new Set(['ann']))).toBe(unknownUserBucket('guest', 6));
});

test('between two trees a user is looked up in the one they go by, and at either end of the cut in one alone', () => {
  const next = { height: 6, bucketOf: (user: string) => 63 - lookup.bucketOf(user) };
  for (const cut of [0, fullCut / 3, fullCut]) {
    const between = lookupBetween(lookup, next, cut);
    const passed = users.filter((user) => {
      const isPassed = isOnNextTree(user, cut);
      expect(between.bucketOf(user), user).toBe((isPassed ? next : lookup).bucketOf(user));
      return isPassed;
    });
    expect(Math.abs(passed.length / users.length - cut / fullCut)).toBeLessThan(0.1);
  }
  expect(lookupBetween(lookup, next, 0).bucketOf('guest', [users[0]!])).toBe(lookup.bucketOf(users[0]!));
});
