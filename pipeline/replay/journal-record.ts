/** The journal's lines: what each epoch was planned from, frozen before planning, and what came of it. One JSON object
 *  a line, `{"sha256":"...","record":{...}}`, the checksum over the record's very text, so that `jq` reads it and a torn
 *  or altered line is told from a whole one. A file starts with a checkpoint and replays alone; tree and bucket
 *  weights, too large to repeat, are named by their digests.
 *  Declined: a binary log (nobody reads it at three in the morning); the table in every outcome (a digest proves as
 *  much, and a replay makes the table again). */

import { createHash } from 'node:crypto';
import type { Intent } from '../../config/intent.ts';
import type { Policy } from '../../config/policy.ts';
import type { Datacenter, Edge, Topology } from '../../config/topology.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import type { CarriedState, Churn, EpochInputs, Outcome } from '../epoch.ts';
import type { EncodedTable } from '../table/routing-table.ts';

/** Rises where epochs recorded before would not be planned as they were. */
export const journalFormat = 2;

export type JournalRecord = CheckpointRecord | InputsRecord | OutcomeRecord;

/** Everything the epochs of a file start from, besides tree and weights. First line of every file. */
export interface CheckpointRecord {
  readonly kind: 'checkpoint';
  readonly format: typeof journalFormat;
  readonly topology: {
    readonly edges: readonly Edge[];
    readonly datacenters: readonly Datacenter[];
    readonly rttMs: readonly number[];
    readonly resources?: readonly { readonly name: string; readonly capacity: readonly number[] }[];
  };
  readonly policy: Policy;
  readonly treeVersion: string;
  readonly weightsSha256: string;
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
    previous: base.previous,
    carried: JSON.parse(JSON.stringify(base.carried)) as CarriedState,
  };
}

/** What the epochs of a file have in common, and what the epoch before left. */
export type FrozenBase = Pick<EpochInputs, 'topology' | 'policy' | 'previous' | 'carried'>;

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
