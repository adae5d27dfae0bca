import { expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { LongStep } from '../../../runtime/lp/long-step.ts';
import { Scratch } from '../../../runtime/lp/scratch.ts';
import { uniform } from '../../scene.ts';

interface Offer {
  readonly v: number;
  readonly ratio: number;
  readonly pivot: number;
  readonly width: number;
}

/** One after the other in order of their ratios, until the gap is closed. */
function plainEnd(offers: readonly Offer[], gap: number): { readonly entering: number; readonly passed: number[] } {
  const sorted = offers.toSorted((a, b) => a.ratio - b.ratio);
  const passed: number[] = [];
  let rest = gap;
  for (const { v, pivot, width } of sorted) {
    rest -= pivot * width;
    if (rest < 0) return { entering: v, passed };
    passed.push(v);
  }
  return { entering: -1, passed: [] };
}

test('a long step ends where a plain walk past all candidates ends, on 300 random rows', () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = seededRandom(seed);
    const count = 1 + Math.floor(random() * 500);
    const offers = Array.from({ length: count }, (_, v) => ({
      v,
      ratio: seed % 3 === 0 ? 1 + 1e-6 * random() : uniform(random, 0, 10),
      pivot: uniform(random, 0.5, 2),
      width: random() < 0.1 ? Number.POSITIVE_INFINITY : uniform(random, 0.01, 1),
    }));
    const step = new LongStep(count, new Scratch());
    step.begin();
    for (const { v, ratio, pivot, width } of offers) step.offer(v, ratio, pivot, width);
    const gap = count * seededRandom(seed)();
    const plain = plainEnd(offers, gap);
    expect(step.end(gap), `seed ${seed}`).toBe(plain.entering);
    if (plain.entering >= 0) {
      const passed = [...step.passed].sort((a, b) => a - b);
      expect(passed, `seed ${seed}`).toEqual(plain.passed.toSorted((a, b) => a - b));
    }
  }
});

test('of candidates at which the step is as long, a small pivot gives way to the largest', () => {
  const step = new LongStep(2, new Scratch());
  step.begin();
  step.offer(0, 1, 1, 0.5);
  step.offer(1, 1, 1e-7, Number.POSITIVE_INFINITY);
  expect(step.end(1)).toBe(0);
  expect([...step.passed]).toEqual([]);
});
