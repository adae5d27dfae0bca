/** The versions of one service's table, to be looked at: those that were in force, one of them whole, and what changed from
 *  one to another. */

import { infoOf, VersionHistory, type VersionInfo } from '../../publish/history.ts';
import { readVersion } from '../../publish/publisher.ts';
import type { Snapshot } from '../../publish/snapshot.ts';
import type { Store } from '../../publish/store.ts';
import { diffTables, type TableDiff } from '../../table/diff.ts';
import { decodeTable } from '../../table/routing-table.ts';
import { HttpProblem } from '../problem.ts';
import type { ServiceRun } from './service-run.ts';

export interface VersionDiff {
  readonly from: number; // 0: there was none
  readonly to: number;
  readonly diff: TableDiff;
}

export class ServiceVersions {
  readonly #run: ServiceRun;
  readonly #store: Store;
  readonly #history: VersionHistory;

  constructor(run: ServiceRun, store: Store) {
    this.#run = run;
    this.#store = store;
    this.#history = new VersionHistory(store, run.parts.service);
  }

  /** Newest first; nothing before the first table. */
  async latest(limit: number): Promise<readonly VersionInfo[]> {
    const { inForce } = this.#run.parts.publisher;
    return inForce ? this.#history.upTo(infoOf(inForce), limit) : [];
  }

  /** Null where none of that number is kept whole. */
  async get(version: number): Promise<Snapshot | null> {
    const { inForce } = this.#run.parts.publisher;
    return inForce?.version === version ? inForce : readVersion(this.#store, this.#run.parts.service, version);
  }

  /** What changes from one version to another, both by number or "current", on the demand last planned on. Without a `to`
   *  the one in force, without a `from` the one before that. */
  async diff(from: unknown, to: unknown): Promise<VersionDiff> {
    const after = await this.#named(to ?? 'current', 'to');
    const isFirst = from === undefined && after.parent === 0;
    const before = isFirst ? null : await this.#named(from ?? after.parent, 'from');
    const { policy } = this.#run.parts;
    const demandRps = this.#run.inputs.observed?.demandRps;
    const edges = after.table.edges.length;
    const diff = diffTables({
      previous: before && decodeTable(before.table, `version ${before.version}`),
      next: decodeTable(after.table, `version ${after.version}`),
      weights: this.#run.routing.weights,
      edgeLoad: demandRps ? sharesOf(demandRps) : new Float64Array(edges).fill(1 / edges),
      segmentLevel: policy.spec.buckets.segmentLevel,
    });
    return { from: before?.version ?? 0, to: after.version, diff };
  }

  async #named(asked: unknown, key: string): Promise<Snapshot> {
    const { inForce } = this.#run.parts.publisher;
    const version = asked === 'current' ? (inForce?.version ?? 0) : Number(asked);
    const snapshot = Number.isSafeInteger(version) && version > 0 ? await this.get(version) : null;
    if (snapshot) return snapshot;
    const shown = (JSON.stringify(asked) ?? 'nothing').slice(0, 40);
    throw new HttpProblem(
      404,
      `${key} is ${shown}, expected a version that is kept, or current; taiji history lists them`,
    );
  }
}

function sharesOf(demandRps: Float64Array): Float64Array {
  const total = demandRps.reduce((a, b) => a + b, 0);
  return demandRps.map((rps) => (total > 0 ? rps / total : 0));
}
