import { expect, test } from 'vitest';
import { assign } from '../../../pipeline/table/assign.ts';
import { heaviestBuckets } from '../../../pipeline/table/bucket-weights.ts';
import { measureChurn } from '../../../pipeline/table/churn.ts';
import { assignFriends, deadBand } from '../../../pipeline/table/friends-assignment.ts';
import { type RoutingTable, servedFractions } from '../../../pipeline/table/routing-table.ts';
import {
  checkTable,
  drift,
  type Instance,
  type InstanceShape,
  makeInstance,
  weightKinds,
  without,
} from './instance.ts';

const shapes: readonly InstanceShape[] = weightKinds.flatMap((weights) => [
  { edges: 3, datacenters: 4, height: 10, weights },
  { edges: 1, datacenters: 7, height: 9, weights },
  { edges: 2, datacenters: 1, height: 6, weights },
  { edges: 4, datacenters: 3, height: 8, weights, segmentLevel: 8 },
  { edges: 2, datacenters: 3, height: 7, weights, segmentLevel: 0 },
]);

function each(check: (instance: Instance, name: string) => void, seeds = 4): void {
  for (const shape of shapes) {
    for (let seed = 1; seed <= seeds; seed++) check(makeInstance(seed, shape), `seed ${seed} ${JSON.stringify(shape)}`);
  }
}

/** Like the requirement: the heaviest bucket of the edge, and the dead band. */
function expectAccurate(table: RoutingTable, inputs: Instance, name: string): void {
  const served = servedFractions(table, inputs.weights);
  const heaviest = heaviestBuckets(inputs.weights);
  const off = [...served].flatMap((share, i) => {
    const most = heaviest[Math.floor(i / inputs.targets.length)]! + deadBand + 1e-9;
    const error = Math.abs(share - inputs.wanted[i]!);
    return error <= most ? [] : [`place ${i} is off by ${error}, at most ${most}`];
  });
  expect(off, name).toEqual([]);
}

test('the first table is whole and serves what is wanted within the heaviest bucket and the dead band', () => {
  each((instance, name) => {
    const table = assignFriends(instance).table;
    expect(checkTable(table, instance), name).toEqual([]);
    expectAccurate(table, instance, name);
  });
});

test('the first table is contiguous: at each edge about one range of segments a datacenter', () => {
  const instance = makeInstance(5, { edges: 3, datacenters: 4, height: 12, weights: 'even', segmentLevel: 6 });
  for (const assignment of assignFriends(instance).table.byEdge) {
    const changes = assignment.reduce((count, d, b) => count + (b > 0 && d !== assignment[b - 1] ? 1 : 0), 0);
    expect(changes).toBeLessThanOrEqual(6);
  }
});

test('as wants drift, tables follow within the heaviest bucket and the dead band, and churn is the minimum', () => {
  each((instance, name) => {
    let inputs = instance;
    let table = assignFriends(inputs).table;
    for (let epoch = 0; epoch < 6; epoch++) {
      const wanted = drift(instance.random, inputs.wanted, instance.targets.length, 0.1);
      inputs = { ...inputs, wanted, previous: table };
      const next = assignFriends(inputs).table;
      expect(checkTable(next, inputs), name).toEqual([]);
      expectAccurate(next, inputs, `${name} epoch ${epoch}`);
      const { forced, elective, minimum } = measureChurn({ ...inputs, previous: table, next });
      expect(forced, name).toBe(0);
      expect(elective, `${name} epoch ${epoch}`).toBeLessThanOrEqual(minimum + 1e-9);
      table = next;
    }
  });
});

test('a datacenter that keeps nothing has no bucket in the next table, not even one without demand', () => {
  each((instance, name) => {
    const width = instance.targets.length;
    if (width < 2) return;
    const previous = assignFriends(instance).table;
    for (const barred of width > 2 ? [[0], [width - 1, 0]] : [[1]]) {
      const inputs = { ...instance, previous, ...without(instance.wanted, width, barred) };
      const next = assignFriends(inputs).table;
      expect(checkTable(next, inputs), name).toEqual([]);
      expectAccurate(next, inputs, name);
    }
  });
});

