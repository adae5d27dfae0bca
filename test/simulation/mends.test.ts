import { expect, test } from 'vitest';
import { policyOf, statesWithout, topologyOf } from '../scene.ts';
import { run } from './loop.ts';

const even = (edges: number, rps: number): Float64Array => new Float64Array(edges).fill(rps);

test('an epoch without any demand moves nothing, and the next one finds everything as it was', async () => {
  const steps = await run({
    topology: topologyOf(6, [100, 60]),
    policy: policyOf(),
    epochs: 4,
    demandRps: (epoch) => even(6, epoch === 2 ? 0 : 15),
  });
  expect(steps[2]!.plan.outcome).toBe('unchanged');
  expect(steps[3]!.plan.table).toBe(steps[1]!.plan.table);
});

test('an edge without demand stays where it is', async () => {
  const steps = await run({
    topology: topologyOf(6, [100, 60], (e, d) => 10 + 13 * ((e * 7 + d * 5) % 11)),
    policy: policyOf({ guards: { minShift: 0 } }),
    epochs: 4,
    demandRps: (epoch) => even(6, 15).map((rps, e) => (epoch > 0 && e === 2 ? 0 : rps + epoch * (e % 3))),
  });
  for (const { plan } of steps.slice(1))
    expect([...plan.served.subarray(4, 6)]).toEqual([...steps[0]!.plan.served.subarray(4, 6)]);
});

test('a datacenter whose capacity becomes 0 is emptied at once', async () => {
  const edges = 6;
  const before = topologyOf(edges, [100, 60, 80]);
  const after = topologyOf(edges, [100, 0, 80]);
  const course = { policy: policyOf(), epochs: 1, demandRps: () => even(edges, 15) };
  const [first] = await run({ ...course, topology: before });
  const [next] = await run({ ...course, topology: after, from: first!.plan });
  expect(next!.plan.outcome).toBe('published');
  expect([...next!.utilization].every(Number.isFinite)).toBe(true);
  expect(next!.utilization[1]).toBe(0);
});

test('an edge that may only go to a dead datacenter stays, is told, and holds nobody else back', async () => {
  const topology = topologyOf(4, [100, 100, 100]);
  const policy = policyOf({ allowed: [{ edge: 'e0', datacenters: ['d1'] }] });
  const [first] = await run({ topology, policy, epochs: 1, demandRps: () => even(4, 20) });
  const [next] = await run({
    topology,
    policy,
    epochs: 1,
    demandRps: () => even(4, 20),
    states: () => statesWithout(topology, 1),
    from: first!.plan,
    stuck: true,
  });
  expect(next!.plan.relaxed).toContain('datacenterState');
  expect([...next!.plan.served.subarray(0, 3)]).toEqual([0, 1, 0]);
  for (let e = 1; e < 4; e++) expect(next!.plan.served[e * 3 + 1], `edge ${e}`).toBe(0);
});

test('a broken limit is mended by what it needs, not by a move of everything', async () => {
  // One edge surges: 8 % of all load has to move for d0 to come under its capacity; equal utilization would be 29 %.
  const topology = topologyOf(2, [100, 400], (e, d) => (e === d ? 10 : 60));
  const policy = policyOf({ objective: 'closest-first', guards: { churnMax: 0.01, onloadMax: 0.001 } });
  const demand = (epoch: number) => Float64Array.of(epoch === 0 ? 90 : 120, 130);
  const steps = await run({ topology, policy, epochs: 2, demandRps: demand });
  const { plan, utilization } = steps[1]!;
  expect(plan.relaxed).toEqual(['onloadMax', 'churnMax']);
  expect(utilization[0]).toBeLessThan(1.01);
  expect(plan.churn.elective).toBeGreaterThan(0.07);
  expect(plan.churn.elective).toBeLessThan(0.09);
});

test('others are brought under their limit though one datacenter cannot be', async () => {
  // e0 may use d0 alone, 1.5 times what it has. d1 stands at 1.3, less than that, and d2 has the room.
  const topology = topologyOf(2, [40, 100, 100], (e, d) => (e === 1 && d === 2 ? 60 : 10));
  const policy = policyOf({
    objective: 'closest-first',
    allowed: [
      { edge: 'e0', datacenters: ['d0'] },
      { edge: 'e1', datacenters: ['d1', 'd2'] },
    ],
    guards: { churnMax: 0.01, onloadMax: 0.001 },
  });
  const demand = (epoch: number) => Float64Array.of(epoch === 0 ? 30 : 60, epoch === 0 ? 90 : 130);
  const steps = await run({ topology, policy, epochs: 2, demandRps: demand });
  const { plan, utilization } = steps[1]!;
  expect(plan.relaxed).toEqual(['capacity', 'onloadMax', 'churnMax']);
  expect(utilization[0]).toBeCloseTo(1.5, 5);
  expect(utilization[1]).toBeLessThan(1.01);
  expect(utilization[2]).toBeLessThan(0.32);
});
