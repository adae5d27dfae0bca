/** The intents in force, kept in the store so that a drain outlives a restart. Where the store fails, an intent counts
 *  all the same and is stored later: nobody drains a burning datacenter on condition that a disk has room. */

import { type Intent, intentSchema, isInForce } from '../../config/intent.ts';
import type { Store, StoreKey } from '../publish/store.ts';

export type Accepted =
  | { readonly kind: 'added' | 'unchanged'; readonly intent: Intent; readonly stored: boolean }
  | { readonly kind: 'taken' }; // the id names another intent

const key: StoreKey = 'intents';

export class IntentBook {
  readonly #store: Store;
  readonly #term: number;
  #intents: readonly Intent[]; // in the order they came
  #stored = true;

  private constructor(store: Store, term: number, intents: readonly Intent[]) {
    this.#store = store;
    this.#term = term;
    this.#intents = intents;
  }

  /** `damage` says what was wrong with the stored book, which is then begun anew. */
  static async open(
    store: Store,
    term: number,
  ): Promise<{ readonly book: IntentBook; readonly damage: string | null }> {
    const found = await store.get(key);
    if (found.kind === 'absent') return { book: new IntentBook(store, term, []), damage: null };
    if (found.kind === 'damaged') return { book: new IntentBook(store, term, []), damage: `${key}: ${found.detail}` };
    const intents = intentSchema.array().parse(JSON.parse(new TextDecoder().decode(found.value)));
    return { book: new IntentBook(store, term, intents), damage: null };
  }

  get all(): readonly Intent[] {
    return this.#intents;
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

  /** False where no intent has that id. */
  async remove(id: string): Promise<boolean> {
    const rest = this.#intents.filter((intent) => intent.id !== id);
    if (rest.length === this.#intents.length) return false;
    this.#intents = rest;
    this.#stored = false;
    await this.#tryToStore();
    return true;
  }

  /** Forgets what has ended by `timeMs` and stores what could not be stored before. Rejects where the store fails. */
  async settle(timeMs: number): Promise<void> {
    const rest = this.inForce(timeMs);
    if (rest.length < this.#intents.length) this.#stored = false;
    this.#intents = rest;
    if (!this.#stored) await this.#save();
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
    const value = new TextEncoder().encode(JSON.stringify(saved));
    // The term is fence enough: whoever leads is the only writer of the book.
    const put = await this.#store.put(key, value, { term: this.#term, expected: 'any' });
    if (put.kind !== 'stored') throw new Error(`the intents were not stored: ${put.kind}`);
    if (this.#intents === saved) this.#stored = true;
  }
}
