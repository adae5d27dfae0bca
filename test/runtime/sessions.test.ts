import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../config/random.ts';
import { freshState } from '../../runtime/guards.ts';
import { type DatacenterState, normalState } from '../../runtime/inputs.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import { lastingOf, newSessions, outliving, sessionsAfter, survivalOf } from '../../runtime/sessions.ts';
import { solveFractions } from '../../runtime/solve.ts';
import { certifiedHere, inputsOf, matrixOf, PlainProgram, policyOf, topologyOf, uniform } from '../scene.ts';

const sticky = (sessionLifetime = '30m') => ({ traffic: { kind: 'sticky', sessionLifetime } });
const dead: DatacenterState = { keep: 0, refill: false, cause: 'abnormal', untilMs: null };
const drained: DatacenterState = { keep: 0, refill: false, cause: 'drain by ann: work', untilMs: null };

test('sessions end without memory, by their mean lifetime; a stateless service has none', () => {
  for (const [lifetime, epochs] of [
    ['5m', 1],
    ['30m', 1 / 6],
    ['2h', 1 / 24],
    ['10s', 30],
  ] as const) {
    expect(survivalOf(policyOf(sticky(lifetime))), lifetime).toBeCloseTo(Math.exp(-epochs), 12);
  }
  expect(survivalOf(policyOf())).toBe(0);
});

describe('sessions that outlive an epoch', () => {
  const sessions = Float64Array.of(40, 60, 10, 90);
  const demand = Float64Array.of(100, 100);

  test('stay at a datacenter that drains, are lost at one that failed', () => {
    expect([...outliving(sessions, 0.5, [normalState, drained], demand)]).toEqual([20, 30, 5, 45]);
    expect([...outliving(sessions, 0.5, [normalState, dead], demand)]).toEqual([20, 0, 5, 0]);
  });

  test('are never more than the demand; what is left of it comes anew and follows the table', () => {
    const established = outliving(sessions, 1, [normalState, normalState], Float64Array.of(50, 200));
    expect([...established]).toEqual([20, 30, 10, 90]);
    const arriving = newSessions(Float64Array.of(50, 200), established);
    expect([...arriving]).toEqual([0, 100]);
    expect([
      ...sessionsAfter(
        established,
        arriving,
        matrixOf([
          [1, 0],
          [0.25, 0.75],
        ]),
      ),
    ]).toEqual([20, 30, 35, 165]);
  });
});

test('the level is that of the textbook program in which established sessions are lower bounds, on 40 random instances', async () => {
  const solve = await certifiedHere('highs');
  for (let seed = 0; seed < 40; seed++) {
    const random = seededRandom(seed);
    const edges = 2 + Math.floor(random() * 4);
    const width = 2 + Math.floor(random() * 3);
    const capacity = Array.from({ length: width }, () => uniform(random, 80, 200));
    const topology = topologyOf(edges, capacity);
    const demand = Array.from({ length: edges }, () => uniform(random, 10, 60));
    const established = Float64Array.from(
      { length: edges * width },
      (_, i) => (demand[Math.floor(i / width)]! / width) * uniform(random, 0, 0.95),
    );
    const inputs = inputsOf(topology, demand, {
      established,
      policy: policyOf({ ...sticky(), guards: { balanceTolerance: 0 } }),
    });
    const decision = await solveFractions(inputs, freshState, solve);
    if (decision.kind !== 'move') throw new Error(decision.kind);
    const arriving = newSessions(inputs.demandRps, established);
    const after = sessionsAfter(established, arriving, decision.wanted);
    const highest = Math.max(
      ...capacity.map((has, d) => demand.reduce((sum, _, e) => sum + after[e * width + d]!, 0) / has),
    );

    const lp = new PlainProgram();
    const level = lp.column(1, 0, 1e6);
    const rows = capacity.map((has) => {
      const row = lp.row(Number.NEGATIVE_INFINITY, 0);
      lp.put(row, level, -has);
      return row;
    });
    demand.forEach((all, e) => {
      const whole = lp.row(all, all);
      for (let d = 0; d < width; d++) {
        const column = lp.column(0, established[e * width + d]!, all);
        lp.put(rows[d]!, column, 1);
        lp.put(whole, column, 1);
      }
    });
    const plain = (await openEngine('highs'))(lp.build());
    expect(Math.abs(highest / plain.columns[level]! - 1), `seed ${seed}`).toBeLessThan(2e-5);
  }
});

