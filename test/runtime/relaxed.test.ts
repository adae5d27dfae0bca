/** The guards that give are an irreducible set, and all limits that give are named in the written order: put a guard back
 *  that gave, let the other give as it likes and the limits before them no more than they did, and there is no placement
 *  that brings every datacenter as near to its limit. A program of its own says so, in shares of all demand. What the other
 *  limits give: `giving.test.ts`. */

import { expect, test } from 'vitest';
import { seededRandom } from '../../config/random.ts';
import { freshState } from '../../runtime/guards.ts';
import { type DatacenterState, normalState, type RuntimeInputs } from '../../runtime/inputs.ts';
import { type Limit, limitOrder } from '../../runtime/limits.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import { totalLoad } from '../../runtime/model.ts';
import { type SolveStep, solveGroup } from '../../runtime/solve.ts';
import { certifiedHere, inputsOf, PlainProgram, policyOf, topologyOf, uniform } from '../scene.ts';
import { type Plain, plainOf } from './plain-limits.ts';

const engine = await openEngine('highs');
const infinity = Number.POSITIVE_INFINITY;

interface Kept {
  readonly utilization: readonly number[]; // [d]
  readonly far: number; // arrives beyond latencyMsMax
  readonly shareMax: boolean; // but for shares that are too large already
  readonly onloadMax: number;
  readonly churnMax: readonly number[]; // [service]
}

/** Is there any placement that keeps all of these? [service] `edges` commodities each. */
function isPossible({ places, load, capacity }: Plain, services: readonly RuntimeInputs[], kept: Kept): boolean {
  const edges = services[0]!.demandRps.length;
  const free = Number.NEGATIVE_INFINITY;
  const total = services.reduce((sum, { demandRps }) => sum + demandRps.reduce((a, b) => a + b, 0), 0);
  const lp = new PlainProgram();
  const loads = capacity.map((has, d) => {
    const stays = places.reduce((sum, place) => (place.d === d ? sum + place.settled + place.base : sum), 0);
    return lp.row(free, kept.utilization[d]! * has - stays);
  });
  const onloads = capacity.map((has) => lp.row(free, Math.min(1e3, kept.onloadMax * has)));
  const churns = services.map(({ demandRps }, s) =>
    lp.row(free, Math.min(1e3, (kept.churnMax[s]! * demandRps.reduce((a, b) => a + b, 0)) / total)),
  );
  const far = lp.row(free, kept.far);
  load.forEach((whole, c) => {
    const s = Math.floor(c / edges);
    const own = places.filter((place) => place.c === c);
    const stays = own.reduce((sum, { base }) => sum + base, 0);
    const placing = lp.row(whole - stays, whole - stays);
    const moving = lp.row(0, 0);
    const churnEach = services[s]!.demandRps[c % edges]! / total / whole;
    for (const { d, base, open, held, tooFar, shareMax } of own) {
      const mayGain = open && !held;
      const placed = lp.column(0, 0, mayGain ? 1 : 0);
      const gained = lp.column(0, 0, mayGain ? 1 : 0);
      const left = lp.column(0, 0, base);
      const share = lp.row(free, kept.shareMax ? Math.max(base, shareMax) - base : 10);
      for (const [column, sign] of [
        [placed, 1],
        [gained, 1],
        [left, -1],
      ] as const) {
        lp.put(loads[d]!, column, sign);
        lp.put(share, column, sign);
        if (column !== placed) lp.put(onloads[d]!, column, sign);
        lp.put(column === placed ? placing : moving, column, sign);
        if (sign > 0 && tooFar) lp.put(far, column, 1);
      }
      lp.put(churns[s]!, gained, churnEach);
    }
  });
  return engine(lp.build()).status === 'optimal';
}

