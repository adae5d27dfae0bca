/** A journal file replayed with the tree and the weights it names, found in the data directory it lies in. */

import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readTree } from '../../../bucketizer/io/tree-file.ts';
import { ConfigError } from '../../../config/errors.ts';
import type { EngineName } from '../../../runtime/lp/problem.ts';
import { planEpoch } from '../../epoch.ts';
import { checkpointOf, type RecordedReplay, replayRecorded } from '../../replay/recorded.ts';
import { decodeWeights } from '../../replay/recorded-weights.ts';
import { messageOf } from './data-directory.ts';
import { openEngines } from './engines.ts';
import { readWeights, treeObject } from './objects.ts';

/** Either engine gives the same tables. Rejects with a ConfigError where the file, its tree or its weights cannot be
 *  read; what differs is in the answer. */
export async function replayJournal(file: string, solver: EngineName = 'highs'): Promise<RecordedReplay> {
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
  const objects = join(dirname(resolve(file)), '..', 'objects');
  const tree = readTree(join(objects, treeObject(checkpoint.treeVersion)));
  const weights = decodeWeights(await readWeights(objects, checkpoint.weightsSha256));
  const engines = await openEngines(solver, tree, weights, () => {});
  try {
    return await replayRecorded(text, { ...engines.context, plan: planEpoch });
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
