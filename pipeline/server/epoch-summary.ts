/** One epoch in a few hundred bytes: what the history route, the event stream, the metrics and the page are told. */

import { formatTime } from '../../config/duration.ts';
import type { Topology } from '../../config/topology.ts';
import type { Churn, Outcome } from '../epoch/plan.ts';
import type { Decision } from './epoch-loop.ts';
import type { ShadowFigures } from './shadow.ts';

export interface EpochSummary {
  readonly epoch: number;
  readonly time: string; // the epoch's start, world time
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly relaxed: readonly string[];
  readonly utilization: Readonly<Record<string, number>>; // datacenter -> load / capacity under the table in force; empty where undecided
  readonly churn: Churn;
  readonly treeMove?: TreeMoved; // none: nobody passed to another tree
  readonly version: number; // in force after the epoch; 0: none yet
  readonly durationMs: number; // wall time from observing to publishing
  readonly shadow?: ShadowFigures; // of a control plane in shadow, where something was decided
}

/** Whom an epoch's step between two trees moved. */
export interface TreeMoved {
  readonly users: number; // whose bucket changed
  readonly churn: number; // share of demand that changed datacenter by it; not in the epoch's `churn`
}

/** An undecided epoch is `held` to the outside: the last good table stayed. */
export function summarise(
  decision: Decision,
  epoch: { readonly epoch: number; readonly startMs: number; readonly version: number; readonly durationMs: number },
  topology: Topology,
  treeMove: TreeMoved | null = null,
): EpochSummary {
  const common = {
    epoch: epoch.epoch,
    time: formatTime(epoch.startMs),
    version: epoch.version,
    durationMs: epoch.durationMs,
    ...(treeMove && { treeMove }),
  };
  switch (decision.kind) {
    case 'decided': {
      const { outcome, reason, relaxed, utilization, churn } = decision.plan;
      return { ...common, outcome, reason, relaxed, utilization: byDatacenter(topology, utilization), churn };
    }
    case 'undecided':
      return { ...common, outcome: 'held', reason: decision.message, relaxed: [], utilization: {}, churn: noChurn };
  }
}

export function byDatacenter(topology: Topology, values: ArrayLike<number>): Record<string, number> {
  return Object.fromEntries(topology.datacenters.map(({ id }, d) => [id, values[d] ?? 0]));
}

const noChurn: Churn = { forced: 0, elective: 0, deferred: 0, minimum: 0 };
