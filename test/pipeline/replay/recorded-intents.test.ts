import { expect, test } from 'vitest';
import { encodeRecord, type InputsRecord } from '../../../pipeline/replay/journal-record.ts';
import { intentsIn } from '../../../pipeline/replay/recorded-intents.ts';
import { intentOf } from '../intent-pairs.ts';

const drain = intentOf({ kind: 'drain', id: 'power', datacenter: 'd0' });
const freeze = intentOf({ kind: 'freeze', id: 'launch', until: '1970-01-01T01:00:00Z' });

function inputsAt(epoch: number, intents: InputsRecord['intents']): string {
  const record: InputsRecord = {
    kind: 'inputs',
    epoch,
    startMs: epoch * 300_000,
    demandRps: [1],
    states: [],
    intents,
    previousSha256: null,
  };
  return encodeRecord(record);
}

test('a list is read, and what the control plane lists', () => {
  const text = JSON.stringify([drain, freeze]);
  expect(intentsIn(text, 'f', false)).toEqual([drain, freeze]);
  expect(intentsIn(JSON.stringify({ intents: [drain], waiting: [], ended: [] }), 'f', false)).toEqual([drain]);
  expect(intentsIn('- { kind: freeze, id: a, author: ann, reason: x }\n', 'f', false)).toMatchObject([{ id: 'a' }]);
});

test('what is no list of intents is refused with its place', () => {
  expect(() => intentsIn('a: 1\n', 'f.yaml', false)).toThrow(/^f.yaml: no list of intents, expected one/);
  expect(() => intentsIn(JSON.stringify([drain, drain]), 'f', false)).toThrow('f: intent "power" is given twice');
  expect(() => intentsIn('[{ kind: drain }]', 'f', false)).toThrow(/^f: intent 1: id is missing/);
  expect(() => intentsIn('nothing\n', 'f.jsonl', true)).toThrow('f.jsonl: no epoch is recorded there');
});

test('a journal says from when to when each was in force, withdrawn or not', () => {
  const epochs = [[], [drain], [drain, freeze], [freeze], [freeze, drain]];
  const text = epochs.map((intents, epoch) => inputsAt(epoch, intents)).join('');
  expect(intentsIn(text, 'f.jsonl', true)).toEqual([
    { ...drain, since: '1970-01-01T00:05:00Z', until: '1970-01-01T00:15:00Z' },
    { ...freeze, since: '1970-01-01T00:10:00Z' },
    { ...drain, id: 'power.2', since: '1970-01-01T00:20:00Z' },
  ]);
});
