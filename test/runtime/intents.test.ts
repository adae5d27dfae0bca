import { describe, expect, test } from 'vitest';
import { type Intent, priorityRank } from '../../config/intent.ts';
import { seededRandom } from '../../config/random.ts';
import { normalState } from '../../runtime/inputs.ts';
import { type CarriedIntents, carriedIntents, resolveIntents, type Situation } from '../../runtime/intents.ts';
import { allIntents, intentOf, pairsOf } from '../pipeline/intent-pairs.ts';
import { statesWithout, topologyOf } from '../scene.ts';

const topology = topologyOf(3, [100, 100, 100]);
const calm: Situation = {
  topology,
  states: statesWithout(topology),
  windows: [],
  hasTable: true,
  nowMs: 0,
  carried: null,
};
const idsOf = (intents: readonly Intent[]): string[] => intents.map(({ id }) => id);

/** The first waits for what of the others. */
const waitsOf = (intent: Record<string, unknown>, others: Record<string, unknown>[], situation = calm) => {
  const all = [intentOf({ ...intent, id: 'it' }), ...others.map((one, n) => intentOf({ id: `other-${n}`, ...one }))];
  return resolveIntents(all, situation).waiting.find((one) => one.intent === 'it')?.for ?? null;
};

test('of every two intents, in both orders, the same are in force and the same wait for the same', () => {
  let waits = 0;
  for (const [a, b] of pairsOf(allIntents())) {
    const one = resolveIntents([a, b], calm);
    expect(resolveIntents([b, a], calm), `${a.id} and ${b.id}`).toEqual(one);
    expect(one.inForce.length, 'somebody is always served').toBeGreaterThan(0);
    for (const waiting of one.waiting) {
      const [loser, winner] = waiting.intent === a.id ? [a, b] : [b, a];
      expect(waiting.for, `${a.id} and ${b.id}`).toEqual([winner.id]);
      expect(priorityRank(winner), `${winner.id} before ${loser.id}`).toBeLessThanOrEqual(priorityRank(loser));
      waits += 1;
    }
  }
  expect(waits).toBeGreaterThan(500);
});

test('of any number of intents in any order, likewise; and whoever waits, waits for one in force', () => {
  const all = allIntents();
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const drawn = all.filter(() => random() < 0.15);
    const shuffled = drawn
      .map((intent) => ({ intent, key: random() }))
      .sort((a, b) => a.key - b.key)
      .map(({ intent }) => intent);
    const resolved = resolveIntents(drawn, calm);
    expect(resolveIntents(shuffled, calm), `seed ${seed}`).toEqual(resolved);
    const inForce = idsOf(resolved.inForce);
    for (const { intent, for: reasons } of resolved.waiting) {
      for (const id of reasons) expect(inForce, `seed ${seed}: ${intent} waits for ${id}`).toContain(id);
    }
  }
});

