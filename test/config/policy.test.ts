import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../config/errors.ts';
import { parsePolicy } from '../../config/policy.ts';
import { complaintOf } from './small-world.ts';

const policyText = (spec: string): string =>
  `apiVersion: taiji/v1\nkind: Policy\nmetadata: { service: web }\nspec:\n  ${spec.replaceAll('\n', '\n  ')}\n`;

test('what is left out takes the defaults', () => {
  const { spec } = parsePolicy('{ apiVersion: taiji/v1, kind: Policy, metadata: { service: web } }', 'p.yaml');
  expect(spec.guards).toEqual({
    onloadMax: 0.04,
    shareMax: 1,
    minShift: 0.01,
    damping: 0.8,
    balanceTolerance: 0.005,
    churnMax: 0.05,
    holdDown: '10m',
  });
  expect(spec).toMatchObject({
    objective: 'balance',
    epoch: '5m',
    traffic: { kind: 'stateless' },
    allowed: [],
    pins: [],
  });
});

test('JSON is taken as well, and names are told apart by what they say, not by how their accents are coded', () => {
  const text = JSON.stringify({
    apiVersion: 'taiji/v1',
    kind: 'Policy',
    metadata: { service: 'web' },
    spec: { allowed: [{ edge: 'bogota\u0301', datacenters: ['d'] }] },
  });
  expect(parsePolicy(text, 'p.json').spec.allowed[0]!.edge).toBe('bogot\u00e1');
});

