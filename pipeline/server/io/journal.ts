/** The journal on disk: what each epoch was planned from, on the disk before it is planned; what came of it, after.
 *  Append-only files that each start with a checkpoint and replay alone.
 *
 *  A write that fails or takes too long gives up the file, half a line or not: the next epoch starts a new one. So a
 *  failing disk costs records, never an epoch, and never the readability of what is recorded later. */

import { type FileHandle, open, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { compareIds } from '../../../config/ids.ts';
import { makePrivateDirectory, privateFileMode, syncDirectory } from '../../publish/io/durable-file.ts';
import { inTime } from '../../publish/io/in-time.ts';
import {
  type CheckpointRecord,
  checkpointsIn,
  decodeJournal,
  decodeRecord,
  encodeRecord,
  type GroupCheckpointRecord,
  type GroupInputsRecord,
  type GroupOutcomeRecord,
  type InputsRecord,
  inputsIn,
  type OutcomeRecord,
  outcomesIn,
  type RecordedRouting,
  type ReplacedRecord,
} from '../../replay/journal-record.ts';

export interface JournalSettings {
  readonly epochsPerFile: number;
  readonly bytesPerFile: number;
  readonly filesKept: number;
  readonly group?: string; // ends its files' names, where services that share nothing write to one directory
  readonly onPruned?: () => Promise<void>; // old files are gone: what only they named may go too
  readonly deadlineMs: number; // a write slower than this counts as failed
}

type Handle = Pick<FileHandle, 'writeFile' | 'sync' | 'close'>;
type OpenFile = (path: string, flags: string, mode: number) => Promise<Handle>;

interface JournalFile {
  readonly path: string;
  readonly handle: Handle;
  bytes: number;
  epochs: number;
}

export class Journal {
  readonly #directory: string;
  readonly #term: number;
  readonly #settings: JournalSettings;
  readonly #openFile: OpenFile;
  #file: JournalFile | null = null; // the one that takes the next record; null: begin a new one
  #bytes = 0;

  /** `openFile` is fs.open but for tests of disks that fail on command. */
  constructor(directory: string, term: number, settings: JournalSettings, openFile: OpenFile = open) {
    this.#directory = directory;
    this.#term = term;
    this.#settings = settings;
    this.#openFile = openFile;
  }

  /** Written since the start. */
  get bytes(): number {
    return this.#bytes;
  }

  /** On the disk when it resolves. `checkpoint` is asked for where a new file begins; `keepNamed` puts there what the
   *  inputs only name. */
  async recordInputs(
    inputs: InputsRecord | GroupInputsRecord,
    checkpoint: () => Promise<CheckpointRecord | GroupCheckpointRecord>,
    keepNamed: () => Promise<void> = async () => {},
  ): Promise<void> {
    const full =
      this.#file &&
      (this.#file.epochs >= this.#settings.epochsPerFile || this.#file.bytes >= this.#settings.bytesPerFile);
    if (full) await this.close();
    const file = await this.#inTime(async (given) => {
      await keepNamed();
      if (given) {
        await this.#append(given, encodeRecord(inputs));
        return given;
      }
      const begun = await this.#begin(inputs.epoch);
      try {
        await this.#append(begun, encodeRecord(await checkpoint()) + encodeRecord(inputs));
        await syncDirectory(this.#directory);
      } catch (error) {
        await begun.handle.close();
        await rm(begun.path, { force: true }).catch(() => {}); // a file without a checkpoint replays nothing
        throw error;
      }
      // Only now: a disk that fails epoch after epoch must not cost the history it already holds.
      await this.#prune();
      // Not awaited: it reads all kept files, and what is left lying is looked at again with the next one.
      this.#settings.onPruned?.().catch(() => {});
      return begun;
    });
    file.epochs += 1;
    this.#file = file;
  }

  /** Rejects where the inputs of the epoch did not get recorded: an outcome alone replays to nothing. */
  async recordOutcome(outcome: OutcomeRecord | GroupOutcomeRecord): Promise<void> {
    this.#file = await this.#inTime(async (given) => {
      if (!given) throw new Error('the inputs of this epoch were not recorded');
      await this.#append(given, encodeRecord(outcome));
      return given;
    });
  }

  /** Where no file is open there is nothing to tell: the next one begins with the table that is in force then. */
  async recordReplaced(replaced: ReplacedRecord): Promise<void> {
    if (!this.#file) return;
    this.#file = await this.#inTime(async (given) => {
      await this.#append(given!, encodeRecord(replaced));
      return given!;
    });
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.handle.close();
  }

  /** A name no other process and no other epoch uses; code unit order is the order of writing. */
  async #begin(epoch: number): Promise<JournalFile> {
    await makePrivateDirectory(this.#directory);
    const path = join(this.#directory, `${String(epoch).padStart(12, '0')}-${this.#term}${this.#ending}`);
    return { handle: await this.#openFile(path, 'ax', privateFileMode), path, bytes: 0, epochs: 0 };
  }

  get #ending(): string {
    const { group } = this.#settings;
    return `${group === undefined ? '' : `-${encodeURIComponent(group)}`}.jsonl`;
  }

  /** The oldest of its own files; those of other groups are others' to count. */
  async #prune(): Promise<void> {
    const files = (await journalFiles(this.#directory)).filter((path) => {
      const name = basename(path);
      return name.slice(/^\d+-\d+/.exec(name)?.[0].length) === this.#ending;
    });
    for (const path of files.slice(0, Math.max(0, files.length - this.#settings.filesKept))) {
      await rm(path, { force: true });
    }
  }

  async #append(file: JournalFile, text: string): Promise<void> {
    const bytes = Buffer.from(text);
    await file.handle.writeFile(bytes);
    await file.handle.sync();
    file.bytes += bytes.length;
    this.#bytes += bytes.length;
  }

  /** Gives the file up until `write` hands it back in time: a write that failed half-way leaves a torn line, and a late
   *  one may still come. */
  async #inTime(write: (given: JournalFile | null) => Promise<JournalFile>): Promise<JournalFile> {
    const given = this.#file;
    this.#file = null;
    const written = write(given);
    try {
      return await inTime(written, this.#settings.deadlineMs, 'the disk');
    } catch (error) {
      // Not awaited: closing a file on a disk that hangs, hangs too.
      const close = (file: JournalFile | null) => file?.handle.close();
      written.then(close, () => close(given)).catch(() => {});
      throw error;
    }
  }
}

