/** The journal's lines: what each epoch was planned from, frozen before planning, and what came of it. One JSON object
 *  a line, `{"sha256":"...","record":{...}}`, the checksum over the record's very text, so that `jq` reads it and a torn
 *  or altered line is told from a whole one. A file starts with a checkpoint and replays alone; tree and bucket
 *  weights, too large to repeat, are named by their digests.
 *  Services that are solved together share a file: its records are of kind group-..., and say in `services` of each one,
 *  in the same order throughout, what a record of one service says of it.
 *  Declined: a binary log (nobody reads it at three in the morning); the table in every outcome (a digest proves as
 *  much, and a replay makes the table again). */

import { createHash } from 'node:crypto';
import type { Intent } from '../../config/intent.ts';
import type { Policy } from '../../config/policy.ts';
import type { Datacenter, Edge, Topology } from '../../config/topology.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import type { EpochInputs } from '../epoch/inputs.ts';
import type { Churn, Outcome } from '../epoch/plan.ts';
import type { CarriedState } from '../epoch.ts';
import type { EncodedTable } from '../table/routing-table.ts';
import { ofTree } from '../table/tree-course.ts';

/** Rises where epochs recorded before would not be planned as they were. */
export const journalFormat = 3;

export type JournalRecord =
  | CheckpointRecord
  | InputsRecord
  | OutcomeRecord
  | ReplacedRecord
  | GroupCheckpointRecord
  | GroupInputsRecord
  | GroupOutcomeRecord;

/** Everything the epochs of a file start from, besides tree and weights. First line of every file. */
export interface CheckpointRecord extends RecordedRouting {
  readonly kind: 'checkpoint';
  readonly format: typeof journalFormat;
  readonly topology: {
    readonly edges: readonly Edge[];
    readonly datacenters: readonly Datacenter[];
    readonly rttMs: readonly number[];
    readonly resources?: readonly { readonly name: string; readonly capacity: readonly number[] }[];
  };
  readonly policy: Policy;
  readonly base?: EncodedTable; // what a ramp holds the rest to
  readonly engine: string; // told, not needed: either engine gives the same tables
  readonly previous: EncodedTable | null;
  readonly carried: CarriedState;
}

/** `EpochInputs` without what checkpoint and earlier outcomes of the file already say. */
export interface InputsRecord {
  readonly kind: 'inputs';
  readonly epoch: number;
  readonly startMs: number;
  readonly demandRps: readonly number[];
  readonly states: readonly DatacenterState[];
  readonly rttMs?: readonly (readonly [pair: number, ms: number])[]; // [e * D + d] where not the checkpoint's; none: as there
  readonly sessions?: readonly (number | null)[]; // [e * D + d] of a sticky service as observed, null: not; none: nothing was
  readonly intents: readonly Intent[];
  readonly previousSha256: string | null; // tableDigest
  readonly epochMs?: number; // where an epoch of the group is shorter than the policy's
  readonly isDue?: false; // another service's tick
  readonly isSilent?: true; // nothing usable was observed: load as it was last, and the table stays
  readonly routing?: RecordedRouting; // planned with; none: the checkpoint's
  readonly churnSpent?: number; // as in EpochInputs; none: nothing
}

/** A tree and bucket weights, by their digests. */
export interface RecordedRouting {
  readonly treeVersion: string;
  readonly weightsSha256: string;
}

/** What an epoch came to. A replay compares all but `summary`, which is for people and carries wall time. */
export interface OutcomeRecord {
  readonly kind: 'outcome';
  readonly epoch: number;
  readonly decided: boolean; // false: planning threw, and table and carried state stayed
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly relaxed: readonly string[];
  readonly churn: Churn | null; // null where not decided
  readonly tableSha256: string | null; // tableDigest of the table in force after the epoch
  readonly bodies: Readonly<Record<string, string>>; // edge -> SHA-256 of its body; empty where the last ones stand unasked (held, rejected, undecided)
  readonly carried: CarriedState;
  readonly summary: unknown;
}

