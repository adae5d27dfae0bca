/** The verdict on a canary: sure where there is enough to be sure of, the same as counting would say, and silent else. */

import { expect, test } from 'vitest';
import { datacenterId, edgeId } from '../../../config/ids.ts';
import { seededRandom } from '../../../config/random.ts';
import {
  type CanaryRecord,
  canaryTable,
  type Evidence,
  noRecord,
  verdictOf,
  withHealth,
} from '../../../pipeline/publish/canary.ts';

const limits = { forMs: 900_000, errorRateRiseMax: 0.005, latencyMsRiseMax: 10 };

/** Reports of 1000 requests each, with noise around the truth. */
function told(random: () => number, errorRate: number, latencyMs: number, reports: number): CanaryRecord {
  let record = noRecord;
  for (let i = 0; i < reports; i++) {
    let errors = 0;
    for (let request = 0; request < 1000; request++) if (random() < errorRate) errors += 1;
    record = withHealth(record, { requests: 1000, errors, latencyMs: latencyMs + 4 * (random() - 0.5) });
  }
  return record;
}

function evidence(random: () => number, errors: readonly number[], latency: readonly number[], reports = 20): Evidence {
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => told(random, errors[i]!, latency[i]!, reports));
  return { canary: { before: a!, during: b! }, control: { before: c!, during: d! } };
}

test.each([
  ['nothing rises', [0.002, 0.002, 0.002, 0.002], [40, 40, 90, 90], 'good'],
  ['all rise alike, as in a busy hour', [0.002, 0.02, 0.002, 0.02], [40, 70, 90, 120], 'good'],
  ['an edge that always was worse', [0.02, 0.02, 0.001, 0.001], [150, 150, 20, 20], 'good'],
  ['its errors rise', [0.002, 0.02, 0.002, 0.002], [40, 40, 90, 90], 'bad'],
  ['its latency rises', [0.002, 0.002, 0.002, 0.002], [40, 60, 90, 90], 'bad'],
  ['the others recover and it does not', [0.02, 0.02, 0.02, 0.002], [40, 40, 90, 90], 'bad'],
  ['its errors rise by about what is allowed', [0.002, 0.007, 0.002, 0.002], [40, 40, 90, 90], 'unknown'],
])('%s', (_, errors, latency, kind) => {
  for (const seed of ['a', 'b', 'c']) {
    const verdict = verdictOf(evidence(seededRandom(seed), errors, latency, 60), limits);
    expect(verdict.kind, `${seed}: ${verdict.detail}`).toBe(kind);
  }
});

test('a good table is returned, and a bad one passed, about as rarely as two standard deviations say', () => {
  const random = seededRandom('rates');
  let [wronglyBad, wronglyGood] = [0, 0];
  const trials = 150;
  for (let i = 0; i < trials; i++) {
    const truth = (rate: number) => evidence(random, [0.002, rate, 0.002, 0.002], [40, 40, 90, 90]);
    // Exactly at the limit: bad and good are both wrong one time in forty.
    const { kind } = verdictOf(truth(0.007), { ...limits, latencyMsRiseMax: 1000 });
    if (kind === 'bad') wronglyBad += 1;
    if (kind === 'good') wronglyGood += 1;
  }
  expect(wronglyBad / trials).toBeLessThan(0.08);
  expect(wronglyGood / trials).toBeLessThan(0.08);
});

test('too little of any of the four is no verdict, and says of whom', () => {
  const enough = told(seededRandom('enough'), 0.002, 40, 20);
  const thin = { ...enough, requests: 99 };
  const few = { ...enough, reports: 2 };
  const all = { canary: { before: enough, during: enough }, control: { before: enough, during: enough } };
  expect(verdictOf(all, limits).kind).toBe('good');
  expect(verdictOf({ ...all, canary: { before: enough, during: thin } }, limits)).toEqual({
    kind: 'unknown',
    detail: 'the canary edges since told of 99 requests in 20 reports, expected at least 100 in 3',
  });
  expect(verdictOf({ ...all, control: { before: few, during: enough } }, limits).detail).toContain(
    'control edges before',
  );
});

test("a canary's table is the new one at its edges and the old one elsewhere", () => {
  const [fra, nyc] = [edgeId('fra', 'test'), edgeId('nyc', 'test')];
  const base = {
    ...{ treeVersion: 'tree', height: 1, targets: [{ datacenter: datacenterId('dublin', 'test') }], edges: [fra, nyc] },
    byEdge: [Uint8Array.of(0, 0), Uint8Array.of(0, 0)],
  };
  const next = { ...base, byEdge: [Uint8Array.of(1, 1), Uint8Array.of(1, 0)] };
  const mixed = canaryTable(base, next, new Set(['nyc']));
  expect(mixed.byEdge[0]).toBe(base.byEdge[0]);
  expect(mixed.byEdge[1]).toBe(next.byEdge[1]);
});
