import { expect, test } from 'vitest';
import { measureChurn } from '../../../pipeline/table/churn.ts';
import { assignFriends } from '../../../pipeline/table/friends-assignment.ts';
import { assignSegments } from '../../../pipeline/table/segment-assignment.ts';
import { drift, makeInstance, weightKinds, without } from './instance.ts';

test('what a state demands is forced, the rest elective, and both are shares of all demand', () => {
  const base = makeInstance(1, { edges: 2, datacenters: 3, height: 2, weights: 'even' });
  const edgeLoad = Float64Array.from([0.8, 0.2]);
  const previous = assignFriends({
    ...base,
    edgeLoad,
    wanted: Float64Array.from([0.5, 0.5, 0, 0.5, 0.25, 0.25]),
  }).table;
  const next = { ...previous, byEdge: [Uint8Array.from([1, 2, 1, 2]), previous.byEdge[1]!] };
  const ceilings = Float64Array.from([0, 1, 1, 0, 1, 1]);
  const churn = measureChurn({ ...base, edgeLoad, previous, next, ceilings });
  expect([...previous.byEdge[0]!]).toEqual([0, 0, 1, 1]);
  expect(churn.forced).toBeCloseTo(0.8 * 0.5, 12);
  expect(churn.elective).toBeCloseTo(0.8 * 0.25, 12);
  expect(churn.minimum).toBeCloseTo(0.8 * 0.5, 12); // datacenter 1 lost a bucket and gained one
  expect([...churn.byEdge]).toEqual([0.75, 0]);
});

test('of a datacenter that may keep a part, what is above its ceiling is forced, rounded up to whole buckets', () => {
  const base = makeInstance(1, { edges: 1, datacenters: 2, height: 2, weights: 'even' });
  const edgeLoad = Float64Array.from([1]);
  const previous = assignFriends({ ...base, edgeLoad, wanted: Float64Array.from([1, 0]) }).table;
  const next = { ...previous, byEdge: [Uint8Array.from([1, 1, 1, 0])] };
  const churn = measureChurn({ ...base, edgeLoad, previous, next, ceilings: Float64Array.from([0.7, 1]) });
  expect(churn.forced).toBeCloseTo(0.5, 12);
  expect(churn.elective).toBeCloseTo(0.25, 12);
});

test('churn is never below the minimum, and forced plus elective is what the edges add up to', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const shape = { edges: 3, datacenters: 4, height: 7, weights: weightKinds[seed % 4]! };
    const instance = makeInstance(seed, shape);
    const previous = assignSegments(instance);
    const drifted = without(drift(instance.random, instance.wanted, 4, 0.3), 4, seed % 2 ? [1] : []);
    const next = assignSegments({ ...instance, ...drifted });
    const churn = measureChurn({ ...instance, ceilings: drifted.ceilings, previous, next });
    const sum = churn.byEdge.reduce((total, share, e) => total + share * instance.edgeLoad[e]!, 0);
    expect(churn.forced + churn.elective, `seed ${seed}`).toBeCloseTo(sum, 12);
    expect(churn.forced + churn.elective, `seed ${seed}`).toBeGreaterThanOrEqual(churn.minimum - 1e-12);
  }
});
