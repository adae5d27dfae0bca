/** Every key of an intent and of a server's config spoiled: refused with its place, or taken and acted on. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseDocument } from '../../config/document.ts';
import { durationMs } from '../../config/duration.ts';
import { checkIntent } from '../../config/intent.ts';
import { parsePolicy } from '../../config/policy.ts';
import { parseYaml } from '../../config/yaml.ts';
import { calmRps, madeOrRefused, planned } from './fleet.ts';
import { nastyValues, pathsOf, spoiled, yamlOf } from './nasty.ts';

const policy = parsePolicy('{ apiVersion: taiji/v1, kind: Policy, metadata: { service: web } }', 'p');
const common = { id: 'i1', author: 'ann', reason: 'power work', priority: 'manual', until: '2026-03-05T12:00:00Z' };
const intents = [
  { kind: 'drain', ...common, datacenter: 'd0', keep: 0.5 },
  { kind: 'freeze', ...common },
  { kind: 'shift', ...common, edge: 'e0', from: 'd0', to: 'd1', fraction: 0.5 },
  { kind: 'override', ...common, edge: 'e0', datacenter: 'd1', fraction: 0.5 },
];

test('each key of each intent with each nasty value: refused with its place, or planned with', async () => {
  let plannedWith = 0;
  for (const intent of intents) {
    for (const path of pathsOf(intent)) {
      for (const value of [...nastyValues, undefined]) {
        const taken = madeOrRefused(/^intent( "[\w.-]+")?: /, () =>
          checkIntent(spoiled(intent, path, value), 'intent'),
        );
        if (!taken) continue;
        plannedWith += 1;
        await planned({ policy, demandRps: calmRps.slice(0, 2), intents: [taken], states: [] });
      }
    }
  }
  expect(plannedWith).toBeGreaterThan(20);
});

const example = parseYaml(
  readFileSync(new URL('../../config/examples/server.yaml', import.meta.url), 'utf8'),
  'server.yaml',
).value as { readonly spec: object };
const topology = { dir: 'world' };
const limits = {
  staleAfter: '10m',
  fillFor: '30m',
  filledShareMax: 0.2,
  jumpFactor: 10,
  rttJumpFactor: 4,
  allocationGapMax: 0.1,
};
const queries = {
  demandRps: 'sum by (edge) (rate(r[2m]))',
  demandObservedAt: 'x',
  datacenterUp: 'y',
  datacenterHealthy: 'z',
  rttMs: 'b',
  rttObservedAt: 'c',
  allocation: 'a',
};
const live = { ...example.spec, clock: { epochWall: '1m' } };
const servers = [
  example,
  { ...example, spec: { ...live, telemetry: { kind: 'push', topology, limits } } },
  {
    ...example,
    spec: {
      ...live,
      telemetry: { kind: 'prometheus', topology, limits, url: 'http://127.0.0.1:9090', queries, timeout: '10s' },
    },
  },
];

test('each key of a server file with each nasty value: refused with its place, or whole', () => {
  let taken = 0;
  const seen = new Set<string>();
  for (const server of servers) {
    expect(parseDocument(yamlOf(server), 's.yaml').kind).toBe('server');
    const others = pathsOf(server).filter(([, key]) => server === example || key === 'telemetry');
    for (const path of others) {
      for (const value of [...nastyValues, undefined]) {
        const text = yamlOf(spoiled(server, path, value));
        if (seen.has(text)) continue;
        seen.add(text);
        const document = madeOrRefused(/^s\.yaml(:\d+)?: /, () => parseDocument(text, 's.yaml'));
        if (document?.kind !== 'server') continue;
        taken += 1;
        JSON.stringify(document.server, (key, inner: unknown) => {
          if (typeof inner === 'number' && !Number.isFinite(inner)) throw new Error(`${key} is ${inner}`);
          if (/^(staleAfter|fillFor|timeout|epochWall)$/.test(key) && typeof inner === 'string') {
            expect(durationMs(inner), `${path.join('.')} = ${value}`).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
          }
          return inner;
        });
      }
    }
  }
  expect(taken).toBeGreaterThan(50);
});
