/** The limits that give are an irreducible set, in the written order: put any of them back, let those of lower rank among
 *  them give as they like and those of higher rank no more than they did, and there is no placement. A program of its own
 *  says so, in plain fractions. */

import { expect, test } from 'vitest';
import { seededRandom } from '../../config/random.ts';
import { freshState } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import { type Limit, limitOrder } from '../../runtime/limits.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import { solveFractions } from '../../runtime/solve.ts';
import { certifiedHere, inputsOf, PlainProgram, policyOf, topologyOf, uniform } from '../scene.ts';

const engine = await openEngine('highs');
const infinity = Number.POSITIVE_INFINITY;

interface Kept {
  readonly utilizationMax: number;
  readonly isNear: boolean; // nobody new beyond latencyMsMax
  readonly shareMax: number;
  readonly mayStay: boolean; // shares that are too large already
  readonly onloadMax: number;
  readonly churnMax: number;
}

/** Is there any placement that keeps all of these? */
function isPossible({ topology, policy, demandRps, served }: RuntimeInputs, kept: Kept): boolean {
  const width = topology.datacenters.length;
  const total = demandRps.reduce((a, b) => a + b, 0);
  const lp = new PlainProgram();
  const loads = topology.datacenters.map(({ capacityRps }) =>
    lp.row(Number.NEGATIVE_INFINITY, (kept.utilizationMax * capacityRps) / total),
  );
  const onloads = topology.datacenters.map(({ capacityRps }, d) => {
    let now = 0;
    for (let e = 0; e < demandRps.length; e++) now += (demandRps[e]! / total) * served![e * width + d]!;
    return lp.row(Number.NEGATIVE_INFINITY, Math.min(1e6, (kept.onloadMax * capacityRps) / total) + now);
  });
  const churn = lp.row(Number.NEGATIVE_INFINITY, Math.min(2, kept.churnMax));
  demandRps.forEach((rps, e) => {
    const part = rps / total;
    const whole = lp.row(1, 1);
    for (let d = 0; d < width; d++) {
      const i = e * width + d;
      const isFar = kept.isNear && topology.rttMs[i]! > (policy.spec.latencyMsMax ?? infinity);
      const most = isFar ? served![i]! : Math.max(kept.mayStay ? served![i]! : 0, kept.shareMax);
      const fraction = lp.column(0, 0, Math.min(1, most));
      const gained = lp.column(0, 0, 1);
      lp.put(whole, fraction, 1);
      lp.put(loads[d]!, fraction, part);
      lp.put(onloads[d]!, fraction, part);
      lp.put(churn, gained, part);
      const over = lp.row(Number.NEGATIVE_INFINITY, served![i]!);
      lp.put(over, fraction, 1);
      lp.put(over, gained, -1);
    }
  });
  return engine(lp.build()).status === 'optimal';
}

test('300 random epochs: no limit that gave could have been kept, and all that gave are named', async () => {
  const solve = await certifiedHere('highs');
  const seen = new Map<Limit, number>();
  for (let seed = 0; seed < 300; seed++) {
    const random = seededRandom(seed);
    const edges = 2 + Math.floor(random() * 3);
    const capacities = Array.from({ length: 2 + Math.floor(random() * 3) }, () => uniform(random, 20, 120));
    const topology = topologyOf(edges, capacities, () => uniform(random, 5, 150));
    const capacity = capacities.reduce((a, b) => a + b);
    const demand = Array.from({ length: edges }, () => uniform(random, 0.2, 1));
    const scale = (uniform(random, 0.5, 1.05) * capacity) / demand.reduce((a, b) => a + b);
    const served = new Float64Array(edges * capacities.length);
    for (let e = 0; e < edges; e++) served[e * capacities.length + Math.floor(random() * capacities.length)] = 1;
    const guards = {
      minShift: 0,
      damping: 1,
      onloadMax: uniform(random, 0.02, 0.5),
      churnMax: uniform(random, 0.02, 0.5),
      shareMax: random() < 0.4 ? uniform(random, 0.5, 0.9) : 1,
    };
    const policy = policyOf({
      objective: ['balance', 'closest-first', 'priced'][seed % 3],
      latencyMsMax: random() < 0.4 ? 110 : null,
      utilizationMax: random() < 0.5 ? uniform(random, 0.7, 0.95) : 1,
      guards,
    });
    const inputs = inputsOf(
      topology,
      demand.map((rps) => rps * scale),
      { policy, served },
    );
    const decision = await solveFractions(inputs, freshState, solve);
    if (decision.kind === 'held') throw new Error(`seed ${seed}: held`);
    const { relaxed, levels } = decision;
    const gave = (limit: Limit): boolean => relaxed.includes(limit);
    const where = `seed ${seed}, ${relaxed.join(' ')}`;
    expect([...relaxed], where).toEqual(limitOrder.filter(gave));
    const { utilizationMax } = policy.spec;
    // Nearly as good as the best is what guards give for where the best is over the limit.
    const lowest = Math.max(...levels);
    const mended = lowest > utilizationMax ? 1.05 * lowest : utilizationMax;
    for (const limit of relaxed) {
      seen.set(limit, (seen.get(limit) ?? 0) + 1);
      const isGuard = limit === 'onloadMax' || limit === 'churnMax';
      const level = isGuard ? mended : Math.max(lowest, utilizationMax);
      const slack = 1 - 1e-4;
      const kept: Kept = {
        utilizationMax: slack * (limit === 'capacity' ? 1 : limit === 'utilizationMax' ? utilizationMax : level),
        isNear: limit === 'latencyMsMax' || !gave('latencyMsMax'),
        shareMax: limit === 'shareMax' || !gave('shareMax') ? guards.shareMax : 1,
        mayStay: isGuard, // brought back by what the guards leave over
        onloadMax: isGuard && (limit === 'onloadMax' || !gave('onloadMax')) ? slack * guards.onloadMax : infinity,
        churnMax: isGuard && (limit === 'churnMax' || !gave('churnMax')) ? slack * guards.churnMax : infinity,
      };
      expect(isPossible(inputs, kept), `${where}: ${limit} could be kept`).toBe(false);
    }
    const wanted = decision.kind === 'move' ? decision.wanted : served;
    let moved = 0;
    wanted.forEach((fraction, i) => {
      const gain = fraction - served[i]!;
      moved +=
        (Math.max(0, gain) * inputs.demandRps[Math.floor(i / capacities.length)]!) /
        (scale * demand.reduce((a, b) => a + b));
      const isFar = topology.rttMs[i]! > (policy.spec.latencyMsMax ?? infinity);
      if (gain > 1e-4 && fraction > guards.shareMax + 1e-4) expect(gave('shareMax'), where).toBe(true);
      if (gain > 1e-4 && isFar) expect(gave('latencyMsMax') || !someNear(inputs, i), where).toBe(true);
    });
    if (moved > guards.churnMax + 1e-4) expect(gave('churnMax'), where).toBe(true);
  }
  for (const limit of limitOrder) {
    if (!['datacenterState', 'latencyMsP95Max', 'emergencyMax'].includes(limit))
      expect(seen.get(limit) ?? 0, limit).toBeGreaterThan(5);
  }
});

/** Is any datacenter within latencyMsMax of the edge? Where none is, all are. */
function someNear({ topology, policy }: RuntimeInputs, i: number): boolean {
  const width = topology.datacenters.length;
  const from = Math.floor(i / width) * width;
  return topology.rttMs.subarray(from, from + width).some((rttMs) => rttMs <= (policy.spec.latencyMsMax ?? infinity));
}
