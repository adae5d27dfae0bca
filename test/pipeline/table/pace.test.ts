import { expect, test } from 'vitest';
import { measureChurn } from '../../../pipeline/table/churn.ts';
import { assignFriends } from '../../../pipeline/table/friends-assignment.ts';
import { pace } from '../../../pipeline/table/pace.ts';
import { type RoutingTable, servedFractions } from '../../../pipeline/table/routing-table.ts';
import { assignSegments } from '../../../pipeline/table/segment-assignment.ts';
import { drift, type Instance, makeInstance, weightKinds, without } from './instance.ts';

test('in a chain A -> B -> C nobody is lifted over both where it was and where it goes', () => {
  // A gives .4 to B and B gives .4 to C: deferring one of the two flows alone would lift or starve B.
  const base = makeInstance(1, { edges: 1, datacenters: 3, height: 6, weights: 'even' });
  const edgeLoad = Float64Array.from([1]);
  const row = (a: number, b: number): Uint8Array =>
    Uint8Array.from({ length: 64 }, (_, i) => (i < a ? 0 : i < b ? 1 : 2));
  const shape = { treeVersion: base.tree.version, height: 6, targets: base.targets, edges: base.edges };
  const previous = { ...shape, byEdge: [row(32, 64)] };
  const target = { ...shape, byEdge: [row(8, 40)] };
  const paced = pace({ ...base, edgeLoad, previous, target, churnMax: 0.26 });
  const served = servedFractions(paced.table, base.weights);
  expect(served[1]).toBeCloseTo(0.5, 12);
  expect(served[2]).toBeCloseTo(0.125, 12);
  expect(paced.deferred).toBeCloseTo(0.5, 12);
  expect(paced.deferredEdges).toEqual([0]);
});

test('a target within the limit is left as it is', () => {
  const { instance, previous, target } = randomStep(3, false);
  const paced = pace({ ...instance, previous, target, churnMax: 1 });
  expect(paced).toEqual({ table: target, deferred: 0, deferredEdges: [] });
  expect(paced.table).toBe(target);
});

test('elective churn never exceeds churnMax, forced moves all go, and what is put off is told', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { instance, previous, target } = randomStep(seed, seed % 3 === 0);
    const all = measureChurn({ ...instance, previous, next: target });
    for (const churnMax of [0, 0.01, 0.05, 0.2]) {
      const paced = pace({ ...instance, previous, target, churnMax });
      const done = measureChurn({ ...instance, previous, next: paced.table });
      const name = `seed ${seed} churnMax ${churnMax}`;
      expect(done.elective, name).toBeLessThanOrEqual(churnMax);
      expect(done.forced + done.elective + paced.deferred, name).toBeCloseTo(all.forced + all.elective, 9);
      const barred = [...instance.ceilings].flatMap((most, i) => (most === 0 ? [i] : []));
      const served = servedFractions(paced.table, instance.weights);
      for (const i of barred) expect(served[i], name).toBe(0);
      for (const [e, share] of done.byEdge.entries()) {
        if (!paced.deferredEdges.includes(e)) expect(share, name).toBe(all.byEdge[e]);
      }
    }
  }
});

test('where buckets are heavy, what rounding down leaves is used: no bucket that would fit waits for want of churn', () => {
  // Ten flows of one bucket of .006: scaled back alike none of them would fit.
  const instance = makeInstance(1, { edges: 10, datacenters: 2, height: 4, weights: 'even' });
  const edgeLoad = new Float64Array(10).fill(0.1);
  const cells = { bucket: Uint16Array.of(0, 1), weight: Float64Array.of(0.06, 0.94) };
  const weights = { byEdge: instance.edges.map(() => cells), edgeWeight: new Float64Array(10).fill(1) };
  const shape = { treeVersion: instance.tree.version, height: 4, targets: instance.targets, edges: instance.edges };
  const previous = { ...shape, byEdge: instance.edges.map(() => new Uint8Array(16)) };
  const target = {
    ...shape,
    byEdge: instance.edges.map(() => Uint8Array.from({ length: 16 }, (_, b) => Number(b === 0))),
  };
  const inputs = { ...instance, weights, edgeLoad, previous, target };
  const paced = pace({ ...inputs, churnMax: 0.05 });
  expect(measureChurn({ ...inputs, next: paced.table }).elective).toBeCloseTo(0.048, 9);
  expect(paced.deferred).toBeCloseTo(0.012, 9);
  expect(paced.deferredEdges).toEqual([8, 9]);
});

test('without forced moves every load stays between before and after, but for a bucket a flow', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { instance, previous, target } = randomStep(seed, false);
    const paced = pace({ ...instance, previous, target, churnMax: 0.03 });
    const [before, after, now] = [previous, target, paced.table].map((table) =>
      servedFractions(table, instance.weights),
    );
    const width = instance.targets.length;
    for (let d = 0; d < width; d++) {
      let room = 0;
      let [b, a, n] = [0, 0, 0];
      for (let e = 0; e < instance.edges.length; e++) {
        const load = instance.edgeLoad[e]!;
        room += load * Math.max(...instance.weights.byEdge[e]!.weight) * flowsFrom(previous, target, e, d);
        b += load * before![e * width + d]!;
        a += load * after![e * width + d]!;
        n += load * now![e * width + d]!;
      }
      expect(n, `seed ${seed} datacenter ${d}`).toBeLessThanOrEqual(Math.max(b, a) + room + 1e-12);
    }
  }
});

test('a datacenter that may keep a part sheds what it must although nothing may move by choice', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { instance, previous } = randomStep(seed, false);
    const width = instance.targets.length;
    const served = servedFractions(previous, instance.weights);
    const ceilings = instance.ceilings.map((most, i) => (i % width === 0 ? 0.5 * served[i]! : most));
    const target = assignSegments({ ...instance, ...without(instance.wanted, width, [0]) });
    const paced = pace({ ...instance, previous, target, ceilings, churnMax: 0 });
    const now = servedFractions(paced.table, instance.weights);
    for (let e = 0; e < instance.edges.length; e++) {
      expect(now[e * width], `seed ${seed} edge ${e}`).toBeLessThanOrEqual(ceilings[e * width]! + 1e-9);
    }
    expect(measureChurn({ ...instance, ceilings, previous, next: paced.table }).elective, `seed ${seed}`).toBe(0);
  }
});

interface Step {
  readonly instance: Instance;
  readonly previous: RoutingTable;
  readonly target: RoutingTable;
}

function randomStep(seed: number, isDrain: boolean): Step {
  const base = makeInstance(seed, { edges: 3, datacenters: 4, height: 8, weights: weightKinds[seed % 4]! });
  const previous = assignFriends(base).table;
  const drifted = without(drift(base.random, base.wanted, 4, 0.5), 4, isDrain ? [seed % 4] : []);
  const instance = { ...base, ...drifted };
  const target = seed % 2 ? assignFriends({ ...instance, previous }).table : assignSegments(instance);
  return { instance, previous, target };
}

function flowsFrom(previous: RoutingTable, target: RoutingTable, e: number, d: number): number {
  const to = new Set<number>();
  previous.byEdge[e]!.forEach((from, b) => {
    if (from === d && target.byEdge[e]![b] !== d) to.add(target.byEdge[e]![b]!);
  });
  return to.size;
}
