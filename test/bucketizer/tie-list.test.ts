import { expect, test } from 'vitest';
import { TieList } from '../../bucketizer/tie-list.ts';
import { seededRandom } from '../../config/random.ts';
import { below } from './sample-graphs.ts';

test('whatever is added up along the way, every tie has the weight of all its lines', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const list = new TieList(1 + below(8, random));
    const plain = new Map<string, number>();
    let self = 0;
    const lines = below(300, random);
    for (let i = 0; i < lines; i++) {
      const [from, to] = [below(6, random), below(6, random)];
      const weight = seed % 2 === 0 ? 1 : 1 + below(3, random);
      list.push(from, to, weight);
      if (from === to) self++;
      plain.set(`${from} ${to}`, (plain.get(`${from} ${to}`) ?? 0) + weight);
    }
    const { ties, tieWeights, repeated, selfRepeated } = list.finish();
    const found = new Map<string, number>();
    let selfHeld = 0;
    for (let i = 0; i < ties.length / 2; i++) {
      if (ties[2 * i] === ties[2 * i + 1]) selfHeld++;
      const pair = `${ties[2 * i]} ${ties[2 * i + 1]}`;
      found.set(pair, (found.get(pair) ?? 0) + (tieWeights?.[i] ?? 1));
    }
    expect([...found].sort(), `seed ${seed}`).toEqual([...plain].sort());
    expect(ties.length / 2 + repeated + selfRepeated, `seed ${seed}`).toBe(lines);
    expect(selfHeld + selfRepeated, `seed ${seed}`).toBe(self);
  }
});

test('ties pushed many at once are those pushed one by one', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const [byOne, atOnce] = [new TieList(8), new TieList(8)];
    for (let part = 0; part < 5; part++) {
      const weight = seed % 2 === 0 && part === 2 ? 2 : 1; // once there are weights, the next have them too
      byOne.push(0, 1, weight);
      atOnce.push(0, 1, weight);
      const pairs = Uint32Array.from({ length: 2 * below(40, random) }, () => below(6, random));
      for (let i = 0; i < pairs.length; i += 2) byOne.push(pairs[i]!, pairs[i + 1]!);
      atOnce.pushPairs(pairs, pairs.length / 2);
    }
    expect(atOnce.finish(), `seed ${seed}`).toEqual(byOne.finish());
  }
});

test('memory is in step with distinct ties: a million lines of fifty ties are never held', () => {
  const list = new TieList(64);
  for (let i = 0; i < 1_000_000; i++) list.push(i % 10, 10 + (i % 5));
  expect(list.length).toBeLessThanOrEqual(64);
  const { tieWeights, repeated } = list.finish();
  expect(repeated).toBeGreaterThan(999_900);
  expect(tieWeights!.reduce((sum, weight) => sum + weight, 0)).toBe(1_000_000);
});

test('the first tie that two lists do not have alike is told, whatever order and lines they have it in', () => {
  const listOf = (...ties: readonly (readonly [number, number, number])[]): TieList => {
    const list = new TieList(4);
    for (const [from, to, weight] of ties) list.push(from, to, weight);
    return list;
  };
  const ties = [
    [3, 4, 1],
    [0, 9, 2],
    [0, 1, 1],
    [0, 9, 1],
    [2, 2, 1],
  ] as const;
  const all = new Set([1, 2, 4, 9]);
  expect(listOf(...ties).firstUnlike(listOf([2, 2, 1], [0, 1, 1], [3, 4, 1], [0, 9, 3]), all)).toBeNull();
  expect(listOf().firstUnlike(listOf(), all)).toBeNull();
  expect(listOf(...ties).firstUnlike(listOf(...ties.slice(1)), all)).toEqual({ from: 3, to: 4, here: 1, there: 0 });
  expect(listOf(...ties).firstUnlike(listOf(...ties, [0, 2, 1]), all)).toEqual({ from: 0, to: 2, here: 0, there: 1 });
  expect(listOf(...ties).firstUnlike(listOf(...ties, [0, 9, 1]), all)).toEqual({ from: 0, to: 9, here: 3, there: 4 });
  const some = new Set([9, 2]); // what they have with others is not compared
  expect(listOf(...ties).firstUnlike(listOf([2, 2, 1], [0, 9, 3]), some)).toBeNull();
  expect(listOf(...ties).firstUnlike(listOf([0, 9, 3]), some)).toEqual({ from: 2, to: 2, here: 1, there: 0 });
  const fractions = [0.1, 0.2, 0.3].map((weight) => [0, 9, weight] as const);
  expect(listOf(...fractions).firstUnlike(listOf(...fractions.toReversed(), [2, 2, 1]), some)?.from).toBe(2);
});

test('ties come to the same weight in whatever order their lines come, be they fractions or huge', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const weightOf = (): number => (seed % 2 === 0 ? (1 + below(999_999, random)) / 1e6 : 2 ** 46 + below(9, random));
    const lines = Array.from({ length: 60 }, () => [below(5, random), 5 + below(4, random), weightOf()] as const);
    const weighed = (order: typeof lines): string[] => {
      const list = new TieList(4);
      for (const [from, to, weight] of order) list.push(from, to, weight);
      const { ties, tieWeights, repeated } = list.finish();
      expect(ties.length / 2 + repeated).toBe(60);
      return Array.from(tieWeights!, (weight, i) => `${ties[2 * i]} ${ties[2 * i + 1]} ${weight}`).sort();
    };
    const expected = weighed(lines);
    const byWeight = lines.toSorted((a, b) => a[2] - b[2]);
    for (const order of [lines.toReversed(), byWeight, byWeight.toReversed()]) {
      expect(weighed(order), `seed ${seed}`).toEqual(expected);
    }
  }
});
