/** Replays recorded epochs as they were: the frozen inputs of a journal file, planned again, must give the recorded
 *  outcome, table and bodies byte for byte. It is the proof that an epoch depends on nothing but its record, and the
 *  way to look into an epoch after the fact. Closed loop within the file: each epoch starts from the table that the
 *  replay itself made of the one before. Where epochs are meant to come to something else from now on, as after a change
 *  to the planner, a file can be made to expect it. */

import { compareIds } from '../../config/ids.ts';
import type { EpochContext, PlannedService } from '../epoch/inputs.ts';
import type { EpochPlan } from '../epoch/plan.ts';
import type { CarriedState, PlanGroup } from '../epoch.ts';
import { canonicalJson, type Json } from '../table/canonical-json.ts';
import { decodeTable, type RoutingTable, tableDigest } from '../table/routing-table.ts';
import type { Routing } from '../table/tree-course.ts';
import { bodiesAfter, bodyDigests, type EpochBodies } from './epoch-bodies.ts';
import {
  type CheckpointRecord,
  checkpointsIn,
  decodeJournal,
  encodeRecord,
  type FrozenBase,
  frozenInputs,
  type InputsRecord,
  inputsIn,
  inputsOfAll,
  type JournalRecord,
  type OutcomeRecord,
  outcomeOfAll,
  outcomesIn,
  type RecordedRouting,
  type ReplacedRecord,
  topologyOf,
} from './journal-record.ts';

export interface RecordedReplay {
  readonly epochs: number; // replayed and compared
  readonly undecided: number; // recorded as undecided: planning threw then, so there is nothing to compare
  readonly unfinished: number; // inputs without an outcome: the process ended in between
  readonly tornTail: boolean; // the last line is half a line: the process was killed while writing
  readonly difference: RecordedDifference | null; // the first; the replay ends there
}

/** A replay that goes on where record and replay part. A `difference` is one that cannot be accepted: a damaged file. */
export interface AcceptedReplay extends RecordedReplay {
  readonly accepted: readonly RecordedDifference[]; // the first of each epoch that came to something else
}

/** Where record and replay part. `field` is an outcome's field, `bodies.<edge>`, or `journal` for a damaged file. */
export interface RecordedDifference {
  readonly epoch: number | null;
  readonly service?: string; // in a file of several
  readonly field: string;
  readonly recorded: string;
  readonly replayed: string;
}

/** What a replay needs besides the file. */
export interface RecordedContext {
  readonly contexts: readonly EpochContext[]; // [s] with tree and weights as the checkpoint names them
  readonly routingOf: (recorded: RecordedRouting) => Promise<Routing>; // that an epoch names
  readonly plan: PlanGroup;
}

/** [s] the checkpoint a journal file starts with, of each service; nothing where its first line is none. */
export function checkpointsOfFile(text: string): readonly CheckpointRecord[] {
  return checkpointsIn(decodeJournal(text.slice(0, text.indexOf('\n') + 1)).records[0]);
}

/** A service between two epochs of the file. */
interface Recorded {
  readonly service: string;
  readonly context: EpochContext;
  base: FrozenBase;
  bodies: EpochBodies | null;
}

/** `text`: one journal file. */
export function replayRecorded(text: string, context: RecordedContext): Promise<RecordedReplay> {
  return replayOf(text, context, null);
}

/** `text`: one journal file; returned with what its epochs come to now, which replays to the byte. */
export async function acceptRecorded(
  text: string,
  context: RecordedContext,
): Promise<{ readonly replay: AcceptedReplay; readonly text: string }> {
  const rewritten = new Rewritten(text);
  const replay = await replayOf(text, context, rewritten);
  return { replay: { ...replay, accepted: rewritten.differences }, text: rewritten.text };
}

/** Ends at the first difference, where none is to be accepted. */
async function replayOf(
  text: string,
  { contexts, routingOf, plan }: RecordedContext,
  rewritten: Rewritten | null,
): Promise<RecordedReplay> {
  const { records, bad } = decodeJournal(text);
  const counts = { epochs: 0, undecided: 0, unfinished: 0, tornTail: bad?.torn ?? false };
  const checkpoints = checkpointsIn(records[0]);
  if (checkpoints.length === 0) return { ...counts, difference: damage('its first line is no whole checkpoint') };
  const services = checkpoints.map((checkpoint, s): Recorded => {
    const base = {
      topology: topologyOf(checkpoint.topology),
      policy: checkpoint.policy,
      previous: checkpoint.previous && decodeTable(checkpoint.previous, 'journal checkpoint'),
      carried: checkpoint.carried,
      treeVersion: checkpoint.treeVersion,
    };
    return { service: checkpoint.policy.metadata.service, context: contexts[s]!, base, bodies: null };
  });
  const named = (difference: RecordedDifference, { service }: Recorded): RecordedDifference =>
    services.length > 1 ? { ...difference, service } : difference;

  for (const entry of entriesOf(records)) {
    if (entry.kind === 'replaced') {
      const one = services.find(({ service }) => service === entry.service);
      if (!one)
        return { ...counts, difference: damage(`it replaces a table of "${entry.service}", which it is not of`) };
      const previous = decodeTable(entry.table, 'journal: a table that was put into force');
      one.base = { ...one.base, previous, carried: entry.carried };
      continue;
    }
    const { inputs, outcomes, line } = entry;
    if (outcomes.length === 0) {
      counts.unfinished += 1;
      continue;
    }
    const before = services.map(({ base }) => base.previous && tableDigest(base.previous));
    for (const [s, one] of services.entries()) {
      const { epoch, previousSha256 } = inputs[s]!;
      const started = compare(epoch, [['previousSha256', previousSha256, before[s]]]);
      if (started && !rewritten?.hasBegun) return { ...counts, difference: named(started, one) };
    }
    rewritten?.startsFrom(line, inputs, before);
    if (!outcomes.some(({ decided }) => decided)) {
      counts.undecided += 1;
      continue;
    }
    const frozen: PlannedService[] = [];
    for (const [s, { base, context }] of services.entries()) {
      const { routing } = inputs[s]!;
      const routed = routing ? { ...context, ...(await routingOf(routing)) } : context;
      frozen.push({ inputs: frozenInputs(inputs[s]!, base), context: routed });
    }
    const plans = await plan(frozen);
    let parted: RecordedDifference | null = null;
    const replayed = services.map((one, s): OutcomeRecord => {
      const recorded = outcomes[s]!;
      if (!recorded.decided) return recorded;
      const planned = plans[s]!;
      const table = tableAfter(planned, one.base.previous);
      const bodies = bodiesAfter(frozen[s]!.inputs.topology, planned, one.bodies);
      one.bodies = bodies ?? one.bodies;
      one.base = { ...one.base, previous: table, carried: planned.carried };
      const outcome = outcomeOf(recorded, planned, table, bodies);
      const difference = compareOutcome(recorded, outcome);
      if (!difference) return recorded;
      parted ??= named(difference, one);
      return outcome;
    });
    if (parted && !rewritten) return { ...counts, difference: parted };
    if (parted) rewritten!.comesTo(line + 1, replayed, parted);
    counts.epochs += 1;
  }
  const difference = bad && !bad.torn ? damage(`line ${bad.line} is altered, and whole lines follow it`) : null;
  return { ...counts, difference };
}

