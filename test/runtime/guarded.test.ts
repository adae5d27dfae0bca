/** What moves more than once: forced load that had no room where it is wanted, wants that guards put off, and mends that
 *  leave the way. */

import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../config/random.ts';
import { nearestPlacement } from '../../runtime/balance.ts';
import { freshState } from '../../runtime/guards.ts';
import type { Model } from '../../runtime/model.ts';
import type { Placement } from '../../runtime/placement.ts';
import { type SolveStep, solveFractions } from '../../runtime/solve.ts';
import { certifiedHere, inputsOf, matrixOf, policyOf, statesWithout, topologyOf, uniform } from '../scene.ts';

const solve = await certifiedHere('highs');

/** [d] utilization that arrives, forced or by choice. */
function arriving({ capacity, datacenters }: Model, { gained, left, placed }: Placement): Float64Array {
  const sum = new Float64Array(capacity.length);
  gained.forEach((load, i) => {
    sum[i % datacenters]! += (load - left[i]! + placed[i]!) / capacity[i % datacenters]!;
  });
  return sum;
}

/** Forced load that is placed where no, or not as much, is wanted. */
function misplaced({ placed }: Placement, toward: Placement): number {
  return placed.reduce((sum, load, i) => sum + Math.max(0, load - toward.placed[i]!), 0);
}

/** An epoch in which the largest of five datacenters is lost, as the guards leave it; null where they leave it all. */
async function lossOf(seed: number, objective: string): Promise<SolveStep | null> {
  const random = seededRandom(`${objective} ${seed}`);
  const rtts = Float64Array.from({ length: 12 * 5 }, () => uniform(random, 5, 150));
  const capacity = [40, 55, 80, 50, 30];
  const topology = topologyOf(12, capacity, (e, d) => rtts[e * 5 + d]!);
  const demand = topology.edges.map(() => uniform(random, 4, 20));
  const total = demand.reduce((a, b) => a + b, 0);
  const scaled = demand.map((rps) => (rps * 140) / total);
  const policy = policyOf({ objective });
  const before = await solveFractions(inputsOf(topology, scaled, { policy }), freshState, solve);
  if (before.kind !== 'move') throw new Error(`seed ${seed}: ${before.kind}`);
  const inputs = inputsOf(topology, scaled, { policy, served: before.wanted, states: statesWithout(topology, 2) });
  let last: SolveStep | null = null;
  await solveFractions(inputs, before.carried, solve, (step) => {
    if (step.kind === 'guarded') last = step;
  });
  return last;
}

describe.each(['balance', 'closest-first', 'priced'])('%s: when a datacenter is lost', (objective) => {
  test('no other fills faster, and less of what it served is off its way, than with onloadMax for moves by choice alone', async () => {
    let [less, more] = [0, 0];
    for (let seed = 0; seed < 12; seed++) {
      const step = await lossOf(seed, objective);
      if (!step) continue;
      const { formulation } = step.placement;
      const { arrivals, ...alone } = formulation.limits!;
      expect(arrivals, `seed ${seed}`).toBeDefined();
      const plain = (await nearestPlacement(step.model, alone, formulation.levelMax, solve))!;
      const usual = arriving(step.model, plain);
      arriving(step.model, step.placement).forEach((now, d) => {
        expect(now, `seed ${seed}`).toBeLessThanOrEqual(Math.max(alone.onloadMax, usual[d]!) + 1e-6);
      });
      const [off, offAlone] = [misplaced(step.placement, alone.toward!), misplaced(plain, alone.toward!)];
      expect(off, `seed ${seed}`).toBeLessThanOrEqual(offAlone + 1e-6);
      less += off;
      more += offAlone;
    }
    expect(less).toBeLessThan(0.9 * more);
  });

  test('next to no more of what it served is off its way than if nothing but that counted', async () => {
    let [off, least] = [0, 0];
    for (let seed = 0; seed < 12; seed++) {
      const step = await lossOf(seed, objective);
      if (!step) continue;
      const { limits, levelMax } = step.placement.formulation;
      const free = step.model.rttCost.map(() => 0);
      const nearest = await nearestPlacement({ ...step.model, rttCost: free, moveCost: free }, limits, levelMax, solve);
      off += misplaced(step.placement, limits!.toward!);
      least += misplaced(nearest!, limits!.toward!);
    }
    expect(off).toBeLessThan(1.05 * least + 1);
  });
});

describe('a way that guards cut short', () => {
  const topology = topologyOf(4, [100, 100]);
  const demand = [25, 25, 25, 25];
  const skewed = matrixOf([
    [1, 0],
    [1, 0],
    [1, 0],
    [0, 1],
  ]);

  test('is gone on with in the next epoch, though what is left of it would not act at once by itself', async () => {
    const policy = (minShift: number) => policyOf({ objective: 'priced', guards: { churnMax: 0.02, minShift } });
    const inputs = inputsOf(topology, demand, { served: skewed, policy: policy(0) });
    const first = await solveFractions(inputs, freshState, solve);
    if (first.kind !== 'move') throw new Error(first.kind);
    const next = { ...inputs, served: first.wanted, policy: policy(0.2) };
    expect((await solveFractions(next, first.carried, solve)).kind).toBe('move');
    expect((await solveFractions(next, freshState, solve)).kind).toBe('unchanged');
  });

  test('is not remembered where nothing was put off', async () => {
    const policy = policyOf({ guards: { churnMax: 1, onloadMax: 1 } });
    const first = await solveFractions(inputsOf(topology, demand, { served: skewed, policy }), freshState, solve);
    expect(first.carried.wants).toEqual([]);
  });
});

test('a datacenter far over the level is brought back on the way to what is wanted', async () => {
  // Users of e0 are wanted on d1 and those of e1 on d2. Least moves where users of e0 go to d2, from where they would be
  // called back.
  const topology = topologyOf(2, [100, 100, 100], (e, d) => 10 + 40 * Math.abs(e - d));
  const served = matrixOf([
    [62.5 / 80, 17.5 / 80, 0],
    [0, 0.438, 0.562],
  ]);
  const policy = policyOf({ guards: { minShift: 0.05 } });
  const decision = await solveFractions(inputsOf(topology, [80, 100], { served, policy }), freshState, solve);
  expect(decision.kind === 'move' && [...decision.wanted]).toEqual([0.76875, 0.23125, 0, 0, 0.43, 0.57]);
});
