import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../config/random.ts';
import { freshState } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import { rttOf, utilizationOf } from '../../runtime/judge.ts';
import { certify } from '../../runtime/lp/certify.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import { type Decision, solveFractions } from '../../runtime/solve.ts';
import { certifiedHere, inputsOf, matrixOf, PlainProgram, policyOf, topologyOf, uniform } from '../scene.ts';

const solve = await certifiedHere('highs');

async function decide(inputs: RuntimeInputs): Promise<Extract<Decision, { kind: 'move' }>> {
  const decision = await solveFractions(inputs, freshState, solve);
  if (decision.kind !== 'move') throw new Error(`expected a move, found ${decision.kind}`);
  return decision;
}

/** The textbook program in fractions: least mean latency plus the price of utilization, every load at most `most` of its
 *  capacity. Returns ms a request. */
async function plainCost(
  inputs: RuntimeInputs,
  most: number,
  prices: readonly (readonly [number, number])[],
): Promise<number> {
  const { topology, demandRps } = inputs;
  const total = demandRps.reduce((a, b) => a + b, 0);
  const lp = new PlainProgram();
  const columns: number[][] = topology.edges.map((_, e) =>
    topology.datacenters.map((_, d) =>
      lp.column((demandRps[e]! / total) * topology.rttMs[e * topology.datacenters.length + d]!, 0, 1),
    ),
  );
  for (const row of columns) {
    const whole = lp.row(1, 1);
    for (const column of row) lp.put(whole, column, 1);
  }
  topology.datacenters.forEach(({ capacityRps }, d) => {
    const cap = lp.row(Number.NEGATIVE_INFINITY, (most * capacityRps) / total);
    const priced = lp.row(Number.NEGATIVE_INFINITY, ((prices[0]?.[0] ?? 1e9) * capacityRps) / total);
    columns.forEach((row, e) => {
      lp.put(cap, row[d]!, demandRps[e]! / total);
      lp.put(priced, row[d]!, demandRps[e]! / total);
    });
    prices.forEach(([above, ms], step) => {
      const width = ((prices[step + 1]?.[0] ?? 1e3) - above) * (capacityRps / total);
      lp.put(priced, lp.column(ms, 0, width), -1);
    });
  });
  const program = lp.build();
  const certificate = certify(program, (await openEngine('highs'))(program));
  if (certificate.kind !== 'certified') throw new Error(certificate.why);
  return certificate.objective;
}

function randomInputs(seed: number, spec: Record<string, unknown>): RuntimeInputs {
  const random = seededRandom(seed);
  const capacities = Array.from({ length: 2 + Math.floor(random() * 4) }, () => uniform(random, 60, 300));
  const edges = 2 + Math.floor(random() * 6);
  const demand = Array.from({ length: edges }, () =>
    uniform(random, 1, (0.75 * capacities.reduce((a, b) => a + b)) / edges),
  );
  const topology = topologyOf(edges, capacities, () => Math.round(uniform(random, 5, 200)));
  return inputsOf(topology, demand, { policy: policyOf(spec) });
}

describe('closest-first', () => {
  test('everybody goes to the nearest while it is under the threshold, then spills to the next', async () => {
    const topology = topologyOf(2, [100, 100], (e, d) => [10, 50][e === d ? 0 : 1]!);
    const policy = policyOf({ objective: 'closest-first', utilizationMax: 0.8 });
    const { solved } = await decide(inputsOf(topology, [100, 20], { policy }));
    expect([...solved]).toEqual([expect.closeTo(0.8, 5), expect.closeTo(0.2, 5), 0, 1]);
  });

  test('has the least mean latency of all that keep the threshold, on 40 random instances', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const inputs = randomInputs(seed, { objective: 'closest-first', utilizationMax: 0.9 });
      const { solved, relaxed } = await decide(inputs);
      const { topology, demandRps } = inputs;
      expect(relaxed, `seed ${seed}`).toEqual([]);
      expect(Math.max(...utilizationOf(topology, demandRps, solved)), `seed ${seed}`).toBeLessThanOrEqual(0.9 + 1e-5);
      const least = await plainCost(inputs, 0.9, []);
      expect(rttOf(topology, demandRps, solved).mean / least - 1, `seed ${seed}`).toBeLessThan(2e-4);
    }
  });

  test('where the threshold cannot be kept, the highest is as low as can be, and utilizationMax is named', async () => {
    const topology = topologyOf(2, [100, 100]);
    const policy = policyOf({ objective: 'closest-first', utilizationMax: 0.5 });
    const { solved, relaxed } = await decide(inputsOf(topology, [80, 60], { policy }));
    expect(relaxed).toEqual(['utilizationMax']);
    expect(Math.max(...utilizationOf(topology, Float64Array.of(80, 60), solved))).toBeLessThan(0.7 + 1e-4);
  });
});

