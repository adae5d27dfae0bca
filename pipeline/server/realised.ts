/** Realised against intended fractions, edge by edge: half the L1 distance between where an edge's requests went and where
 *  the table it serves by says, the only proof that buckets do what fractions say. An edge that counts its requests by
 *  datacenter in its acknowledgements is compared with the very table it acknowledged; of others telemetry's observed
 *  allocation is compared with the last two tables. Of an edge that says too little, or fell silent, nothing is known: it
 *  has no figure, and never 0.
 *
 *  Counts fade, realised and intended alike, so that an edge that lags a table behind for a minute is no alarm and one that
 *  does for an hour is. Declined: starting anew with every table. A table in five minutes leaves too few requests to tell
 *  chance from trouble. */

import { decay } from '../../runtime/sessions.ts';

export interface Realised {
  readonly distance: number; // 0..1
  readonly by: 'acks' | 'telemetry';
}

/** Counts this old weigh half. */
const halfLifeMs = 600_000;

/** What was last said longer ago than this says nothing of now. */
const silentMsMax = 1_200_000;

/** Chance alone parts a thousand requests over ten datacenters by .04. */
const requestsMin = 1000;

interface Counted {
  readonly atMs: number;
  readonly realised: Float64Array; // [datacenter] requests
  readonly intended: Float64Array; // [datacenter] as the tables said, of as many
  readonly sha256: string; // of the body that was counted last
  readonly row: Float64Array; // [datacenter] its fractions
}

export class RealisedFractions {
  readonly #counted: (Counted | null)[]; // [edge]
  #seen: { readonly distance: Float64Array; readonly atMs: number } | null = null;

  constructor(edges: number) {
    this.#counted = new Array<Counted | null>(edges).fill(null);
  }

  /** What telemetry saw: [edge], NaN where it saw nothing usable; null: nowhere. */
  see(distance: Float64Array | null, nowMs: number): void {
    this.#seen = distance && { distance, atMs: nowMs };
  }

  /** `requests`: [datacenter] that edge `e` counted by the body `sha256` since it last did. `current`: the body it is meant to
   *  have, and its fractions. What went by another one than that or than the one last counted says nothing: false. */
  count(
    e: number,
    requests: Float64Array,
    sha256: string,
    current: { readonly sha256: string; readonly row: Float64Array } | null,
    nowMs: number,
  ): boolean {
    const last = this.#counted[e] ?? null;
    const row = current?.sha256 === sha256 ? current.row : last?.sha256 === sha256 ? last.row : null;
    if (row === null) return false;
    const kept = last ? decay((Math.LN2 * Math.max(0, nowMs - last.atMs)) / halfLifeMs) : 0;
    const total = requests.reduce((a, b) => a + b, 0);
    this.#counted[e] = {
      atMs: nowMs,
      realised: requests.map((count, d) => count + kept * (last?.realised[d] ?? 0)),
      intended: row.map((share, d) => share * total + kept * (last?.intended[d] ?? 0)),
      sha256,
      row,
    };
    return true;
  }

  /** Null: nobody knows. */
  of(e: number, nowMs: number): Realised | null {
    const counted = this.#counted[e] ?? null;
    if (counted && nowMs - counted.atMs <= silentMsMax) {
      const { realised, intended } = counted;
      const total = realised.reduce((a, b) => a + b, 0);
      if (total >= requestsMin) {
        const parted = realised.reduce((sum, count, d) => sum + Math.abs(count - intended[d]!), 0);
        return { distance: parted / (2 * total), by: 'acks' };
      }
    }
    const seen = this.#seen && nowMs - this.#seen.atMs <= silentMsMax ? this.#seen.distance[e]! : Number.NaN;
    return Number.isNaN(seen) ? null : { distance: seen, by: 'telemetry' };
  }
}
