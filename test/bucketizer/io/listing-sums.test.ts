import { expect, test } from 'vitest';
import { ListingSums } from '../../../bucketizer/io/listing-sums.ts';
import { seededRandom, shuffle } from '../../../config/random.ts';
import { below } from '../sample-graphs.ts';

test('nothing is left of what is taken away as it was added, in any order, and something of anything else', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const sums = new ListingSums();
    const weightOf = (): number => [1, 2, 0.1, 1 / 3, 5e-324, 1.7e308][below(6, random)]!;
    const listed = Array.from({ length: below(30, random) }, () => [below(9, random), weightOf()] as const);
    expect(sums.isNothing(1)).toBe(true);
    for (const [friend, weight] of listed) sums.add(1, friend, weight);
    shuffle(listed, random);
    for (const [friend, weight] of listed) {
      expect(sums.isNothing(1), `seed ${seed}`).toBe(false);
      sums.takeAway(1, friend, weight);
    }
    expect(sums.isNothing(1), `seed ${seed}`).toBe(true);
  }
});

test('what differs in one friend, or in one bit of a weight, or is one too many, is not the same', () => {
  const one = 1 + Number.EPSILON;
  for (const [added, taken] of [
    [[[1, 1]], [[2, 1]]],
    [[[1, 1]], [[1, one]]],
    [[[1, 1]], [[1, 2]]],
    [[[1, 0.5]], [[1, 0.25]]],
    [
      [
        [1, 1],
        [2, one],
      ],
      [
        [1, one],
        [2, 1],
      ],
    ],
    [
      [
        [1, 1],
        [1, 1],
      ],
      [[1, 1]],
    ],
    [
      [
        [1, 1],
        [4, 1],
      ],
      [
        [2, 1],
        [3, 1],
      ],
    ],
  ] as const) {
    const sums = new ListingSums();
    for (const [friend, weight] of added) sums.add(0, friend, weight);
    for (const [friend, weight] of taken) sums.takeAway(0, friend, weight);
    expect(sums.isNothing(0), JSON.stringify([added, taken])).toBe(false);
  }
});
