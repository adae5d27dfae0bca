/** Replays recorded epochs as they were: the frozen inputs of a journal file, planned again, must give the recorded
 *  outcome, table and bodies byte for byte. It is the proof that an epoch depends on nothing but its record, and the
 *  way to look into an epoch after the fact. Closed loop within the file: each epoch starts from the table that the
 *  replay itself made of the one before. */

import { compareIds } from '../../config/ids.ts';
import type { CarriedState, EpochContext, EpochPlan, PlanEpoch } from '../epoch.ts';
import { canonicalJson, type Json } from '../table/canonical-json.ts';
import { decodeTable, type RoutingTable, tableDigest } from '../table/routing-table.ts';
import { bodiesAfter, bodyDigests, type EpochBodies } from './epoch-bodies.ts';
import {
  type CheckpointRecord,
  decodeJournal,
  type FrozenBase,
  frozenInputs,
  type InputsRecord,
  type JournalRecord,
  type OutcomeRecord,
  topologyOf,
} from './journal-record.ts';

export interface RecordedReplay {
  readonly epochs: number; // replayed and compared
  readonly undecided: number; // recorded as undecided: planning threw then, so there is nothing to compare
  readonly unfinished: number; // inputs without an outcome: the process ended in between
  readonly tornTail: boolean; // the last line is half a line: the process was killed while writing
  readonly difference: RecordedDifference | null; // the first; the replay ends there
}

/** Where record and replay part. `field` is an outcome's field, `bodies.<edge>`, or `journal` for a damaged file. */
export interface RecordedDifference {
  readonly epoch: number | null;
  readonly field: string;
  readonly recorded: string;
  readonly replayed: string;
}

/** What a replay needs besides the file; tree and weights are those that the checkpoint names. */
export interface RecordedContext extends EpochContext {
  readonly plan: PlanEpoch;
}

/** The checkpoint a journal file starts with, or what is wrong. */
export function checkpointOf(text: string): CheckpointRecord | null {
  const first = decodeJournal(text.slice(0, text.indexOf('\n') + 1)).records[0];
  return first?.kind === 'checkpoint' ? first : null;
}

/** `text`: one journal file. */
export async function replayRecorded(text: string, context: RecordedContext): Promise<RecordedReplay> {
  const { records, bad } = decodeJournal(text);
  const counts = { epochs: 0, undecided: 0, unfinished: 0, tornTail: bad?.torn ?? false };
  const [first, ...rest] = records;
  if (first?.kind !== 'checkpoint') {
    return { ...counts, difference: damage('its first line is no whole checkpoint') };
  }
  let base: FrozenBase = {
    topology: topologyOf(first.topology),
    policy: first.policy,
    previous: first.previous && decodeTable(first.previous, 'journal checkpoint'),
    carried: first.carried,
  };
  let lastBodies: EpochBodies | null = null;

  for (const [inputs, outcome] of epochsOf(rest)) {
    if (!outcome) {
      counts.unfinished += 1;
      continue;
    }
    const previous = base.previous && tableDigest(base.previous);
    const started = compare(inputs.epoch, [['previousSha256', inputs.previousSha256, previous]]);
    if (started) return { ...counts, difference: started };
    if (!outcome.decided) {
      counts.undecided += 1;
      continue;
    }
    const frozen = frozenInputs(inputs, base);
    const plan = await context.plan(frozen, context);
    const table = changesTable(plan) ? plan.table : base.previous;
    const bodies = bodiesAfter(frozen.topology, plan, lastBodies);
    const difference = compareOutcome(outcome, plan, table, bodies);
    if (difference) return { ...counts, difference };
    lastBodies = bodies ?? lastBodies;
    base = { ...base, previous: table, carried: plan.carried };
    counts.epochs += 1;
  }
  const difference = bad && !bad.torn ? damage(`line ${bad.line} is altered, and whole lines follow it`) : null;
  return { ...counts, difference };
}

/** Only these outcomes bring a new table. */
export function changesTable(plan: EpochPlan): boolean {
  return plan.outcome === 'published' || plan.outcome === 'initial';
}

/** Inputs with the outcome that follows them, if one does. */
function* epochsOf(records: readonly JournalRecord[]): Generator<[InputsRecord, OutcomeRecord | null]> {
  for (const [index, record] of records.entries()) {
    if (record.kind !== 'inputs') continue;
    const next = records[index + 1];
    yield [record, next?.kind === 'outcome' && next.epoch === record.epoch ? next : null];
  }
}

function compareOutcome(
  recorded: OutcomeRecord,
  plan: EpochPlan,
  table: RoutingTable | null,
  bodies: EpochBodies | null,
): RecordedDifference | null {
  const digests = bodyDigests(bodies);
  const edges = [...new Set([...Object.keys(recorded.bodies), ...Object.keys(digests)])].sort(compareIds);
  return compare(recorded.epoch, [
    ['outcome', recorded.outcome, plan.outcome],
    ['reason', recorded.reason, plan.reason],
    ['relaxed', recorded.relaxed, plan.relaxed],
    ['tableSha256', recorded.tableSha256, table && tableDigest(table)],
    ...edges.map((edge): Compared => [`bodies.${edge}`, recorded.bodies[edge], digests[edge]]),
    ['churn', recorded.churn, plan.churn],
    ['carried', decidingPart(recorded.carried), decidingPart(plan.carried)],
  ]);
}

/** All but the prices: where a solve starts is an engine's own affair, and changes no answer. */
function decidingPart({ prices: _, ...deciding }: CarriedState): Omit<CarriedState, 'prices'> {
  return deciding;
}

type Compared = readonly [field: string, recorded: unknown, replayed: unknown];

/** Compared as text: the record is text, and numbers have one shortest spelling. */
function compare(epoch: number, fields: readonly Compared[]): RecordedDifference | null {
  for (const [field, recorded, replayed] of fields) {
    const a = canonicalJson((recorded ?? null) as Json);
    const b = canonicalJson((replayed ?? null) as Json);
    if (a !== b) return { epoch, field, recorded: a, replayed: b };
  }
  return null;
}

function damage(found: string): RecordedDifference {
  return { epoch: null, field: 'journal', recorded: found, replayed: 'nothing: restore the file from a backup' };
}
