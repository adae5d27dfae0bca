/** Every key of a policy spoiled, one at a time, and the extremes of all keys together: refused with its place, or planned
 *  with, to a table that is whole. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Policy, parsePolicy } from '../../config/policy.ts';
import { checkPolicyFor } from '../../config/policy-topology.ts';
import { calmRps, fleet, madeOrRefused, planned } from './fleet.ts';
import { anyNasty, nastyValues, type Path, pathsOf, runs, spoiled, yamlOf } from './nasty.ts';

const whole = {
  apiVersion: 'taiji/v1',
  kind: 'Policy',
  metadata: { service: 'web' },
  spec: {
    traffic: { kind: 'stateless' },
    epoch: '5m',
    objective: 'priced',
    price: [
      [0.6, 1],
      [0.8, 20],
    ],
    utilizationMax: 1,
    emergencyMax: null,
    latencyMsMax: 100,
    latencyMsP95Max: 90,
    resources: { requests: 1 },
    forbidden: [{ edge: 'e2', datacenters: ['d1'] }],
    allowed: [{ edge: 'e0', datacenters: ['d0', 'd1'] }],
    pins: [{ edge: 'e1', datacenter: 'd1', fraction: 0.25, until: '2026-03-05T00:00:00Z' }],
    movePriceMs: 1,
    localityPriceMs: 0,
    forecast: 'last',
    guards: {
      onloadMax: 0.04,
      shareMax: 1,
      minShift: 0.01,
      damping: 0.8,
      balanceTolerance: 0.005,
      churnMax: 0.05,
      holdDown: '10m',
    },
    buckets: { segmentLevel: 3, assignment: 'friends', localityBudget: 0.15 },
    approval: 'none',
    assert: ['utilizationMax < 0.85'],
  },
};

/** Null where it is refused by name. */
function policyFrom(document: unknown): Policy | null {
  return madeOrRefused(/^(p\.yaml(:\d+)?: |policy ")/, () => {
    const policy = parsePolicy(yamlOf(document), 'p.yaml');
    checkPolicyFor(policy, fleet, 'p.yaml');
    return policy;
  });
}

async function plannedOrRefused(document: unknown): Promise<boolean> {
  const policy = policyFrom(document);
  if (policy) await planned({ policy, demandRps: calmRps });
  return policy !== null;
}

test('the document that is spoiled is a good one', async () => {
  expect(await plannedOrRefused(whole)).toBe(true);
});

test('each key with each nasty value, and without: refused with its place, or planned with', async () => {
  const seen = new Set<string>();
  for (const path of pathsOf(whole)) {
    for (const value of [...nastyValues, undefined]) {
      const policy = policyFrom(spoiled(whole, path, value));
      if (!policy) continue;
      const effect = JSON.stringify(policy.spec);
      if (seen.has(effect)) continue;
      seen.add(effect);
      await at(path, value, () => planned({ policy, demandRps: calmRps }));
    }
  }
  expect(seen.size).toBeGreaterThan(40);
}, 240_000);

test('a key given twice is refused, at any depth', () => {
  const text = yamlOf(whole);
  for (const key of ['apiVersion', 'epoch', 'churnMax', 'segmentLevel', 'fraction']) {
    const twice = text.replace(`"${key}":`, `"${key}": 1, "${key}":`);
    expect(madeOrRefused(/^p\.yaml:\d+: not valid YAML: /, () => parsePolicy(twice, 'p.yaml'))).toBe(null);
  }
});

test.each([10, 1000, 100_000])('a nest of %i brackets is refused in one line', (depth) => {
  for (const [open, close] of [
    ['[', ']'],
    ['{a: ', '}'],
  ] as const) {
    const text = `spec: ${open.repeat(depth)}1${close.repeat(depth)}`;
    expect(madeOrRefused(/^p\.yaml(:\d+)?: /, () => parsePolicy(text, 'p.yaml'))).toBe(null);
  }
});

test('several keys at once, whatever stands there', async () => {
  const paths = pathsOf(whole.spec).map((path) => ['spec', ...path]);
  const spoils = fc.array(fc.tuple(fc.constantFrom(...paths), anyNasty), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(spoils, async (all) => {
      let document: unknown = whole;
      for (const [path, value] of all) {
        if (pathsOf(document).some((known) => known.join('/') === path.join('/')))
          document = spoiled(document, path, value);
      }
      await plannedOrRefused(document);
    }),
    runs(300),
  );
});

