/** Taiji (SOSP 2019), sections 3.1, 4.3 and the appendix: what the paper says of the runtime, sentence by sentence. Where
 *  DESIGN departs from the paper, the test says how. */

import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../config/random.ts';
import { tableDigest } from '../../pipeline/table/routing-table.ts';
import { freshState } from '../../runtime/guards.ts';
import { utilizationOf } from '../../runtime/judge.ts';
import { solveFractions } from '../../runtime/solve.ts';
import { bestSingleMoves } from '../peers/local-search.ts';
import { certifiedHere, inputsOf, matrixOf, policyOf, statesWithout, topologyOf, uniform } from '../scene.ts';
import { run } from '../simulation/loop.ts';

const solve = await certifiedHere('highs');

async function firstFractions(inputs: ReturnType<typeof inputsOf>): Promise<Float64Array> {
  const decision = await solveFractions(inputs, freshState, solve);
  if (decision.kind !== 'move') throw new Error(`expected fractions, found ${decision.kind}`);
  return decision.wanted;
}

describe('appendix', () => {
  test('(1), (2): the fractions of an edge are not negative and sum to one', async () => {
    const fractions = await firstFractions(inputsOf(topologyOf(5, [40, 60, 90]), [10, 20, 30, 40, 50]));
    expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
    for (let e = 0; e < 5; e++) {
      expect(Math.abs(fractions.subarray(e * 3, e * 3 + 3).reduce((a, b) => a + b) - 1)).toBeLessThan(1e-9);
    }
  });

  test('(4): the highest utilization is the lowest possible (within balanceTolerance, which DESIGN opens to latency)', async () => {
    const topology = topologyOf(6, [50, 100, 150]);
    const demand = [10, 30, 20, 40, 25, 55];
    const fractions = await firstFractions(inputsOf(topology, demand));
    expect(Math.max(...utilizationOf(topology, Float64Array.from(demand), fractions))).toBeLessThanOrEqual(
      180 / 300 + 0.00501,
    );
  });

  test('(5): the secondary objective is latency squared: one long detour is worse than two short ones', async () => {
    // d1 must take one of the edges. By latency alone e0 is cheaper to move (+40 against +45); squared, e1 is.
    const rtt = [
      [60, 100],
      [5, 50],
    ];
    const topology = topologyOf(2, [100, 100], (e, d) => rtt[e]![d]!);
    const policy = policyOf({ guards: { balanceTolerance: 0 } });
    const fractions = await firstFractions(inputsOf(topology, [50, 50], { policy }));
    expect([...fractions].map((fraction) => Math.round(fraction * 1000) / 1000)).toEqual([1, 0, 0, 1]);
  });

  test('(6): no utilization rises by more than M an epoch (by choice: DESIGN lets failures through)', async () => {
    const topology = topologyOf(4, [100, 100]);
    const served = matrixOf([
      [1, 0],
      [1, 0],
      [1, 0],
      [0, 1],
    ]);
    const policy = policyOf({ guards: { damping: 1, onloadMax: 0.03 } });
    const after = await firstFractions(inputsOf(topology, [25, 25, 25, 25], { served, policy }));
    expect(utilizationOf(topology, Float64Array.of(25, 25, 25, 25), after)[1]).toBeLessThanOrEqual(0.25 + 0.03 + 1e-5);
  });

  test('(7): no utilization is over 1 where that can be', async () => {
    const topology = topologyOf(3, [30, 200], (_, d) => (d === 0 ? 1 : 300));
    const demand = Float64Array.of(70, 70, 70);
    const fractions = await firstFractions(inputsOf(topology, [...demand]));
    expect(Math.max(...utilizationOf(topology, demand, fractions))).toBeLessThanOrEqual(1);
  });

  test('(3) is 0/0 for a drained datacenter: its load-to-utilization slope comes from its capacity', async () => {
    const topology = topologyOf(2, [100, 100]);
    const served = matrixOf([
      [1, 0],
      [1, 0],
    ]);
    const after = await firstFractions(inputsOf(topology, [40, 40], { served }));
    expect(after.every(Number.isFinite)).toBe(true);
    expect(utilizationOf(topology, Float64Array.of(40, 40), after)[1]).toBeCloseTo(0.032, 3);
  });

  test('local search by single moves never beats the program, and comes within its step of it', async () => {
    const units = 50;
    for (let seed = 0; seed < 20; seed++) {
      const random = seededRandom(seed);
      const capacity = Array.from({ length: 3 }, () => uniform(random, 40, 200));
      const demand = Array.from({ length: 5 }, () => uniform(random, 5, 40));
      const topology = topologyOf(5, capacity);
      const policy = policyOf({ guards: { balanceTolerance: 0 } });
      const fractions = await firstFractions(inputsOf(topology, demand, { policy }));
      const exact = Math.max(...utilizationOf(topology, Float64Array.from(demand), fractions));
      const anywhere = { mayHold: () => true, unitsMax: units };
      const searched = bestSingleMoves({ demand, capacity, ...anywhere }, units);
      expect(searched, `seed ${seed}`).toBeGreaterThanOrEqual(exact - 1e-5);
      const step = Math.max(...demand) / units / Math.min(...capacity);
      expect(searched, `seed ${seed}`).toBeLessThanOrEqual(exact + step);
    }
  });
});

