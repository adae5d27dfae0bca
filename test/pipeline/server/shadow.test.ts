/** What a control plane in shadow says of both sides is what one computes by hand, and nothing where nobody knows. */

import { expect, test } from 'vitest';
import { formatTime } from '../../../config/duration.ts';
import { freshState } from '../../../pipeline/epoch.ts';
import type { EpochSummary } from '../../../pipeline/server/epoch-summary.ts';
import {
  compareShadow,
  type ShadowedService,
  type ShadowFigures,
  ShadowWatch,
} from '../../../pipeline/server/shadow.ts';
import { shadowReport } from '../../../pipeline/server/shadow-report.ts';
import { assign } from '../../../pipeline/table/assign.ts';
import { servedFractions } from '../../../pipeline/table/routing-table.ts';
import { policyOf, statesWithout } from '../../scene.ts';
import { type Instance, makeInstance } from '../table/instance.ts';

const shape = { edges: 3, datacenters: 3, height: 6, weights: 'exponential' } as const;

function shadowed(instance: Instance, today: Float64Array): ShadowedService {
  const { topology, tree, weights, demandRps, ceilings } = instance;
  const { table } = assign('friends', instance);
  const served = servedFractions(table, weights);
  const nothing = new Float64Array(topology.datacenters.length);
  return {
    inputs: {
      epoch: 0,
      startMs: 0,
      topology,
      policy: policyOf(),
      demandRps,
      states: statesWithout(topology),
      intents: [],
      previous: null,
      carried: freshState,
    },
    plan: {
      outcome: 'published',
      reason: null,
      relaxed: [],
      solved: served,
      wanted: served,
      served,
      utilization: nothing,
      churn: { forced: 0, elective: 0, deferred: 0, minimum: 0 },
      deferredEdges: [],
      table,
      ceilings,
      carried: freshState,
      doubts: [],
    },
    tree,
    weights,
    today,
  };
}

test('utilization, round trip and what is elsewhere are those of the fractions, on random instances', () => {
  for (let seed = 0; seed < 20; seed++) {
    const instance = makeInstance(seed, shape);
    const { topology, demandRps } = instance;
    const today = makeInstance(seed + 1000, shape).wanted;
    const one = shadowed(instance, today);
    const figures = compareShadow([one], 0);
    expect(figures.kind).toBe('compared');
    if (figures.kind !== 'compared') return;
    const total = demandRps.reduce((a, b) => a + b, 0);
    const by = (fractions: Float64Array, d: number): number =>
      demandRps.reduce((sum, rps, e) => sum + rps * fractions[e * 3 + d]!, 0) / topology.datacenters[d]!.capacityRps;
    topology.datacenters.forEach(({ id }, d) => {
      expect(figures.today.utilization[id], `seed ${seed}`).toBeCloseTo(by(today, d), 9);
      expect(figures.taiji.utilization[id], `seed ${seed}`).toBeCloseTo(by(one.plan.served, d), 9);
    });
    expect(figures.today.rttMs.mean).toBeCloseTo(10, 9); // every pair is 10 ms apart
    let apart = 0;
    demandRps.forEach((rps, e) => {
      for (let d = 0; d < 3; d++) apart += (rps * Math.abs(one.plan.served[e * 3 + d]! - today[e * 3 + d]!)) / 2;
    });
    expect(figures.elsewhere, `seed ${seed}`).toBeCloseTo(apart / total, 9);
    for (const side of [figures.today, figures.taiji]) {
      expect(side.connectionLocality).toBeGreaterThan(0);
      expect(side.connectionLocality).toBeLessThanOrEqual(1 + 1e-12);
    }
  }
});

test('friends meet as often as users drawn one by one do', () => {
  const instance = makeInstance(5, { ...shape, height: 3 });
  const { tree, weights, demandRps } = instance;
  const one = shadowed(instance, instance.wanted);
  const figures = compareShadow([one], 0);
  if (figures.kind !== 'compared') throw new Error(figures.reason);
  const { rowStart, neighbour, weight } = tree.quotient;
  /** [e] share of a bucket's users who are there. */
  const homes = (bucket: number): number[] => {
    const rps = weights.byEdge.map((cells, e) => demandRps[e]! * (cells.weight[cells.bucket.indexOf(bucket)] ?? 0));
    const all = rps.reduce((a, b) => a + b, 0);
    return rps.map((part) => part / all);
  };
  let [ties, ours, todays] = [0, 0, 0];
  for (let b = 0; b < 8; b++) {
    for (let k = rowStart[b]!; k < rowStart[b + 1]!; k++) {
      ties += weight[k]!;
      homes(b).forEach((p, e) => {
        homes(neighbour[k]!).forEach((q, f) => {
          const row = one.plan.table!.byEdge;
          if (row[e]![b] === row[f]![neighbour[k]!]) ours += weight[k]! * p * q;
          for (let d = 0; d < 3; d++)
            todays += weight[k]! * p * q * instance.wanted[e * 3 + d]! * instance.wanted[f * 3 + d]!;
        });
      });
    }
  }
  expect(figures.taiji.connectionLocality).toBeCloseTo(ours / ties, 9);
  expect(figures.today.connectionLocality).toBeCloseTo(todays / ties, 9);
});

