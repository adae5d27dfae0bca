/** Prometheus metrics, in a registry of their own: two control planes in one process (a test, a shadow) do not mix. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Outcome } from '../../epoch/plan.ts';
import { type AlertReason, type Alerts, alertReasons } from '../alert.ts';
import type { EpochSummary } from '../epoch-summary.ts';
import { type IntentsWatched, registerIntents } from './intent-metrics.ts';
import { ShadowMetrics } from './shadow-metrics.ts';
import { registerTreeMoves, type TreeMoving } from './tree-metrics.ts';

const outcomes: readonly Outcome[] = ['published', 'unchanged', 'held', 'rejected', 'initial'];

export interface Watched {
  readonly services: readonly WatchedService[];
  readonly nowMs: () => number;
  readonly isShadow: boolean; // under names of its own: no rule takes it for the one that steers
}

export interface WatchedService extends TreeMoving, IntentsWatched {
  readonly service: string;
  readonly decidedAtMs: () => number | null; // when the table in force was last confirmed by an epoch
  readonly journalBytes: () => number; // of its group
  readonly waiting: () => number; // long polls
  readonly realised: () => readonly (readonly [edge: string, distance: number])[]; // where it is known
}

export class Metrics {
  readonly registry = new Registry();
  readonly #utilization: Gauge;
  readonly #churn: Gauge;
  readonly #treeUsers: Counter;
  readonly #epochs: Counter;
  readonly #epochSeconds: Histogram;
  readonly #solveSeconds: Histogram;
  readonly #disagreements: Counter;
  readonly #alerts: Gauge;
  readonly #version: Gauge;
  readonly #term: Gauge;
  readonly #feedRequests: Counter;
  readonly #shadow: ShadowMetrics | null;

  constructor(watched: Watched) {
    const registers = [this.registry];
    const prefix = watched.isShadow ? 'taiji_shadow' : 'taiji';
    collectDefaultMetrics({ register: this.registry });
    this.#utilization = new Gauge({
      name: `${prefix}_utilization_ratio`,
      help: 'Load over capacity of a datacenter under the table in force, on the demand planned on',
      labelNames: ['service', 'datacenter'],
      registers,
    });
    this.#churn = new Gauge({
      name: `${prefix}_churn_ratio`,
      help: 'Share of demand that changed datacenter in the last epoch; minimum is what any assignment had to move',
      labelNames: ['service', 'kind'],
      registers,
    });
    this.#treeUsers = new Counter({
      name: `${prefix}_tree_moved_users_total`,
      help: 'Users who passed from one bucket tree to another and changed bucket by it',
      labelNames: ['service'],
      registers,
    });
    this.#epochs = new Counter({
      name: `${prefix}_epochs_total`,
      help: 'Epochs by outcome',
      labelNames: ['service', 'outcome'],
      registers,
    });
    const buckets = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300];
    this.#epochSeconds = new Histogram({
      name: `${prefix}_epoch_duration_seconds`,
      help: 'Wall time of an epoch from observing to publishing',
      labelNames: ['service'],
      buckets,
      registers,
    });
    this.#solveSeconds = new Histogram({
      name: `${prefix}_solve_duration_seconds`,
      help: 'Wall time of one solve of a linear program',
      labelNames: ['service'],
      buckets,
      registers,
    });
    this.#disagreements = new Counter({
      name: `${prefix}_solver_disagreements_total`,
      help: 'Programs of which the two solvers claimed minima that differ by more than a millionth',
      labelNames: ['service'],
      registers,
    });
    this.#alerts = new Gauge({
      name: `${prefix}_alert_active`,
      help: '1 while somebody should look, by reason',
      labelNames: ['service', 'reason'],
      registers,
    });
    this.#version = new Gauge({
      name: `${prefix}_table_version`,
      help: 'Version of the table in force',
      labelNames: ['service'],
      registers,
    });
    this.#term = new Gauge({
      name: `${prefix}_leader_term`,
      help: 'Leader term of this process',
      labelNames: ['service'],
      registers,
    });
    this.#feedRequests = new Counter({
      name: `${prefix}_feed_requests_total`,
      help: 'Answers to edges that asked for their table, by status code',
      labelNames: ['service', 'code'],
      registers,
    });
    new Gauge({
      name: `${prefix}_table_age_seconds`,
      help: 'Time since an epoch last decided that the table in force stands',
      labelNames: ['service'],
      registers,
      collect() {
        for (const { service, decidedAtMs } of watched.services) {
          const atMs = decidedAtMs();
          if (atMs !== null) this.set({ service }, Math.max(0, watched.nowMs() - atMs) / 1000);
        }
      },
    });
    new Gauge({
      name: `${prefix}_journal_written_bytes`,
      help: 'Bytes written to the journal since the start',
      labelNames: ['service'],
      registers,
      collect() {
        for (const { service, journalBytes } of watched.services) this.set({ service }, journalBytes());
      },
    });
    new Gauge({
      name: `${prefix}_feed_waiting`,
      help: 'Requests that wait for a change of their table',
      labelNames: ['service'],
      registers,
      collect() {
        for (const { service, waiting } of watched.services) this.set({ service }, waiting());
      },
    });
    new Gauge({
      name: `${prefix}_edge_realised_distance_ratio`,
      help: "Share of an edge's requests that went elsewhere than its table says, net; no series where nobody counts",
      labelNames: ['service', 'edge'],
      registers,
      collect() {
        this.reset();
        for (const { service, realised } of watched.services) {
          for (const [edge, distance] of realised()) this.set({ service, edge }, distance);
        }
      },
    });
    this.#shadow = watched.isShadow ? new ShadowMetrics(registers) : null;
    registerTreeMoves(watched.services, prefix, registers);
    registerIntents(watched.services, prefix, registers);
    // Every series from the first scrape on: a counter that appears at 1 has no increase to alert on.
    for (const { service } of watched.services) {
      for (const outcome of outcomes) this.#epochs.inc({ service, outcome }, 0);
      this.#disagreements.inc({ service }, 0);
      this.#treeUsers.inc({ service }, 0);
      for (const reason of alertReasons) this.#alerts.set({ service, reason }, 0);
    }
  }

  epoch(service: string, summary: EpochSummary): void {
    for (const [datacenter, ratio] of Object.entries(summary.utilization)) {
      this.#utilization.set({ service, datacenter }, ratio);
    }
    const { forced, elective, deferred, minimum } = summary.churn;
    const { users = 0, churn: tree = 0 } = summary.treeMove ?? {};
    this.#treeUsers.inc({ service }, users);
    for (const [kind, ratio] of Object.entries({ forced, elective, deferred, minimum, tree })) {
      this.#churn.set({ service, kind }, ratio);
    }
    this.#epochs.inc({ service, outcome: summary.outcome });
    this.#epochSeconds.observe({ service }, summary.durationMs / 1000);
    this.version(service, summary.version);
    if (summary.shadow) this.#shadow?.set(service, summary.shadow);
  }

  version(service: string, version: number): void {
    this.#version.set({ service }, version);
  }

  /** Told for each service of the group that the program was of. */
  solved(service: string, seconds: number): void {
    this.#solveSeconds.observe({ service }, seconds);
  }

  disagreed(service: string): void {
    this.#disagreements.inc({ service });
  }

  alerts(service: string, alerts: Alerts): void {
    const value = (reason: AlertReason): number => (alerts.has(reason) ? 1 : 0);
    for (const reason of alertReasons) this.#alerts.set({ service, reason }, value(reason));
  }

  term(service: string, term: number): void {
    this.#term.set({ service }, term);
  }

  feedAnswered(service: string, code: number): void {
    this.#feedRequests.inc({ service, code: String(code) });
  }
}
