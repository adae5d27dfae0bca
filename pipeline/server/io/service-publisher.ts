/** One service's table on its way out: to the store, so that a restart finds it, then to the feed, where edges find it,
 *  under an envelope that says whose it is and how long it is fresh. A store that fails does not keep a table from the
 *  edges: it is fed from memory and stored when the store is well again. */

import assert from 'node:assert/strict';
import type { ServiceId } from '../../../config/ids.ts';
import type { CarriedState } from '../../epoch.ts';
import { type Published, prune, publish } from '../../publish/publisher.ts';
import { open, type Rollout } from '../../publish/rollout.ts';
import {
  type Head,
  headKey,
  type PublishedCounts,
  type PublishedTrees,
  type Snapshot,
  type VersionAbout,
} from '../../publish/snapshot.ts';
import type { Store } from '../../publish/store.ts';
import { type CompiledBody, canonicalEnvelope, type Envelope, type SignedEnvelope } from '../../table/compile.ts';
import { encodeTable, type RoutingTable, tableDigest } from '../../table/routing-table.ts';
import { messageOf } from './data-directory.ts';
import type { Feed } from './feed.ts';
import type { SigningKey } from './secrets.ts';

export interface PublishedEpoch {
  readonly epoch: number;
  readonly startMs: number;
  readonly generatedAtMs: number; // wall clock
  readonly freshUntilMs: number; // wall clock
  readonly carried: CarriedState;
  readonly table: RoutingTable | null; // in force after the epoch; null: none yet
  readonly bodies: readonly CompiledBody[] | null; // of that table; null: the last ones stand
  readonly about: VersionAbout; // should it be a new version
  readonly rollout: Rollout; // after the epoch
  readonly trees: PublishedTrees; // likewise
  readonly counted: PublishedCounts | null; // likewise
}

/** What becomes of publication between two epochs. */
export interface Change {
  readonly rollout: Rollout;
  readonly trees: PublishedTrees;
  readonly next: {
    readonly table: RoutingTable;
    readonly bodies: readonly CompiledBody[];
    readonly carried: CarriedState;
    readonly about: VersionAbout;
  } | null; // null: the table stays
}

export type PublisherAnswer =
  | { readonly kind: 'published' }
  | { readonly kind: 'publishing-failed'; readonly message: string } // fed, and not stored
  | { readonly kind: 'deposed'; readonly message: string }; // not fed

export interface PublisherParts {
  readonly service: ServiceId;
  readonly store: Store;
  readonly term: number;
  readonly feed: Feed;
  readonly signingKey: SigningKey;
  readonly versionsKept: number;
}

export class ServicePublisher {
  readonly #parts: PublisherParts;
  #headRevision: number | 'any' | null; // null: ask the store before writing
  #newestVersion: number;
  #sequence: number;
  #head: Head | null; // the newest made
  #stored: Head | null; // that the store has for certain
  #current: Snapshot | null; // likewise
  #inForce: Snapshot | null = null; // what the edges are fed
  #trees: PublishedTrees | null; // that go with it
  #rollout: Rollout; // likewise
  #unstored: Snapshot | null = null; // fed, and still to be stored

  constructor(parts: PublisherParts, found: Published) {
    this.#parts = parts;
    this.#headRevision = found.headRevision;
    this.#newestVersion = Math.max(found.newestVersion, found.head?.version ?? 0);
    this.#sequence = found.head?.sequence ?? 0;
    this.#head = found.head;
    this.#stored = found.head;
    this.#current = found.snapshot;
    this.#trees = found.head?.trees ?? null;
    this.#rollout = found.head?.rollout ?? open;
  }

  /** What the edges are fed; null: nothing yet. */
  get inForce(): Snapshot | null {
    return this.#inForce;
  }

  /** Between which trees users are who go by what the edges are fed; null: nobody has said yet. */
  get trees(): PublishedTrees | null {
    return this.#trees;
  }

  /** Of the table in force; 0: none. */
  get version(): number {
    return this.#inForce?.version ?? 0;
  }

  /** The number a new version would get. */
  get nextVersion(): number {
    return this.#newestVersion + 1;
  }

  /** What edges had counted, as the newest head has it. */
  get counted(): PublishedCounts | null {
    return this.#head?.counted ?? null;
  }

  /** Is the newest head on the disk? */
  get isStored(): boolean {
    return this.#head === this.#stored;
  }

