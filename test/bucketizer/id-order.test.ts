import { expect, test } from 'vitest';
import { orderOfIds } from '../../bucketizer/id-order.ts';
import { compareIds } from '../../config/ids.ts';
import { seededRandom } from '../../config/random.ts';
import { below } from './sample-graphs.ts';

test('ids are in the order in which comparing them puts them, whatever they are made of', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const letters = ['0', '1', '9', 'a', 'z', '\u0000', 'ü', 'ÿ', 'Ā', '名', '\uffff', '😀'].slice(
      0,
      2 + below(11, random),
    );
    const prefix = 'user-'.repeat(below(4, random));
    const ids = Array.from(
      { length: below(600, random) },
      () => prefix + Array.from({ length: below(6, random) }, () => letters[below(letters.length, random)]).join(''),
    );
    const sorted = Array.from(orderOfIds(ids), (i) => ids[i]);
    expect(sorted, `seed ${seed}`).toEqual(ids.toSorted(compareIds));
  }
});

test('every id has one place, also where some are equal', () => {
  const ids = Array.from({ length: 300 }, (_, i) => `u${i % 7}`);
  expect([...orderOfIds(ids)].sort((a, b) => a - b)).toEqual(ids.map((_, i) => i));
});
