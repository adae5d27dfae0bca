import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readWorld } from '../../config/load.ts';
import { type Random, seededRandom } from '../../config/random.ts';
import { type CarriedState, freshState } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import type { SolveCertified } from '../../runtime/lp/certified.ts';
import type { CarriedPrices, LimitPrices } from '../../runtime/prices.ts';
import { solveFractions } from '../../runtime/solve.ts';
import { certifiedHere, inputsOf, installedEngines, policyOf, statesWithout, topologyOf, uniform } from '../scene.ts';

const engines = await installedEngines();
const worldDir = join(resolve(process.env['TAIJI_DATA'] ?? '../shared/data'), 'world');
const hasWorld = existsSync(worldDir);
if (!hasWorld) process.stderr.write('the shared world is absent: its day is not replayed; set TAIJI_DATA\n');

type Epoch = (served: RuntimeInputs['served']) => RuntimeInputs;

/** What every epoch came to, as text, each from what the one before wanted. `carry` may lose or alter the prices. */
async function decisionsOf(
  epochs: readonly Epoch[],
  solve: SolveCertified,
  carry: (prices: CarriedPrices | undefined) => CarriedPrices | undefined,
): Promise<readonly string[]> {
  let served: RuntimeInputs['served'] = null;
  let carried: CarriedState = freshState;
  const told: string[] = [];
  for (const epoch of epochs) {
    const decision = await solveFractions(epoch(served), carried, solve);
    const { prices, ...deciding } = decision.carried;
    if (decision.kind === 'move') served = decision.wanted;
    const altered = carry(prices);
    carried = { ...deciding, ...(altered && { prices: altered }) };
    const said = decision.kind === 'held' ? [] : [decision.solved, decision.levels].map((values) => values.join());
    told.push(JSON.stringify([decision.kind, said, decision.kind === 'move' && decision.wanted.join(), deciding]));
  }
  return told;
}

const warm = (prices: CarriedPrices | undefined): CarriedPrices | undefined => prices;
const cold = (): undefined => undefined;

/** Prices of nothing at all. */
function nonsense(random: Random): (prices: CarriedPrices | undefined) => CarriedPrices {
  const draw = (): LimitPrices => {
    const each = (): number[] => Array.from({ length: 1 + Math.floor(random() * 8) }, () => uniform(random, -90, 20));
    return { level: each(), onload: each(), price: each(), churn: [uniform(random, -50, 5)] };
  };
  return () => ({ want: draw(), guarded: draw() });
}

/** A dozen epochs of a small world: noise, a lost datacenter, any objective. */
function smallWorld(seed: number): readonly Epoch[] {
  const random = seededRandom(seed);
  const [edges, datacenters] = [2 + Math.floor(random() * 10), 2 + Math.floor(random() * 4)];
  const isTied = random() < 0.3;
  const rtt = Array.from({ length: edges * datacenters }, () => (isTied ? 20 : uniform(random, 5, 200)));
  const demand = Array.from({ length: edges }, () => (isTied ? 10 : uniform(random, 1, 50)));
  const total = demand.reduce((a, b) => a + b, 0);
  const capacity = Array.from({ length: datacenters }, () => (isTied ? 2 : uniform(random, 0.9, 3)));
  const topology = topologyOf(
    edges,
    capacity.map((share) => (share * total) / datacenters),
    (e, d) => rtt[e * datacenters + d]!,
  );
  const objective = ['balance', 'closest-first', 'priced'][seed % 3];
  const policy = policyOf({ objective, guards: { onloadMax: 0.02, churnMax: 0.03, minShift: 0 } });
  const dead = Math.floor(random() * datacenters);
  return Array.from({ length: 12 }, (_, t) => {
    const now = demand.map((rps) => rps * (isTied ? 1 : uniform(random, 0.7, 1.3)));
    const states = t >= 5 && t < 8 ? statesWithout(topology, dead) : statesWithout(topology);
    return (served) => inputsOf(topology, now, { policy, states, served });
  });
}

describe('where a solve starts decides nothing', () => {
  test('on 20 small worlds the fractions are the same to the last bit: warm, cold, from nonsense, and with either engine', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const epochs = smallWorld(seed);
      const highs = await certifiedHere('highs');
      const coldOnes = await decisionsOf(epochs, highs, cold);
      expect(await decisionsOf(epochs, highs, warm), `warm, seed ${seed}`).toEqual(coldOnes);
      const strange = nonsense(seededRandom(seed));
      expect(await decisionsOf(epochs, highs, strange), `nonsense, seed ${seed}`).toEqual(coldOnes);
      if (engines.length < 2) continue;
      expect(await decisionsOf(epochs, await certifiedHere('glpk'), warm), `glpk, seed ${seed}`).toEqual(coldOnes);
    }
  });

  test.skipIf(!hasWorld)('nor on a day of the shared world', async () => {
    const { topology, demand } = readWorld(worldDir);
    const edges = topology.edges.length;
    const epochs = Array.from({ length: 288 }, (_, t): Epoch => {
      const rps = [...demand.rps.slice((288 + t) * edges, (289 + t) * edges)];
      return (served) => inputsOf(topology, rps, { served });
    });
    const highs = await certifiedHere('highs');
    const coldOnes = await decisionsOf(epochs, highs, cold);
    expect(await decisionsOf(epochs, highs, warm)).toEqual(coldOnes);
    if (engines.length > 1) expect(await decisionsOf(epochs, await certifiedHere('glpk'), warm)).toEqual(coldOnes);
  });
});

test('what is carried of a solve is a few hundred bytes, however many edges there are', async () => {
  const random = seededRandom(1);
  const topology = topologyOf(
    400,
    Array.from({ length: 20 }, () => uniform(random, 20, 40)),
    () => uniform(random, 5, 200),
  );
  const inputs = inputsOf(
    topology,
    topology.edges.map(() => 1),
  );
  const decision = await solveFractions(inputs, freshState, await certifiedHere('highs'));
  expect(decision.carried.prices?.want).toBeDefined();
  expect(JSON.stringify(decision.carried.prices).length).toBeLessThan(600);
});
