import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../config/random.ts';
import { freshState, retainedFractions } from '../../runtime/guards.ts';
import { relevelled } from '../../runtime/levels.ts';
import { buildModel, type Model } from '../../runtime/model.ts';
import { type Formulation, formulate } from '../../runtime/placement.ts';
import { inputsOf, policyOf, statesWithout, topologyOf, uniform } from '../scene.ts';

/** Some edges pinned, some datacenters dead or empty, shares capped here and there. */
function randomModel(random: Random): Model | null {
  const [edges, datacenters] = [2 + Math.floor(random() * 10), 2 + Math.floor(random() * 5)];
  const capacity = Array.from({ length: datacenters }, () => (random() < 0.1 ? 0 : uniform(random, 100, 900)));
  const topology = topologyOf(edges, capacity);
  const served = new Float64Array(edges * datacenters);
  for (let e = 0; e < edges; e++) served[e * datacenters + Math.floor(random() * datacenters)] = 1;
  const pins = random() < 0.3 ? [{ edge: 'e1', datacenter: 'd0', fraction: 0.25 }] : [];
  const policy = policyOf({ pins, guards: { shareMax: random() < 0.3 ? 0.7 : 1 } });
  const states = statesWithout(topology, ...(random() < 0.3 ? [1] : []));
  const demand = Array.from({ length: edges }, () => uniform(random, 0, 60));
  const inputs = inputsOf(topology, demand, { served, policy, states });
  const built = buildModel(inputs, retainedFractions(freshState, topology, states));
  return built.kind === 'model' ? built.model : null;
}

test('the program of the level before with other levels is the program written anew, on 200 random instances', () => {
  let compared = 0;
  for (let seed = 0; seed < 200; seed++) {
    const random = seededRandom(seed);
    const model = randomModel(random);
    if (!model) continue;
    const limits = random() < 0.5 ? { onloadMax: 0.05, churnMax: [0.1], toward: null } : null;
    const randomLevels = (): Formulation => ({
      limits,
      levelMax: model.capacity.map(() => (random() < 0.5 ? Number.NaN : uniform(random, 0.3, 1.5))),
      levelFloor: random() < 0.3 ? 0 : uniform(random, 0, 2),
      seek: 'level',
    });
    let { program, layout } = formulate(model, randomLevels());
    for (let round = 0; round < 3; round++) {
      const levels = randomLevels();
      program = relevelled(program, layout, model, levels);
      const anew = formulate(model, levels);
      expect(program, `seed ${seed}, round ${round}`).toEqual(anew.program);
      expect(layout, `seed ${seed}, round ${round}`).toEqual(anew.layout);
      compared += 1;
    }
  }
  expect(compared).toBeGreaterThan(500);
});
