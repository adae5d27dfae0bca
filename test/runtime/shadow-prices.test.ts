import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../config/random.ts';
import { nearestPlacement } from '../../runtime/balance.ts';
import { freshState } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import { rttOf } from '../../runtime/judge.ts';
import { type Model, totalLoad } from '../../runtime/model.ts';
import type { MoveLimits } from '../../runtime/placement.ts';
import { type BindingLimit, bindingLimits, meanRttMs } from '../../runtime/shadow-prices.ts';
import { type SolveStep, solveFractions } from '../../runtime/solve.ts';
import { certifiedHere, inputsOf, matrixOf, policyOf, topologyOf, uniform } from '../scene.ts';

const solve = await certifiedHere('highs');

async function lastStep(inputs: RuntimeInputs): Promise<SolveStep> {
  let last: SolveStep | null = null;
  await solveFractions(inputs, freshState, solve, (step) => {
    last = step;
  });
  return last!;
}

const find = (limits: readonly BindingLimit[], limit: BindingLimit['limit'], datacenter: string | null = null) =>
  limits.find((one) => one.limit === limit && one.datacenter === datacenter);

/** What the program's objective gains, in ms of mean latency, when solved again with the same utilizations allowed. */
async function savedMs(step: SolveStep, changed: Model, limits: MoveLimits | null): Promise<number> {
  const costOf = async (model: Model, under: MoveLimits | null): Promise<number> => {
    let objective = 0;
    await nearestPlacement(model, under, step.placement.formulation.levelMax, async (program) => {
      const answer = await solve(program);
      objective = answer!.objective;
      return answer;
    });
    return objective / totalLoad;
  };
  const saved = (await costOf(step.model, step.placement.formulation.limits)) - (await costOf(changed, limits));
  const isSquared = step.inputs.policy.spec.objective === 'balance';
  return isSquared ? (saved * 1000) / (2 * meanRttMs(step)) : saved * 10;
}

/** Said and real agree where the same limits stay tight; where another takes over, less is saved than said, never more. */
class Agreement {
  compared = 0;
  close = 0;

  note(saved: number, said: number, where: string): void {
    expect(saved, `${where}: at most what is said`).toBeLessThanOrEqual(said * 1.001 + 1e-4);
    if (said < 0.02) return;
    this.compared += 1;
    if (Math.abs(saved / said - 1) < 0.03) this.close += 1;
  }

  holds(least: number): void {
    expect(this.compared).toBeGreaterThanOrEqual(least);
    expect(this.close / this.compared).toBeGreaterThan(0.85);
  }
}

function randomInputs(seed: number, spec: Record<string, unknown>): RuntimeInputs {
  const random = seededRandom(seed);
  const capacities = Array.from({ length: 4 }, () => uniform(random, 80, 200));
  const total = 0.7 * capacities.reduce((a, b) => a + b);
  const weights = Array.from({ length: 8 }, () => uniform(random, 0.2, 1));
  const demand = weights.map((weight) => (total * weight) / weights.reduce((a, b) => a + b));
  const topology = topologyOf(8, capacities, () => uniform(random, 5, 200));
  return inputsOf(topology, demand, { policy: policyOf(spec) });
}

describe('one percent more capacity saves', () => {
  test('under closest-first what a whole new solve saves in mean latency', async () => {
    const agreement = new Agreement();
    for (let seed = 0; seed < 30; seed++) {
      const inputs = randomInputs(seed, { objective: 'closest-first', utilizationMax: 0.85 });
      const { topology, demandRps } = inputs;
      const limits = bindingLimits(await lastStep(inputs), 0);
      const rtt = async (of: RuntimeInputs): Promise<number> => {
        const decision = await solveFractions(of, freshState, solve);
        if (decision.kind === 'held') throw new Error('held');
        return rttOf(of.topology, demandRps, decision.solved).mean;
      };
      const before = await rtt(inputs);
      for (const [d, datacenter] of topology.datacenters.entries()) {
        const more = { ...datacenter, capacityRps: datacenter.capacityRps * 1.01 };
        const wider = { ...topology, datacenters: topology.datacenters.with(d, more) };
        const saved = before - (await rtt({ ...inputs, topology: wider }));
        agreement.note(saved, find(limits, 'utilizationMax', datacenter.id)?.savesMs ?? 0, `seed ${seed}, d${d}`);
      }
    }
    agreement.holds(20);
  });

  test.each([
    [{ objective: 'balance', guards: { balanceTolerance: 0.05 } }, 'level'],
    [{ objective: 'priced' }, 'price'],
  ] as const)('under %j what the program saves at the same utilizations', async (spec, kind) => {
    const agreement = new Agreement();
    for (let seed = 0; seed < 20; seed++) {
      const step = await lastStep(randomInputs(seed, spec));
      const limits = bindingLimits(step, 0);
      for (const [d, { id }] of step.inputs.topology.datacenters.entries()) {
        const capacity = step.model.capacity.map((units, other) => (other === d ? units * 1.01 : units));
        const saved = await savedMs(step, { ...step.model, capacity }, null);
        agreement.note(saved, find(limits, kind, id)?.savesMs ?? 0, `seed ${seed}, ${id}`);
      }
    }
    agreement.holds(20);
  });
});

test('a little more churnMax, onloadMax and shareMax saves what the program saves with it', async () => {
  const agreement = new Agreement();
  for (let seed = 0; seed < 20; seed++) {
    const guards = { churnMax: 0.05, onloadMax: 0.03, shareMax: 0.6, balanceTolerance: 0.2 };
    const { topology, demandRps } = randomInputs(seed, {});
    const served = matrixOf(topology.edges.map((_, e) => topology.datacenters.map((__, d) => (d === e % 4 ? 1 : 0))));
    for (const objective of ['balance', 'closest-first']) {
      const policy = policyOf({ objective, guards });
      const step = await lastStep(inputsOf(topology, [...demandRps], { policy, served }));
      const limits = bindingLimits(step, 0);
      const now = step.placement.formulation.limits;
      const note = async (limit: BindingLimit['limit'], model: Model, wider: MoveLimits | null) =>
        agreement.note(await savedMs(step, model, wider), find(limits, limit)?.savesMs ?? 0, `${seed} ${limit}`);
      if (now) await note('churnMax', step.model, { ...now, churnMax: [now.churnMax[0]! + 0.01] });
      if (now) await note('onloadMax', step.model, { ...now, onloadMax: now.onloadMax + 0.01 });
      await note('shareMax', { ...step.model, shareMax: Float64Array.of(0.61) }, now);
    }
  }
  agreement.holds(20);
});

test('a pin names its own price, and only to its own edge', async () => {
  const policy = policyOf({ objective: 'closest-first', pins: [{ edge: 'e1', datacenter: 'd0', fraction: 0.5 }] });
  const step = await lastStep(inputsOf(topologyOf(2, [100, 100]), [40, 60], { policy }));
  const [pin, ...others] = bindingLimits(step, 1);
  // A hundredth of 60 % of all users, 20 ms nearer.
  expect(pin).toMatchObject({
    limit: 'pin',
    datacenter: 'd0',
    edge: 'e1',
    value: 0.5,
    more: '0.01 of its demand less',
  });
  expect(pin!.savesMs).toBeCloseTo(0.01 * 0.6 * 20, 3);
  expect(others).toEqual([]);
  expect(bindingLimits(step, 0)).toEqual([]);
});