test('a drain moves new sessions at once and none of the established ones', async () => {
  const topology = topologyOf(2, [100, 100]);
  const served = matrixOf([
    [0.5, 0.5],
    [0.5, 0.5],
  ]);
  const inputs = inputsOf(topology, [40, 40], {
    served,
    established: matrixOf([
      [16, 16],
      [16, 16],
    ]),
    states: [normalState, drained],
    policy: policyOf(sticky()),
  });
  const decision = await solveFractions(inputs, freshState, await certifiedHere('highs'));
  if (decision.kind !== 'move') throw new Error(decision.kind);
  expect([...decision.wanted]).toEqual([1, 0, 1, 0]);
});

test('with one datacenter stuck high by its sessions, the others end equal where balanceTolerance is 0', async () => {
  const topology = topologyOf(3, [100, 100, 100]);
  const established = matrixOf([
    [85, 0, 0],
    [5, 5, 0],
    [0, 10, 10],
  ]);
  for (const lasting of [established, established.map((count) => count * 0.9)]) {
    const policy = policyOf({ ...sticky(), guards: { balanceTolerance: 0 } });
    const inputs = inputsOf(topology, [95, 40, 30], { established, lasting, policy });
    const decision = await solveFractions(inputs, freshState, await certifiedHere('highs'));
    if (decision.kind !== 'move') throw new Error(decision.kind);
    const after = sessionsAfter(lasting, newSessions(inputs.demandRps, lasting), decision.solved);
    const sum = (d: number): number => after[d]! + after[3 + d]! + after[6 + d]!;
    expect(sum(0)).toBeCloseTo(lasting[0]! + lasting[3]!, 2); // nobody new
    expect(sum(1)).toBeCloseTo(sum(2), 2);
  }
});

describe('a table is planned for what it will have made of the sessions', () => {
  test('after a third of their lifetime, or the epoch where that is longer', () => {
    for (const [lifetime, lasts] of [
      ['30m', Math.exp(-1 / 6)],
      ['2h', Math.exp(-7 / 24)],
      ['15m', 1],
      ['5m', 1],
    ] as const) {
      expect(lastingOf(policyOf(sticky(lifetime))), lifetime).toBeCloseTo(lasts, 12);
    }
    expect(lastingOf(policyOf())).toBe(1);
  });

  const tableOf = async (sessions: number, spec: Record<string, unknown> = {}) => {
    const established = matrixOf([[sessions, 80 - sessions]]);
    const policy = policyOf({ ...sticky(), ...spec, guards: { minShift: 0, damping: 1, onloadMax: 1, churnMax: 1 } });
    const inputs = { established, lasting: established.map((count) => count * 0.8), policy };
    const served = matrixOf([[0.5, 0.5]]);
    const one = topologyOf(1, [100, 100]);
    const decision = await solveFractions(
      inputsOf(one, [100], { ...inputs, served }),
      freshState,
      await certifiedHere('highs'),
    );
    return decision.kind === 'move' ? decision.wanted : served;
  };

  test('so it swings by less than what is new could', async () => {
    const [near] = await tableOf(44);
    // 44 + 20 x would be 50 at .3; 35.2 + 36 x is 50 at .41.
    expect(near).toBeGreaterThan(0.39);
    expect(near).toBeLessThan(0.45);
  });

  test('but not where a datacenter would be over its limit meanwhile', async () => {
    const [tight] = await tableOf(44, { utilizationMax: 0.51 });
    expect(44 + 20 * tight!).toBeLessThanOrEqual(51 + 1e-3);
  });
});

test('pins hold however few of the sessions are new', async () => {
  const topology = topologyOf(2, [100, 100], (e, d) => (e === d ? 5 : 300));
  const pins = [{ edge: 'e0', datacenter: 'd1', fraction: 0.3 }];
  const inputs = inputsOf(topology, [40, 40], {
    established: matrixOf([
      [39.8, 0],
      [0, 39.8],
    ]),
    policy: policyOf({ ...sticky('12h'), pins }),
  });
  const decision = await solveFractions(inputs, freshState, await certifiedHere('highs'));
  if (decision.kind !== 'move') throw new Error(decision.kind);
  expect(decision.wanted[1]).toBeCloseTo(0.3, 5);
});
