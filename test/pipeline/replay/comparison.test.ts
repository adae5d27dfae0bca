import { expect, test } from 'vitest';
import { aligned, changesOf, signed } from '../../../pipeline/replay/comparison.ts';

test('every number has its difference, to nine decimals, by the names of either', () => {
  const now = { a: 0.3, group: { published: 3, held: 1 }, name: 'x', list: [1], none: null };
  const before = { a: 0.1, group: { published: 4, initial: 1 }, name: 'y', list: [2], none: null };
  expect(changesOf(now, before)).toEqual({ a: 0.2, group: { published: -1, held: 1, initial: -1 } });
});

test('a thing differs from itself by nothing', () => {
  expect(changesOf({ a: 1.5, b: { c: 2 } }, { a: 1.5, b: { c: 2 } })).toEqual({ a: 0, b: { c: 0 } });
});

test.each([
  [0.04124, 4, '+0.0412'],
  [-0.5, 1, '-0.5'],
  [0.00001, 4, '0'],
  [-0, 1, '0'],
  [Number.POSITIVE_INFINITY, 2, 'none'],
])('%s to %s decimals reads %s', (value, decimals, text) => {
  expect(signed(value, decimals)).toBe(text);
});

test('columns stand under each other', () => {
  expect(
    aligned([
      ['', 'now', 'is'],
      ['long name', '1', 'x'],
      ['a', '100.5', ''],
    ]),
  ).toEqual(['             now  is', 'long name      1  x', 'a          100.5']);
});
