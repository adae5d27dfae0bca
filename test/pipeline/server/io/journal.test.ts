/** The journal on real files and real failures: on the disk before it says so, readable whatever happened. */

import { appendFileSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freshState } from '../../../../pipeline/epoch.ts';
import {
  type CheckpointRecord,
  decodeJournal,
  type InputsRecord,
  type OutcomeRecord,
  plainTopology,
} from '../../../../pipeline/replay/journal-record.ts';
import { Journal, type JournalSettings, journalFiles, recentRecords } from '../../../../pipeline/server/io/journal.ts';
import { scratchDirectory } from '../../../config/small-world.ts';
import { policyOf, topologyOf } from '../../../scene.ts';

const { service } = policyOf().metadata;
const settings: JournalSettings = { epochsPerFile: 3, bytesPerFile: 1_000_000, filesKept: 4, deadlineMs: 30_000 };
const checkpoint = async (): Promise<CheckpointRecord> => ({
  kind: 'checkpoint',
  format: 3,
  topology: plainTopology(topologyOf(1, [1])),
  policy: policyOf(),
  treeVersion: 't',
  weightsSha256: 'w',
  engine: 'highs',
  previous: null,
  carried: freshState,
});
const inputsOf = (epoch: number): InputsRecord => ({
  kind: 'inputs',
  epoch,
  startMs: epoch,
  demandRps: [1],
  states: [],
  intents: [],
  previousSha256: null,
});
const outcomeOf = (epoch: number): OutcomeRecord => ({
  kind: 'outcome',
  epoch,
  decided: true,
  outcome: 'unchanged',
  reason: null,
  relaxed: [],
  churn: null,
  tableSha256: null,
  bodies: {},
  carried: freshState,
  summary: { epoch },
});

async function recordEpochs(journal: Journal, from: number, to: number): Promise<void> {
  for (let epoch = from; epoch < to; epoch++) {
    await journal.recordInputs(inputsOf(epoch), checkpoint);
    await journal.recordOutcome(outcomeOf(epoch));
  }
}
/** Closed after the test. */
function journalIn(...parts: ConstructorParameters<typeof Journal>): Journal {
  const journal = new Journal(...parts);
  onTestFinished(() => journal.close());
  return journal;
}

const kindsOf = (path: string): string[] =>
  decodeJournal(readFileSync(path, 'utf8')).records.map((record) =>
    'epoch' in record ? `${record.kind} ${record.epoch}` : record.kind,
  );

test('a record is in the file once its promise resolves', async () => {
  const directory = scratchDirectory();
  const journal = journalIn(directory, 9, settings);
  await journal.recordInputs(inputsOf(0), checkpoint);
  const [path] = await journalFiles(directory);
  expect(kindsOf(path!)).toEqual(['checkpoint', 'inputs 0']);
  await journal.recordOutcome(outcomeOf(0));
  expect(kindsOf(path!)).toEqual(['checkpoint', 'inputs 0', 'outcome 0']);
  expect(journal.bytes).toBe(statSync(path!).size);
  expect(statSync(path!).mode & 0o777).toBe(0o600);
});

test('every file starts with a checkpoint, holds whole epochs, and old files go', async () => {
  const directory = scratchDirectory();
  const journal = journalIn(directory, 9, settings);
  await recordEpochs(journal, 0, 20);
  const files = await journalFiles(directory);
  expect(files.map((path) => kindsOf(path)[1])).toEqual(['inputs 9', 'inputs 12', 'inputs 15', 'inputs 18']);
  for (const path of files) expect(kindsOf(path)[0]).toBe('checkpoint');
});

test('a file that grew over its size ends with its epoch', async () => {
  const directory = scratchDirectory();
  const journal = journalIn(directory, 9, { ...settings, epochsPerFile: 100, bytesPerFile: 4096 });
  await recordEpochs(journal, 0, 30);
  for (const path of await journalFiles(directory)) {
    const kinds = kindsOf(path);
    expect(kinds[0]).toBe('checkpoint');
    expect(kinds.at(-1)).toMatch(/^outcome/);
    expect(statSync(path).size).toBeLessThan(8192);
  }
});

test('a disk without room (the real one of the kernel) fails each record, and the next epoch tries a new file', async () => {
  const directory = scratchDirectory();
  let isFull = true;
  const journal = journalIn(directory, 9, settings, (path, flags, mode) =>
    isFull ? open('/dev/full', 'a') : open(path, flags, mode),
  );
  await expect(journal.recordInputs(inputsOf(0), checkpoint)).rejects.toThrow('ENOSPC');
  await expect(journal.recordOutcome(outcomeOf(0))).rejects.toThrow('not recorded');
  await expect(journal.recordInputs(inputsOf(1), checkpoint)).rejects.toThrow('ENOSPC');
  isFull = false;
  await recordEpochs(journal, 2, 3);
  expect((await journalFiles(directory)).map(kindsOf)).toEqual([['checkpoint', 'inputs 2', 'outcome 2']]);
});

