/** A journal file replayed with the tree and the weights it names, found in the data directory it lies in. */

import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readTree } from '../../../bucketizer/io/tree-file.ts';
import { ConfigError } from '../../../config/errors.ts';
import type { EngineName } from '../../../runtime/lp/problem.ts';
import { type EpochContext, type PlanEpoch, planEpoch } from '../../epoch.ts';
import { planWatched, type WatchedEpoch } from '../../replay/explanation.ts';
import { decodeJournal, journalFormat } from '../../replay/journal-record.ts';
import { checkpointOf, type RecordedReplay, replayRecorded } from '../../replay/recorded.ts';
import { decodeWeights } from '../../replay/recorded-weights.ts';
import { messageOf } from './data-directory.ts';
import { openEngines } from './engines.ts';
import { readWeights, treeObject } from './objects.ts';

/** Either engine gives the same tables. Rejects with a ConfigError where the file, its tree or its weights cannot be
 *  read; what differs is in the answer. */
export function replayJournal(file: string, solver: EngineName = 'highs'): Promise<RecordedReplay> {
  return withRecorded(file, solver, (text, context) => replayRecorded(text, { ...context, plan: planEpoch }));
}

/** One recorded epoch, planned again after those before it in the file, and watched. Rejects with a ConfigError also where
 *  the file has no such epoch, or a replay comes to something else than was recorded. */
export function watchRecorded(file: string, epoch: number, solver: EngineName = 'highs'): Promise<WatchedEpoch> {
  return withRecorded(file, solver, async (text, context) => {
    const upTo = upToOutcome(text, epoch, file);
    let watched: WatchedEpoch | null = null;
    const plan: PlanEpoch = async (inputs, its) => {
      watched = await planWatched(inputs, watched?.inputs ?? null, its, planEpoch);
      return watched.plan;
    };
    const replay = await replayRecorded(upTo, { ...context, plan });
    if (replay.difference) throw new ConfigError(`${file}: ${describeReplay(replay)}`);
    if (watched === null) throw new ConfigError(`${file}: its epoch ${epoch} came to no decision; name another`);
    return watched;
  });
}

/** The file's lines until the epoch has ended. */
function upToOutcome(text: string, epoch: number, file: string): string {
  const { records } = decodeJournal(text);
  const decided = records.flatMap((record) => (record.kind === 'outcome' && record.decided ? [record.epoch] : []));
  if (!decided.includes(epoch)) {
    const known = decided.length > 0 ? `decided epochs from ${decided[0]} to ${decided.at(-1)}` : 'no decided epoch';
    throw new ConfigError(`--epoch ${epoch}: ${file} has ${known}; name one of them, or another file`);
  }
  const line = records.findIndex((record) => record.kind === 'outcome' && record.epoch === epoch);
  return `${text
    .split('\n')
    .slice(0, line + 1)
    .join('\n')}\n`;
}

async function withRecorded<T>(
  file: string,
  solver: EngineName,
  use: (text: string, context: EpochContext) => Promise<T>,
): Promise<T> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${file}: the journal cannot be read (${messageOf(error)})`);
  }
  const checkpoint = checkpointOf(text);
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
  const objects = join(dirname(resolve(file)), '..', 'objects');
  const tree = readTree(join(objects, treeObject(checkpoint.treeVersion)));
  const weights = decodeWeights(await readWeights(objects, checkpoint.weightsSha256));
  const engines = await openEngines(solver, tree, weights);
  try {
    return await use(text, engines.context);
  } finally {
    await engines.close();
  }
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
  if (!difference) return `${counted}, byte for byte as recorded`;
  const where = difference.epoch === null ? difference.field : `epoch ${difference.epoch}, ${difference.field}`;
  return `${counted}, then a difference: ${where}: recorded ${difference.recorded.slice(0, 200)}, replayed ${difference.replayed.slice(0, 200)}`;
}