/** Between two epochs of a service somebody, or a canary, put another table into force: the next epoch starts from it. */
export interface ReplacedRecord {
  readonly kind: 'replaced';
  readonly service: string;
  readonly cause: string;
  readonly author: string;
  readonly reason: string;
  readonly table: EncodedTable;
  readonly carried: CarriedState;
}

export interface GroupCheckpointRecord extends Pick<CheckpointRecord, 'format' | 'topology'> {
  readonly kind: 'group-checkpoint';
  readonly services: readonly Omit<CheckpointRecord, 'kind' | 'format' | 'topology'>[];
}

export interface GroupInputsRecord extends Pick<InputsRecord, 'epoch' | 'startMs'> {
  readonly kind: 'group-inputs';
  readonly services: readonly Omit<InputsRecord, 'kind' | 'epoch' | 'startMs'>[];
}

export interface GroupOutcomeRecord extends Pick<OutcomeRecord, 'epoch'> {
  readonly kind: 'group-outcome';
  readonly services: readonly Omit<OutcomeRecord, 'kind' | 'epoch'>[];
}

/** [s] one record for all services of a group; of one service it is that service's own. */
export function checkpointOfAll(of: readonly CheckpointRecord[]): CheckpointRecord | GroupCheckpointRecord {
  const { format, topology } = of[0]!;
  if (of.length === 1) return of[0]!;
  const services = of.map(({ kind: _, format: __, topology: ___, ...own }) => own);
  return { kind: 'group-checkpoint', format, topology, services };
}

/** [s] likewise. */
export function inputsOfAll(of: readonly InputsRecord[]): InputsRecord | GroupInputsRecord {
  const { epoch, startMs } = of[0]!;
  if (of.length === 1) return of[0]!;
  const services = of.map(({ kind: _, epoch: __, startMs: ___, ...own }) => own);
  return { kind: 'group-inputs', epoch, startMs, services };
}

/** [s] likewise. */
export function outcomeOfAll(of: readonly OutcomeRecord[]): OutcomeRecord | GroupOutcomeRecord {
  const { epoch } = of[0]!;
  if (of.length === 1) return of[0]!;
  return { kind: 'group-outcome', epoch, services: of.map(({ kind: _, epoch: __, ...own }) => own) };
}

/** [s] what a checkpoint says of each service; nothing where it is none. */
export function checkpointsIn(record: JournalRecord | undefined): readonly CheckpointRecord[] {
  if (record?.kind === 'checkpoint') return [record];
  if (record?.kind !== 'group-checkpoint') return [];
  const { format, topology, services } = record;
  return services.map((own) => ({ kind: 'checkpoint', format, topology, ...own }));
}

/** [s] likewise. */
export function inputsIn(record: JournalRecord | undefined): readonly InputsRecord[] {
  if (record?.kind === 'inputs') return [record];
  if (record?.kind !== 'group-inputs') return [];
  const { epoch, startMs, services } = record;
  return services.map((own) => ({ kind: 'inputs', epoch, startMs, ...own }));
}

/** [s] likewise. */
export function outcomesIn(record: JournalRecord | undefined): readonly OutcomeRecord[] {
  if (record?.kind === 'outcome') return [record];
  if (record?.kind !== 'group-outcome') return [];
  const { epoch, services } = record;
  return services.map((own) => ({ kind: 'outcome', epoch, ...own }));
}

/** One line, with its newline. */
export function encodeRecord(record: JournalRecord): string {
  const text = JSON.stringify(record);
  return `${linePrefix}${sha256(text)}${lineMiddle}${text}}\n`;
}

/** Null where the line is torn or altered. */
export function decodeRecord(line: string): JournalRecord | null {
  const textAt = linePrefix.length + 64 + lineMiddle.length;
  if (
    !line.startsWith(linePrefix) ||
    !line.endsWith('}') ||
    line.slice(textAt - lineMiddle.length, textAt) !== lineMiddle
  ) {
    return null;
  }
  const text = line.slice(textAt, -1);
  if (sha256(text) !== line.slice(linePrefix.length, linePrefix.length + 64)) return null;
  return JSON.parse(text) as JournalRecord; // its checksum holds: it is what encodeRecord wrote
}

