/** Limits give in the written order and no more than they have to: beside what those before it keep, no limit could be
 *  kept any better than what is wanted keeps it. */

import { describe, expect, test } from 'vitest';
import { type Random, seededRandom } from '../../config/random.ts';
import { freshState } from '../../runtime/guards.ts';
import { type DatacenterState, normalState, type RuntimeInputs } from '../../runtime/inputs.ts';
import { type Limit, loadAt } from '../../runtime/limits.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import { type GivingLimit, givingOrder, totalLoad } from '../../runtime/model.ts';
import { type Decision, type SolveStep, solveGroup } from '../../runtime/solve.ts';
import { certifiedHere, inputsOf, policyOf, topologyOf, uniform } from '../scene.ts';
import { leastOf, missesOf, plainOf, utilizationOf } from './plain-limits.ts';

const engine = await openEngine('highs');
const solve = await certifiedHere('highs');

const dead: DatacenterState = { keep: 0, refill: false, cause: 'abnormal', untilMs: null };
const drained: DatacenterState = { keep: 0, refill: false, cause: 'drain by ann: work', untilMs: null };
const held: DatacenterState = {
  keep: 1,
  refill: false,
  cause: 'held down after 2 outages within an hour',
  untilMs: null,
};

interface Wanted {
  readonly decisions: readonly Decision[];
  readonly want: SolveStep | null;
}

async function wantOf(services: readonly RuntimeInputs[]): Promise<Wanted> {
  let want: SolveStep | null = null;
  const decisions = await solveGroup(
    services,
    services.map(() => freshState),
    solve,
    (step) => {
      if (step.kind === 'want') want = step;
    },
  );
  return { decisions, want };
}

/** An epoch of one service or two that share all datacenters, with limits that often get in each other's way. */
function settingOf(seed: number): RuntimeInputs[] {
  const random = seededRandom(seed);
  const edges = 2 + Math.floor(random() * 3);
  const width = 2 + Math.floor(random() * 3);
  const capacities = Array.from({ length: width }, () => uniform(random, 30, 120));
  const topology = topologyOf(edges, capacities, () => uniform(random, 5, 150));
  const states = capacities.map(() => normalState);
  const struck = Math.floor(random() * width);
  if (width > 2 && random() < 0.7) states[struck] = [dead, drained, held, held][Math.floor(random() * 4)]!;
  const capacity = capacities.reduce((sum, has, d) => (states[d]!.keep === 1 ? sum + has : sum), 0);
  const count = random() < 0.35 ? 2 : 1;
  const shared = {
    utilizationMax: random() < 0.5 ? uniform(random, 0.6, 0.95) : 1,
    emergencyMax: random() < 0.3 ? uniform(random, 0.8, 1.3) : null,
  };
  const isFirst = random() < 0.3;
  const scale = uniform(random, 0.4, 1.05) * capacity;
  return Array.from({ length: count }, (): RuntimeInputs => {
    const raw = Array.from({ length: edges }, () => uniform(random, 0.2, 1));
    const all = raw.reduce((a, b) => a + b) * count;
    const demand = raw.map((rps) => (rps * scale) / all);
    const served = isFirst ? null : scattered(edges, width, random);
    const isSticky = random() < 0.3;
    const established = Float64Array.from({ length: edges * width }, (_, i) =>
      states[i % width] === dead ? 0 : (demand[Math.floor(i / width)]! / width) * uniform(random, 0, 0.6),
    );
    const policy = policyOf({
      ...shared,
      objective: ['balance', 'closest-first', 'priced'][seed % 3],
      ...(isSticky && { traffic: { kind: 'sticky', sessionLifetime: '30m' } }),
      latencyMsMax: random() < 0.6 ? uniform(random, 40, 120) : null,
      latencyMsP95Max: random() < 0.3 ? uniform(random, 30, 100) : null,
      pins: random() < 0.5 ? pinsOf(edges, width, random) : [],
      guards: { minShift: 0, shareMax: random() < 0.4 ? uniform(random, 0.4, 0.9) : 1 },
    });
    return inputsOf(topology, demand, { policy, served, states, ...(isSticky && { established }) });
  });
}

