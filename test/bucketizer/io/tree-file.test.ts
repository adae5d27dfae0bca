import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bucketize } from '../../../bucketizer/bucketize.ts';
import { readTree, writeTree } from '../../../bucketizer/io/tree-file.ts';
import { ConfigError } from '../../../config/errors.ts';
import { checkTree } from '../check-tree.ts';
import { communityTies, userNames } from '../sample-graphs.ts';
import { scratchFolder } from './scratch.ts';

const { tree } = bucketize(
  { users: userNames(90), userWeights: null, ties: communityTies(90, 9, 1), tieWeights: null },
  { height: 5, seed: 1 },
);

function refusal(path: string): string {
  try {
    readTree(path);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('the file was accepted');
}

test('a tree read is the tree written, for its owner only, and nothing else is left in the folder', () => {
  const { dir } = scratchFolder();
  const path = join(dir, 'tree');
  writeTree(path, tree);
  const again = readTree(path);
  expect(again).toEqual(tree);
  checkTree(again);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual(['tree']);
});

test('the same tree is the same file, and replaces an older one', () => {
  const { dir, write } = scratchFolder();
  const path = write('tree', 'an older file');
  writeTree(path, tree);
  const first = readFileSync(path);
  writeTree(path, tree);
  expect(readFileSync(path).equals(first)).toBe(true);
  expect(readdirSync(dir)).toEqual(['tree']);
});

test('a file cut anywhere is refused in one line', () => {
  const { dir } = scratchFolder();
  const path = join(dir, 'tree');
  writeTree(path, tree);
  const whole = readFileSync(path);
  for (let length = 0; length < whole.length; length += length < 60 ? 1 : 37) {
    writeFileSync(path, whole.subarray(0, length));
    expect(refusal(path), `cut to ${length} bytes`).toMatch(
      /^\/.*tree: (not a tree file, it|the tree file is cut off)[^\n]*$/,
    );
  }
});

test('a file altered anywhere is refused in one line', () => {
  const { dir } = scratchFolder();
  const path = join(dir, 'tree');
  writeTree(path, tree);
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at += at < 60 ? 1 : 37) {
    const altered = Buffer.from(whole);
    altered[at]! ^= 1;
    writeFileSync(path, altered);
    expect(refusal(path), `byte ${at}`).toMatch(
      /^\/.*tree: (not a tree file|tree format \d+, this program|the tree file was altered|the tree file is cut off)[^\n]*$/,
    );
  }
  writeFileSync(path, Buffer.concat([whole, Buffer.of(0)]));
  expect(refusal(path)).toMatch(/altered/);
});

test('what is no tree, or a tree of another format, is told apart', () => {
  const { dir, write } = scratchFolder();
  expect(refusal(write('a', ''))).toMatch(
    /a: not a tree file, it is empty; expected a file written by "taiji bucketize"/,
  );
  expect(refusal(write('b', 'user,friend\n'))).toMatch(/b: not a tree file, it begins with "user,fri"/);
  const path = join(dir, 'c');
  writeTree(path, tree);
  const bytes = readFileSync(path);
  bytes.writeUInt32LE(2, 8);
  expect(refusal(write('c', bytes))).toMatch(/c: tree format 2, this program reads format 1; build it again/);
  expect(refusal(join(dir, 'none'))).toMatch(/none: the tree cannot be read \(no such file or folder\)/);
  expect(refusal(dir)).toMatch(/: the tree cannot be read \(it is a folder\)/);
});

test('a tree that cannot be written is refused in one line', () => {
  const { dir } = scratchFolder();
  expect(() => writeTree(join(dir, 'no', 'tree'), tree)).toThrow(/tree: cannot be written \(no such file/);
});
