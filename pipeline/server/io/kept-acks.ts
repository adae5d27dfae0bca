/** What edges have said of one service's tables, in the store: whoever waits for edges, or judges a canary, goes on over a
 *  restart. An edge says once what it has applied and is believed from then on, so it is told that it was heard once that is
 *  stored. What a store that fails has no room for counts all the same, and is stored with the next. */

import type { EdgeAck } from '../../../config/edge-ack.ts';
import type { ServiceId } from '../../../config/ids.ts';
import type { Head } from '../../publish/snapshot.ts';
import type { Store, StoreKey } from '../../publish/store.ts';
import { EdgeAcks, type RememberedAcks } from '../edge-acks.ts';

export interface AcksParts {
  readonly service: ServiceId;
  readonly store: Store;
  readonly term: number;
  readonly canaryForMs: number; // how far back a canary's evidence goes; 0: the policy has none
}

const keyOf = (service: ServiceId): StoreKey => `services/${encodeURIComponent(service)}/acks`;

export class KeptAcks {
  readonly acks: EdgeAcks;
  readonly #parts: AcksParts;
  #isKept = true; // all of it
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null; // write, not begun yet

  private constructor(parts: AcksParts, acks: EdgeAcks) {
    this.#parts = parts;
    this.acks = acks;
  }

  /** `head`: has what was counted as a canary's evidence. `damage` says what was wrong with them: edges are to speak again. */
  static async open(
    parts: AcksParts,
    head: Head | null,
  ): Promise<{ readonly kept: KeptAcks; readonly damage: readonly string[] }> {
    const found = await parts.store.get(keyOf(parts.service));
    const damage = found.kind === 'damaged' ? [`${found.key}: ${found.detail}`] : [];
    if (found.kind !== 'found') return { kept: new KeptAcks(parts, new EdgeAcks()), damage };
    const remembered: RememberedAcks = JSON.parse(new TextDecoder().decode(found.value));
    const begunMs = head?.rollout.kind === 'canary' ? head.rollout.sinceMs : 0;
    const acks = new EdgeAcks(remembered, Math.max(head?.generatedAtMs ?? 0, begunMs));
    return { kept: new KeptAcks(parts, acks), damage };
  }

  /** Resolves once it is stored what the edge has, or cannot be. */
  async take(edge: string, ack: EdgeAck, nowMs: number): Promise<void> {
    const isNews = this.acks.of(edge)?.sha256 !== ack.sha256;
    this.acks.take(edge, ack, nowMs);
    this.#isKept = false;
    if (isNews) await this.keep(nowMs);
  }

  /** What there is to store; one write for all who ask while another is under way. */
  keep(nowMs: number): Promise<void> {
    if (this.#isKept) return this.#writing;
    this.#next ??= this.#writing.then(() => {
      this.#writing = this.#write(nowMs);
      this.#next = null;
      return this.#writing;
    });
    return this.#next;
  }

  async #write(nowMs: number): Promise<void> {
    const { service, store, term, canaryForMs } = this.#parts;
    const value = new TextEncoder().encode(JSON.stringify(this.acks.remembered(nowMs - canaryForMs)));
    this.#isKept = true;
    const put = await store.put(keyOf(service), value, { term, expected: 'any' }).catch(() => null);
    if (put?.kind !== 'stored') this.#isKept = false;
  }
}
