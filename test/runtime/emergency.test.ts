import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../config/random.ts';
import { utilizationWithout } from '../../runtime/emergency.ts';
import { freshState, retainedFractions } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import { utilizationOf } from '../../runtime/judge.ts';
import { buildModel, type Model } from '../../runtime/model.ts';
import { solveFractions } from '../../runtime/solve.ts';
import { certifiedHere, inputsOf, policyOf, statesWithout, topologyOf, uniform } from '../scene.ts';

function modelOf(inputs: RuntimeInputs): Model {
  const built = buildModel(inputs, retainedFractions(freshState, inputs.topology, inputs.states));
  if (built.kind !== 'model') throw new Error(`no model: ${built.edge}`);
  return built.model;
}

/** The first table's fractions. */
async function placed(inputs: RuntimeInputs): Promise<{ fractions: Float64Array; relaxed: readonly string[] }> {
  const decision = await solveFractions(inputs, freshState, await certifiedHere('highs'));
  if (decision.kind !== 'move') throw new Error(decision.kind);
  return { fractions: decision.wanted, relaxed: decision.relaxed };
}

/** Written out: each edge's share on the lost one goes to the others it may use, by capacity. */
function fallenBack({ topology, policy }: RuntimeInputs, fractions: Float64Array, lost: number): Float64Array {
  const width = topology.datacenters.length;
  const after = Float64Array.from(fractions);
  topology.edges.forEach(({ id }, e) => {
    const rule = policy.spec.allowed.find(({ edge }) => edge === id);
    const open = topology.datacenters.map((dc, d) =>
      d !== lost && (!rule || rule.datacenters.includes(dc.id)) ? dc.capacityRps : 0,
    );
    const total = open.reduce((a, b) => a + b, 0);
    const falling = fractions[e * width + lost]!;
    after[e * width + lost] = 0;
    open.forEach((capacity, d) => {
      after[e * width + d]! += total > 0 ? (falling * capacity) / total : 0;
    });
  });
  return after;
}

function settingOf(seed: number, spec: Record<string, unknown>): RuntimeInputs {
  const random = seededRandom(seed);
  const topology = topologyOf(
    6,
    Array.from({ length: 4 }, () => uniform(random, 80, 200)),
    () => uniform(random, 5, 200),
  );
  const total = topology.datacenters.reduce((sum, { capacityRps }) => sum + capacityRps, 0);
  const demand = topology.edges.map(() => uniform(random, 0.04, 0.12) * total);
  const allowed = topology.edges
    .filter(() => random() < 0.3)
    .map(({ id }) => ({ edge: id, datacenters: topology.datacenters.filter(() => random() < 0.8).map((dc) => dc.id) }))
    .filter(({ datacenters }) => datacenters.length > 1);
  return inputsOf(topology, demand, { policy: policyOf({ objective: 'closest-first', allowed, ...spec }) });
}

