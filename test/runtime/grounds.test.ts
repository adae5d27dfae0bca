import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../config/random.ts';
import type { Topology } from '../../config/topology.ts';
import { freshState, observeStates, retainedFractions } from '../../runtime/guards.ts';
import type { DatacenterState, RuntimeInputs } from '../../runtime/inputs.ts';
import { normalState } from '../../runtime/inputs.ts';
import { buildGroupModel, type ServiceSetting } from '../../runtime/model.ts';
import { inputsOf, policyOf, topologyOf, uniform } from '../scene.ts';

const [edges, datacenters] = [6, 4];

const heldDown: DatacenterState = { keep: 1, refill: false, cause: 'held down', untilMs: null };
const dead: DatacenterState = { keep: 0, refill: false, cause: 'dead', untilMs: null };
const draining: DatacenterState = { keep: 0.5, refill: false, cause: 'drain by me: test', untilMs: null };

/** What one epoch may share with the next: places and policies, several of each. */
function worldsOf(random: Random) {
  const plain = topologyOf(edges, [100, 200, 100, 0], () => uniform(random, 5, 200));
  const topologies: readonly Topology[] = [
    plain,
    { ...plain, rttMs: plain.rttMs.map((ms) => ms * uniform(random, 0.5, 2)) },
    { ...plain, datacenters: plain.datacenters.map((one) => ({ ...one, capacityRps: 50 })) },
  ];
  const policies = [
    policyOf(),
    policyOf({ latencyMsMax: 90, forbidden: [{ edge: 'e1', datacenters: ['d0'] }] }),
    policyOf({ emergencyMax: 1.2, latencyMsP95Max: 80, allowed: [{ edge: 'e2', datacenters: ['d1', 'd2'] }] }),
  ];
  return { topologies, policies };
}

function settingOf(inputs: RuntimeInputs): ServiceSetting {
  const { topology, states, pairDrains, served } = inputs;
  const carried = observeStates(freshState, topology, states, served);
  return { inputs, retained: retainedFractions(carried, topology, states, pairDrains) };
}

test('a model is the same whether its policies, places and states were seen before or are equal ones made anew, in 60 worlds', () => {
  const built = { model: 0, nowhere: 0 };
  for (let seed = 0; seed < 60; seed++) {
    const random = seededRandom(seed);
    const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
    const { topologies, policies } = worldsOf(random);
    let [topology, group] = [topologies[0]!, [policies[0]!]];
    let states = topology.datacenters.map(() => normalState);
    for (let epoch = 0; epoch < 12; epoch++) {
      if (random() < 0.3) topology = one(topologies);
      if (random() < 0.3) group = random() < 0.5 ? [one(policies)] : [one(policies), one(policies)];
      if (random() < 0.3)
        states = states.map(() => one([normalState, normalState, normalState, heldDown, dead, draining]));
      const pairDrains = random() < 0.2 ? [{ edge: 3, datacenter: 1, retained: 0.2, keep: 0.5, cause: 'test' }] : [];
      const services = group.map((policy) => {
        const served = new Float64Array(edges * datacenters);
        for (let e = 0; e < edges; e++) served[e * datacenters + Math.floor(random() * datacenters)] = 1;
        const demand = Array.from({ length: edges }, () => uniform(random, 1, 30));
        return inputsOf(topology, demand, { policy, states, pairDrains, served: random() < 0.2 ? null : served });
      });
      const again = buildGroupModel(services.map(settingOf));
      const anew = buildGroupModel(structuredClone(services).map(settingOf));
      expect(again, `seed ${seed}, epoch ${epoch}`).toEqual(anew);
      built[again.kind] += 1;
    }
  }
  expect(built.model).toBeGreaterThan(500);
});