function scattered(edges: number, width: number, random: Random): Float64Array {
  const fractions = Float64Array.from({ length: edges * width }, () => (random() < 0.5 ? random() : 0));
  for (let e = 0; e < edges; e++) {
    const row = fractions.subarray(e * width, (e + 1) * width);
    row[Math.floor(random() * width)]! += 0.1;
    const sum = row.reduce((a, b) => a + b, 0);
    for (let d = 0; d < width; d++) row[d]! /= sum;
  }
  return fractions;
}

function pinsOf(
  edges: number,
  width: number,
  random: Random,
): { edge: string; datacenter: string; fraction: number }[] {
  const names = Array.from({ length: 1 + Math.floor(random() * edges) }, (_, e) => `e${e}`);
  return names.map((edge) => ({
    edge,
    datacenter: `d${Math.floor(random() * width)}`,
    fraction: uniform(random, 0.1, 0.4),
  }));
}

/** What of a limit counts as kept: a hundred-thousandth of all demand. */
const trace = 1e-5;

test('200 random epochs, sticky ones, groups, dead and held-down datacenters, pins, emergencyMax: none gives too much', async () => {
  const seen = new Map<Limit, number>();
  let together = 0;
  for (let seed = 0; seed < 200; seed++) {
    const services = settingOf(seed);
    const { decisions, want } = await wantOf(services);
    if (!want) throw new Error(`seed ${seed}: ${decisions[0]!.kind}`);
    const { model, placement } = want;
    const at = model.base.map((_, i) => loadAt(model, placement, i) / totalLoad);
    const plain = plainOf(services, model.mayGain);
    const misses = missesOf(plain, at);
    const broken = givingOrder.filter((limit) => misses[limit] > trace);
    const where = `seed ${seed}, ${broken.join(' ')}`;
    if (broken.length > 1) together += 1;

    // What may be used is used first: nobody over the limit comes down but for one as high.
    const utilization = utilizationOf(plain, at);
    const { utilizationMax } = services[0]!.policy.spec;
    const lowered = (limit: number, kept: Partial<Record<GivingLimit, number>>): void => {
      utilization.forEach((share, d) => {
        if (share <= limit + trace) return;
        const others = utilization.map((other, k) =>
          k === d ? 1e3 : other > share - trace ? other : Math.max(limit, share - 1e-4),
        );
        const least = leastOf(plain, { utilization: others, misses: kept }, d, engine);
        expect(least === null || least > share - 1e-3, `${where}: d${d} at ${share} could be at ${least}`).toBe(true);
      });
    };
    lowered(1, {});
    let ceilings = utilization.map((share) => Math.max(1, share) + trace);
    const kept: Partial<Record<GivingLimit, number>> = {};
    for (const limit of givingOrder) {
      if (limit === 'emergencyMax') {
        lowered(utilizationMax, kept);
        ceilings = utilization.map((share) => Math.max(utilizationMax, share) + trace);
      }
      const least = leastOf(plain, { utilization: ceilings, misses: kept }, limit, engine);
      expect(misses[limit] - (least ?? Number.NaN), `${where}: ${limit} misses ${misses[limit]}`).toBeLessThan(
        20 * trace,
      );
      kept[limit] = misses[limit] + trace;
    }
    const named = new Set(decisions.flatMap((decision) => (decision.kind === 'held' ? [] : decision.relaxed)));
    for (const limit of broken) {
      seen.set(limit, (seen.get(limit) ?? 0) + 1);
      if (misses[limit] > 1e-3) expect(named, `${where} is named`).toContain(limit);
    }
  }
  for (const limit of givingOrder) expect(seen.get(limit) ?? 0, limit).toBeGreaterThan(10);
  expect(together).toBeGreaterThan(30);
});

