import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../config/random.ts';
import { amongFew } from '../../runtime/few.ts';
import { freshState, retainedFractions } from '../../runtime/guards.ts';
import { certify, dualBound } from '../../runtime/lp/certify.ts';
import { dualSimplex } from '../../runtime/lp/dual-simplex.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import { buildGroupModel, type Model } from '../../runtime/model.ts';
import { columnOf } from '../../runtime/pair-columns.ts';
import { type Formulation, formulate, type Layout } from '../../runtime/placement.ts';
import { type LimitPrices, rowPricesOf } from '../../runtime/prices.ts';
import { certifiedHere, inputsOf, matrixOf, policyOf, topologyOf, uniform } from '../scene.ts';

const solve = await certifiedHere('highs');
const engine = await openEngine('highs');

/** One service or two that share datacenters; edges that may not go anywhere, or do not move, among them. */
function randomModel(random: Random): Model {
  const [edges, datacenters, services] = [
    3 + Math.floor(random() * 20),
    2 + Math.floor(random() * 5),
    random() < 0.3 ? 2 : 1,
  ];
  const demand = Array.from({ length: services }, () => Array.from({ length: edges }, () => uniform(random, 1, 30)));
  const total = demand.flat().reduce((a, b) => a + b, 0);
  const topology = topologyOf(
    edges,
    Array.from({ length: datacenters }, () => (uniform(random, 1, 3) * total) / datacenters),
    () => uniform(random, 5, 200),
  );
  const objective = ['balance', 'closest-first', 'priced'][Math.floor(random() * 3)];
  const forbidden = random() < 0.5 ? [] : [{ edge: 'e0', datacenters: ['d0'] }];
  const settings = demand.map((rps) => {
    const served = new Float64Array(edges * datacenters);
    for (let e = 0; e < edges; e++) {
      const share = random() < 0.5 ? 1 : uniform(random, 0.1, 0.9);
      served[e * datacenters + 1] = 1 - share;
      served[e * datacenters + (e > 0 && random() < 0.5 ? 0 : 1)]! += share;
    }
    const inputs = inputsOf(topology, rps, {
      policy: policyOf({ objective, forbidden }),
      served,
      ...(random() < 0.3 && { frozenEdges: Uint8Array.from(rps, () => (random() < 0.2 ? 1 : 0)) }),
    });
    return { inputs, retained: retainedFractions(freshState, topology, inputs.states) };
  });
  const built = buildGroupModel(settings);
  if (built.kind !== 'model') throw new Error(built.edge);
  return built.model;
}

function randomFormulation(model: Model, random: Random): Formulation {
  const isGuarded = random() < 0.4;
  return {
    limits: isGuarded
      ? {
          onloadMax: uniform(random, 0.05, 0.5),
          churnMax: Array(model.services).fill(uniform(random, 0.2, 1)),
          toward: null,
        }
      : null,
    levelMax: model.capacity.map(() => uniform(random, 0.5, 1.2)),
    seek: random() < 0.5 ? 'nearness' : 'calm',
  };
}

/** Near to nothing at all. */
function randomPrices(model: Model, random: Random): LimitPrices {
  const each = (count: number) => Array.from({ length: count }, () => (random() < 0.5 ? 0 : uniform(random, -20, 0)));
  const pools = model.capacity.length;
  return { level: each(pools), onload: each(pools), price: [], churn: each(model.services) };
}

/** [c * D + d] */
function movesOf({ base }: Model, { gained, left }: Layout, columns: Float64Array): readonly number[] {
  const at = (column: number): number => (column < 0 ? 0 : columns[column]!);
  return Array.from(base, (_, i) => at(columnOf(gained, i)) - at(columnOf(left, i)));
}

