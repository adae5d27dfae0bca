/** What a plan says of one service, for scripts and for people, planned alone or with others. */

import type { Topology } from '../../config/topology.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { Churn, EpochPlan, Outcome } from '../epoch/plan.ts';
import { type AssertionResult, assertionLines } from '../replay/assertions.ts';
import { aligned } from '../replay/comparison.ts';
import { formatScores, type PlanScore, type ScoredChange, type ScoredEdit } from '../replay/plan-score.ts';
import { formatDiff, type TableDiff } from '../table/diff.ts';
import { type EncodedTable, encodeTable } from '../table/routing-table.ts';

type Shares = Readonly<Record<string, Readonly<Record<string, number>>>>;

interface PlanBody {
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly relaxed: readonly string[];
  readonly solved: Shares; // {edge: {datacenter: share}}, shares of 0 left out
  readonly wanted: Shares;
  readonly served: Shares;
  readonly utilization: Readonly<Record<string, number>>;
  readonly churn: Churn;
}

/** One service's part of a plan file. */
export interface ServicePlan extends PlanBody {
  readonly diff: TableDiff | null;
  readonly table: EncodedTable | null;
  readonly assertions: readonly AssertionResult[];
  readonly whatIf?: WhatIfScores; // the plan is of edited inputs: to be looked at, never to be applied
}

export interface WhatIfScores {
  readonly edits: readonly string[];
  readonly without: PlanBody & { readonly score: PlanScore };
  readonly alone: readonly ScoredEdit[];
  readonly together: ScoredChange;
  readonly movedShare: number | null; // of demand, served elsewhere than without edits
}

export function servicePlan(
  topology: Topology,
  { plan, diff }: { readonly plan: EpochPlan; readonly diff: TableDiff | null },
  assertions: readonly AssertionResult[],
  whatIf: WhatIfScores | null,
): ServicePlan {
  return {
    ...planBody(topology, plan),
    diff,
    table: plan.table && encodeTable(plan.table),
    assertions,
    ...(whatIf && { whatIf }),
  };
}

export function planBody(topology: Topology, plan: EpochPlan): PlanBody {
  return {
    outcome: plan.outcome,
    reason: plan.reason,
    relaxed: plan.relaxed,
    solved: sharesOf(topology, plan.solved),
    wanted: sharesOf(topology, plan.wanted),
    served: sharesOf(topology, plan.served),
    utilization: Object.fromEntries(topology.datacenters.map(({ id }, d) => [id, plan.utilization[d]!])),
    churn: plan.churn,
  };
}

/** Shares of 0 are left out; what is left of the sum of an edge's bucket weights in the last digits is no share. */
export function sharesOf(topology: Topology, fractions: FractionMatrix): Shares {
  const width = topology.datacenters.length;
  return Object.fromEntries(
    topology.edges.map(({ id }, e) => [
      id,
      Object.fromEntries(
        topology.datacenters.flatMap((datacenter, d) => {
          const fraction = fractions[e * width + d]!;
          return fraction > 0 ? [[datacenter.id, Number(fraction.toFixed(12))]] : [];
        }),
      ),
    ]),
  );
}

/** `checksum` null: that of the file of several services is told once. */
export function planLines(
  plan: ServicePlan,
  about: { readonly time: string; readonly checksum: string | null },
): string[] {
  const { churn, diff } = plan;
  const utilization = Object.entries(plan.utilization).map(([id, share]) => `${id} ${share.toFixed(3)}`);
  const why = plan.reason === null ? '' : ` (${plan.reason})`;
  return [
    ...(diff ? formatDiff(diff) : ['No table.']),
    '',
    `outcome      ${plan.outcome}${why}${plan.relaxed.length > 0 ? `; gave: ${plan.relaxed.join(', ')}` : ''}`,
    `epoch        ${about.time}`,
    `utilization  ${utilization.join(', ')}`,
    `churn        forced ${churn.forced.toFixed(4)}, elective ${churn.elective.toFixed(4)}, deferred ${churn.deferred.toFixed(4)}; least possible ${churn.minimum.toFixed(4)}`,
    ...(about.checksum === null ? [] : [`checksum     ${about.checksum}`]),
    ...assertionLines(plan.assertions),
    ...(plan.whatIf ? whatIfLines(plan.whatIf, plan) : []),
  ];
}

function whatIfLines({ without, alone, together, movedShare }: WhatIfScores, plan: ServicePlan): string[] {
  const utilization = Object.entries(plan.utilization).map(([id, share]) => [
    id,
    without.utilization[id]!.toFixed(3),
    share.toFixed(3),
    '',
  ]);
  const moved = movedShare === null ? 'nothing to compare: a plan has no table' : `${(100 * movedShare).toFixed(2)} %`;
  return [
    '',
    ...aligned([['utilization', 'without edits', 'with all', ''], ...utilization]),
    '',
    ...formatScores(without.score, alone, together.score),
    '',
    `Of demand, served elsewhere than without edits: ${moved}.`,
  ];
}