test('a datacenter that may keep a part ends at or under its ceiling', () => {
  each((instance, name) => {
    const width = instance.targets.length;
    if (width < 2) return;
    const previous = assignFriends(instance).table;
    const served = servedFractions(previous, instance.weights);
    const ceilings = Float64Array.from(instance.ceilings);
    const wanted = Float64Array.from(instance.wanted);
    for (let e = 0; e < instance.edges.length; e++) {
      const kept = 0.6 * served[e * width]!;
      ceilings[e * width] = kept;
      if (kept === 0 && wanted[e * width + 1] === 0) continue;
      const released = Math.max(0, wanted[e * width]! - kept);
      wanted[e * width]! -= released;
      wanted[e * width + 1]! += released;
    }
    const next = servedFractions(assignFriends({ ...instance, previous, wanted, ceilings }).table, instance.weights);
    for (let e = 0; e < instance.edges.length; e++) {
      expect(next[e * width], `${name} edge ${e}`).toBeLessThanOrEqual(ceilings[e * width]! + 1e-9);
    }
  });
});

test('nothing moves while every datacenter is within the dead band and, over all edges, within 1 % of its load: the previous table itself comes back', () => {
  each((instance, name) => {
    const previous = assignFriends(instance).table;
    const wanted = servedFractions(previous, instance.weights);
    for (let e = 0; e < instance.edges.length && instance.targets.length > 1; e++) {
      const row = e * instance.targets.length;
      const amount = Math.min(0.0007, 0.005 * wanted[row]!, 0.005 * wanted[row + 1]!);
      wanted[row]! -= amount;
      wanted[row + 1]! += amount;
    }
    expect(assignFriends({ ...instance, wanted, previous }).table, name).toBe(previous);
  });
});

test('what single edges miss for the sake of whole buckets cancels over all edges', () => {
  // 24 edges of 20 equal buckets: one edge alone may be off by half a bucket, .025, and with all of them off the same way
  // a datacenter wanted at .06 would be empty or at twice its load.
  const instance = makeInstance(5, { edges: 24, datacenters: 3, height: 5, weights: 'even' });
  const cells = { bucket: Uint16Array.from({ length: 20 }, (_, b) => b), weight: new Float64Array(20).fill(1 / 20) };
  const weights = { byEdge: instance.edges.map(() => cells), edgeWeight: new Float64Array(24).fill(1) };
  const edgeLoad = new Float64Array(24).fill(1 / 24);
  const wanted = Float64Array.from(instance.edges.flatMap(() => [0.52, 0.42, 0.06]));
  const next = assignFriends({ ...instance, weights, edgeLoad, wanted, previous: null }).table;
  const served = servedFractions(
    assignFriends({ ...instance, weights, edgeLoad, wanted, previous: next }).table,
    weights,
  );
  for (const [d, share] of [0.52, 0.42, 0.06].entries()) {
    const load = edgeLoad.reduce((sum, edge, e) => sum + edge * served[e * 3 + d]!, 0);
    expect(Math.abs(load / share - 1), `datacenter ${d}`).toBeLessThan(0.04);
  }
  served.forEach((share, i) => {
    expect(Math.abs(share - wanted[i]!), `place ${i}`).toBeLessThanOrEqual(1 / 20 + 0.002 + 1e-9);
  });
});

test('edges that need nothing share their array with the previous table', () => {
  const instance = makeInstance(3, { edges: 4, datacenters: 3, height: 9, weights: 'exponential' });
  const previous = assignFriends(instance).table;
  const wanted = servedFractions(previous, instance.weights);
  wanted.copyWithin(0, 3, 6); // edge 0 wants what edge 1 has
  const next = assignFriends({ ...instance, wanted, previous }).table;
  expect(next.byEdge.map((row, e) => row === previous.byEdge[e])).toEqual([false, true, true, true]);
});

