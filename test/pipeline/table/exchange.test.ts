import fc from 'fast-check';
import { expect, test } from 'vitest';
import { measureChurn } from '../../../pipeline/table/churn.ts';
import { EdgeWork } from '../../../pipeline/table/edge-work.ts';
import { exchangeBlocks } from '../../../pipeline/table/exchange.ts';
import { FriendTies } from '../../../pipeline/table/friend-ties.ts';
import { type Assigned, assignFriends } from '../../../pipeline/table/friends-assignment.ts';
import { freshLocality } from '../../../pipeline/table/locality-budget.ts';
import { pace } from '../../../pipeline/table/pace.ts';
import { type RoutingTable, servedFractions } from '../../../pipeline/table/routing-table.ts';
import { checkTable, drift, type Instance, makeInstance, weightKinds } from './instance.ts';

const shape = { edges: 3, datacenters: 4, height: 9, tiesPerBucket: 4 } as const;

const instances = fc
  .record({ seed: fc.integer({ min: 1, max: 1e6 }), weights: fc.constantFrom(...weightKinds) })
  .map(({ seed, weights }) => makeInstance(seed, { ...shape, weights }));

/** Ties of the quotient graph whose users are served together, users of a bucket spread over edges by weight: all pairs. */
function plainTogether({ tree, weights }: Instance, byEdge: readonly Uint8Array[]): number {
  const users = new Float64Array(1 << tree.height);
  const served = byEdge.map(() => new Map<number, number>());
  weights.byEdge.forEach(({ bucket, weight }, e) => {
    bucket.forEach((b, i) => {
      users[b]! += weights.edgeWeight[e]! * weight[i]!;
      served[e]!.set(b, weights.edgeWeight[e]! * weight[i]!);
    });
  });
  const { rowStart, neighbour, weight } = tree.quotient;
  let together = 0;
  for (let b = 0; b < users.length; b++) {
    for (let k = rowStart[b]!; k < rowStart[b + 1]!; k++) {
      const other = neighbour[k]!;
      for (const [e, here] of served.entries()) {
        for (const [f, there] of served.entries()) {
          if (byEdge[e]![b] !== byEdge[f]![other]) continue;
          together +=
            (weight[k]! * (here.get(b) ?? 0) * (there.get(other) ?? 0)) / (users[b]! * users[other]! || 1) / 2;
        }
      }
    }
  }
  return together;
}

function worksOf(instance: Instance, byEdge: readonly Uint8Array[]): { ties: FriendTies; works: readonly EdgeWork[] } {
  const ties = new FriendTies(instance, byEdge, instance.targets.length);
  const shift = instance.tree.height - instance.segmentLevel;
  const works = byEdge.map((row, e) => new EdgeWork(e, instance.weights.byEdge[e]!, row.slice(), shift, ties));
  return { ties, works };
}

function exchanged(
  instance: Instance,
  table: RoutingTable,
  more: {
    readonly price: number;
    readonly allowance: number;
    readonly allowanceMax?: (hasToMove: number) => number;
    readonly free: boolean;
    readonly edgesMax?: number;
    readonly trialsMax?: number;
  },
) {
  const { ties, works } = worksOf(instance, table.byEdge);
  const width = instance.targets.length;
  const result = exchangeBlocks({
    works,
    at: works.map((_, e) => e),
    edgeLoad: instance.edgeLoad,
    aims: works.map((_, e) => instance.wanted.subarray(e * width, (e + 1) * width)),
    isOpen: () => true,
    homes: more.free ? null : table.byEdge,
    overMax: new Float64Array(width).fill(0.05),
    band: 0.003,
    allTies: ties.allTies,
    price: more.price,
    allowance: more.allowance,
    hadToMove: 0,
    allowanceMax: more.allowanceMax ?? (() => Number.POSITIVE_INFINITY),
    room: Number.POSITIVE_INFINITY,
    trialsMax: more.trialsMax ?? 200,
    edgesMax: more.edgesMax ?? 16,
  });
  return { ...result, ties, works, byEdge: works.map(({ assignment }) => assignment) };
}

function splits(works: readonly EdgeWork[]): number {
  return works.reduce(
    (sum, work) => sum + Array.from({ length: work.segmentCount }, (_, s) => work.pieces(s)).reduce((a, b) => a + b, 0),
    0,
  );
}

test('an exchange is kept only where friends and whole segments together gain, counted pair by pair', () => {
  fc.assert(
    fc.property(instances, (instance) => {
      const { table } = assignFriends(instance);
      const before = worksOf(instance, table.byEdge);
      const after = exchanged(instance, table, { price: 0, allowance: 1, free: true });
      const splitTies = (0.2 * after.ties.allTies) / (after.works.length * after.works[0]!.segmentCount);
      const gained =
        plainTogether(instance, after.byEdge) -
        plainTogether(instance, table.byEdge) +
        splitTies * (splits(before.works) - splits(after.works));
      if (after.kept === 0) expect(after.byEdge).toEqual(table.byEdge);
      else expect(gained).toBeGreaterThan(0);
    }),
    { numRuns: 40, seed: 5 },
  );
});

