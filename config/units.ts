/** Shares and their fixed-point form. Shares are 0..1, never percent. */

import { ConfigError } from './errors.ts';

declare const brand: unique symbol;

/** A share, 0..1. */
export type Fraction = number & { readonly [brand]: 'Fraction' };

export function fraction(value: number, where: string): Fraction {
  if (!(value >= 0 && value <= 1)) throw new ConfigError(`${where} is ${value}, expected 0..1`);
  return value as Fraction;
}

export const ppmPerUnit = 1_000_000;

/** Rounds `shares` (non-negative, any scale) to integers that sum to `total`: largest remainder, ties to the lower index.
 *  All-zero shares give all zeros. */
export function largestRemainder(shares: ArrayLike<number>, total: number): Int32Array {
  const n = shares.length;
  const rounded = new Int32Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += shares[i]!;
  if (!(sum > 0)) return rounded;
  const remainder = new Float64Array(n);
  let left = total;
  for (let i = 0; i < n; i++) {
    const exact = (shares[i]! / sum) * total;
    rounded[i] = Math.floor(exact);
    remainder[i] = exact - rounded[i]!;
    left -= rounded[i]!;
  }
  for (let k = 0; k < left; k++) {
    let largest = 0;
    for (let i = 1; i < n; i++) if (remainder[i]! > remainder[largest]!) largest = i;
    rounded[largest]! += 1;
    remainder[largest] = -1;
  }
  return rounded;
}
