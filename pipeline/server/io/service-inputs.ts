/** What the epochs of one service are planned on and with: inputs that are frozen as the journal has them, and the tree and
 *  bucket weights that its records name. */

import { createHash } from 'node:crypto';
import type { Policy } from '../../../config/policy.ts';
import type { Topology } from '../../../config/topology.ts';
import type { EpochInputs } from '../../epoch/inputs.ts';
import {
  type CheckpointRecord,
  changedRtt,
  frozenInputs,
  type InputsRecord,
  journalFormat,
  plainTopology,
} from '../../replay/journal-record.ts';
import { encodeTable, type RoutingTable, tableDigest } from '../../table/routing-table.ts';
import type { Routing } from '../../table/tree-course.ts';
import type { LoopState, Observation } from '../epoch-loop.ts';
import { withoutHold } from '../publication-hold.ts';
import type { ProposedRouting, RoutingSource } from '../routing-source.ts';
import type { ServiceTrees } from '../service-trees.ts';
import { objectsOf, type RoutingObjects, treeObject } from './objects.ts';

export interface PlanningParts {
  readonly policy: Policy;
  readonly trees: ServiceTrees;
  readonly routing: RoutingSource; // that epochs are planned with
  readonly objects: RoutingObjects;
  readonly base: RoutingTable | null; // imported: what a ramp of the policy holds the rest to
  readonly everyTicks: number; // of its group, from one of its epochs to the next
  readonly tickMs: number | null; // where that is not what the policy says an epoch is
}

/** An epoch of the group. A machine that left it waits for the next one already. */
export type Tick = Pick<LoopState, 'epoch' | 'startMs'>;

/** What the machine has when the epoch in work begins. */
type Before = Pick<LoopState, 'table' | 'carried'>;

export class ServiceInputs {
  readonly #parts: PlanningParts;
  readonly #topology: Topology;
  readonly #first: Routing; // that checkpoints name, and records only where theirs is another
  #proposed: ProposedRouting; // for the epoch in work, or the last
  #observed: EpochInputs | null = null; // of the epoch in work, or the last
  #sha256: string | null = null; // of their record

  constructor(parts: PlanningParts, topology: Topology) {
    this.#parts = parts;
    this.#topology = topology;
    this.#first = parts.routing.routing;
    this.#proposed = { routing: this.#first, churnSpent: 0 };
  }

  /** What an epoch was last planned on; null before the first. */
  get observed(): EpochInputs | null {
    return this.#observed;
  }

  /** Takes up what an epoch of a process before was planned on, as it was recorded. */
  resume(record: InputsRecord, { table, carried }: Before): void {
    const { policy } = this.#parts;
    const treeVersion = this.#first.tree.version;
    this.#sha256 = digestOf(record);
    this.#observed = frozenInputs(record, { topology: this.#topology, policy, previous: table, carried, treeVersion });
  }

  /** SHA-256 of the record of what was last planned on. */
  get sha256(): string | null {
    return this.#sha256;
  }

  /** With what it is planned; in force only with its plan. */
  get proposed(): ProposedRouting {
    return this.#proposed;
  }

  /** Names of the objects that records and head of the service may name next. */
  get objects(): readonly string[] {
    const { objects, trees, routing } = this.#parts;
    const { course } = trees.published;
    const between = course.kind === 'settled' ? [course.tree, course.before] : [course.from, course.to];
    return [
      ...[this.#first, routing.routing, this.#proposed.routing].flatMap((one) => objectsOf(objects.nameOf(one))),
      ...between.flatMap((version) => version ?? []).map(treeObject),
    ];
  }

  /** Freezes what the epoch in work is planned on. `isSilent`: of a service that nothing was observed of. `isHeld`: by the
   *  rollout. */
  async freeze(
    observation: Observation,
    { epoch, startMs }: Tick,
    { table, carried }: Before,
    { isSilent, isHeld }: { readonly isSilent: boolean; readonly isHeld: boolean },
  ): Promise<InputsRecord> {
    const topology = this.#topology;
    const { policy, routing: source, objects, everyTicks, tickMs } = this.#parts;
    const isDue = !isSilent && (table === null || epoch % everyTicks === 0);
    const { demandRps, states, intents } = observation;
    const standing: InputsRecord = {
      kind: 'inputs',
      epoch,
      startMs,
      demandRps: [...demandRps],
      states,
      ...(observation.rttMs && { rttMs: changedRtt(topology, observation.rttMs) }),
      ...(observation.sessions && { sessions: [...observation.sessions] }), // NaN is null in JSON
      intents,
      previousSha256: table && tableDigest(table),
      ...(tickMs !== null && { epochMs: tickMs }),
      ...(!isDue && { isDue: false }),
      ...(isSilent && { isSilent: true }),
    };
    const treeVersion = this.#first.tree.version;
    const base = { topology, policy, previous: table, carried, treeVersion };
    const inputs = frozenInputs(standing, base);
    // What is reviewed is the tables that plans ask for; who moves users to another tree has looked at that.
    this.#proposed = source.propose(isHeld ? inputs : withoutHold(inputs));
    const { routing, churnSpent } = this.#proposed;
    if (routing !== this.#first) await objects.prepare(routing);
    const record: InputsRecord = {
      ...standing,
      ...(routing !== this.#first && { routing: objects.nameOf(routing) }),
      ...(churnSpent > 0 && { churnSpent }),
    };
    this.#sha256 = digestOf(record);
    this.#observed = frozenInputs(record, base);
    return record;
  }

  /** Puts where a replay finds it what the record of the epoch in work only names. */
  async keepNamed(): Promise<void> {
    if (this.#proposed.routing !== this.#first) await this.#parts.objects.keep(this.#proposed.routing);
  }

  async checkpoint(engine: string, { table, carried }: Before): Promise<CheckpointRecord> {
    const { policy, objects, base } = this.#parts;
    await objects.keep(this.#first);
    return {
      kind: 'checkpoint',
      format: journalFormat,
      topology: plainTopology(this.#topology),
      policy,
      ...objects.nameOf(this.#first),
      ...(base && { base: encodeTable(base) }),
      engine,
      previous: table && encodeTable(table),
      carried,
    };
  }
}

function digestOf(record: InputsRecord): string {
  return createHash('sha256').update(JSON.stringify(record)).digest('hex');
}
