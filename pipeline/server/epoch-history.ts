/** The last epochs, oldest first, in a ring: what the page and a curious operator look back on without a database. */

import type { EpochSummary } from './epoch-summary.ts';

export class EpochHistory {
  readonly #capacity: number;
  readonly #epochs: EpochSummary[] = [];

  constructor(capacity: number, recorded: readonly EpochSummary[] = []) {
    this.#capacity = capacity;
    for (const epoch of recorded) this.add(epoch);
  }

  add(epoch: EpochSummary): void {
    // An epoch planned again after a crash replaces what was recorded of it, and of any that followed.
    while (this.#epochs.length > 0 && this.#epochs.at(-1)!.epoch >= epoch.epoch) this.#epochs.pop();
    this.#epochs.push(epoch);
    if (this.#epochs.length > this.#capacity) this.#epochs.shift();
  }

  get latest(): EpochSummary | null {
    return this.#epochs.at(-1) ?? null;
  }

  /** The newest `limit` epochs with a number above `epoch`, oldest first. */
  after(epoch: number, limit: number): readonly EpochSummary[] {
    const first = this.#epochs.findIndex((summary) => summary.epoch > epoch);
    return first < 0 ? [] : this.#epochs.slice(Math.max(first, this.#epochs.length - limit));
  }

  /** The newest `limit` epochs that start at `timeMs` or later. */
  since(timeMs: number, limit: number): readonly EpochSummary[] {
    const first = this.#epochs.findIndex((summary) => Date.parse(summary.time) >= timeMs);
    return first < 0 ? [] : this.#epochs.slice(Math.max(first, this.#epochs.length - limit));
  }
}