describe('what bars a datacenter gives by what is needed', () => {
  /** e0 may only use d0, which is 20 over its capacity; d1 is near nobody; e1 and e2 are at home on d2. */
  const far = async (spec: Record<string, unknown>, states?: readonly DatacenterState[]) => {
    const topology = topologyOf(3, [100, 100, 100], (e, d) => (d === 1 ? 200 : e === 0 && d === 2 ? 300 : 10 + e + d));
    const inputs = inputsOf(topology, [120, 30, 30], {
      policy: policyOf({ allowed: [{ edge: 'e0', datacenters: ['d0', 'd1'] }], ...spec }),
      ...(states && { states }),
    });
    const [decision] = (await wantOf([inputs])).decisions;
    if (decision?.kind !== 'move') throw new Error(`${decision?.kind}`);
    return decision;
  };

  test.each([
    'balance',
    'closest-first',
    'priced',
  ])('latencyMsMax under %s: the excess goes far, and nothing else', async (objective) => {
    const { wanted, relaxed } = await far({ objective, latencyMsMax: 100 });
    expect(relaxed).toEqual(['latencyMsMax']);
    expect(wanted[1]).toBeCloseTo(20 / 120, 4);
    expect([wanted[4], wanted[7]]).toEqual([0, 0]);
  });

  test('hold-down: the excess goes there, and nothing else', async () => {
    const { wanted, relaxed } = await far({}, [normalState, held, normalState]);
    expect(relaxed).toEqual(['holdDown']);
    expect(wanted[1]).toBeCloseTo(20 / 120, 4);
    expect([wanted[4], wanted[7]]).toEqual([0, 0]);
  });

  test('who is too far already is brought near, whatever balance says', async () => {
    const topology = topologyOf(2, [100, 100], (e, d) => (e === d ? 10 : 200));
    const served = Float64Array.of(0.5, 0.5, 0, 1);
    const policy = policyOf({ latencyMsMax: 100, guards: { damping: 1, onloadMax: 1, churnMax: 1 } });
    const [decision] = (await wantOf([inputsOf(topology, [80, 20], { policy, served })])).decisions;
    if (decision?.kind !== 'move') throw new Error(`${decision?.kind}`);
    expect([...decision.wanted]).toEqual([1, 0, 0, 1]);
    expect(decision.relaxed).toEqual([]);
  });
});

describe('pins give', () => {
  const topology = topologyOf(2, [100, 100]);
  const relaxedBy = async (
    spec: Record<string, unknown>,
    demand: readonly number[],
    states?: readonly DatacenterState[],
  ) => {
    const inputs = inputsOf(topology, demand, { policy: policyOf(spec), ...(states && { states }) });
    const [decision] = (await wantOf([inputs])).decisions;
    if (decision?.kind !== 'move') throw new Error(`${decision?.kind}`);
    return decision;
  };
  const pins = [{ edge: 'e0', datacenter: 'd0', fraction: 0.9 }];

  test('to a datacenter that is dead', async () => {
    const { relaxed, wanted } = await relaxedBy({ pins }, [50, 20], [dead, normalState]);
    expect(relaxed).toEqual(['pins']);
    expect(wanted[0]).toBe(0);
  });

  test('to capacity and to utilizationMax, by what is needed', async () => {
    const full = await relaxedBy({ pins }, [120, 20]);
    expect(full.relaxed).toEqual(['pins']);
    expect(full.wanted[0]! * 120).toBeCloseTo(100, 2);
    const tight = await relaxedBy({ pins, utilizationMax: 0.8 }, [100, 20]);
    expect(tight.relaxed).toEqual(['pins']);
    expect(tight.wanted[0]).toBeCloseTo(0.8, 4);
  });

  test('to latencyMsMax', async () => {
    const distant = [{ edge: 'e0', datacenter: 'd1', fraction: 0.5 }];
    const { relaxed, wanted } = await relaxedBy({ pins: distant, latencyMsMax: 20 }, [50, 20]);
    expect(relaxed).toEqual(['pins']);
    expect(wanted[1]).toBe(0);
  });

  test('not on the way to where they are kept', async () => {
    const inputs = inputsOf(topology, [50, 50], {
      policy: policyOf({ pins, guards: { minShift: 0 } }),
      served: Float64Array.of(0.5, 0.5, 0.5, 0.5),
    });
    const [decision] = (await wantOf([inputs])).decisions;
    if (decision?.kind !== 'move') throw new Error(`${decision?.kind}`);
    expect(decision.relaxed).toEqual([]);
    expect(decision.wanted[0]).toBeGreaterThan(0.5);
  });
});
