/** Weights as integers. Sums of doubles depend on their order, and the order on the file; sums of integers below 2^53 do
 *  not, so the same ties give the same tree however they are listed. The scale is a power of ten, found from the weights
 *  alone: 1 where all are integers already, else fine enough for five digits of the mean. */

import { ConfigError } from '../config/errors.ts';

export interface FixedPoint {
  readonly weights: Float64Array; // integers; a positive weight never becomes 0; those given where they are such already
  readonly scale: number; // weights = round(given * scale)
}

const totalMax = 1_125_899_906_842_624; // 2^50: leaves room to add and to multiply by the few small factors of the searches

const scaleMax = 1e300; // beyond it there is no next power of ten

const limitDigits = 1e-4;

/** `given`: finite and non-negative. `finest`: a weight that others are compared with (0: none), of which five digits count,
 *  too. Throws a ConfigError where they add up to more than a number holds, or to so much that what is lighter than `finest`
 *  would pass for as heavy; `noun` says whose weights they are. */
export function toFixedPoint(given: ArrayLike<number>, noun: string, finest = 0): FixedPoint {
  let total = 0;
  let whole = true;
  for (let i = 0; i < given.length; i++) {
    total += given[i]!;
    whole &&= Number.isInteger(given[i]!);
  }
  if (!whole || total > Number.MAX_SAFE_INTEGER) total = sumInOrder(given);
  if (!Number.isFinite(total)) {
    throw new ConfigError(`the weights of ${noun} add up to more than ${Number.MAX_VALUE}; give them in a larger unit`);
  }
  let scale = 1;
  if (!whole) {
    const least = finest > 0 ? Math.min(finest, total / given.length) : total / given.length;
    while (least * scale < 1e5 && total * scale * 10 < totalMax && scale < scaleMax) scale *= 10;
  }
  while (total * scale > totalMax) scale /= 10;
  if (whole && scale === 1 && given instanceof Float64Array) return { weights: given, scale };
  const weights = new Float64Array(given.length);
  for (let i = 0; i < given.length; i++) {
    weights[i] = given[i]! > 0 ? Math.max(1, Math.round(given[i]! * scale)) : 0;
    const isLighter = given[i]! < finest * (1 - limitDigits);
    if (isLighter && weights[i]! >= atLeast(finest, scale)) throw tooFine(finest, noun, total, given[i]!);
  }
  return { weights, scale };
}

function tooFine(limit: number, noun: string, total: number, lighter: number): ConfigError {
  return new ConfigError(
    `${noun} weigh ${total} together: beside that --min-weight ${limit} cannot be told from ${lighter}; raise it, or leave out what weighs so much`,
  );
}

/** Whether they are integers already, and stay what they are. */
export function staysWhole(given: Float64Array): boolean {
  let total = 0;
  for (let i = 0; i < given.length; i++) {
    if (!Number.isInteger(given[i]!)) return false;
    total += given[i]!;
  }
  return total <= totalMax;
}

/** The least fixed-point weight that is not below `limit`: of weights that are whole the next whole one. */
export function atLeast(limit: number, scale: number): number {
  return Math.ceil(limit * scale * (1 - 1e-12)); // .07 x 1e5 is 7000.000000000001, and the weight .07 is 7000
}

/** Of the same values the same sum, in whatever order they come: the last bit of it may decide on the scale. */
export function sumInOrder(given: ArrayLike<number>): number {
  let sum = 0;
  for (const value of Float64Array.from(given).sort()) sum += value;
  return sum;
}
