/** A journal file replayed with the trees and the weights it names, found in the data directory it lies in. */

import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readTree } from '../../../bucketizer/io/tree-file.ts';
import type { BucketTree } from '../../../bucketizer/tree.ts';
import { ConfigError } from '../../../config/errors.ts';
import type { EngineName } from '../../../runtime/lp/problem.ts';
import type { EpochContext } from '../../epoch/inputs.ts';
import type { PlanGroup } from '../../epoch.ts';
import { writeDurably } from '../../publish/io/durable-file.ts';
import { planGroupWatched, type WatchedEpoch } from '../../replay/explanation.ts';
import { type CheckpointRecord, decodeJournal, journalFormat, outcomesIn } from '../../replay/journal-record.ts';
import { planRamped } from '../../replay/ramped-group.ts';
import {
  type AcceptedReplay,
  acceptRecorded,
  checkpointsOfFile,
  type RecordedContext,
  type RecordedDifference,
  type RecordedReplay,
  replayRecorded,
} from '../../replay/recorded.ts';
import { decodeWeights } from '../../replay/recorded-weights.ts';
import { decodeTable } from '../../table/routing-table.ts';
import type { Routing } from '../../table/tree-course.ts';
import { checkNotInUse, messageOf } from './data-directory.ts';
import { openEngines } from './engines.ts';
import { readWeights, treeObject } from './objects.ts';

/** Either engine gives the same tables. Rejects with a ConfigError where the file, a tree or weights cannot be read; what
 *  differs is in the answer. */
export function replayJournal(file: string, solver: EngineName = 'highs'): Promise<RecordedReplay> {
  return withRecorded(file, solver, ({ text, contexts, routingOf }) =>
    replayRecorded(text, { contexts, routingOf, plan: planRamped }),
  );
}

/** Replays the file and writes it anew with what its epochs come to now. Rejects with a ConfigError like `replayJournal`,
 *  where the file is damaged, and where a control plane is at work on it; the file is then as it was. */
export async function acceptJournal(file: string, solver: EngineName = 'highs'): Promise<AcceptedReplay> {
  await checkNotInUse(dataDirectoryOf(file), 'accept in a copy of its directories journal and objects');
  const { replay, text: accepted } = await withRecorded(file, solver, ({ text, contexts, routingOf }) =>
    acceptRecorded(text, { contexts, routingOf, plan: planRamped }),
  );
  if (replay.difference) throw new ConfigError(`${file}: ${describeReplay(replay)}`);
  if (replay.accepted.length === 0) return replay;
  await writeDurably(file, accepted).catch((error) => {
    throw new ConfigError(
      `${file}: cannot be written (${messageOf(error)}); check the directory, its permissions and space`,
    );
  });
  return replay;
}

/** One recorded epoch, planned again after those before it in the file, and watched. `service`: of a file of several.
 *  Rejects with a ConfigError also where the file has no such epoch or service, or a replay comes to something else than
 *  was recorded. */
export function watchRecorded(
  file: string,
  epoch: number,
  service: string | null = null,
  solver: EngineName = 'highs',
): Promise<WatchedEpoch> {
  return withRecorded(file, solver, async ({ text, checkpoints, contexts, routingOf }) => {
    const s = indexOf(checkpoints, service, file);
    const upTo = upToOutcome(text, epoch, s, file);
    let watched: readonly WatchedEpoch[] = [];
    const plan: PlanGroup = async (services) => {
      const before = services.map((_, own) => watched[own]?.inputs ?? null);
      watched = await planGroupWatched(services, before, planRamped);
      return watched.map((one) => one.plan);
    };
    const replay = await replayRecorded(upTo, { contexts, routingOf, plan });
    if (replay.difference) throw new ConfigError(`${file}: ${describeReplay(replay)}`);
    const its = watched[s];
    if (!its) throw new ConfigError(`${file}: its epoch ${epoch} came to no decision; name another`);
    return its;
  });
}

/** Of the service asked for; of the only one where none is. */
function indexOf(checkpoints: readonly CheckpointRecord[], service: string | null, file: string): number {
  const names = checkpoints.map(({ policy }) => policy.metadata.service);
  if (service === null && names.length === 1) return 0;
  const s = service === null ? -1 : names.indexOf(service);
  if (s >= 0) return s;
  const found = service === null ? 'none is named' : `"${service}" is not one of them`;
  throw new ConfigError(`--service: ${file} has ${names.join(', ')}, and ${found}; name one`);
}