test('of several services both sides carry what the others put there, each side its own', () => {
  const [a, b] = [makeInstance(1, shape), makeInstance(2, shape)];
  const services = [shadowed(a, a.wanted), { ...shadowed(b, b.wanted), weights: b.weights }];
  const figures = compareShadow(services, 0);
  if (figures.kind !== 'compared') throw new Error(figures.reason);
  const load = (d: number, of: (one: ShadowedService) => Float64Array): number =>
    services.reduce(
      (sum, one) => sum + one.inputs.demandRps.reduce((all, rps, e) => all + rps * of(one)[e * 3 + d]!, 0),
      0,
    ) / 1000;
  a.topology.datacenters.forEach(({ id }, d) => {
    expect(figures.today.utilization[id]).toBeCloseTo(
      load(d, (one) => one.today),
      9,
    );
    expect(figures.taiji.utilization[id]).toBeCloseTo(
      load(d, (one) => one.plan.served),
      9,
    );
  });
});

test('what was seen comes before what was imported, edge by edge, and an edge of which neither speaks is no guess', () => {
  const instance = makeInstance(3, shape);
  const said = Float64Array.of(1, 0, 0, Number.NaN, Number.NaN, Number.NaN, 0, 0, 1);
  const imported = Float64Array.of(0, 1, 0, 0, 1, 0, 0, 1, 0);
  const figures = { kind: 'unknown', reason: 'test' } as const;
  const watch = new ShadowWatch(imported, () => figures);
  watch.see(said);
  expect([...watch.today(9)]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  watch.see(null);
  expect([...watch.today(9)]).toEqual([...imported]);
  const alone = new ShadowWatch(null, () => figures);
  alone.see(said);
  const compared = compareShadow([shadowed(instance, alone.today(9))], 0);
  expect(compared).toEqual({
    kind: 'unknown',
    reason:
      'nobody says where edge "edge001" sends its demand today; report allocation, or import the weights as firstTable',
  });
});

const side = (level: number, rttMs: number) => ({
  utilization: { a: level, b: 0.1 },
  rttMs: { mean: rttMs, p95: 2 * rttMs },
  connectionLocality: level / 2,
});

function summaryOf(epoch: number, moved: number, shadow?: ShadowFigures): EpochSummary {
  const churn = { forced: 0, elective: moved, deferred: 0, minimum: 0 };
  const time = formatTime(epoch * 300_000);
  const said = { outcome: 'published', reason: null, relaxed: [], utilization: {}, version: 1, durationMs: 1 } as const;
  return { epoch, time, ...said, churn, ...(shadow && { shadow }) };
}

test('a day in shadow is its means, its worst, its last, and users moved at first and then by the hour', () => {
  const figures = (level: number): ShadowFigures => ({
    kind: 'compared',
    today: side(0.8, 90),
    taiji: side(level, 80),
    elsewhere: level / 10,
  });
  const history = Array.from({ length: 36 }, (_, i) =>
    summaryOf(i, i < 12 ? 0.01 : 0.001, figures(i === 20 ? 0.9 : 0.6)),
  );
  const report = shadowReport([
    ...history,
    summaryOf(36, 0.001, { kind: 'unknown', reason: 'edge "x"' }),
    summaryOf(37, 1),
  ]);
  expect([report.epochs, report.compared, report.unknown]).toEqual([37, 36, 'edge "x"']);
  expect(report.from).toBe(formatTime(0));
  expect(report.today?.utilizationMax).toEqual({ mean: expect.closeTo(0.8, 9), worst: 0.8, last: 0.8 });
  expect(report.taiji?.utilizationMax).toEqual({
    mean: expect.closeTo((35 * 0.6 + 0.9) / 36, 9),
    worst: 0.9,
    last: 0.6,
  });
  expect(report.taiji?.connectionLocality?.worst).toBe(0.3); // the less, the worse
  expect(report.moved.firstHour).toBeCloseTo(0.12, 9);
  expect(report.moved.hourAfter).toBeCloseTo(0.012, 9);
  expect(report.moved.epochMax).toBe(0.01);
});

test('before anything was compared there are no figures, only why', () => {
  const report = shadowReport([summaryOf(0, 0, { kind: 'unknown', reason: 'nobody says' })]);
  expect(report).toMatchObject({ epochs: 1, compared: 0, today: null, taiji: null, unknown: 'nobody says' });
  expect(report.moved.hourAfter).toBe(null);
  expect(shadowReport([])).toMatchObject({ from: null, epochs: 0, unknown: null });
});
