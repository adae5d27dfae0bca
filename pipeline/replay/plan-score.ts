/** A plan goal by goal, and what each what-if edit does to the goals: alone, and all of them together. An edit alone can be
 *  one that no file could state (a price without its objective); that is said in its row. */

import type { Topology } from '../../config/topology.ts';
import { rttOf } from '../../runtime/judge.ts';
import type { EpochPlan, Outcome } from '../epoch/plan.ts';
import { aligned, type Changes, changesOf, signed } from './comparison.ts';
import type { ConnectionLocality } from './locality.ts';

export interface PlanScore {
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly relaxed: readonly string[];
  readonly goals: PlanGoals | null; // null: there is no table
}

/** On the demand planned on. */
export interface PlanGoals {
  readonly utilizationMax: number;
  readonly rttMs: { readonly mean: number; readonly p95: number };
  readonly churn: { readonly forced: number; readonly elective: number; readonly deferred: number };
  readonly connectionLocality: number;
}

export interface ScoredChange {
  readonly score: PlanScore;
  readonly change: Changes | null; // of the goals, from the plan without edits; null: one of the two has no table
}

export type ScoredEdit =
  | ({ readonly edit: string } & ScoredChange)
  | { readonly edit: string; readonly refused: string }; // why it cannot stand alone

export function scorePlan(
  topology: Topology,
  demandRps: Float64Array,
  plan: EpochPlan,
  locality: ConnectionLocality,
): PlanScore {
  const { outcome, reason, relaxed, table, served, utilization, churn } = plan;
  if (!table) return { outcome, reason, relaxed, goals: null };
  const { mean, p95 } = rttOf(topology, demandRps, served);
  const goals = {
    utilizationMax: Math.max(...utilization),
    rttMs: { mean, p95 },
    churn: { forced: churn.forced, elective: churn.elective, deferred: churn.deferred },
    connectionLocality: locality.of(table),
  };
  return { outcome, reason, relaxed, goals };
}

export function scoredChange(score: PlanScore, without: PlanScore): ScoredChange {
  return { score, change: score.goals && without.goals && changesOf(score.goals, without.goals) };
}

/** One row a plan: the goals without edits and with all of them, between them what each edit changes. */
export function formatScores(without: PlanScore, alone: readonly ScoredEdit[], together: PlanScore): string[] {
  const head = ['', 'highest', 'rtt ms', 'p95 ms', 'forced', 'elective', 'deferred', 'together', 'outcome'];
  const dashes = head.slice(1, -1).map(() => '-');
  const rows = alone.map((scored) => {
    if ('refused' in scored) return [scored.edit, ...dashes, `not alone: ${scored.refused}`];
    const { score } = scored;
    const cells = score.goals && without.goals ? figuresOf(score.goals, without.goals) : dashes;
    return [scored.edit, ...cells, outcomeOf(score)];
  });
  return aligned([
    head,
    ['without edits', ...(without.goals ? figuresOf(without.goals, null) : dashes), outcomeOf(without)],
    ...rows,
    ['with all edits', ...(together.goals ? figuresOf(together.goals, null) : dashes), outcomeOf(together)],
  ]);
}

/** In the columns of the head; from `base`, signed. */
function figuresOf(goals: PlanGoals, base: PlanGoals | null): string[] {
  const figure = (pick: (goals: PlanGoals) => number, decimals: number): string =>
    base ? signed(pick(goals) - pick(base), decimals) : pick(goals).toFixed(decimals);
  return [
    figure(({ utilizationMax }) => utilizationMax, 3),
    figure(({ rttMs }) => rttMs.mean, 1),
    figure(({ rttMs }) => rttMs.p95, 1),
    figure(({ churn }) => churn.forced, 4),
    figure(({ churn }) => churn.elective, 4),
    figure(({ churn }) => churn.deferred, 4),
    figure(({ connectionLocality }) => connectionLocality, 4),
  ];
}

function outcomeOf({ outcome, reason, relaxed }: PlanScore): string {
  const why = reason === null ? '' : ` (${reason})`;
  return `${outcome}${why}${relaxed.length > 0 ? `; gave: ${relaxed.join(', ')}` : ''}`;
}
