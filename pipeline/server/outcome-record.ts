/** What the journal says that an epoch came to for one service: what a replay compares with its own, and the summary that
 *  people were told. */

import { bodyDigests, type EpochBodies } from '../replay/epoch-bodies.ts';
import type { OutcomeRecord } from '../replay/journal-record.ts';
import { tableDigest } from '../table/routing-table.ts';
import type { Decision, LoopState } from './epoch-loop.ts';
import type { EpochSummary } from './epoch-summary.ts';

/** `state`: after the decision. `published`: compiled for the epoch; null: the last bodies stand. */
export function outcomeRecord(
  { epoch, table, carried }: LoopState,
  decision: Decision,
  published: EpochBodies | null,
  summary: EpochSummary,
): OutcomeRecord {
  const decided = decision.kind === 'decided';
  return {
    kind: 'outcome',
    epoch,
    decided,
    outcome: summary.outcome,
    reason: summary.reason,
    relaxed: summary.relaxed,
    churn: decided ? decision.plan.churn : null,
    tableSha256: table && tableDigest(table),
    bodies: decided ? bodyDigests(published) : {},
    carried,
    summary,
  };
}

/** Of a service that nothing was observed of, and that has been told of already. */
export function silentRecord(epoch: number, { table, carried }: LoopState, told: EpochSummary | null): OutcomeRecord {
  return {
    kind: 'outcome',
    epoch,
    decided: false,
    outcome: 'held',
    reason: told?.reason ?? null,
    relaxed: [],
    churn: null,
    tableSha256: table && tableDigest(table),
    bodies: {},
    carried,
    summary: told,
  };
}
