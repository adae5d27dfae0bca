import { describe, expect, test } from 'vitest';
import { holdDown, type Outages } from '../../runtime/hold-down.ts';
import { policyOf, statesWithout, topologyOf } from '../scene.ts';
import { run } from '../simulation/loop.ts';

const topology = topologyOf(2, [100, 100]);
const minutes = 60_000;

/** d1 over epochs of five minutes, by what is observed of it: `x` out, `.` fine; `-` held down. */
function keeps(observed: string, holdDownMinutes = 10): string {
  let outages: readonly Outages[] = [];
  return [...observed]
    .map((sign, epoch) => {
      const states = statesWithout(topology, ...(sign === 'x' ? [1] : []));
      const held = holdDown(topology, states, outages, epoch * 5 * minutes, holdDownMinutes * minutes);
      outages = held.outages;
      const { keep, refill } = held.states[1]!;
      return keep === 0 ? 'x' : refill ? '.' : '-';
    })
    .join('');
}

describe('hold-down', () => {
  test('a first outage costs nothing beyond itself', () => expect(keeps('.xxx....')).toBe('.xxx....'));
  test('the second within an hour costs the hold-down', () => expect(keeps('x..x.....')).toBe('x..x--...'));
  test('the third twice of it', () => expect(keeps('x.x...x.......')).toBe('x.x--.x----...'));
  test('an hour of quiet is forgotten', () => expect(keeps('x............x...')).toBe('x............x...'));
  test('an outage while held down counts', () => expect(keeps('x.xx.x......')).toBe('x.xx-x----..'));
  test('0s switches it off', () => expect(keeps('x.x.x.x.', 0)).toBe('x.x.x.x.'));
  test('nothing is carried once there is nothing to remember', () => {
    let outages: readonly Outages[] = [];
    for (let epoch = 0; epoch < 40; epoch++) {
      const states = statesWithout(topology, ...(epoch === 2 ? [1] : []));
      outages = holdDown(topology, states, outages, epoch * 5 * minutes, 10 * minutes).outages;
    }
    expect(outages).toEqual([]);
  });
});

test('a datacenter that flaps for an hour is emptied fewer times than it fails, and moves less', async () => {
  const course = {
    topology: topologyOf(6, [100, 100, 100]),
    epochs: 20,
    demandRps: () => Float64Array.of(20, 20, 20, 20, 20, 20),
    states: (epoch: number) => statesWithout(topology3, ...(epoch >= 2 && epoch < 14 && epoch % 2 === 0 ? [1] : [])),
  };
  const topology3 = course.topology;
  const moved = async (holdDown: string): Promise<number> => {
    const steps = await run({ ...course, policy: policyOf({ guards: { holdDown } }) });
    return steps.reduce((sum, { plan }) => sum + plan.churn.forced + plan.churn.elective, 0);
  };
  expect(await moved('10m')).toBeLessThan((await moved('0s')) - 0.1);
});

test('users of a dead datacenter go to one that is held down where there is no other, or no other has the room', async () => {
  for (const capacities of [
    [100, 100],
    [100, 100, 60],
  ]) {
    const topology = topologyOf(6, capacities);
    const dead = [[], [1], [], [1], [], [0], [0]]; // d1 flaps and is held down when d0 dies
    const steps = await run({
      topology,
      policy: policyOf(),
      epochs: dead.length,
      demandRps: () => Float64Array.of(15, 15, 15, 15, 15, 15),
      states: (epoch) => statesWithout(topology, ...dead[epoch]!),
    });
    for (const { plan, utilization } of steps.slice(5)) {
      expect(plan.relaxed, `${capacities}`).not.toContain('datacenterState');
      expect(utilization[0], `${capacities}`).toBe(0);
      expect(Math.max(...utilization), `${capacities}`).toBeLessThanOrEqual(1);
    }
  }
});