export interface JournalContents {
  readonly records: readonly JournalRecord[]; // up to the first bad line
  readonly lines: number; // whole and bad ones
  /** A bad last line is the mark of a kill in the middle of a write and nothing to worry about; a bad line with whole
   *  ones after it is damage. */
  readonly bad: { readonly line: number; readonly torn: boolean } | null;
}

export function decodeJournal(text: string): JournalContents {
  const lines = text.split('\n');
  const unended = lines.pop()!; // empty where the file ends in a newline, as a whole one does
  const records: JournalRecord[] = [];
  for (const [index, line] of lines.entries()) {
    const record = decodeRecord(line);
    if (!record) {
      const torn = lines.slice(index + 1).every((later) => decodeRecord(later) === null);
      return { records, lines: lines.length + (unended ? 1 : 0), bad: { line: index + 1, torn } };
    }
    records.push(record);
  }
  const bad = unended ? { line: lines.length + 1, torn: true } : null;
  return { records, lines: lines.length + (unended ? 1 : 0), bad };
}

/** The inputs as a replay will read them. The epoch is planned on these, not on what they were made from, so that no
 *  value that JSON has no room for (-0, NaN, a typed array's extra precision) can come between record and plan. */
export function frozenInputs(record: InputsRecord, base: FrozenBase): EpochInputs {
  const plain = JSON.parse(JSON.stringify(record)) as InputsRecord;
  return {
    epoch: plain.epoch,
    startMs: plain.startMs,
    topology: topologyWith(base.topology, plain.rttMs),
    policy: base.policy,
    demandRps: Float64Array.from(plain.demandRps),
    states: plain.states,
    ...(plain.sessions && { sessions: Float64Array.from(plain.sessions, (count) => count ?? Number.NaN) }),
    intents: plain.intents,
    previous: ofTree(base.previous, plain.routing?.treeVersion ?? base.treeVersion),
    carried: JSON.parse(JSON.stringify(base.carried)) as CarriedState,
    ...(plain.epochMs !== undefined && { epochMs: plain.epochMs }),
    ...(plain.isDue === false && { isDue: false }),
    ...(plain.churnSpent !== undefined && { churnSpent: plain.churnSpent }),
  };
}

/** What the epochs of a file have in common, and what the epoch before left. */
export interface FrozenBase extends Pick<EpochInputs, 'topology' | 'policy' | 'previous' | 'carried'> {
  readonly treeVersion: string; // planned with where a record names no other
}

/** Round trips of an epoch that are not those of the topology. */
export function changedRtt(topology: Topology, rttMs: Float64Array): readonly (readonly [number, number])[] {
  return [...rttMs.entries()].filter(([pair, ms]) => ms !== topology.rttMs[pair]);
}

function topologyWith(topology: Topology, changes: InputsRecord['rttMs']): Topology {
  if (!changes || changes.length === 0) return topology;
  const rttMs = topology.rttMs.slice();
  for (const [pair, ms] of changes) rttMs[pair] = ms;
  return { ...topology, rttMs };
}

export function plainTopology(topology: Topology): CheckpointRecord['topology'] {
  const { edges, datacenters, rttMs, resources } = topology;
  const plain = resources?.map(({ name, capacity }) => ({ name, capacity: [...capacity] }));
  return { edges, datacenters, rttMs: [...rttMs], ...(plain && { resources: plain }) };
}

export function topologyOf(plain: CheckpointRecord['topology']): Topology {
  const { edges, datacenters, rttMs, resources } = plain;
  const typed = resources?.map(({ name, capacity }) => ({ name, capacity: Float64Array.from(capacity) }));
  return { edges, datacenters, rttMs: Float64Array.from(rttMs), ...(typed && { resources: typed }) };
}

const linePrefix = '{"sha256":"';
const lineMiddle = '","record":';

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
