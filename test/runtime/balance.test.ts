import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../config/random.ts';
import { lowestLevels } from '../../runtime/balance.ts';
import { freshState, retainedFractions } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import { ProgramBuilder } from '../../runtime/lp/builder.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import { buildModel, type Model } from '../../runtime/model.ts';
import { certifiedHere, inputsOf, installedEngines, policyOf, statesWithout, topologyOf, uniform } from '../scene.ts';

const engines = await installedEngines();

function modelOf(inputs: RuntimeInputs): Model {
  const built = buildModel(inputs, retainedFractions(freshState, inputs.topology, inputs.states));
  if (built.kind !== 'model') throw new Error(`no model: ${built.edge}`);
  return built.model;
}

/** The textbook form, fractions and nothing else: minimise u, every edge placed, every load at most u x capacity. */
async function plainLevel(inputs: RuntimeInputs, allowed: (e: number, d: number) => boolean): Promise<number> {
  const { topology, demandRps } = inputs;
  const lp = new ProgramBuilder();
  const loadRows = topology.datacenters.map(() => lp.row(Number.NEGATIVE_INFINITY, 0));
  const level = lp.column(1, 0, 1e6);
  for (const [d, { capacityRps }] of topology.datacenters.entries()) lp.put(loadRows[d]!, -capacityRps);
  topology.edges.forEach((_, e) => {
    const whole = lp.row(1, 1);
    topology.datacenters.forEach((_, d) => {
      if (!allowed(e, d)) return;
      lp.column(0, 0, 1, whole);
      lp.put(loadRows[d]!, demandRps[e]!);
    });
  });
  const answer = (await openEngine('highs'))(lp.build());
  expect(answer.status).toBe('optimal');
  return answer.columns[level]!;
}

describe.each(engines)('levels with %s', (engine) => {
  test('the highest is that of the textbook program, on 60 random instances with residency and dead datacenters', async () => {
    const solve = await certifiedHere(engine);
    for (let seed = 0; seed < 60; seed++) {
      const random = seededRandom(seed);
      const edges = 1 + Math.floor(random() * 6);
      const datacenters = 2 + Math.floor(random() * 4);
      const topology = topologyOf(
        edges,
        Array.from({ length: datacenters }, () => uniform(random, 10, 200)),
      );
      const demand = Array.from({ length: edges }, () => uniform(random, 1, 90));
      const dead = Math.floor(random() * datacenters);
      const rules = topology.edges
        .filter(() => random() < 0.4)
        .map(({ id }) => {
          const names = topology.datacenters
            .filter((_, d) => d !== dead && random() < 0.6)
            .map((datacenter) => datacenter.id);
          return {
            edge: id,
            datacenters: names.length > 0 ? names : [topology.datacenters[(dead + 1) % datacenters]!.id],
          };
        });
      const policy = policyOf({ allowed: rules });
      const inputs = inputsOf(topology, demand, { policy, states: statesWithout(topology, dead) });
      const levels = await lowestLevels(modelOf(inputs), null, solve);
      const expected = await plainLevel(inputs, (e, d) => {
        const rule = rules.find(({ edge }) => edge === topology.edges[e]!.id);
        return d !== dead && (!rule || rule.datacenters.includes(topology.datacenters[d]!.id));
      });
      expect(Math.abs(Math.max(...levels!) / expected - 1), `seed ${seed}`).toBeLessThan(1e-5);
    }
  });

  test('with one datacenter stuck high, the others still end equal', async () => {
    const topology = topologyOf(2, [10, 100, 100]);
    const policy = policyOf({ allowed: [{ edge: 'e0', datacenters: ['d0'] }] });
    const levels = await lowestLevels(
      modelOf(inputsOf(topology, [9, 60], { policy })),
      null,
      await certifiedHere(engine),
    );
    expect(levels![0]).toBeCloseTo(0.9, 5);
    expect(levels![1]).toBeCloseTo(0.3, 5);
    expect(levels![2]).toBeCloseTo(0.3, 5);
  });
});
