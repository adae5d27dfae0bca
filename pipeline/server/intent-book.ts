/** The intents that have not ended, kept in the store so that a drain outlives a restart, and the last that have. Where the
 *  store fails, an intent counts all the same and is stored later: nobody drains a burning datacenter on condition that a
 *  disk has room. */

import { z } from 'zod';
import { formatTime } from '../../config/duration.ts';
import { hasEnded, type Intent, intentSchema, isInForce } from '../../config/intent.ts';
import type { Store, StoreKey } from '../publish/store.ts';

export type Accepted =
  | { readonly kind: 'added' | 'unchanged'; readonly intent: Intent; readonly stored: boolean }
  | { readonly kind: 'taken' }; // the id names another intent

/** An intent that is over: how, when, and where somebody withdrew it, who and why. */
export interface EndedIntent {
  readonly intent: Intent;
  readonly how: 'expired' | 'withdrawn';
  readonly at: string; // the world's time
  readonly by: string | null; // null: nobody named
  readonly reason: string | null;
}

const key: StoreKey = 'intents';
const endedMax = 200;

const endedSchema = z.strictObject({
  intent: intentSchema,
  how: z.enum(['expired', 'withdrawn']),
  at: z.string(),
  by: z.string().nullable(),
  reason: z.string().nullable(),
});

/** A book written before ended intents were kept is their list alone. */
const bookSchema = z.union([
  z.strictObject({ intents: intentSchema.array(), ended: endedSchema.array() }),
  intentSchema.array().transform((intents) => ({ intents, ended: [] })),
]);

export class IntentBook {
  readonly #store: Store;
  readonly #term: number;
  #intents: readonly Intent[]; // in the order they came
  #ended: readonly EndedIntent[]; // in the order they ended
  #stored = true;

  private constructor(store: Store, term: number, { intents, ended }: z.output<typeof bookSchema>) {
    this.#store = store;
    this.#term = term;
    this.#intents = intents;
    this.#ended = ended;
  }

  /** `damage` says what was wrong with the stored book, which is then begun anew. */
  static async open(
    store: Store,
    term: number,
  ): Promise<{ readonly book: IntentBook; readonly damage: string | null }> {
    const found = await store.get(key);
    const empty = new IntentBook(store, term, { intents: [], ended: [] });
    if (found.kind === 'absent') return { book: empty, damage: null };
    if (found.kind === 'damaged') return { book: empty, damage: `${key}: ${found.detail}` };
    const written = bookSchema.parse(JSON.parse(new TextDecoder().decode(found.value)));
    return { book: new IntentBook(store, term, written), damage: null };
  }

  get all(): readonly Intent[] {
    return this.#intents;
  }

  /** The last that ended, newest last. */
  get ended(): readonly EndedIntent[] {
    return this.#ended;
  }

  inForce(timeMs: number): readonly Intent[] {
    return this.#intents.filter((intent) => isInForce(intent, timeMs));
  }

  async add(intent: Intent): Promise<Accepted> {
    const same = this.#intents.find(({ id }) => id === intent.id);
    if (same && JSON.stringify(same) !== JSON.stringify(intent)) return { kind: 'taken' };
    if (!same) this.#intents = [...this.#intents, intent];
    if (!same) this.#stored = false;
    return { kind: same ? 'unchanged' : 'added', intent, stored: await this.#tryToStore() };
  }

  /** Null where no intent has that id. */
  async remove(id: string, said: Pick<EndedIntent, 'by' | 'reason'>, atMs: number): Promise<Intent | null> {
    const intent = this.#intents.find((one) => one.id === id);
    if (!intent) return null;
    this.#end([{ intent, how: 'withdrawn', at: formatTime(atMs), ...said }]);
    await this.#tryToStore();
    return intent;
  }

  /** Takes out what has ended by `timeMs` and stores what could not be stored before. Rejects where the store fails. */
  async settle(timeMs: number): Promise<void> {
    const over = this.#intents.filter((intent) => hasEnded(intent, timeMs));
    this.#end(over.map((intent) => ({ intent, how: 'expired', at: intent.until!, by: null, reason: null })));
    if (!this.#stored) await this.#save();
  }

  #end(ended: readonly EndedIntent[]): void {
    if (ended.length === 0) return;
    this.#intents = this.#intents.filter((one) => !ended.some(({ intent }) => intent.id === one.id));
    this.#ended = [...this.#ended, ...ended].slice(-endedMax);
    this.#stored = false;
  }

  async #tryToStore(): Promise<boolean> {
    if (this.#stored) return true;
    return this.#save().then(
      () => true,
      () => false, // `settle` tries again at the next epoch, and raises the alert
    );
  }

  async #save(): Promise<void> {
    const saved = this.#intents;
    const value = new TextEncoder().encode(JSON.stringify({ intents: saved, ended: this.#ended }));
    // The term is fence enough: whoever leads is the only writer of the book.
    const put = await this.#store.put(key, value, { term: this.#term, expected: 'any' });
    if (put.kind !== 'stored') throw new Error(`the intents were not stored: ${put.kind}`);
    if (this.#intents === saved) this.#stored = true;
  }
}
