import { describe, expect, test } from 'vitest';
import { freshState } from '../../runtime/guards.ts';
import { utilizationOf } from '../../runtime/judge.ts';
import { solveFractions } from '../../runtime/solve.ts';
import { certifiedHere, inputsOf, policyOf, topologyOf } from '../scene.ts';

/** The first table of two edges: e0 may go to d0 and d1 alone, e1 anywhere. */
async function placed(demand: readonly [number, number], capacity: readonly number[], spec: Record<string, unknown>) {
  const topology = topologyOf(2, capacity);
  const policy = policyOf({ allowed: [{ edge: 'e0', datacenters: ['d0', 'd1'] }], ...spec });
  const inputs = inputsOf(topology, demand, { policy });
  const decision = await solveFractions(inputs, freshState, await certifiedHere('highs'));
  if (decision.kind !== 'move') throw new Error(decision.kind);
  const { wanted, relaxed } = decision;
  return { wanted, relaxed, highest: Math.max(...utilizationOf(topology, inputs.demandRps, wanted)) };
}

describe('limits of lower rank give for those of higher, by what is needed', () => {
  test('shareMax rather than capacity', async () => {
    const { wanted, relaxed, highest } = await placed([100, 10], [100, 20, 100], { guards: { shareMax: 0.5 } });
    expect(relaxed).toEqual(['shareMax']);
    expect(highest).toBeCloseTo(1, 4);
    expect(wanted[1]).toBeCloseTo(0.2, 3); // all that d1 has room for, not more
  });

  test('shareMax rather than utilizationMax', async () => {
    const spec = { utilizationMax: 0.9, guards: { shareMax: 0.5 } };
    const { relaxed, highest } = await placed([80, 10], [100, 20, 100], spec);
    expect(relaxed).toEqual(['shareMax']);
    expect(highest).toBeCloseTo(0.9, 4);
  });

  test('latencyMsP95Max rather than capacity, but utilizationMax rather than latencyMsP95Max', async () => {
    const near = { latencyMsP95Max: 15, objective: 'closest-first', allowed: [] };
    const full = await placed([150, 20], [100, 300, 300], near);
    expect(full.relaxed).toEqual(['latencyMsP95Max']);
    expect(full.highest).toBeCloseTo(1, 4);
    const tight = await placed([95, 20], [100, 300, 300], { ...near, utilizationMax: 0.5 });
    expect(tight.relaxed).toEqual(['utilizationMax']);
    expect(tight.wanted[1]! + tight.wanted[2]!).toBeCloseTo(0.05, 4);
  });

  test('emergencyMax rather than utilizationMax', async () => {
    const spec = { allowed: [{ edge: 'e0', datacenters: ['d0'] }], utilizationMax: 0.8, emergencyMax: 0.85 };
    const { relaxed, highest } = await placed([40, 100], [60, 100, 100], spec);
    expect(relaxed).toEqual(['emergencyMax']);
    expect(highest).toBeLessThan(0.8 + 1e-4);
  });
});
