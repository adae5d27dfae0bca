/** What edges' counts have come to for one service, kept so that a restart, after a kill too, goes on from it: the bucket
 *  weights in force, which are among the objects for the journal's sake, and what was counted. The head of the epoch names
 *  both, so they are in force with its table and with where its users are between trees, or not at all.
 *
 *  The counts have two slots, of which the head names one: what goes with the next head is written to the other.
 *  Declined: under their digest like the weights. They change with every epoch, and somebody would have to sweep. */

import { ConfigError } from '../../../config/errors.ts';
import type { ServiceId } from '../../../config/ids.ts';
import type { Topology } from '../../../config/topology.ts';
import type { PublishedCounts } from '../../publish/snapshot.ts';
import type { Store, StoreKey } from '../../publish/store.ts';
import type { BucketWeights } from '../../table/bucket-weights.ts';
import { BucketCounts } from '../bucket-counts.ts';
import { CountedRouting } from '../counted-routing.ts';
import { decodeCounts, encodeCounts } from '../counts-memory.ts';
import type { ServiceTrees } from '../service-trees.ts';
import type { RoutingObjects } from './objects.ts';
import type { ServicePublisher } from './service-publisher.ts';

export interface CountsParts {
  readonly service: ServiceId;
  readonly topology: Topology;
  readonly trees: ServiceTrees;
  readonly halfLifeMs: number;
  readonly store: Store;
  readonly term: number;
  readonly objects: RoutingObjects;
  readonly nowMs: () => number;
}

export class KeptCounts {
  readonly counts: BucketCounts;
  readonly routing: CountedRouting;
  readonly #parts: CountsParts;

  private constructor(parts: CountsParts, counts: BucketCounts, learnt: BucketWeights | null) {
    this.counts = counts;
    this.routing = new CountedRouting(parts.trees, counts, parts.nowMs, learnt);
    this.#parts = parts;
  }

  /** As the newest head names them. `damage` says what was wrong with them: weights begin with where users live, then, and
   *  what was counted is counted anew. */
  static async open(
    parts: CountsParts,
    named: PublishedCounts | null,
  ): Promise<{ readonly kept: KeptCounts; readonly damage: readonly string[] }> {
    const { service, topology, trees, halfLifeMs, store, objects } = parts;
    const { height } = trees.routing.tree;
    const damage: string[] = [];
    let learnt: BucketWeights | null = null;
    try {
      if (named?.weightsSha256) learnt = await objects.weights(named.weightsSha256);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      damage.push(error.message);
    }
    const found = named === null ? null : await store.get(slotKey(service, named.slot));
    if (found?.kind === 'damaged') damage.push(`${found.key}: ${found.detail}`);
    const known = found?.kind === 'found' ? decodeCounts(found.value, topology, height) : null;
    const counts = new BucketCounts(topology.edges.length, height, halfLifeMs, known ?? undefined);
    return { kept: new KeptCounts(parts, counts, learnt), damage };
  }

  /** On the disk, for the next head to name; null: nobody counts. Where something cannot be stored all stays as the last
   *  head has it: the publication of the same epoch raises the alert. */
  async keep({ counted: before, isStored }: ServicePublisher): Promise<PublishedCounts | null> {
    const { service, topology, store, term, objects } = this.#parts;
    const { learnt, routing } = this.routing;
    if (learnt === null && this.counts.all.every((one) => one === null)) return null;
    if (!isStored) return before; // nobody knows which slot the head on the disk names
    const slot = before?.slot === 0 ? 1 : 0;
    try {
      const weightsSha256 = learnt && objects.nameOf(routing).weightsSha256;
      if (weightsSha256 !== null && weightsSha256 !== before?.weightsSha256) await objects.keep(routing);
      const bytes = encodeCounts(this.counts.all, topology, routing.tree.height);
      const put = await store.put(slotKey(service, slot), bytes, { term, expected: 'any' });
      return put.kind === 'stored' ? { weightsSha256, slot } : before;
    } catch {
      return before;
    }
  }
}

function slotKey(service: ServiceId, slot: number): StoreKey {
  return `services/${encodeURIComponent(service)}/counts-${slot}`;
}