  /** SHA-256 of bucket weights that the head on the disk may name. */
  get weightsNamed(): readonly string[] {
    return [this.#stored, this.#head].flatMap((head) => head?.counted?.weightsSha256 ?? []);
  }

  /** What publication is doing with what the edges are fed. */
  get rolloutInForce(): Rollout {
    return this.#rollout;
  }

  /** And with what is being published. */
  get rollout(): Rollout {
    return this.#head?.rollout ?? open;
  }

  /** Feeds what the store held at the start, under this leader's term and with the freshness that was promised then: a
   *  restart is no proof that anybody has looked at the traffic since. */
  async resume(head: Head): Promise<void> {
    if (this.#current) await this.#feed(head.epoch, head.generatedAtMs, head.freshUntilMs);
  }

  /** `mayFeed` is asked after the store has answered: whoever was replaced meanwhile feeds nobody. */
  publish(epoch: PublishedEpoch, mayFeed: () => boolean): Promise<PublisherAnswer> {
    const { startMs, generatedAtMs, carried, table, bodies, about, trees } = epoch;
    if (table && bodies) this.#take({ table, bodies, carried, about }, trees, epoch.epoch, startMs, generatedAtMs);
    return this.#put(epoch, mayFeed);
  }

  /** Between two epochs, after at least one. What edges are promised of freshness stays: an operator is no epoch. */
  change({ rollout, trees, next }: Change, nowMs: number, mayFeed: () => boolean): Promise<PublisherAnswer> {
    const head = this.#head;
    assert(head, 'publication changes once an epoch has been published');
    if (next) this.#take(next, trees, head.epoch, head.startMs, nowMs);
    return this.#put({ ...head, carried: next?.carried ?? head.carried, rollout, trees }, mayFeed);
  }

  async #put(said: Omit<Head, 'service' | 'version' | 'sequence'>, mayFeed: () => boolean): Promise<PublisherAnswer> {
    const { epoch, startMs, generatedAtMs, freshUntilMs, carried, rollout, trees, counted } = said;
    const head: Head = {
      service: this.#parts.service,
      version: this.#current?.version ?? 0,
      epoch,
      startMs,
      sequence: this.#sequence + 1,
      generatedAtMs,
      freshUntilMs,
      carried,
      rollout,
      trees,
      counted,
    };
    this.#head = head;
    const answer = await this.#store(head);
    if (answer.kind !== 'deposed' && mayFeed()) await this.#feed(epoch, generatedAtMs, freshUntilMs);
    return answer;
  }

  /** A new version where any edge would be sent something else. */
  #take(
    next: NonNullable<Change['next']>,
    trees: PublishedTrees,
    epoch: number,
    startMs: number,
    publishedAtMs: number,
  ): void {
    const { table, bodies, carried, about } = next;
    const known = this.#current?.bodies;
    if (known?.length === bodies.length && bodies.every(({ version }, e) => version === known[e]!.version)) return;
    this.#newestVersion += 1; // also where the last one never reached the store: a number names one table
    this.#current = {
      service: this.#parts.service,
      version: this.#newestVersion,
      parent: this.#current?.version ?? 0,
      ...about,
      term: this.#parts.term,
      publishedAtMs,
      epoch,
      startMs,
      treeVersion: table.treeVersion,
      tableSha256: tableDigest(table),
      table: encodeTable(table),
      bodies,
      carried,
      trees,
    };
    this.#unstored = this.#current;
  }

  async #store(head: Head): Promise<PublisherAnswer> {
    const { store, term, versionsKept } = this.#parts;
    try {
      const revision = this.#headRevision ?? (await this.#askRevision());
      this.#headRevision = null; // until the store has answered, nobody knows
      const answer = await publish(store, term, head, revision, this.#unstored);
      if (answer.kind === 'deposed') return { kind: 'deposed', message: answer.detail };
      this.#headRevision = answer.headRevision;
      this.#stored = head;
      const grew = this.#unstored !== null;
      this.#unstored = null;
      if (grew) await prune(store, term, head, versionsKept).catch(() => {}); // next time, then
      return { kind: 'published' };
    } catch (error) {
      return { kind: 'publishing-failed', message: messageOf(error) };
    }
  }

  async #askRevision(): Promise<number | 'any'> {
    const found = await this.#parts.store.get(headKey(this.#parts.service));
    return found.kind === 'found' ? found.revision : found.kind === 'absent' ? 0 : 'any';
  }

  async #feed(epoch: number, generatedAtMs: number, freshUntilMs: number): Promise<void> {
    const { service, term, feed, signingKey } = this.#parts;
    this.#trees = this.#head?.trees ?? null;
    const rollout = this.#head?.rollout ?? open;
    const current = this.#current;
    if (!current) {
      this.#rollout = rollout;
      return;
    }
    this.#sequence += 1;
    const sequence = this.#sequence;
    await feed.put(current.bodies, current.version, ({ edge, version: bodySha256 }) => {
      const envelope: Envelope = {
        format: 'taiji-envelope/1',
        service,
        edge,
        epoch,
        term,
        sequence,
        generatedAtMs,
        freshUntilMs,
        bodySha256,
      };
      const signature = signingKey.sign(Buffer.from(canonicalEnvelope(envelope))).toString('base64');
      const signed: SignedEnvelope = { ...envelope, signature };
      return Buffer.from(JSON.stringify(signed)).toString('base64url');
    });
    this.#inForce = current;
    this.#rollout = rollout;
  }
}
