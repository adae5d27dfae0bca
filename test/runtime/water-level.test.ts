import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../config/random.ts';
import { lowestLevels } from '../../runtime/balance.ts';
import { freshState, retainedFractions } from '../../runtime/guards.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import { buildModel, type Model } from '../../runtime/model.ts';
import type { MoveLimits } from '../../runtime/placement.ts';
import { waterLevels } from '../../runtime/water-level.ts';
import { certifiedHere, inputsOf, policyOf, topologyOf, uniform } from '../scene.ts';

/** An epoch from scattered fractions, some of it sessions, with datacenters that are dead, draining or barred. */
function randomModel(seed: number, spec: Record<string, unknown> = {}): Model | null {
  const random = seededRandom(`water ${seed}`);
  const [edges, datacenters] = [2 + Math.floor(random() * 20), 2 + Math.floor(random() * 6)];
  const topology = topologyOf(
    edges,
    Array.from({ length: datacenters }, () => (random() < 0.1 ? 0 : uniform(random, 50, 900))),
  );
  const demand = Array.from({ length: edges }, () => (random() < 0.1 ? 0 : uniform(random, 1, 60)));
  const served = new Float64Array(edges * datacenters);
  for (let e = 0; e < edges; e++) {
    const share = random();
    served[e * datacenters + Math.floor(random() * datacenters)]! += share;
    served[e * datacenters + Math.floor(random() * datacenters)]! += 1 - share;
  }
  const states = topology.datacenters.map((): DatacenterState => {
    const keep = [1, 1, 1, 1, 0, 0.5][Math.floor(random() * 6)]!;
    return { keep, refill: keep === 1 && random() < 0.9, cause: 'test', untilMs: null };
  });
  const lives = random() < 0.3 ? random() : 0;
  const inputs = inputsOf(topology, demand, {
    states,
    policy: policyOf(spec),
    served: random() < 0.85 ? served : null,
    established: lives > 0 ? served.map((part, i) => part * lives * demand[Math.floor(i / datacenters)]!) : undefined,
  } as Parameters<typeof inputsOf>[2]);
  const built = buildModel(inputs, retainedFractions(freshState, topology, states));
  return built.kind === 'model' ? built.model : null;
}

/** They bind nothing, but a program is asked. */
const unbound: MoveLimits = { onloadMax: Number.POSITIVE_INFINITY, churnMax: [1e6], toward: null };

describe('levels without a program', () => {
  test('are those of the programs, on 150 random epochs', async () => {
    const solve = await certifiedHere('highs');
    let compared = 0;
    for (let seed = 0; seed < 150; seed++) {
      const model = randomModel(seed);
      if (!model || !waterLevels(model, (found) => found)) continue;
      const [found, asked] = [await lowestLevels(model, null, solve), await lowestLevels(model, unbound, solve)];
      found!.forEach((level, k) => {
        expect(Math.abs(level - asked![k]!), `seed ${seed}, pool ${k}`).toBeLessThan(5e-7 * Math.max(1, level));
      });
      compared += 1;
    }
    expect(compared).toBeGreaterThan(80);
  });

  test('are not told where a limit binds single edges', () => {
    for (const spec of [
      { guards: { shareMax: 0.5 } },
      { emergencyMax: 1 },
      { pins: [{ edge: 'e0', datacenter: 'd0', fraction: 0.5 }] },
      { allowed: [{ edge: 'e0', datacenters: ['d0'] }] },
    ]) {
      const topology = topologyOf(3, [10, 10]);
      const inputs = inputsOf(topology, [1, 2, 3], { policy: policyOf(spec) });
      const built = buildModel(inputs, retainedFractions(freshState, topology, inputs.states));
      if (built.kind !== 'model') throw new Error('no model');
      expect(
        waterLevels(built.model, (found) => found),
        JSON.stringify(spec),
      ).toBeNull();
    }
  });
});

test('levels that are low enough are not sought further, and those above are the same, on 40 random epochs', async () => {
  const solve = await certifiedHere('highs');
  const limits: MoveLimits = { onloadMax: 0.03, churnMax: [0.05], toward: null };
  let programs = 0;
  const counting: typeof solve = (program, prices) => {
    programs += 1;
    return solve(program, prices);
  };
  const count = async (levels: Promise<Float64Array | null>): Promise<[Float64Array, number]> => {
    programs = 0;
    return [(await levels)!, programs];
  };
  let saved = 0;
  for (let seed = 0; seed < 40; seed++) {
    const model = randomModel(seed);
    if (!model || model.initial) continue;
    const [all, needed] = await count(lowestLevels(model, limits, counting));
    const enough = all.map(() => all.reduce((a, b) => a + b, 0) / all.length);
    const [some, asked] = await count(lowestLevels(model, limits, counting, enough));
    saved += needed - asked;
    all.forEach((level, k) => {
      expect(Math.max(some[k]!, enough[k]!), `seed ${seed}, pool ${k}`).toBe(Math.max(level, enough[k]!));
    });
  }
  expect(saved).toBeGreaterThan(0);
});
