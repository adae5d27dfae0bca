/** A journal's lines tell whole from torn, and give back what was written. */

import { expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { freshState } from '../../../pipeline/epoch.ts';
import {
  decodeJournal,
  decodeRecord,
  encodeRecord,
  frozenInputs,
  type InputsRecord,
  type OutcomeRecord,
} from '../../../pipeline/replay/journal-record.ts';
import { decodeWeights, encodeWeights } from '../../../pipeline/replay/recorded-weights.ts';
import { policyOf, topologyOf } from '../../scene.ts';

const inputs: InputsRecord = {
  kind: 'inputs',
  epoch: 3,
  startMs: 900_000,
  demandRps: [0.1 + 0.2, 1e-300, 12345.678],
  states: [{ keep: 1, refill: true, cause: 'naïve "quoted"\nline', untilMs: null }],
  intents: [],
  previousSha256: null,
};

const outcome: OutcomeRecord = {
  kind: 'outcome',
  epoch: 3,
  decided: true,
  outcome: 'published',
  reason: null,
  relaxed: [],
  churn: { forced: 0, elective: 0.1, deferred: 0, minimum: 0.1 },
  tableSha256: 'ab',
  bodies: { fra: 'cd' },
  carried: freshState,
  summary: null,
};

test('what was written is read back, one line a record', () => {
  const text = encodeRecord(inputs) + encodeRecord(outcome);
  expect(text.split('\n')).toHaveLength(3);
  expect(decodeJournal(text)).toEqual({ records: [inputs, outcome], lines: 2, bad: null });
  for (const line of text.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('record.epoch', 3);
});

test('a journal cut anywhere gives its whole records and knows that its tail is torn', () => {
  const first = encodeRecord(inputs);
  const text = first + encodeRecord(outcome);
  for (let length = 0; length < text.length; length++) {
    const { records, bad } = decodeJournal(text.slice(0, length));
    expect(records.length, `cut to ${length}`).toBe(length >= first.length ? 1 : 0);
    expect(bad?.torn ?? true, `cut to ${length}`).toBe(true);
    expect(bad === null, `cut to ${length}`).toBe(length === 0 || length === first.length);
  }
});

test('a line with one character altered is not a record', () => {
  const line = encodeRecord(outcome).trimEnd();
  for (let at = 0; at < line.length; at++) {
    const altered = line.slice(0, at) + (line[at] === 'x' ? 'y' : 'x') + line.slice(at + 1);
    expect(decodeRecord(altered), `character ${at}`).toBe(null);
  }
});

test('a bad line before whole ones is damage, not a torn tail', () => {
  const { records, bad } = decodeJournal(`${encodeRecord(inputs)}{"sha256":"0"\n${encodeRecord(outcome)}`);
  expect(records).toEqual([inputs]);
  expect(bad).toEqual({ line: 2, torn: false });
});

test('an epoch is planned on exactly what its record says, also for numbers JSON spells another way', () => {
  const base = {
    topology: topologyOf(3, [10]),
    policy: policyOf(),
    previous: null,
    carried: freshState,
    treeVersion: 'tree',
  };
  const frozen = frozenInputs({ ...inputs, demandRps: [-0, 0.1 + 0.2, 5e-324] }, base);
  expect(Object.is(frozen.demandRps[0], 0)).toBe(true);
  const read = decodeRecord(encodeRecord({ ...inputs, demandRps: [-0, 0.1 + 0.2, 5e-324] }).trimEnd());
  expect(frozenInputs(read as InputsRecord, base)).toEqual(frozen);
});

test('bucket weights read back to the same bits under the same digest', () => {
  const random = seededRandom('weights');
  const byEdge = Array.from({ length: 4 }, () => ({
    bucket: Uint16Array.from({ length: 50 }, (_, i) => i * 3),
    weight: Float64Array.from({ length: 50 }, () => random() / 7),
  }));
  const edgeWeight = Float64Array.from({ length: 4 }, () => random() * 1e9);
  const { text, sha256 } = encodeWeights({ byEdge, edgeWeight });
  expect(decodeWeights(text)).toEqual({ byEdge, edgeWeight });
  expect(encodeWeights(decodeWeights(text)).sha256).toBe(sha256);
});
