import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../config/random.ts';
import { aggregated } from '../../runtime/aggregate.ts';
import { lowestLevels } from '../../runtime/balance.ts';
import { freshState, retainedFractions } from '../../runtime/guards.ts';
import { buildModel } from '../../runtime/model.ts';
import { formulate, type MoveLimits } from '../../runtime/placement.ts';

import { certifiedHere, inputsOf, policyOf, statesWithout, topologyOf, uniform } from '../scene.ts';

/** An epoch from scattered fractions, with residency, a dead datacenter and pins here and there. */
function randomModel(seed: number) {
  const random = seededRandom(seed);
  const edges = 3 + Math.floor(random() * 30);
  const datacenters = 2 + Math.floor(random() * 5);
  const topology = topologyOf(
    edges,
    Array.from({ length: datacenters }, () => uniform(random, 100, 900)),
  );
  const served = new Float64Array(edges * datacenters);
  for (let e = 0; e < edges; e++) {
    const [a, b] = [Math.floor(random() * datacenters), Math.floor(random() * datacenters)];
    const share = Math.round(random() * 1e6) / 1e6;
    served[e * datacenters + a]! += share;
    served[e * datacenters + b]! += 1 - share;
  }
  const dead = random() < 0.5 ? [Math.floor(random() * datacenters)] : [];
  const allowed = topology.edges
    .filter((_, e) => e !== 1 && random() < 0.3)
    .map(({ id }) => ({
      edge: id,
      datacenters: topology.datacenters.slice(Math.floor(random() * 2)).map((d) => d.id),
    }));
  const pins =
    random() < 0.3 ? [{ edge: topology.edges[1]!.id, datacenter: topology.datacenters[0]!.id, fraction: 0.25 }] : [];
  const shareMax = random() < 0.2 ? 0.7 : 1;
  const inputs = inputsOf(
    topology,
    Array.from({ length: edges }, () => Math.floor(uniform(random, 0, 60))),
    {
      served: random() < 0.8 ? served : null,
      policy: policyOf({ allowed, pins, guards: { shareMax } }),
      states: statesWithout(topology, ...dead),
    },
  );
  const built = buildModel(inputs, retainedFractions(freshState, topology, inputs.states));
  return built.kind === 'model' ? built.model : null;
}

const guards: MoveLimits = { onloadMax: 0.05, churnMax: [0.04], toward: null };

describe('edges that may go to the same places, summed', () => {
  test.each([
    ['without guards', null],
    ['under guards', guards],
  ])('reach the level that each by itself would, %s, on 80 random epochs', async (_, limits) => {
    const solve = await certifiedHere('highs');
    let compared = 0;
    for (let seed = 0; seed < 80; seed++) {
      const model = randomModel(seed);
      if (!model || (limits && model.initial)) continue;
      const levelMax = new Float64Array(model.datacenters).fill(Number.NaN);
      const { program, layout } = formulate(model, { limits, levelMax, seek: 'level' });
      const plain = (await solve(program))!.columns[layout.levelColumn]!;
      const levels = await lowestLevels(model, limits, solve);
      expect(Math.abs(Math.max(...levels!) - plain), `seed ${seed}`).toBeLessThan(5e-7);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(50);
  });

  test('are few: as many as there are sets of places to go to', () => {
    const topology = topologyOf(50, [100, 100, 100]);
    const policy = policyOf({ allowed: [{ edge: 'e07', datacenters: ['d0'] }] });
    const demand = topology.edges.map(() => 1);
    const inputs = inputsOf(topology, demand, { policy });
    const built = buildModel(inputs, retainedFractions(freshState, topology, inputs.states));
    if (built.kind !== 'model') throw new Error('no model');
    expect(aggregated(built.model, guards).sums.commodities).toBe(2);
  });
});
