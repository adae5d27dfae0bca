/** What is told of one service to whoever looks on: lines of the log, alerts, metrics, the event stream, the history.
 *  Nothing is decided by it. */

import type { Logger } from 'pino';
import type { ServiceId } from '../../../config/ids.ts';
import type { VersionAbout } from '../../publish/snapshot.ts';
import type { Alerts } from '../alert.ts';
import type { EpochHistory } from '../epoch-history.ts';
import type { EpochSummary } from '../epoch-summary.ts';
import type { ShadowFigures, ShadowSide } from '../shadow.ts';
import { highestOf } from '../shadow-report.ts';
import type { EventStream } from './event-stream.ts';
import type { Metrics } from './metrics.ts';

/** Those of all services of a process. */
export interface Listeners {
  readonly events: EventStream;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly onEpoch: (epoch: EpochSummary, service: ServiceId) => void;
}

export class ServiceNews {
  readonly log: Logger; // its lines name the service
  readonly #service: ServiceId;
  readonly #history: EpochHistory;
  readonly #listeners: Listeners;
  #told: EpochSummary | null = null;

  constructor(service: ServiceId, history: EpochHistory, listeners: Listeners) {
    this.log = listeners.log.child({ service });
    this.#service = service;
    this.#history = history;
    this.#listeners = listeners;
  }

  /** The epoch last told of since the start. */
  get told(): EpochSummary | null {
    return this.#told;
  }

  epoch(summary: EpochSummary): void {
    const { events, metrics, onEpoch } = this.#listeners;
    const service = this.#service;
    this.#told = summary;
    this.#history.add(summary);
    events.send(service, summary);
    metrics.epoch(service, summary);
    const { epoch, time, outcome, reason, relaxed, churn, treeMove, version, durationMs } = summary;
    const utilizationMax = Math.max(0, ...Object.values(summary.utilization));
    if (summary.shadow) this.log.info({ epoch, start: time, ...shadowLine(summary.shadow) }, 'shadow');
    // Not `time`: that is when the line was logged.
    this.log.info(
      { epoch, start: time, outcome, reason, relaxed, utilizationMax, churn, treeMove, version, durationMs },
      'epoch',
    );
    onEpoch(summary, service);
  }

  /** What has begun since `before`, and what is over. */
  alerts(before: Alerts, after: Alerts): void {
    if (before === after) return;
    this.#listeners.metrics.alerts(this.#service, after);
    for (const [reason, message] of after) if (!before.has(reason)) this.log.warn({ reason, message }, 'alert');
    for (const reason of before.keys()) if (!after.has(reason)) this.log.info({ reason }, 'alert over');
  }

  /** Another table is in force, between two epochs. */
  replaced(version: number, { cause, author, reason }: VersionAbout): void {
    this.#listeners.metrics.version(this.#service, version);
    this.log.info({ version, cause, author, reason }, 'table replaced');
  }

  ofPublication(message: string): void {
    this.log.info({ message }, 'publication');
  }

  ofTrees(way: object, message: string): void {
    this.log.info({ ...way, message }, 'trees');
  }
}

/** What a line of the log has room for. */
function shadowLine(figures: ShadowFigures): object {
  if (figures.kind === 'unknown') return figures;
  const sideOf = (side: ShadowSide) => ({ ...side, utilization: undefined, utilizationMax: highestOf(side) });
  return { today: sideOf(figures.today), taiji: sideOf(figures.taiji), elsewhere: figures.elsewhere };
}
