import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generateWorld } from '../../../config/generate.ts';
import type { Policy } from '../../../config/policy.ts';
import type { World } from '../../../config/world.ts';
import { type Edit, parseEdits } from '../../../pipeline/replay/edits.ts';
import { applyEdits, type WhatIf } from '../../../pipeline/replay/what-if.ts';
import { canonicalJson, type Json } from '../../../pipeline/table/canonical-json.ts';
import { type DatacenterState, normalState } from '../../../runtime/inputs.ts';
import { complaintOf } from '../../config/small-world.ts';
import { policyOf } from '../../scene.ts';

const full = generateWorld({ seed: 5, edges: 3, datacenters: 3, users: 50, days: 1 });
const world: World = {
  ...full,
  demand: { timesMs: full.demand.timesMs.slice(0, 4), rps: full.demand.rps.slice(0, 12) },
};
const { topology } = world;
const policy = policyOf();
const [d0, d1, d2] = topology.datacenters.map(({ id }) => id) as string[] as [string, string, string];
const [e0, e1, e2] = topology.edges.map(({ id }) => id) as string[] as [string, string, string];
const dead: DatacenterState = { keep: 0, refill: false, cause: 'abnormal', untilMs: null };
const observed: readonly DatacenterState[] = [normalState, dead, normalState];

const apply = (text: string, to: World = world, by: Policy = policy): WhatIf =>
  applyEdits(to, by, parseEdits(text, to.topology));

/** Everything a plan would read of it. */
function bytesOf({ world: { topology: places, demand }, policy: of, statesOf }: WhatIf): string {
  const rps = [...demand.rps];
  return canonicalJson({
    places: { ...places, rttMs: [...places.rttMs] },
    rps,
    of,
    states: statesOf(observed),
  } as unknown as Json);
}

const untouched = bytesOf({ world, policy, statesOf: (states) => states });

test.each([
  `capacity.${d0}*=1`,
  'capacity.*=1',
  `demand.${e1}*=1`,
  'demand.*+=0',
  `state.${d0}.keep=1`,
  'state.*.keep*=1',
  'rtt.*.*=1',
  'policy.guards.churnMax*=1',
  'policy.movePriceMs+=0',
  'policy.objective=balance',
  'policy.epoch=5m,policy.guards.damping=0.8',
])('%s changes nothing, byte for byte', (text) => {
  expect(bytesOf(apply(text))).toBe(untouched);
});

describe('edits do what they say', () => {
  test('capacity, demand at every time, round trips', () => {
    const edited = apply(`capacity.${d1}*=0.5,demand.*=2,demand.${e2}+=7,rtt.${e1}.${d2}=30,rtt.*.${d0}*=3`).world;
    topology.datacenters.forEach(({ capacityRps }, d) => {
      expect(edited.topology.datacenters[d]!.capacityRps).toBe(d === 1 ? capacityRps * 0.5 : capacityRps);
    });
    world.demand.rps.forEach((rps, i) => {
      expect(edited.demand.rps[i]).toBe(i % 3 === 2 ? rps * 2 + 7 : rps * 2);
    });
    topology.rttMs.forEach((rttMs, i) => {
      expect(edited.topology.rttMs[i]).toBe(i === 5 ? 30 : i % 3 === 0 ? rttMs * 3 : rttMs);
    });
  });

  test('states: emptied, halved, and one that failed brought back', () => {
    const states = apply(`state.${d0}.keep=0.5,state.${d0}.keep*=0.5,state.${d1}.keep=1`).statesOf(observed);
    expect(states).toEqual([{ keep: 0.25, refill: false, cause: 'what-if', untilMs: null }, normalState, normalState]);
  });

  test('the policy, by keys and through lists', () => {
    const allowed = `[{ edge: ${e0}, datacenters: [${d0}, ${d1}] }]`;
    const { spec } = apply(`policy.guards.churnMax=0.02,policy.allowed=${allowed},policy.allowed.0.edge=${e1}`).policy;
    expect(spec.guards).toEqual({ ...policy.spec.guards, churnMax: 0.02 });
    expect(spec.allowed).toEqual([{ edge: e1, datacenters: [d0, d1] }]);
  });
});

test('what was given is not changed', () => {
  apply('capacity.*=2,demand.*=2,rtt.*.*=2,state.*.keep=0,policy.guards.churnMax=0.5');
  expect(bytesOf({ world, policy, statesOf: (states) => states })).toBe(untouched);
});

