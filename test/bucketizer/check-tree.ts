/** The oracle for trees: everything that must hold of one, checked the slow and plain way. Used by every test. */

import assert from 'node:assert';
import { createHash } from 'node:crypto';
import type { BucketTree } from '../../bucketizer/tree.ts';
import { encodeTree } from '../../bucketizer/tree-bytes.ts';

/** `weights`: of the tree's users, in its order, in any unit; null: 1 each. Throws an AssertionError saying what broke. */
export function checkTree(tree: BucketTree, weights: readonly number[] | null = null): void {
  const buckets = 2 ** tree.height;
  const sorted = [...tree.users].sort();
  assert.deepEqual(tree.users, sorted, 'users are sorted by code unit');
  assert.equal(new Set(tree.users).size, tree.users.length, 'users are unique');
  assert.equal(tree.bucketOfUser.length, tree.users.length, 'every user has a bucket');
  for (const bucket of tree.bucketOfUser) assert(bucket < buckets, `bucket ${bucket} of ${buckets}`);
  assert.equal(tree.bucketWeight.length, buckets);
  for (const weight of tree.bucketWeight) assert(Number.isSafeInteger(weight) && weight >= 0, 'weights are integers');
  checkQuotient(tree);
  checkBalance(tree, weights ?? tree.users.map(() => 1));
  assert.equal(
    tree.version,
    createHash('sha256').update(encodeTree(tree)).digest('hex'),
    'the version is of the contents',
  );
}

/** At every node of every level: at most 5 % over the even share, or over it by at most its heaviest user. */
export function checkBalance(tree: Pick<BucketTree, 'height' | 'bucketOfUser'>, weights: ArrayLike<number>): void {
  const total = Array.from(weights).reduce((sum, w) => sum + w, 0);
  const rounding = total * 1e-4; // fixed-point weights against the ones given
  for (let level = 0; level <= tree.height; level++) {
    const even = total / 2 ** level;
    const weight = new Map<number, number>();
    const heaviest = new Map<number, number>();
    tree.bucketOfUser.forEach((bucket, user) => {
      const node = bucket >> (tree.height - level);
      weight.set(node, (weight.get(node) ?? 0) + weights[user]!);
      heaviest.set(node, Math.max(heaviest.get(node) ?? 0, weights[user]!));
    });
    for (const [node, w] of weight) {
      const most = Math.max(1.05 * even, even + heaviest.get(node)!);
      const slack = Number.isInteger(total) ? 0 : Math.min(rounding, even * 1e-3);
      assert(w <= most + slack, `level ${level}, node ${node}: weight ${w} over ${most}, even share ${even}`);
    }
  }
}

function checkQuotient({ quotient, height }: BucketTree): void {
  const { rowStart, neighbour, weight } = quotient;
  const buckets = 2 ** height;
  assert.equal(rowStart.length, buckets + 1);
  assert.equal(rowStart[0], 0);
  assert.equal(rowStart[buckets], neighbour.length);
  assert.equal(weight.length, neighbour.length);
  const between = new Map<string, number>();
  for (let b = 0; b < buckets; b++) {
    for (let k = rowStart[b]!; k < rowStart[b + 1]!; k++) {
      const other = neighbour[k]!;
      assert(other < buckets && other !== b, 'a neighbour is another bucket');
      assert(k === rowStart[b] || neighbour[k - 1]! < other, 'rows are sorted');
      assert(Number.isSafeInteger(weight[k]!) && weight[k]! > 0, 'tie weights are positive integers');
      between.set(`${b} ${other}`, weight[k]!);
    }
  }
  for (const [pair, w] of between) {
    const [a, b] = pair.split(' ');
    assert.equal(between.get(`${b} ${a}`), w, `the quotient graph is symmetric at ${pair}`);
  }
}