const share = fc.constantFrom(0, 1e-12, 1e-6, 0.001, 0.3, 0.999999, 1);
const ms = fc.constantFrom(0, 1e-9, 0.001, 1, 1000, 1e6, 1e12);

test('legal extremes of all keys together: always a whole table or a stated outcome', async () => {
  const spec = fc.record(
    {
      traffic: fc.constantFrom<object>({ kind: 'stateless' }, { kind: 'sticky', sessionLifetime: '1ms' }),
      objective: fc.constantFrom('balance', 'closest-first', 'priced'),
      utilizationMax: fc.constantFrom(1e-9, 0.001, 0.5, 1, 2),
      emergencyMax: fc.constantFrom(null, null, null, 1e-9, 2),
      latencyMsMax: fc.constantFrom(null, 1e-9, 15, 40, 1e9),
      latencyMsP95Max: fc.constantFrom(null, 1e-9, 25, 1e9),
      resources: fc.constantFrom({ requests: 1 }, { requests: 1e-6 }, { requests: 1e9 }),
      forbidden: fc.constantFrom([], [], [], [{ edge: 'e0', datacenters: ['d1'] }]),
      allowed: fc.constantFrom(
        [],
        [{ edge: 'e0', datacenters: ['d1'] }],
        [
          { edge: 'e0', datacenters: ['d0'] },
          { edge: 'e1', datacenters: ['d0'] },
          { edge: 'e2', datacenters: ['d0'] },
        ],
      ),
      pins: fc.constantFrom(
        [],
        [
          { edge: 'e1', datacenter: 'd0', fraction: 0.5 },
          { edge: 'e1', datacenter: 'd1', fraction: 0.5 },
        ],
        [{ edge: 'e2', datacenter: 'd1', fraction: 1 }],
        [{ edge: 'e2', datacenter: 'd1', fraction: 0 }],
        [{ edge: 'e2', datacenter: 'd1', fraction: 1e-9 }],
      ),
      movePriceMs: ms,
      localityPriceMs: fc.constantFrom(0, 0, 1e-9, 5, 1e12),
      guards: fc.record({
        onloadMax: share,
        shareMax: fc.constantFrom(0.5, 0.500001, 0.7, 1),
        minShift: share,
        damping: fc.constantFrom(1e-12, 1e-6, 0.01, 0.8, 1),
        balanceTolerance: share,
        churnMax: share,
        holdDown: fc.constantFrom('0s', '1ms', '10m', '3650d'),
      }),
      buckets: fc.record({
        segmentLevel: fc.constantFrom(0, 1, 5, 20),
        assignment: fc.constantFrom('friends', 'segments'),
      }),
    },
    { noNullPrototype: true },
  );
  const price = fc.constantFrom(
    undefined,
    [],
    [[0, 0]],
    [[0, 1e12]],
    [
      [0, 0],
      [1e-9, 1e-9],
      [1e9, 1e9],
    ],
    [
      [0.1, 1e-9],
      [0.1000000001, 1e12],
    ],
  );
  const rps = fc.array(fc.constantFrom(0, 1e-6, 1, 50, 499.5, 1000, 1e9), { minLength: 3, maxLength: 3 });
  let plannedRuns = 0;
  await fc.assert(
    fc.asyncProperty(spec, price, fc.array(rps, { minLength: 3, maxLength: 3 }), async (keys, ladder, demand) => {
      const stated = { ...keys, ...(keys.objective === 'priced' && ladder && { price: ladder }) };
      const policy = policyFrom({ ...whole, spec: stated });
      if (!policy) return;
      plannedRuns += 1;
      await planned({ policy, demandRps: demand.map((row) => Float64Array.from(row)) });
    }),
    runs(300),
  );
  expect(plannedRuns).toBeGreaterThan(25);
});

async function at(path: Path, value: unknown, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    throw new Error(`${path.join('.')} = ${yamlOf(value)?.slice(0, 80)}: ${error}`, { cause: error });
  }
}