test('few pairs, whichever they are at first, come to the moves of the whole program and to prices that prove it, on 200 random instances', async () => {
  let answered = 0;
  let grown = 0;
  for (let seed = 0; seed < 200; seed++) {
    const random = seededRandom(seed);
    const model = randomModel(random);
    const formulation = randomFormulation(model, random);
    const { program, layout } = formulate(model, formulation);
    if (engine(program).status !== 'optimal') continue; // there are no such levels
    const plain = (await solve(program))!;
    let programs = 0;
    const counting: typeof solve = (few, prices) => {
      programs += 1;
      return solve(few, prices);
    };
    const few = await amongFew(model, formulation, randomPrices(model, random), counting, random() < 0.3 ? 20 : 1);
    if (!few) continue;
    answered += 1;
    if (programs > 1) grown += 1;
    expect(movesOf(model, few.layout, few.answer.columns), `seed ${seed}`).toEqual(
      movesOf(model, layout, plain.columns),
    );
    const whole = few.whole();
    expect(whole.program, `seed ${seed}`).toEqual(program);
    const short = plain.objective - dualBound(program, whole.rowDuals);
    expect(short / Math.max(1, Math.abs(plain.objective)), `seed ${seed}`).toBeLessThan(1e-7);
  }
  expect(answered).toBeGreaterThan(120);
  expect(grown).toBeGreaterThan(80);
});

test('all pairs, written as few, are the program that asks of each which limits it counts in', () => {
  for (let seed = 0; seed < 100; seed++) {
    const random = seededRandom(seed);
    const model = randomModel(random);
    const formulation = { ...randomFormulation(model, random), levelMax: model.capacity.map(() => 1e6) };
    const isWay = (i: number): boolean =>
      model.mayGain[i] === 1 && model.still[Math.floor(i / model.datacenters)] === 0;
    const all = { pairs: Int32Array.from([...model.mayGain.keys()].filter(isWay)), missPrice: 1 };
    expect(formulate(model, formulation, all), `seed ${seed}`).toEqual(formulate(model, formulation));
  }
});

test('programs of few pairs that miss levels, even by all there is, are solved without an engine, 300 random ones', () => {
  let missed = 0;
  for (let seed = 0; seed < 300; seed++) {
    const random = seededRandom(seed);
    const model = randomModel(random);
    const levelMax = model.capacity.map(() => uniform(random, 0.05, 0.6));
    const isIn = (i: number): boolean =>
      model.mayGain[i] === 1 && model.still[Math.floor(i / model.datacenters)] === 0 && random() < 0.3;
    const few = { pairs: Int32Array.from([...model.mayGain.keys()].filter(isIn)), missPrice: 1000 };
    const { program, layout } = formulate(model, { limits: null, levelMax, seek: 'nearness' }, few);
    const prices = rowPricesOf(layout, program.rowLower.length, randomPrices(model, random));
    const found = dualSimplex(program, prices);
    expect(found && certify(program, found).kind, `seed ${seed}`).toBe('certified');
    missed += layout.missColumn.filter((column) => column >= 0 && found!.columns[column]! > 1e-6).length;
  }
  expect(missed).toBeGreaterThan(100);
});

test('where few pairs cannot keep the levels and no others would, the whole program is left to be asked', async () => {
  const topology = topologyOf(2, [10, 10]);
  const inputs = inputsOf(topology, [8, 8], {
    served: matrixOf([
      [1, 0],
      [1, 0],
    ]),
  });
  const retained = retainedFractions(freshState, topology, inputs.states);
  const built = buildGroupModel([{ inputs, retained }]);
  if (built.kind !== 'model') throw new Error(built.edge);
  const nothing: LimitPrices = { level: [], onload: [], price: [], churn: [] };
  const formulation = { limits: null, seek: 'calm' } as const;
  const at = (level: number) => ({ ...formulation, levelMax: Float64Array.of(level, level) });
  expect(await amongFew(built.model, at(0.7), nothing, solve, 1)).toBeNull();
  expect(await amongFew(built.model, at(0.9), nothing, solve, 1)).not.toBeNull();
});