describe('a bad policy is refused with place, value, what is expected and how to mend it', () => {
  test.each([
    ['guards: { churnMax: 5 }', 'spec.guards.churnMax is 5, expected 0..1; write 0.05 for 5 %'],
    ['guards: { churnMax: 5% }', 'spec.guards.churnMax is "5%", expected 0..1; write 0.05 for 5 %'],
    ['guards: { churnMax: "0.05" }', 'spec.guards.churnMax is "0.05", expected 0..1; write it without quotes'],
    ['guards: { churnMax: -0.1 }', 'spec.guards.churnMax is -0.1, expected 0..1'],
    ['guards: { churnMax: .nan }', 'spec.guards.churnMax is NaN, expected 0..1'],
    ['guards: { churnMax: .inf }', 'spec.guards.churnMax is Infinity, expected 0..1'],
    ['guards: { churnMax: }', 'spec.guards.churnMax is empty, expected 0..1'],
    [
      'guards: { churnMx: 0.05 }',
      'unknown key spec.guards.churnMx (did you mean "churnMax"?); expected onloadMax, shareMax, minShift',
    ],
    ['guards: 3', 'spec.guards is 3, expected a map of onloadMax, shareMax,'],
    ['guards: { damping: 0 }', 'spec.guards.damping is 0, expected a number above 0 and at most 1'],
    ['utilizationMax: 80', 'spec.utilizationMax is 80, expected a number above 0 and at most 2; write 0.8 for 80 %'],
    ['epoch: 5', 'spec.epoch is 5, expected a duration such as 30s, 5m, 2h or 1d; write 5s or 5m'],
    ['epoch: 5 minutes', 'spec.epoch is "5 minutes", expected a duration such as 30s, 5m, 2h or 1d; write 5m'],
    ['epoch: 0s', 'spec.epoch: 0s is too short or too long, expected a duration above 0 and of at most 7d such as 5m'],
    ['epoch: 30d', 'spec.epoch: 30d is too short or too long, expected a duration above 0 and of at most 7d'],
    [
      'guards: { holdDown: 99999999999d }',
      'spec.guards.holdDown: "99999999999d" is longer than ten years, expected at most',
    ],
    ['latencyMsMax: 0.2s', 'spec.latencyMsMax is "0.2s", expected a number above 0 or null; write 200'],
    [
      'objective: balence',
      'spec.objective is "balence", expected balance or closest-first or priced (did you mean "balance"?)',
    ],
    [
      'traffic: { kind: sticki }',
      'spec.traffic.kind is "sticki", expected stateless or sticky (did you mean "sticky"?)',
    ],
    ['traffic: { kind: sticky }', 'spec.traffic.sessionLifetime is missing, expected a duration'],
    ['traffic: { kind: stateless, sessionLifetime: 5m }', 'unknown key spec.traffic.sessionLifetime; expected kind'],
    ['buckets: { segmentLevel: 7.5 }', 'spec.buckets.segmentLevel is 7.5, expected a whole number 0..20'],
    ['allowed: [{ edge: a b, datacenters: [c] }]', 'spec.allowed[0].edge is "a b", expected a name of 1 to 63 letters'],
    ['allowed: [{ edge: a, datacenters: [] }]', 'spec.allowed[0].datacenters is an empty list, expected a list of at'],
    [
      'allowed: [{ edge: a, datacenters: [b] }, { edge: a, datacenters: [c] }]',
      'spec.allowed[1]: edge "a" is given twice; put its datacenters into one list',
    ],
    [
      'pins: [{ edge: a, datacenter: b, fraction: 0.7 }, { edge: a, datacenter: c, fraction: 0.5 }]',
      'spec.pins[1]: the pins of edge "a" sum to 1.2, expected at most 1; lower a fraction',
    ],
    [
      'pins: [{ edge: a, datacenter: b, fraction: 0.1 }, { edge: a, datacenter: b, fraction: 0.2 }]',
      'spec.pins[1]: edge "a" is pinned to "b" twice; keep one',
    ],
    [
      'allowed: [{ edge: a, datacenters: [c] }]\npins: [{ edge: a, datacenter: b, fraction: 0.1 }]',
      'spec.pins[0]: edge "a" is pinned to "b", which its allowed list leaves out; add it there or remove the pin',
    ],
    [
      'pins: [{ edge: a, datacenter: b, fraction: 0.1, until: tomorrow }]',
      'spec.pins[0].until is "tomorrow", expected an RFC 3339 time in UTC such as 2026-03-05T00:00:00Z',
    ],
    ['price: [[0.6, 1]]', 'spec.price: a price is given but the objective is balance; remove it or write'],
    ['objective: priced\nprice: [[0.6, 1], [0.5, 2]]', 'spec.price[1]: [0.5, 2] after [0.6, 1], expected both to rise'],
    ['objective: priced\nprice: [[0.6]]', 'spec.price[0] is a list of 1, expected a list of 2'],
  ])('%s', (spec, expected) => {
    const message = complaintOf(() => parsePolicy(policyText(spec), 'web.yaml'));
    expect(message).toContain(`policy "web": ${expected}`);
    expect(message).toMatch(/^web\.yaml:[5-6]: /);
    expect(message).not.toContain('\n');
  });

  test.each([
    ['', 'p.yaml:1: policy: the document is empty, expected a map of apiVersion, kind, metadata, spec'],
    ['[1]', 'p.yaml:1: policy: the document is a list of 1, expected a map'],
    ['a: 1\na: 2', 'p.yaml:2: not valid YAML: Map keys must be unique'],
    ['a: 1\n---\nb: 2', 'p.yaml:2: not valid YAML: a second document begins; one file holds one'],
    ['a: [1', 'p.yaml:1: not valid YAML: '],
    ['a: &x [*x]', 'p.yaml'],
    [
      'apiVersion: taiji/v2\nkind: Policy\nmetadata: { service: w }',
      'p.yaml:1: policy "w": apiVersion is "taiji/v2", expected "taiji/v1"',
    ],
    ['apiVersion: taiji/v1\nkind: Policy', 'p.yaml:1: policy: metadata is missing, expected a map of service'],
    ['"a\\nb": 1', 'p.yaml:1: policy: unknown key "a\\nb"; expected apiVersion'],
    ['__proto__: { service: w }', 'p.yaml:1: policy: unknown key __proto__; expected apiVersion'],
  ])('%j', (text, expected) => {
    const message = complaintOf(() => parsePolicy(text, 'p.yaml'));
    expect(message).toContain(expected);
    expect(message).not.toContain('\n');
  });

  test('whatever characters are changed, cut or added: a policy or one line, nothing else', () => {
    const whole = readFileSync(new URL('../../config/examples/policy.yaml', import.meta.url), 'utf8').replace(
      /^ *#.*\n/gm,
      '',
    );
    const snippet = fc.string({
      unit: fc.constantFrom(':', ' ', '\n', '-', '[', '}', '&', '*', '!', '"', '9', '%', '~', '\t'),
    });
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 12 }), snippet, (from, length, text) => {
        const at = from % (whole.length + 1);
        try {
          const policy = parsePolicy(whole.slice(0, at) + text + whole.slice(at + length), 'p.yaml');
          expect(policy.spec.guards.churnMax).toBeLessThanOrEqual(1);
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          expect(error.message).toMatch(/^p\.yaml(:\d+)?: [^\n]+$/);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a nest of aliases is refused before it fills the memory', () => {
    const layers = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`);
    expect(complaintOf(() => parsePolicy(['a0: &a0 [x]', ...layers].join('\n'), 'p.yaml'))).toContain('alias');
  });

  test('the line is that of the key, and further mistakes are counted', () => {
    const text = policyText('objective: balance\nguards:\n  onloadMax: 0.04\n  churnMax: 5\n  minShift: 2');
    expect(complaintOf(() => parsePolicy(text, 'web.yaml'))).toBe(
      'web.yaml:9: policy "web": spec.guards.minShift is 2, expected 0..1; write 0.02 for 2 % (and 1 more)',
    );
  });
});