describe('section 3.1.3', () => {
  test('a share guard caps the fraction of an edge that goes to one datacenter', async () => {
    const policy = policyOf({ guards: { shareMax: 0.6 } });
    const fractions = await firstFractions(inputsOf(topologyOf(3, [100, 100, 100]), [10, 10, 10], { policy }));
    expect(Math.max(...fractions)).toBeLessThanOrEqual(0.6 + 1e-6);
  });

  test('less than 1 % of traffic to shift: the table stays, byte for byte', async () => {
    const topology = topologyOf(4, [100, 100]);
    const steps = await run({
      topology,
      policy: policyOf(),
      epochs: 3,
      demandRps: (epoch) => Float64Array.of(20 + 0.05 * epoch, 20, 20, 20),
    });
    expect(steps.map(({ plan }) => plan.outcome)).toEqual(['initial', 'unchanged', 'unchanged']);
    expect(new Set(steps.map(({ plan }) => tableDigest(plan.table!))).size).toBe(1);
  });
});

describe('section 3.3.3', () => {
  test('a datacenter marked abnormal is excluded: it gets nothing and its low utilization is not refilled', async () => {
    const topology = topologyOf(5, [100, 100, 100]);
    const steps = await run({
      topology,
      policy: policyOf(),
      epochs: 6,
      demandRps: () => Float64Array.of(20, 20, 20, 20, 20),
      states: (epoch) => statesWithout(topology, ...(epoch >= 2 ? [1] : [])),
    });
    for (const { utilization } of steps.slice(2)) expect(utilization[1]).toBe(0);
  });

  test('churn for the sake of a failure is told apart from churn by choice', async () => {
    const topology = topologyOf(5, [100, 100, 100]);
    const steps = await run({
      topology,
      policy: policyOf(),
      epochs: 3,
      demandRps: () => Float64Array.of(20, 20, 20, 20, 20),
      states: (epoch) => statesWithout(topology, ...(epoch === 2 ? [1] : [])),
    });
    expect(steps[2]!.plan.churn.forced).toBeCloseTo((steps[1]!.utilization[1]! * 100) / 100, 2);
    expect(steps[2]!.plan.churn.elective).toBeLessThanOrEqual(0.05);
  });
});

test('section 3.3.1: the same snapshot gives the same plan, bit for bit', async () => {
  const topology = topologyOf(6, [60, 90, 40]);
  const course = {
    topology,
    policy: policyOf(),
    epochs: 4,
    demandRps: (epoch: number) => Float64Array.from({ length: 6 }, (_, e) => 10 + ((e * 7 + epoch * 5) % 11)),
  };
  const [a, b] = [await run(course), await run(course)];
  expect(b).toEqual(a);
});
