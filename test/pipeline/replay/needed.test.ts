import { expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { NeededMovement } from '../../../pipeline/replay/needed.ts';
import { certifiedHere, policyOf, statesWithout, topologyOf } from '../../scene.ts';

const topology = topologyOf(4, [300, 200, 250]);
const solve = await certifiedHere('highs');

const needing = (demandRps: Float64Array, lost: readonly number[] = [], service = 'web', spec = {}) => ({
  topology,
  policy: { ...policyOf(spec), metadata: { service } },
  startMs: 0,
  demandRps,
  states: statesWithout(topology, ...lost),
  frozen: false,
});

test('two services with half of everything each need together what one needs that has all of it', async () => {
  const random = seededRandom('needed');
  const whole = new NeededMovement(solve);
  const halves = new NeededMovement(solve);
  let total = 0;
  for (let step = 0; step < 12; step++) {
    const demandRps = Float64Array.from(topology.edges, () => 40 + 80 * random());
    const lost = step === 6 ? [1] : [];
    const [one] = await whole.next([needing(demandRps, lost)]);
    const half = demandRps.map((rps) => rps / 2);
    const [a, b] = await halves.next([needing(half, lost, 'chat'), needing(half, lost, 'web')]);
    if (step === 0) expect([one, a, b]).toEqual([0, 0, 0]);
    expect(Math.abs((a! + b!) / 2 - one!), `step ${step}`).toBeLessThan(2e-3);
    total += one!;
  }
  expect(total).toBeGreaterThan(0.2); // the loss alone moves a third
});

test('what one service has to move for the other is counted where it moves', async () => {
  const needed = new NeededMovement(solve);
  const stuck = topology.edges.map(({ id }) => ({ edge: id, datacenters: [topology.datacenters[0]!.id] }));
  const of = (web: number) => [
    needing(
      Float64Array.from(topology.edges, () => 30),
      [],
      'chat',
    ),
    needing(
      Float64Array.from(topology.edges, () => web),
      [],
      'web',
      { allowed: stuck },
    ),
  ];
  expect(await needed.next(of(5))).toEqual([0, 0]);
  const [chat, web] = await needed.next(of(50));
  expect(web).toBe(0); // it may go nowhere else
  expect(chat).toBeGreaterThan(0.1); // it makes room
});

test('where a service has nowhere to go, nothing is said of it, and the other goes on', async () => {
  const needed = new NeededMovement(solve);
  const demandRps = Float64Array.from(topology.edges, () => 50);
  const stuck = { allowed: topology.edges.map(({ id }) => ({ edge: id, datacenters: [topology.datacenters[0]!.id] })) };
  await needed.next([needing(demandRps), needing(demandRps, [], 'chat', stuck)]);
  const [web, chat] = await needed.next([needing(demandRps, [0]), needing(demandRps, [0], 'chat', stuck)]);
  expect(chat).toBe(null);
  expect(web).toBeGreaterThan(0);
});