/** Only these outcomes bring a new table. */
export function changesTable(plan: EpochPlan): boolean {
  return plan.outcome === 'published' || plan.outcome === 'initial';
}

/** In force after the plan. One that changes no bucket may still say that the table is of another tree. */
export function tableAfter(plan: EpochPlan, before: RoutingTable | null): RoutingTable | null {
  return plan.outcome === 'held' || plan.outcome === 'rejected' ? before : (plan.table ?? before);
}

type Entry =
  | ReplacedRecord
  | {
      readonly kind: 'epoch';
      readonly line: number; // of the inputs, the file's first 0
      readonly inputs: readonly InputsRecord[]; // [s]
      readonly outcomes: readonly OutcomeRecord[]; // [s], if they follow
    };

function* entriesOf(records: readonly JournalRecord[]): Generator<Entry> {
  for (const [index, record] of records.entries()) {
    if (record.kind === 'replaced') yield record;
    const inputs = inputsIn(record);
    if (inputs.length === 0) continue;
    const outcomes = outcomesIn(records[index + 1]);
    const isOfThese = outcomes[0]?.epoch === inputs[0]!.epoch;
    yield { kind: 'epoch', line: index, inputs, outcomes: isOfThese ? outcomes : [] };
  }
}

/** What `serve` would have recorded, but for its summary, which tells of that run. */
function outcomeOf(
  { kind, epoch, decided }: OutcomeRecord,
  { outcome, reason, relaxed, churn, carried }: EpochPlan,
  table: RoutingTable | null,
  bodies: EpochBodies | null,
): OutcomeRecord {
  const tableSha256 = table && tableDigest(table);
  const own = { kind, epoch, decided, outcome, reason, relaxed, churn, tableSha256 };
  return { ...own, bodies: bodyDigests(bodies), carried, summary: null };
}

function compareOutcome(recorded: OutcomeRecord, replayed: OutcomeRecord): RecordedDifference | null {
  const edges = [...new Set([...Object.keys(recorded.bodies), ...Object.keys(replayed.bodies)])].sort(compareIds);
  return compare(recorded.epoch, [
    ['outcome', recorded.outcome, replayed.outcome],
    ['reason', recorded.reason, replayed.reason],
    ['relaxed', recorded.relaxed, replayed.relaxed],
    ['tableSha256', recorded.tableSha256, replayed.tableSha256],
    ...edges.map((edge): Compared => [`bodies.${edge}`, recorded.bodies[edge], replayed.bodies[edge]]),
    ['churn', recorded.churn, replayed.churn],
    ['carried', decidingPart(recorded.carried), decidingPart(replayed.carried)],
  ]);
}

/** The lines of a file, those of epochs that came to something else written anew. */
class Rewritten {
  readonly differences: RecordedDifference[] = [];
  readonly #lines: string[];

  constructor(text: string) {
    this.#lines = text.split('\n');
  }

  get hasBegun(): boolean {
    return this.differences.length > 0;
  }

  get text(): string {
    return this.#lines.join('\n');
  }

  /** `before`: [s] digests of the tables that the epoch starts from. */
  startsFrom(line: number, inputs: readonly InputsRecord[], before: readonly (string | null)[]): void {
    if (inputs.every(({ previousSha256 }, s) => previousSha256 === before[s])) return;
    this.#write(line, inputsOfAll(inputs.map((own, s) => ({ ...own, previousSha256: before[s]! }))));
  }

  comesTo(line: number, outcomes: readonly OutcomeRecord[], difference: RecordedDifference): void {
    this.differences.push(difference);
    this.#write(line, outcomeOfAll(outcomes));
  }

  #write(line: number, record: JournalRecord): void {
    this.#lines[line] = encodeRecord(record).trimEnd();
  }
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
