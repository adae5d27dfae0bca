import { expect, test } from 'vitest';
import {
  type FallbackTarget,
  fallbackChoices,
  fallbackFor,
  fallbackOrder,
  fallbackShift,
} from '../../config/fallback.ts';
import { datacenterId, edgeId } from '../../config/ids.ts';

const height = 14;
const groups = 2 ** (height - fallbackShift(height));
const edges = Array.from({ length: 10 }, (_, e) => edgeId(`edge${e}`, 'test'));
const targets: readonly FallbackTarget[] = [400, 100, 200, 300, 0, 250, 150].map((weight, d) => ({
  datacenter: datacenterId(`dc${d}`, 'test'),
  weight,
}));

test('a group has one order: all with capacity, each once, whatever the order of asking', () => {
  for (const edge of edges.slice(0, 5)) {
    for (let group = 0; group < groups; group++) {
      const order = fallbackOrder(edge, group, targets);
      expect([...order].sort()).toEqual([0, 1, 2, 3, 5, 6]);
      expect(fallbackOrder(edge, group, targets)).toEqual(order);
    }
  }
});

test('the groups of a dead datacenter spread over the others in proportion to capacity', () => {
  for (let dead = 0; dead < targets.length; dead++) {
    const taken = new Float64Array(targets.length);
    let orphans = 0;
    for (const edge of edges) {
      for (let group = 0; group < groups; group++) {
        const order = fallbackOrder(edge, group, targets);
        if (order[0] !== dead) continue;
        orphans += 1;
        taken[order[1]!]! += 1;
      }
    }
    const rest = targets.reduce((sum, { weight }, d) => sum + (d === dead ? 0 : weight), 0);
    targets.forEach(({ weight }, d) => {
      const expected = d === dead ? 0 : (orphans * weight) / rest;
      // five standard deviations of a binomial draw
      expect(Math.abs(taken[d]! - expected), `dead ${dead} to ${d}`).toBeLessThanOrEqual(
        5 * Math.sqrt(expected) + 1e-9,
      );
    });
  }
});

test('taking a datacenter away leaves the order of the others as it was', () => {
  const without = targets.map((target, d) => (d === 3 ? { ...target, weight: 0 } : target));
  for (let group = 0; group < groups; group++) {
    const before = fallbackOrder(edges[0]!, group, targets).filter((d) => d !== 3);
    expect(fallbackOrder(edges[0]!, group, without)).toEqual(before);
  }
});

test('renumbering the datacenters changes nobody: the draw goes by name', () => {
  const backwards = [...targets].reverse();
  const name = (list: readonly FallbackTarget[], order: readonly number[]): string[] =>
    order.map((d) => list[d]!.datacenter);
  for (let group = 0; group < groups; group++) {
    expect(name(backwards, fallbackOrder(edges[1]!, group, backwards))).toEqual(
      name(targets, fallbackOrder(edges[1]!, group, targets)),
    );
  }
});

test('edges draw for themselves, so that one neighbour does not get it all', () => {
  const firsts = new Set(edges.map((edge) => fallbackOrder(edge, 0, targets)[0]));
  expect(firsts.size).toBeGreaterThan(3);
});

test('a bucket goes to the first that is alive, and nowhere when none is', () => {
  for (const bucket of [0, 31, 32, 9_999, 16_383]) {
    const order = fallbackOrder(edges[2]!, bucket >>> fallbackShift(height), targets);
    expect(fallbackFor(edges[2]!, bucket, height, targets, () => true)).toBe(order[0]);
    expect(fallbackFor(edges[2]!, bucket, height, targets, (d) => d !== order[0] && d !== order[1])).toBe(order[2]);
    expect(fallbackFor(edges[2]!, bucket, height, targets, () => false)).toBe(-1);
  }
});

test('the draw is the same on every machine: a few answers by heart', () => {
  const orders = [0, 1, 2, 3].map((group) => fallbackOrder(edgeId('fra', 'test'), group, targets).join(' '));
  expect(orders).toEqual(['0 5 6 2 3 1', '3 0 1 2 5 6', '2 3 0 5 1 6', '5 2 0 1 6 3']);
});

test('the choices of all groups are the first two of their orders', () => {
  const lists = [
    targets,
    targets.slice(0, 1),
    [{ ...targets[0]!, weight: 0 }],
    targets.map((t) => ({ ...t, weight: 5 })),
  ];
  for (const list of lists) {
    for (const shortHeight of [0, 3, 12]) {
      const { first, second } = fallbackChoices(edges[3]!, shortHeight, list);
      first.forEach((choice, group) => {
        const order = fallbackOrder(edges[3]!, group, list);
        expect([choice, second[group]]).toEqual([order[0] ?? 0, order[1] ?? order[0] ?? 0]);
      });
    }
  }
});
