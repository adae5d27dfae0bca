import { expect, test } from 'vitest';
import { percent, rounded } from '../../bucketizer/figures.ts';

test.each([
  [0, '0.000'],
  [1, '1.000'],
  [12.3456, '12.346'],
  [0.0987, '0.099'],
  [0.00994, '0.0099'],
  [0.00996, '0.010'],
  [0.000488, '0.00049'],
  [0.0000999, '0.00010'],
  [-0.000012345, '-0.000012'],
  [1.26e-9, '0.0000000013'],
])('%f is never rounded to nothing: %s', (value, text) => {
  expect(rounded(value, 3)).toBe(text);
});

test.each([
  [0, '0.00 %'],
  [1, '100.00 %'],
  [0.12345, '12.35 %'],
  [0.001, '0.10 %'],
  [0.000456, '0.046 %'],
  [1 / 405_740, '0.00025 %'],
  [-0.5, '-50.00 %'],
])('a share of %f is %s', (share, text) => {
  expect(percent(share)).toBe(text);
});