/** Journal files, oldest first. */
export async function journalFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => name.endsWith('.jsonl'))
    .sort(compareIds)
    .map((name) => join(directory, name));
}

/** What is on record of a service, for a start to go on from. */
export interface Recorded {
  readonly outcomes: readonly OutcomeRecord[]; // the newest, oldest first: history outlives a restart
  readonly last: RecordedInputs | null; // what the newest epoch was planned on; null: nothing was
}

export interface RecordedInputs {
  readonly inputs: InputsRecord;
  readonly topology: CheckpointRecord['topology']; // whose places it is about
}

/** Damaged files give what is whole. */
export async function recentRecords(directory: string, service: string, count: number): Promise<Recorded> {
  const outcomes: OutcomeRecord[] = [];
  let last: RecordedInputs | null = null;
  for (const path of [...(await journalFiles(directory))].reverse()) {
    const checkpoints = await checkpointsOfFile(path);
    const s = checkpoints.findIndex(({ policy }) => policy.metadata.service === service);
    if (s < 0) continue;
    const { records } = decodeJournal(await readFile(path, 'utf8'));
    outcomes.unshift(...records.flatMap((record) => outcomesIn(record).slice(s, s + 1)));
    const inputs = records.flatMap((record) => inputsIn(record).slice(s, s + 1)).at(-1);
    if (inputs) last ??= { inputs, topology: checkpoints[s]!.topology };
    if (outcomes.length >= count) break;
  }
  return { outcomes: outcomes.slice(-count), last };
}

/** Trees and weights that the kept files name. Read as text, line by line: to name one too many costs only its place. */
export async function routingsNamed(directory: string): Promise<readonly RecordedRouting[]> {
  const named: RecordedRouting[] = [];
  for (const path of await journalFiles(directory)) {
    const file = await open(path, 'r');
    try {
      for await (const line of file.readLines({ autoClose: false })) {
        for (const [, treeVersion, weightsSha256] of line.matchAll(/"treeVersion":"(\w+)","weightsSha256":"(\w+)"/g)) {
          named.push({ treeVersion: treeVersion!, weightsSha256: weightsSha256! });
        }
      }
    } finally {
      await file.close();
    }
  }
  return named;
}

async function checkpointsOfFile(path: string): Promise<readonly CheckpointRecord[]> {
  const file = await open(path, 'r');
  try {
    for await (const line of file.readLines({ autoClose: false })) {
      return checkpointsIn(decodeRecord(line) ?? undefined);
    }
    return [];
  } finally {
    await file.close();
  }
}
