/** What edges said of one service's tables: which body each has applied, and how its requests fared. An edge that has
 *  applied the body it is meant to have is done, whatever the number of the version: most versions change few edges. */

import type { EdgeAck } from '../../config/edge-ack.ts';
import { type CanaryRecord, type EdgeHealth, type Evidence, noRecord, withHealth } from '../publish/canary.ts';

export interface AppliedTable {
  readonly sha256: string; // of the body
  readonly appliedAtMs: number; // as the edge says
  readonly heardAtMs: number; // wall clock
}

interface Report {
  readonly edge: string;
  readonly sha256: string;
  readonly atMs: number;
  readonly health: EdgeHealth;
}

/** Plain data, for the next process. */
export interface RememberedAcks {
  readonly applied: readonly (readonly [edge: string, AppliedTable])[];
  readonly reports: readonly Report[];
}

const reportsMax = 100_000;

export class EdgeAcks {
  readonly #applied: Map<string, AppliedTable>; // by edge
  #reports: Report[]; // in the order they came
  #counted: number; // of them, by `added`

  /** `countedMs`: reports up to then are in the evidence of whatever canary there is. */
  constructor({ applied, reports }: RememberedAcks = { applied: [], reports: [] }, countedMs = 0) {
    this.#applied = new Map(applied);
    this.#reports = [...reports];
    const uncounted = reports.findIndex(({ atMs }) => atMs > countedMs);
    this.#counted = uncounted < 0 ? reports.length : uncounted;
  }

  /** With the reports that came after `sinceMs`. */
  remembered(sinceMs: number): RememberedAcks {
    return { applied: [...this.#applied], reports: this.#reports.filter(({ atMs }) => atMs > sinceMs) };
  }

  take(edge: string, { sha256, appliedAt, health }: EdgeAck, nowMs: number): void {
    this.#applied.set(edge, { sha256, appliedAtMs: Date.parse(appliedAt), heardAtMs: nowMs });
    if (!health || health.requests === 0) return;
    this.#reports.push({ edge, sha256, atMs: nowMs, health });
    if (this.#reports.length <= reportsMax) return;
    const dropped = this.#reports.length - reportsMax / 2;
    this.#reports = this.#reports.slice(dropped);
    this.#counted = Math.max(0, this.#counted - dropped);
  }

  of(edge: string): AppliedTable | null {
    return this.#applied.get(edge) ?? null;
  }

  /** What a canary is compared with: the time before it. Reports from now on count as during. */
  begin(canary: ReadonlySet<string>, nowMs: number, forMs: number): Evidence {
    const before = { canary: noRecord, control: noRecord };
    for (const { edge, atMs, health } of this.#reports) {
      if (atMs <= nowMs - forMs) continue;
      const side = canary.has(edge) ? 'canary' : 'control';
      before[side] = withHealth(before[side], health);
    }
    this.#counted = this.#reports.length;
    return {
      canary: { before: before.canary, during: noRecord },
      control: { before: before.control, during: noRecord },
    };
  }

  /** `evidence` and what was said since it was last added to. `isNew`: is that body what the canary gave the edge? What a
   *  canary edge served by its old table says nothing. */
  added(evidence: Evidence, canary: ReadonlySet<string>, isNew: (edge: string, sha256: string) => boolean): Evidence {
    const during: Record<'canary' | 'control', CanaryRecord> = {
      canary: evidence.canary.during,
      control: evidence.control.during,
    };
    for (const { edge, sha256, health } of this.#reports.slice(this.#counted)) {
      const side = canary.has(edge) ? 'canary' : 'control';
      if (side === 'canary' && !isNew(edge, sha256)) continue;
      during[side] = withHealth(during[side], health);
    }
    this.#counted = this.#reports.length;
    return {
      canary: { before: evidence.canary.before, during: during.canary },
      control: { before: evidence.control.before, during: during.control },
    };
  }
}