test('where edges put segments anywhere, going together at several edges brings more friends together than each edge alone', () => {
  const won = { alone: 0, together: 0 };
  for (let seed = 1; seed <= 10; seed++) {
    const instance = makeInstance(seed, { ...shape, edges: 6, weights: 'exponential' });
    const { random, tree, segmentLevel, targets } = instance;
    const shift = tree.height - segmentLevel;
    const byEdge = instance.edges.map(() => {
      const places = Array.from({ length: 1 << segmentLevel }, () => Math.floor(random() * targets.length));
      return Uint8Array.from({ length: 1 << tree.height }, (_, b) => places[b >>> shift]!);
    });
    const table = { ...assignFriends(instance).table, byEdge };
    const asServed = { ...instance, wanted: servedFractions(table, instance.weights) };
    const before = plainTogether(instance, byEdge);
    const wonBy = (edgesMax: number): number => {
      const free = { price: 0, allowance: 1, free: true, trialsMax: 10_000, edgesMax };
      return plainTogether(instance, exchanged(asServed, table, free).byEdge) - before;
    };
    won.alone += wonBy(1);
    won.together += wonBy(16);
  }
  expect(won.together).toBeGreaterThan(1.01 * won.alone);
});

test('pulls that are kept up to date while blocks move and are taken back are those of the table that comes of it', () => {
  fc.assert(
    fc.property(instances, (instance) => {
      const { table } = assignFriends(instance);
      const { ties, byEdge } = exchanged(instance, table, { price: 0, allowance: 1, free: true });
      const anew = new FriendTies(instance, byEdge, instance.targets.length).pull;
      const off = ties.pull.reduce((most, pull, i) => Math.max(most, Math.abs(pull - anew[i]!)), 0);
      expect(off).toBeLessThanOrEqual(1e-6 * ties.allTies);
    }),
    { numRuns: 40, seed: 6 },
  );
});

test('what is moved beyond the minimum stays within the allowance', () => {
  fc.assert(
    fc.property(instances, fc.double({ min: 0, max: 0.05, noNaN: true }), (instance, allowance) => {
      const { table: previous } = assignFriends(instance);
      const { byEdge, spent } = exchanged(instance, previous, { price: 0, allowance, free: false });
      const { elective, minimum } = measureChurn({ ...instance, previous, next: { ...previous, byEdge } });
      expect(spent).toBeLessThanOrEqual(allowance + 1e-9);
      expect(elective - minimum).toBeLessThanOrEqual(spent + 1e-9);
    }),
    { numRuns: 40, seed: 7 },
  );
});

test('what is moved beyond the minimum stays within what the minimum allows once it is known', () => {
  let spentInAll = 0;
  fc.assert(
    fc.property(instances, (instance) => {
      const { table: previous } = assignFriends(instance);
      const allowanceMax = (hasToMove: number): number => hasToMove / 2 + 0.01;
      const { works, spent } = exchanged(instance, previous, { price: 0, allowance: 1, allowanceMax, free: false });
      const minimum = works.reduce((sum, work, e) => sum + instance.edgeLoad[e]! * work.leastMoved(), 0);
      expect(spent).toBeLessThanOrEqual(allowanceMax(minimum) + 1e-9);
      spentInAll += spent;
    }),
    { numRuns: 40, seed: 9 },
  );
  expect(spentInAll).toBeGreaterThan(0.1);
});

test('over many epochs no more is moved beyond the minimum than the budget says, and the churn cap holds', () => {
  for (const weights of weightKinds) {
    for (const seed of [1, 2, 3]) {
      const instance = makeInstance(seed, { ...shape, weights });
      const name = `seed ${seed} ${weights}`;
      let wanted = instance.wanted;
      let last: Assigned = assignFriends({ ...instance, localityBudget: 0.15 });
      let moved = 0;
      let least = 0;
      for (let epoch = 0; epoch < 12; epoch++) {
        wanted = drift(instance.random, wanted, 4, 0.05);
        const previous = last.table;
        const carried = last.locality ?? freshLocality;
        const inputs = { ...instance, wanted, previous, localityBudget: 0.15, churnMax: 0.05, locality: carried };
        const next = assignFriends(inputs);
        expect(checkTable(next.table, inputs), name).toEqual([]);
        const paced = pace({ ...inputs, target: next.table });
        const churn = measureChurn({ ...inputs, next: next.table });
        expect(measureChurn({ ...inputs, next: paced.table }).elective, name).toBeLessThanOrEqual(0.05 + 1e-9);
        moved += churn.forced + churn.elective;
        least += churn.minimum;
        last = next;
      }
      expect(moved, name).toBeLessThanOrEqual(1.15 * least + 1e-9);
    }
  }
});

test('where nobody may be exchanged the table is the one without a budget', () => {
  fc.assert(
    fc.property(instances, (instance) => {
      const { table: previous } = assignFriends(instance);
      const wanted = drift(instance.random, instance.wanted, 4, 0.1);
      const inputs = { ...instance, wanted, previous };
      const mayExchange = new Uint8Array(instance.edges.length * 4);
      const { table } = assignFriends({ ...inputs, localityBudget: 0.15, mayExchange });
      expect(table).toEqual(assignFriends(inputs).table);
    }),
    { numRuns: 20, seed: 8 },
  );
});
