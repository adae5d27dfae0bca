import { expect, test } from 'vitest';
import { seededRandom } from '../../config/random.ts';
import { calmPrices } from '../../runtime/calm-prices.ts';
import { freshState, retainedFractions } from '../../runtime/guards.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import { buildModel, type Model } from '../../runtime/model.ts';
import { formulate } from '../../runtime/placement.ts';
import { inputsOf, topologyOf, uniform } from '../scene.ts';

/** Everybody at the nearest of four datacenters, the first of which is too small for it. */
function fullModel(seed: number): Model {
  const random = seededRandom(seed);
  const demand = Array.from({ length: 12 }, () => uniform(random, 1, 9));
  const topology = topologyOf(12, [1, 1000, 1000, 1000], () => uniform(random, 5, 90));
  const served = Float64Array.from({ length: 48 }, (_, i) => (i % 4 === 0 ? 1 : 0));
  const inputs = inputsOf(topology, demand, { served });
  const built = buildModel(inputs, retainedFractions(freshState, topology, inputs.states));
  if (built.kind !== 'model') throw new Error(built.edge);
  return built.model;
}

test('what a full pool costs is told exactly where nothing else is in the way', async () => {
  const solve = await openEngine('highs');
  for (let seed = 0; seed < 40; seed++) {
    const model = fullModel(seed);
    const levelMax = model.capacity.map((capacity, k) => (k === 0 ? (0.1 + 0.02 * seed) * (1000 / capacity) : 1));
    const { program, layout } = formulate(model, { limits: null, levelMax, seek: 'calm' });
    const prices = calmPrices(model, levelMax);
    const { rowDuals } = solve(program);
    layout.levelRow.forEach((row, k) => {
      expect(prices.level[k], `seed ${seed}`).toBeCloseTo(rowDuals[row]!, 9);
    });
    expect(prices.level[0], `seed ${seed}`).toBeLessThan(0);
  }
});
