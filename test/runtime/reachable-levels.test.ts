import { describe, expect, test } from 'vitest';
import { freshState } from '../../runtime/guards.ts';
import { type DatacenterState, normalState } from '../../runtime/inputs.ts';
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

describe('a datacenter over its capacity opens what is barred', () => {
  /** e0 may go to d0 alone, which is too small for it. */
  const pocket = async (spec: Record<string, unknown>, states?: readonly DatacenterState[]) => {
    const topology = topologyOf(3, [40, 100, 100], (e, d) => 10 + 60 * Math.abs(e - d));
    const policy = policyOf({ allowed: [{ edge: 'e0', datacenters: ['d0'] }], ...spec });
    const inputs = inputsOf(topology, [60, 40, 40], { policy, ...(states && { states }) });
    const decision = await solveFractions(inputs, freshState, await certifiedHere('highs'));
    if (decision.kind !== 'move') throw new Error(decision.kind);
    return decision;
  };

  test('not where that helps nobody: distance still counts at the other edges', async () => {
    const { wanted, relaxed } = await pocket({ latencyMsMax: 50 });
    expect([...wanted]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    expect(relaxed).toEqual(['capacity']);
  });

  test('nor does it bring users to a datacenter that is sick', async () => {
    const sick: DatacenterState = { keep: 1, refill: false, cause: 'unhealthy: errors', untilMs: null };
    const { wanted } = await pocket({}, [normalState, normalState, sick]);
    expect([2, 5, 8].map((i) => wanted[i])).toEqual([0, 0, 0]);
  });
});