describe('priced', () => {
  test('a detour is worth what utilization costs, and no more', async () => {
    const prices = {
      objective: 'priced',
      price: [
        [0.5, 30],
        [0.9, 1000],
      ],
    };
    const near = topologyOf(1, [100, 100], (_, d) => [10, 35][d]!); // 25 ms further: cheaper than 30
    const far = topologyOf(1, [100, 100], (_, d) => [10, 45][d]!); // 35 ms further: dearer
    const demand = [80];
    const detour = await decide(inputsOf(near, demand, { policy: policyOf(prices) }));
    const stay = await decide(inputsOf(far, demand, { policy: policyOf(prices) }));
    expect(utilizationOf(near, Float64Array.of(80), detour.solved)[0]).toBeCloseTo(0.5, 4);
    expect(utilizationOf(far, Float64Array.of(80), stay.solved)[0]).toBeCloseTo(0.8, 4);
  });

  test('latency and price together are the least possible, on 40 random instances', async () => {
    const prices = [
      [0.6, 1],
      [0.8, 20],
      [0.95, 200],
      [1, 2000],
    ] as const;
    for (let seed = 0; seed < 40; seed++) {
      const inputs = randomInputs(seed, { objective: 'priced' });
      const { topology, demandRps } = inputs;
      const { solved } = await decide(inputs);
      const total = demandRps.reduce((a, b) => a + b, 0);
      const utilization = utilizationOf(topology, demandRps, solved);
      const paid = topology.datacenters.reduce(
        (sum, { capacityRps }, d) => {
          const over = prices.map(([above, ms], step) => {
            const next = prices[step + 1]?.[0] ?? Number.POSITIVE_INFINITY;
            return ms * Math.max(0, Math.min(utilization[d]!, next) - above);
          });
          return sum + (capacityRps / total) * over.reduce((a, b) => a + b, 0);
        },
        rttOf(topology, demandRps, solved).mean,
      );
      expect(paid / (await plainCost(inputs, 1, prices)) - 1, `seed ${seed}`).toBeLessThan(3e-4);
    }
  });
});

describe('latencyMsMax', () => {
  const topology = topologyOf(2, [100, 100], (e, d) => (e === d ? 20 : 120));

  test('nobody goes further, although balance would want it', async () => {
    const policy = policyOf({ latencyMsMax: 100 });
    const { solved, relaxed } = await decide(inputsOf(topology, [80, 20], { policy }));
    expect([...solved]).toEqual([1, 0, 0, 1]);
    expect(relaxed).toEqual([]);
  });
  test('gives before capacity does, and is named', async () => {
    const policy = policyOf({ latencyMsMax: 100 });
    const { solved, relaxed } = await decide(inputsOf(topology, [120, 20], { policy }));
    expect(relaxed).toEqual(['latencyMsMax']);
    expect(Math.max(...utilizationOf(topology, Float64Array.of(120, 20), solved))).toBeLessThanOrEqual(1);
  });
  test('an edge that has nothing near enough goes all the same', async () => {
    const policy = policyOf({ latencyMsMax: 10 });
    const { solved } = await decide(inputsOf(topology, [50, 50], { policy }));
    expect(solved[0]! + solved[1]!).toBeCloseTo(1, 9);
  });
  test('users who are too far come back, under the guards, whatever minShift says', async () => {
    const policy = policyOf({ latencyMsMax: 100, guards: { minShift: 1, damping: 1, churnMax: 0.05, onloadMax: 1 } });
    const served = matrixOf([
      [0.5, 0.5],
      [0, 1],
    ]);
    const { wanted } = await decide(inputsOf(topology, [50, 50], { policy, served }));
    expect(wanted[1]).toBeCloseTo(0.4, 5);
  });
});

describe('pins', () => {
  const pin = { edge: 'e0', datacenter: 'd0', fraction: 0.9 };

  test('hold an edge where they say, and the others end equal where they can', async () => {
    const topology = topologyOf(3, [100, 100, 100]);
    const policy = policyOf({ pins: [pin], guards: { balanceTolerance: 0 } });
    const { solved } = await decide(inputsOf(topology, [100, 30, 30], { policy }));
    const utilization = utilizationOf(topology, Float64Array.of(100, 30, 30), solved);
    expect(solved[0]).toBeCloseTo(0.9, 6);
    expect(utilization[0]).toBeCloseTo(0.9, 5);
    expect(utilization[1]).toBeCloseTo(0.35, 5);
    expect(utilization[2]).toBeCloseTo(0.35, 5);
  });
  test('are reached under the guards, step by step', async () => {
    const topology = topologyOf(2, [100, 100]);
    const policy = policyOf({ pins: [{ ...pin, fraction: 1 }], guards: { damping: 1, churnMax: 0.05, onloadMax: 1 } });
    const served = matrixOf([
      [0, 1],
      [1, 0],
    ]);
    const { wanted } = await decide(inputsOf(topology, [50, 50], { policy, served }));
    expect(wanted[0]).toBeCloseTo(0.1, 5);
  });
  test('end when they say', async () => {
    const topology = topologyOf(2, [100, 100]);
    const policy = policyOf({ pins: [{ ...pin, fraction: 1, until: '2026-03-05T00:00:00Z' }] });
    const at = async (startMs: number) => (await decide(inputsOf(topology, [90, 10], { policy, startMs }))).solved[0]!;
    expect(await at(Date.parse('2026-03-04T23:59:59Z'))).toBeCloseTo(1, 6);
    expect(await at(Date.parse('2026-03-05T00:00:00Z'))).toBeLessThan(0.7);
  });
});