describe('emergencyMax', () => {
  test('after the loss of each datacenter in turn, by the fallback rule and by a new solve, none stands above it', async () => {
    let bound = 0;
    for (let seed = 0; seed < 12; seed++) {
      const inputs = settingOf(seed, { emergencyMax: 0.95 });
      const { fractions, relaxed } = await placed(inputs);
      if (relaxed.includes('emergencyMax')) continue;
      const without = settingOf(seed, {});
      const carefree = (await placed(without)).fractions;
      const { topology, demandRps } = inputs;
      for (let lost = 0; lost < topology.datacenters.length; lost++) {
        const at = (of: Float64Array) => Math.max(...utilizationOf(topology, demandRps, fallenBack(inputs, of, lost)));
        expect(at(fractions), `seed ${seed} without ${lost}`).toBeLessThanOrEqual(0.95 + 1e-4);
        if (at(carefree) > 0.951) bound += 1;
        const again = { ...inputs, served: fractions, states: statesWithout(topology, lost) };
        const resolved = await solveFractions(again, freshState, await certifiedHere('highs'));
        if (resolved.kind === 'held') throw new Error(resolved.kind);
        expect(Math.max(...resolved.levels), `seed ${seed}, ${lost} solved anew`).toBeLessThanOrEqual(0.95 + 1e-4);
      }
    }
    expect(bound, 'losses that would be too much without the limit').toBeGreaterThan(8);
  });

  test('what the rows count is what the fallback rule does, edge by edge', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const inputs = settingOf(seed, { emergencyMax: 1 });
      const { fractions } = await placed(inputs);
      const model = modelOf(inputs);
      const width = model.datacenters;
      for (let lost = 0; lost < width; lost++) {
        const counted = utilizationWithout(model, (i) => fractions[i]! * model.load[Math.floor(i / width)]!, lost);
        const plain = utilizationOf(inputs.topology, inputs.demandRps, fallenBack(inputs, fractions, lost));
        counted.forEach((value, d) => {
          expect(Math.abs(value - plain[d]!), `seed ${seed}, ${d} without ${lost}`).toBeLessThan(1e-9);
        });
      }
    }
  });

  test('cannot bind where every edge may go anywhere and all are balanced: a loss lifts all by what is gone', async () => {
    const topology = topologyOf(5, [100, 60, 140]);
    const inputs = inputsOf(topology, [20, 30, 40, 25, 35], {
      policy: policyOf({ guards: { balanceTolerance: 0 } }),
    });
    const { fractions } = await placed(inputs);
    for (const lost of [0, 1, 2]) {
      const after = utilizationOf(topology, inputs.demandRps, fallenBack(inputs, fractions, lost));
      const least = 150 / (300 - topology.datacenters[lost]!.capacityRps);
      after.forEach((value, d) => {
        if (d !== lost) expect(value).toBeCloseTo(least, 4);
      });
    }
  });

  test('what nothing can keep is named, and brought as near as can be', async () => {
    const topology = topologyOf(3, [100, 100, 100]);
    const policy = policyOf({ objective: 'closest-first', emergencyMax: 0.9 });
    const { fractions, relaxed } = await placed(inputsOf(topology, [70, 70, 70], { policy }));
    expect(relaxed).toEqual(['emergencyMax']);
    const worst = [0, 1, 2].map((lost) =>
      Math.max(
        ...utilizationOf(
          topology,
          Float64Array.of(70, 70, 70),
          fallenBack(inputsOf(topology, [70, 70, 70], { policy }), fractions, lost),
        ),
      ),
    );
    expect(Math.max(...worst)).toBeCloseTo(1.05, 3); // 210 on two of 100
  });
});

describe('latencyMsP95Max and forbidden', () => {
  test('at most a twentieth of an edge goes further', async () => {
    const topology = topologyOf(2, [60, 200], (_, d) => [10, 100][d]!);
    const policy = policyOf({ objective: 'closest-first', utilizationMax: 1, latencyMsP95Max: 50 });
    const near = await placed(inputsOf(topology, [30, 30], { policy }));
    expect(near.relaxed).toEqual([]);
    const { fractions, relaxed } = await placed(
      inputsOf(
        topologyOf(2, [200, 200], (_, d) => [10, 100][d]!),
        [30, 100],
        {
          policy: policyOf({ objective: 'balance', guards: { balanceTolerance: 0 }, latencyMsP95Max: 50 }),
        },
      ),
    );
    expect(relaxed).toEqual([]);
    expect(fractions[1]).toBeCloseTo(0.05, 5);
    expect(fractions[3]).toBeCloseTo(0.05, 5);
  });

  test('a forbidden datacenter gets nothing, whatever it would save', async () => {
    const topology = topologyOf(2, [100, 100], (e, d) => (e === d ? 1 : 200));
    const policy = policyOf({ objective: 'closest-first', forbidden: [{ edge: 'e0', datacenters: ['d0'] }] });
    const { fractions } = await placed(inputsOf(topology, [30, 30], { policy }));
    expect([...fractions]).toEqual([0, 1, 0, 1]);
  });
});