test('of all demand, little is misplaced even where many datacenters share an edge', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const instance = makeInstance(seed, { edges: 6, datacenters: 9, height: 13, weights: 'exponential' });
    let inputs = instance;
    for (let epoch = 0; epoch < 5; epoch++) {
      const previous = assignFriends(inputs).table;
      const served = servedFractions(previous, inputs.weights);
      const misplaced = served.reduce(
        (sum, share, i) => sum + instance.edgeLoad[Math.floor(i / 9)]! * Math.abs(share - inputs.wanted[i]!),
        0,
      );
      expect(misplaced / 2, `seed ${seed} epoch ${epoch}`).toBeLessThanOrEqual(0.006);
      inputs = { ...inputs, previous, wanted: drift(instance.random, inputs.wanted, 9, 0.05) };
    }
  }
});

test('the same inputs give the same table, and demand of zero gives one too', () => {
  each((instance, name) => {
    const previous = assignFriends(instance).table;
    const wanted = drift(instance.random, instance.wanted, instance.targets.length, 0.2);
    const inputs = { ...instance, wanted, previous };
    const edgeLoad = new Float64Array(instance.edges.length);
    expect(assignFriends(inputs).table, name).toEqual(assignFriends(inputs).table);
    expect(checkTable(assignFriends({ ...inputs, edgeLoad }).table, inputs), name).toEqual([]);
  });
});

test('of two blocks that fit, the one whose friends are at the receiving datacenter moves', () => {
  // Four segments of two buckets; segment 1 and 3 are friends of each other, 3 is served by datacenter 1.
  const base = makeInstance(1, { edges: 1, datacenters: 2, height: 3, weights: 'even', segmentLevel: 2 });
  const ties = [
    [2, 6],
    [2, 7],
    [3, 6],
    [3, 7],
  ];
  const rows = Array.from({ length: 8 }, (_, b) =>
    ties.flatMap(([x, y]) => (x === b ? [y!] : y === b ? [x!] : [])).sort((x, y) => x - y),
  );
  const tree = {
    ...base.tree,
    quotient: {
      rowStart: Uint32Array.from([0, ...rows.map((_, b) => rows.slice(0, b + 1).flat().length)]),
      neighbour: Uint32Array.from(rows.flat()),
      weight: new Float64Array(rows.flat().length).fill(5),
    },
  };
  const byEdge = [Uint8Array.from([0, 0, 0, 0, 0, 0, 1, 1])];
  const previous = { treeVersion: tree.version, height: 3, targets: base.targets, edges: base.edges, byEdge };
  const next = assignFriends({ ...base, tree, previous, wanted: Float64Array.from([0.5, 0.5]) }).table;
  expect([...next.byEdge[0]!]).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
});

test('a split segment is finished before another is opened', () => {
  const base = makeInstance(1, { edges: 1, datacenters: 2, height: 4, weights: 'even', segmentLevel: 2 });
  const byEdge = [Uint8Array.from([0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1])];
  const previous = { treeVersion: base.tree.version, height: 4, targets: base.targets, edges: base.edges, byEdge };
  const next = assignFriends({ ...base, previous, wanted: Float64Array.from([0.5, 0.5]) }).table;
  expect([...next.byEdge[0]!]).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]);
});

test('whoever gains by choice ends at most half a band above what is wanted', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const instance = makeInstance(seed, { edges: 3, datacenters: 5, height: 12, weights: weightKinds[seed % 2]! });
    const previous = assignFriends(instance).table;
    const wanted = drift(instance.random, instance.wanted, 5, 0.2);
    const before = servedFractions(previous, instance.weights);
    const after = servedFractions(assign('friends', { ...instance, wanted, previous }).table, instance.weights);
    after.forEach((share, i) => {
      if (share <= before[i]!) return;
      expect(share, `seed ${seed} place ${i}`).toBeLessThanOrEqual(wanted[i]! + deadBand / 2 + 1e-9);
    });
  }
});

test('a previous table of another height is a defect, not a reason to move everybody', () => {
  const instance = makeInstance(2, { edges: 2, datacenters: 3, height: 6, weights: 'even' });
  const other = makeInstance(2, { edges: 2, datacenters: 3, height: 5, weights: 'even' });
  const previous = assign('friends', other).table;
  expect(() => assign('friends', { ...instance, previous }).table).toThrow('other targets, edges or height');
});