test('300 random epochs, sticky ones, groups, a dead or drained datacenter: no guard that gave could have been kept', async () => {
  const solve = await certifiedHere('highs');
  const seen = new Map<string, number>();
  const count = (what: string): void => {
    seen.set(what, (seen.get(what) ?? 0) + 1);
  };
  for (let seed = 0; seed < 300; seed++) {
    const random = seededRandom(seed);
    const edges = 2 + Math.floor(random() * 3);
    const capacities = Array.from({ length: 2 + Math.floor(random() * 3) }, () => uniform(random, 20, 120));
    const width = capacities.length;
    const topology = topologyOf(edges, capacities, () => uniform(random, 5, 150));
    const states: DatacenterState[] = capacities.map(() => normalState);
    const isStruck = width > 2 && random() < 0.4;
    const cause = random() < 0.5 ? 'abnormal' : 'drain by ann: work';
    if (isStruck) states[Math.floor(random() * width)] = { keep: 0, refill: false, cause, untilMs: null };
    const capacity = capacities.reduce((sum, has, d) => (states[d]!.keep === 1 ? sum + has : sum), 0);
    const utilizationMax = random() < 0.5 ? uniform(random, 0.7, 0.95) : 1;
    const onloadMax = uniform(random, 0.02, 0.5);
    const scale = uniform(random, 0.5, 1.05) * capacity;
    const howMany = random() < 0.3 ? 2 : 1;
    const services = Array.from({ length: howMany }, () => {
      const demand = Array.from({ length: edges }, () => uniform(random, 0.2, 1));
      const sum = demand.reduce((a, b) => a + b);
      const rps = demand.map((value) => ((value / sum) * scale) / howMany);
      const served = new Float64Array(edges * width);
      for (let e = 0; e < edges; e++) served[e * width + Math.floor(random() * width)] = 1;
      const isSticky = random() < 0.3;
      const established = served.map((share, i) =>
        states[i % width]!.keep === 1 ? share * rps[Math.floor(i / width)]! * uniform(random, 0, 0.6) : 0,
      );
      const policy = policyOf({
        objective: ['balance', 'closest-first', 'priced'][seed % 3],
        latencyMsMax: random() < 0.4 ? 110 : null,
        utilizationMax,
        ...(isSticky && { traffic: { kind: 'sticky', sessionLifetime: '30m' } }),
        guards: {
          minShift: 0,
          damping: 1,
          onloadMax,
          churnMax: uniform(random, 0.02, 0.5),
          shareMax: random() < 0.4 ? uniform(random, 0.5, 0.9) : 1,
        },
      });
      return inputsOf(topology, rps, { policy, served, states, ...(isSticky && { established }) });
    });
    const steps: SolveStep[] = [];
    const decisions = await solveGroup(
      services,
      services.map(() => freshState),
      solve,
      (step) => steps.push(step),
    );
    const [decision] = decisions;
    if (!decision || decision.kind === 'held') throw new Error(`seed ${seed}: held`);
    const relaxed = new Set(decisions.flatMap((one) => (one.kind === 'held' ? [] : one.relaxed)));
    for (const one of decisions) {
      const own = one.kind === 'held' ? [] : one.relaxed;
      expect([...own], `seed ${seed}`).toEqual(limitOrder.filter((limit) => own.includes(limit)));
    }
    const where = `seed ${seed}, ${[...relaxed].join(' ')}`;
    const { model, placement } = steps.at(-1)!;
    const plain = plainOf(services, model.mayGain);
    let far = 0;
    let moved = 0;
    plain.places.forEach(({ tooFar, c }, i) => {
      if (tooFar) far += (placement.gained[i]! + placement.placed[i]!) / totalLoad;
      if (c < edges) moved += (placement.gained[i]! * model.churnWeight[c]!) / totalLoad;
    });
    const { levels } = decision;
    const churnMax = Math.max(...services.map(({ policy }) => policy.spec.guards.churnMax));
    for (const limit of ['onloadMax', 'churnMax'] as const satisfies readonly Limit[]) {
      if (!relaxed.has(limit)) continue;
      count(limit);
      if (services.length === 2) count('of a group');
      if (services.some(({ established }) => established)) count('of a sticky service');
      if (isStruck) count('with forced load');
      const gave = (one: Limit): boolean => one !== limit && relaxed.has(one);
      const possible = isPossible(plain, services, {
        utilization: [...levels].map((level) => (1 - 1e-4) * Math.max(level, utilizationMax)),
        far: far + 1e-5,
        shareMax: !relaxed.has('shareMax'),
        onloadMax: gave('onloadMax') ? infinity : (1 - 1e-4) * onloadMax,
        churnMax: services.map(({ policy }) =>
          gave('churnMax') ? infinity : (1 - 1e-4) * policy.spec.guards.churnMax,
        ),
      });
      expect(possible, `${where}: ${limit} could be kept`).toBe(false);
    }
    if (services.length === 1 && moved > churnMax + 1e-4) expect(relaxed.has('churnMax'), where).toBe(true);
  }
  for (const what of ['onloadMax', 'churnMax', 'of a group', 'of a sticky service', 'with forced load'])
    expect(seen.get(what) ?? 0, what).toBeGreaterThan(5);
});