test('a write that fails half-way gives up its file; what follows is in a file that replays alone', async () => {
  const directory = scratchDirectory();
  let writes = 0;
  const journal = journalIn(directory, 9, settings, async (path, flags, mode) => {
    const file = await open(path, flags, mode);
    return {
      writeFile: async (data) => {
        if (++writes !== 3) return file.writeFile(data);
        await file.writeFile((data as Buffer).subarray(0, 40));
        throw new Error('EIO');
      },
      sync: () => file.sync(),
      close: () => file.close(),
    };
  });
  await recordEpochs(journal, 0, 1);
  await expect(journal.recordInputs(inputsOf(1), checkpoint)).rejects.toThrow('EIO');
  await recordEpochs(journal, 2, 4);
  const [torn, whole] = await journalFiles(directory);
  expect(decodeJournal(readFileSync(torn!, 'utf8')).bad).toEqual({ line: 4, torn: true });
  expect(kindsOf(torn!)).toEqual(['checkpoint', 'inputs 0', 'outcome 0']);
  expect(kindsOf(whole!)).toEqual(['checkpoint', 'inputs 2', 'outcome 2', 'inputs 3', 'outcome 3']);
});

test('a disk that hangs fails at the deadline, and its late writes spoil no later file', async () => {
  const directory = scratchDirectory();
  let release: () => void = () => {};
  const hang = new Promise<void>((resolve) => {
    release = resolve;
  });
  let syncs = 0;
  const journal = journalIn(directory, 9, { ...settings, deadlineMs: 700 }, async (path, flags, mode) => {
    const file = await open(path, flags, mode);
    return {
      writeFile: (data) => file.writeFile(data),
      sync: () => (++syncs === 1 ? hang : file.sync()),
      close: () => file.close(),
    };
  });
  await expect(journal.recordInputs(inputsOf(0), checkpoint)).rejects.toThrow('no answer from the disk within 700 ms');
  await expect(journal.recordOutcome(outcomeOf(0))).rejects.toThrow('not recorded');
  release();
  await recordEpochs(journal, 1, 2);
  const [late, whole] = await journalFiles(directory);
  expect(kindsOf(late!)).toEqual(['checkpoint', 'inputs 0']);
  expect(kindsOf(whole!)).toEqual(['checkpoint', 'inputs 1', 'outcome 1']);
});

test('the newest outcomes are found over files, torn tails and empty files', async () => {
  const directory = scratchDirectory();
  await recordEpochs(journalIn(directory, 9, settings), 0, 5);
  const [, second] = await journalFiles(directory);
  appendFileSync(second!, '{"sha256":"torn');
  appendFileSync(join(directory, '000000000005-9.jsonl'), '');
  const epochs = async (count: number) =>
    (await recentRecords(directory, service, count)).outcomes.map(({ epoch }) => epoch);
  expect(await epochs(10)).toEqual([0, 1, 2, 3, 4]);
  expect(await epochs(3)).toEqual([2, 3, 4]);
  expect(await recentRecords(join(directory, 'absent'), service, 3)).toEqual({ outcomes: [], last: null });
  expect(readdirSync(directory)).toHaveLength(3);
});

test('a disk that fails epoch after epoch costs none of the history it already holds, and leaves no empty files', async () => {
  const directory = scratchDirectory();
  const settings = { epochsPerFile: 1, bytesPerFile: 1_000_000, filesKept: 3, deadlineMs: 5_000 };
  const healthy = new Journal(directory, 1, settings);
  for (let epoch = 0; epoch < 3; epoch++) await healthy.recordInputs(inputsOf(epoch), checkpoint);
  await healthy.close();
  const kept = readdirSync(directory).sort();
  expect(kept.length).toBe(3);
  const full = new Journal(directory, 2, settings, async (path, flags, mode) => {
    const handle = await open(path, flags, mode);
    return {
      writeFile: () => Promise.reject(new Error('ENOSPC')),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  });
  for (let epoch = 3; epoch < 9; epoch++) {
    await expect(full.recordInputs(inputsOf(epoch), checkpoint)).rejects.toThrow('ENOSPC');
  }
  expect(readdirSync(directory).sort()).toEqual(kept);
});
