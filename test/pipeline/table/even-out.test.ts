import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EdgeWork, roleGained, roleLost } from '../../../pipeline/table/edge-work.ts';
import { type EvenOutInputs, evenOut } from '../../../pipeline/table/even-out.ts';
import { FriendTies } from '../../../pipeline/table/friend-ties.ts';
import { makeInstance, weightKinds } from './instance.ts';

const shape = { edges: 5, datacenters: 4, height: 6 } as const;

const settings = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  weights: fc.constantFrom(...weightKinds),
  overMax: fc.constantFrom(0, 0.01, 0.1),
  band: fc.constantFrom(0, 0.003, 0.1),
});

/** Edges as they stand by a table that is a bucket here and there off what is wanted. */
type Drawn = typeof settings extends fc.Arbitrary<infer T> ? T : never;

function settingOf({ seed, weights, overMax, band }: Drawn) {
  const instance = makeInstance(seed, { ...shape, weights });
  const width = instance.targets.length;
  const rowOf = (matrix: Float64Array, e: number): Float64Array => matrix.subarray(e * width, (e + 1) * width);
  const byEdge = instance.weights.byEdge.map((cells, e) => {
    const assignment = new Uint8Array(1 << shape.height);
    const wanted = rowOf(instance.wanted, e);
    for (const b of cells.bucket) {
      let left = instance.random();
      assignment[b] = Math.max(
        0,
        wanted.findIndex((share) => (left -= share) < 0),
      );
    }
    return assignment;
  });
  const ties = new FriendTies(instance, byEdge, width);
  const works = byEdge.map((row, e) => new EdgeWork(e, instance.weights.byEdge[e]!, row, shape.height - 3, ties));
  const inputs: EvenOutInputs = {
    edgeLoad: instance.edgeLoad,
    cells: instance.weights.byEdge,
    aims: works.map((_, e) => rowOf(instance.wanted, e)),
    ceilings: works.map((_, e) => rowOf(instance.ceilings, e)),
    overMax: new Float64Array(width).fill(overMax),
    band,
    assignmentOf: (e) => works[e]!.assignment,
    loadOf: (e) => works[e]!.load,
    workOf: (e) => works[e]!,
    touched: (e) => works[e]!,
  };
  return { inputs, works };
}

/** The same by looking at every cell of every edge for every move. */
function plainly(inputs: EvenOutInputs): void {
  const width = inputs.overMax.length;
  const sum = (rowOf: (e: number) => Float64Array): number[] =>
    Array.from({ length: width }, (_, d) => inputs.edgeLoad.reduce((all, load, e) => all + load * rowOf(e)[d]!, 0));
  const wanted = sum((e) => inputs.aims[e]!);
  const excess = sum(inputs.loadOf).map((load, d) => load - wanted[d]!);
  const isOff = (d: number, part: number): boolean =>
    excess[d]! > part * inputs.overMax[d]! * wanted[d]! || -excess[d]! > part * 0.05 * wanted[d]!;
  if (!excess.some((_, d) => isOff(d, 1))) return;
  const stuck = new Set<string>();
  for (let moves = 0; moves < 1000; ) {
    let pair: { from: number; to: number; amount: number } | null = null;
    for (let from = 0; from < width; from++) {
      for (let to = 0; to < width; to++) {
        const amount = Math.min(excess[from]!, -excess[to]!);
        if (amount <= (pair?.amount ?? 0) || stuck.has(`${from}>${to}`)) continue;
        if (isOff(from, 0.5) || isOff(to, 0.5)) pair = { from, to, amount };
      }
    }
    if (!pair) return;
    const { from, to, amount } = pair;
    let best: { e: number; i: number; share: number } | null = null;
    inputs.cells.forEach(({ bucket, weight }, e) => {
      const work = inputs.workOf(e);
      const [aim, load] = [inputs.aims[e]!, work.load];
      if (aim[to] === 0 || inputs.ceilings[e]![to]! < 1) return;
      if (work.role[from] === roleGained || work.role[to] === roleLost) return;
      const room = Math.min(load[from]! - aim[from]!, aim[to]! - load[to]!) + Math.max(...weight) + inputs.band;
      weight.forEach((part, i) => {
        const share = part * inputs.edgeLoad[e]!;
        if (work.assignment[bucket[i]!] !== from || part > room || share > (4 / 3) * amount) return;
        if (!best || Math.abs(share - amount) < Math.abs(best.share - amount)) best = { e, i, share };
      });
    });
    if (!best) {
      stuck.add(`${from}>${to}`);
      continue;
    }
    const { e, i, share } = best as { e: number; i: number; share: number };
    inputs.workOf(e).moveCell(i, to);
    excess[from]! -= share;
    excess[to]! += share;
    moves += 1;
  }
}

test('it moves the cells that looking at every one of them finds, equal weights in the order of buckets', () => {
  let moved = 0;
  fc.assert(
    fc.property(settings, (drawn) => {
      const [fast, plain] = [settingOf(drawn), settingOf(drawn)];
      evenOut(fast.inputs);
      plainly(plain.inputs);
      moved += fast.works.filter(({ isTouched }) => isTouched).length;
      for (const [e, { assignment }] of fast.works.entries()) {
        expect(assignment, `edge ${e} of ${JSON.stringify(drawn)}`).toEqual(plain.works[e]!.assignment);
      }
    }),
    { numRuns: 300 },
  );
  expect(moved, 'the cases have something to even out').toBeGreaterThan(100);
});

test('what datacenters are off over all edges does not grow, and no edge ends further off than a bucket and the band', () => {
  fc.assert(
    fc.property(settings, (drawn) => {
      const { inputs, works } = settingOf(drawn);
      const off = (): number =>
        Array.from(inputs.overMax, (_, d) =>
          Math.abs(works.reduce((sum, { load }, e) => sum + inputs.edgeLoad[e]! * (load[d]! - inputs.aims[e]![d]!), 0)),
        ).reduce((a, b) => a + b, 0);
      const offEdge = (e: number, d: number): number => Math.abs(works[e]!.load[d]! - inputs.aims[e]![d]!);
      const before = off();
      const edgesBefore = works.map(({ load }, e) => Array.from(load, (_, d) => offEdge(e, d)));
      evenOut(inputs);
      expect(off(), JSON.stringify(drawn)).toBeLessThanOrEqual(before + 1e-9);
      for (const [e, { load, cells }] of works.entries()) {
        const most = Math.max(...cells.weight) + inputs.band;
        for (const d of load.keys()) {
          expect(offEdge(e, d), `edge ${e}, ${JSON.stringify(drawn)}`).toBeLessThanOrEqual(
            Math.max(edgesBefore[e]![d]!, most) + 1e-9,
          );
        }
      }
    }),
    { numRuns: 100 },
  );
});