describe('who waits for whom:', () => {
  const drain = { kind: 'drain', datacenter: 'd0' };
  const override = { kind: 'override', edge: 'e0', datacenter: 'd0', fraction: 0.5 };
  const shift = { kind: 'shift', edge: 'e0', from: 'd0', to: 'd1', fraction: 0.2 };
  const freeze = { kind: 'freeze' };

  test('a shift and an override wait for a drain of what they are about', () => {
    expect(waitsOf(shift, [drain])).toEqual(['other-0']);
    expect(waitsOf(override, [drain])).toEqual(['other-0']);
    expect(waitsOf({ ...override, datacenter: 'd1' }, [drain])).toBe(null);
    expect(waitsOf({ ...override, fraction: 0 }, [drain])).toBe(null);
  });

  test('a drain of its own priority goes through a freeze, and one that comes after it waits', () => {
    expect(waitsOf(drain, [freeze])).toBe(null);
    expect(waitsOf(drain, [{ ...freeze, priority: 'drill' }])).toEqual(['other-0']);
    expect(waitsOf({ ...drain, priority: 'failure' }, [{ ...freeze, priority: 'drill' }])).toBe(null);
  });

  test('two drains of one datacenter agree, whatever they keep', () => {
    expect(waitsOf(drain, [{ ...drain, keep: 0.5, priority: 'drill' }])).toBe(null);
  });

  test('a freeze holds shifts, and leaves out the edges that something before it moves', () => {
    expect(waitsOf(shift, [freeze])).toEqual(['other-0']);
    expect(waitsOf(shift, [{ ...freeze, edge: 'e1' }])).toBe(null);
    expect(waitsOf(shift, [{ ...freeze, datacenter: 'd2' }])).toBe(null);
    const drill = intentOf({ ...shift, id: 'drill', priority: 'drill' });
    const { inForce, waiting } = resolveIntents([intentOf({ ...freeze, id: 'freeze' }), drill], calm);
    expect(idsOf(inForce)).toEqual(['drill', 'freeze']);
    expect(waiting).toEqual([{ intent: 'freeze', for: ['drill'], edges: ['e0'], sinceMs: 0 }]);
  });

  test('overrides wait for those that leave them no room', () => {
    const other = { ...override, datacenter: 'd1', fraction: 0.4 };
    expect(waitsOf({ ...override, fraction: 0.6 }, [other])).toBe(null);
    expect(waitsOf({ ...override, fraction: 0.7 }, [other])).toEqual(['other-0']);
    expect(waitsOf(override, [{ ...override, priority: 'drill' }])).toBe(null);
  });

  test('nothing is brought to what failed, whoever wants it, and nothing new to what is held down', () => {
    const failed = { ...calm, states: statesWithout(topology, 0) };
    for (const priority of ['failure', 'manual']) {
      expect(waitsOf({ ...shift, priority }, [], failed)).toEqual(['failure of d0']);
      expect(waitsOf({ ...override, priority }, [], failed)).toEqual(['failure of d0']);
    }
    const flapping = topology.datacenters.map((_, d) => (d === 1 ? { ...normalState, refill: false } : normalState));
    expect(waitsOf(shift, [], { ...calm, states: flapping })).toEqual(['hold-down of d1']);
    const carried: CarriedIntents = { begun: [], bases: [{ intent: 'it', pairs: [] }], waiting: [] };
    expect(waitsOf(shift, [], { ...calm, states: flapping, carried })).toBe(null);
  });

  test('in a blocked window no drill begins, and one that has begun goes on', () => {
    const nowMs = 1_000_000;
    const windows = [{ from: '00:00', until: '01:00', moves: false, reason: 'peak' }];
    const blocked = { ...calm, nowMs, windows };
    const drill = { ...drain, priority: 'drill' };
    expect(waitsOf(drill, [], blocked)).toEqual(['blocked until 1970-01-01T01:00:00Z: peak']);
    expect(waitsOf(drain, [], blocked)).toBe(null);
    const begun: CarriedIntents = { begun: ['it'], bases: [], waiting: [] };
    expect(waitsOf(drill, [], { ...blocked, carried: begun })).toBe(null);
    expect(waitsOf(drill, [], { ...blocked, nowMs: 3_600_000 })).toBe(null);
  });
});

test('who waits says since when, epoch after epoch, and not before it or after', () => {
  const drain = intentOf({ kind: 'drain', datacenter: 'd0', id: 'drain', until: '1970-01-01T00:15:00Z' });
  const shift = intentOf({ kind: 'shift', edge: 'e0', from: 'd0', to: 'd1', fraction: 0.2, id: 'shift' });
  let carried: CarriedIntents | null = null;
  const waits: unknown[] = [];
  for (let epoch = 0; epoch < 5; epoch++) {
    const situation = { ...calm, nowMs: epoch * 300_000, carried };
    const resolved = resolveIntents(epoch === 0 ? [drain] : [shift, drain], situation);
    carried = carriedIntents(resolved, situation, () => 0.5);
    waits.push(carried?.waiting);
  }
  const waiting = [{ intent: 'shift', for: ['drain'], sinceMs: 300_000 }];
  expect(waits).toEqual([undefined, waiting, waiting, [], []]);
  expect(carried?.bases).toEqual([
    {
      intent: 'shift',
      pairs: [
        ['e0', 'd0', 0.5],
        ['e0', 'd1', 0.5],
      ],
    },
  ]);
});
