import { expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { bytes, doubles, integers } from '../../../runtime/lp/pieces.ts';

test('arrays are as long as they were asked to be, zeros, and nobody writes into those of another, of 3000', () => {
  const random = seededRandom(1);
  const made = Array.from({ length: 3000 }, (_, n) => {
    const length = Math.floor(random() * (n % 100 === 0 ? 20_000 : 200));
    const piece = [doubles, integers, bytes][n % 3]!(length);
    expect(piece.length).toBe(length);
    expect(piece.every((value) => value === 0)).toBe(true);
    return piece.fill(n % 251);
  });
  expect(made.findIndex((piece, n) => piece.some((value) => value !== n % 251))).toBe(-1);
});