/** The file's lines until the epoch has ended. */
function upToOutcome(text: string, epoch: number, s: number, file: string): string {
  const { records } = decodeJournal(text);
  const decided = records.flatMap((record) => (outcomesIn(record)[s]?.decided ? [outcomesIn(record)[s]!.epoch] : []));
  if (!decided.includes(epoch)) {
    const known = decided.length > 0 ? `decided epochs from ${decided[0]} to ${decided.at(-1)}` : 'no decided epoch';
    throw new ConfigError(`--epoch ${epoch}: ${file} has ${known}; name one of them, or another file`);
  }
  const line = records.findIndex((record) => outcomesIn(record)[0]?.epoch === epoch);
  return `${text
    .split('\n')
    .slice(0, line + 1)
    .join('\n')}\n`;
}

interface OpenRecording {
  readonly text: string;
  readonly checkpoints: readonly CheckpointRecord[]; // [s]
  readonly contexts: readonly EpochContext[]; // [s]
  readonly routingOf: RecordedContext['routingOf'];
}

async function withRecorded<T>(
  file: string,
  solver: EngineName,
  use: (recording: OpenRecording) => Promise<T>,
): Promise<T> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${file}: the journal cannot be read (${messageOf(error)})`);
  }
  const checkpoints = checkpointsOfFile(text);
  const [checkpoint] = checkpoints;
  if (!checkpoint) {
    throw new ConfigError(
      `${file}: does not begin with a whole checkpoint; expected a file of a data directory's journal, or a newer one of it`,
    );
  }
  if (checkpoint.format !== journalFormat) {
    throw new ConfigError(
      `${file}: journal format ${JSON.stringify(checkpoint.format)}, this version replays ${journalFormat}; replay it with the version that wrote it`,
    );
  }
  const routingOf = routingsIn(join(dataDirectoryOf(file), 'objects'));
  const known: Routing[] = [];
  for (const recorded of checkpoints) known.push(await routingOf(recorded));
  const engines = await openEngines(solver, known[0]!.tree, known[0]!.weights);
  const contexts = checkpoints.map(({ base }, s) => ({
    ...engines.context,
    ...known[s]!,
    ...(base && { base: decodeTable(base, `${file}: base of a ramp`) }),
  }));
  try {
    return await use({ text, checkpoints, contexts, routingOf });
  } finally {
    await engines.close();
  }
}

function dataDirectoryOf(journalFile: string): string {
  return join(dirname(resolve(journalFile)), '..');
}

/** Trees are read once; weights, of which every epoch may have its own, each time. */
function routingsIn(objects: string): RecordedContext['routingOf'] {
  const trees = new Map<string, BucketTree>();
  return async ({ treeVersion, weightsSha256 }) => {
    const tree = trees.get(treeVersion) ?? readTree(join(objects, treeObject(treeVersion)));
    trees.set(treeVersion, tree);
    return { tree, weights: decodeWeights(await readWeights(objects, weightsSha256)) };
  };
}

/** One line for people. */
export function describeReplay(replay: RecordedReplay): string {
  const { epochs, undecided, unfinished, tornTail, difference } = replay;
  const notes = [
    ...(undecided > 0 ? [`${undecided} undecided`] : []),
    ...(unfinished > 0 ? [`${unfinished} without an outcome`] : []),
    ...(tornTail ? ['the last line is torn'] : []),
  ];
  const counted = `${epochs} epochs replayed${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
  return difference
    ? `${counted}, then a difference: ${describe(difference)}`
    : `${counted}, byte for byte as recorded`;
}

/** Likewise, of a replay without a difference that cannot be accepted. */
export function describeAccepted({ accepted, ...replay }: AcceptedReplay): string {
  const [first] = accepted;
  if (!first) return describeReplay(replay);
  const all = `${replay.epochs} epochs replayed; ${accepted.length} came to something else, which is recorded now`;
  return `${all}; the first: ${describe(first)}`;
}

function describe(difference: RecordedDifference): string {
  const { epoch, service, field } = difference;
  const of = service === undefined ? '' : `service ${service}, `;
  const where = epoch === null ? field : `epoch ${epoch}, ${of}${field}`;
  return `${where}: recorded ${difference.recorded.slice(0, 200)}, replayed ${difference.replayed.slice(0, 200)}`;
}