describe('an edit is held to what a file may say', () => {
  test.each([
    [
      `demand.${e0}=1,demand.${e0}+=-2`,
      `character ${13 + e0.length - 2}: demand.${e0} += -2 makes 1 rps -1, expected 0..`,
    ],
    ['demand.*=1e300', 'demand.* *= 1e+300 makes'],
    [`rtt.${e0}.${d0}=60001`, `60001, expected 0..60000 ms`],
    ['capacity.*=0', 'every datacenter allowed to edge'],
    ['policy.guards.chrunMax=0', 'character 1: unknown key spec.guards.chrunMax (did you mean "churnMax"?); expected'],
    [
      'demand.*=1,policy.guards.churnMax=5',
      'character 12: spec.guards.churnMax is 5, expected 0..1; write 0.05 for 5 %',
    ],
    ['policy.guards.damping=1,policy.guards.churnMax*=50', 'character 25: spec.guards.churnMax is 2.5, expected 0..1'],
    ['policy.objective*=2', 'spec.objective is "balance", expected a number for *=; set it with ='],
    ['policy.price*=2', 'spec.price is not given, expected a number for *=; set it with ='],
    ['policy.objective.x=2', 'spec.objective is "balance" and holds no x; end the key there'],
    ['policy.pins.0.fraction=1', 'spec.pins is a list of 0, expected a number below that after it'],
    ['policy.constructor.name=x', 'unknown key spec.constructor'],
    ['policy.guards.shareMax=0.3', 'spec.guards.shareMax is 0.3, too small'],
    [`policy.allowed=[{ edge: nowhere, datacenters: [${d0}] }]`, 'names unknown edge "nowhere"'],
  ])('%s', (text, expected) => {
    const complaint = complaintOf(() => apply(text));
    expect(complaint).toMatch(/^--what-if: /);
    expect(complaint).toContain(expected);
  });
});

/** An edit of something known, and what it touches. */
const someEdit = fc
  .record({
    target: fc.constantFrom(
      ...[d0, d1, d2].map((id) => `capacity.${id}`),
      ...[e0, e1, e2].map((id) => `demand.${id}`),
      ...[d0, d1].map((id) => `state.${id}.keep`),
      ...[e0, e2].map((id) => `rtt.${id}.${d1}`),
      ...['capacity.*', 'demand.*', 'rtt.*.*', `rtt.${e0}.*`, 'state.*.keep'],
      ...['policy.guards.churnMax', 'policy.guards.onloadMax', 'policy.movePriceMs', 'policy.utilizationMax'],
    ),
    operator: fc.constantFrom(' =', ' *=', ' +='),
    value: fc.double({ min: 0.3, max: 0.9, noNaN: true }),
  })
  .map(({ target, operator, value }) => {
    const isShare =
      target.startsWith('state') || target.startsWith('policy.guards') || target === 'policy.utilizationMax';
    return `${target}${isShare && operator === ' +=' ? ' =' : operator}${value}`;
  });

const touches = (edit: Edit): string[] =>
  edit.kind === 'policy' ? [edit.path.join('.')] : edit.indices.map((i) => `${edit.kind} ${i}`);

test('edits of different things commute', () => {
  fc.assert(
    fc.property(someEdit, someEdit, (a, b) => {
      const [first, second] = parseEdits(`${a},${b}`, topology) as [Edit, Edit];
      fc.pre(!touches(first).some((thing) => touches(second).includes(thing)));
      expect(bytesOf(apply(`${a},${b}`))).toBe(bytesOf(apply(`${b},${a}`)));
    }),
    { numRuns: 300 },
  );
});

test('several edits are the same as one after the other', () => {
  fc.assert(
    fc.property(fc.array(someEdit, { minLength: 1, maxLength: 5 }), (edits) => {
      const steps = edits.reduce<WhatIf>(
        (before, edit) => {
          const after = apply(edit, before.world, before.policy);
          return { ...after, statesOf: (states) => after.statesOf(before.statesOf(states)) };
        },
        { world, policy, statesOf: (states) => states },
      );
      expect(bytesOf(apply(edits.join(',')))).toBe(bytesOf(steps));
    }),
    { numRuns: 300 },
  );
});
