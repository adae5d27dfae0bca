/** `taiji plan`: one epoch of a world, what it would change and why, without changing anything. */

import { Command } from 'commander';
import { stringify } from 'yaml';
import { formatTime } from '../../config/duration.ts';
import { ConfigError } from '../../config/errors.ts';
import { writeFileAtomically } from '../../config/load.ts';
import { assertionsOf } from '../../config/policy.ts';
import type { Topology } from '../../config/topology.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import { rttOf, utilizationOf } from '../../runtime/judge.ts';
import { certifiedBy } from '../../runtime/lp/certified.ts';
import type { EngineName } from '../../runtime/lp/problem.ts';
import { statesAt } from '../../runtime/states.ts';
import { type Churn, type EpochContext, type EpochPlan, freshState, type Outcome, planEpoch } from '../epoch.ts';
import { type AssertionResult, allHold, assertionLines, judgeAssertions } from '../replay/assertions.ts';
import { aligned } from '../replay/comparison.ts';
import { type Edit, parseEdits } from '../replay/edits.ts';
import { ConnectionLocality } from '../replay/locality.ts';
import {
  formatScores,
  type PlanScore,
  type ScoredChange,
  type ScoredEdit,
  scoredChange,
  scorePlan,
} from '../replay/plan-score.ts';
import { PlannedDemand } from '../replay/planned-demand.ts';
import { ReportBuilder, type ReportedEpoch } from '../replay/report.ts';
import { applyEdits, type WhatIf } from '../replay/what-if.ts';
import { diffTables, formatDiff, type TableDiff } from '../table/diff.ts';
import { type EncodedTable, encodeTable, type RoutingTable, servedFractions } from '../table/routing-table.ts';
import { checkPrevious, checksumOf, readPreviousPlan } from './plan-file.ts';
import { type OutputFormat, openSetting, outputOption, type Setting, solverOption, stepAt } from './setting.ts';

interface PlanFlags {
  readonly world: string;
  readonly policy: string;
  readonly tree: string;
  readonly at?: string;
  readonly previous?: string;
  readonly out?: string;
  readonly oracle?: boolean;
  readonly whatIf?: string;
  readonly detailedExitcode?: boolean;
  readonly solver: EngineName;
  readonly output: OutputFormat;
}

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

/** What a plan file holds. `checksum`: SHA-256 over the rest as canonical JSON. */
interface PlanFile extends PlanBody {
  readonly time: string;
  readonly diff: TableDiff | null;
  readonly table: EncodedTable | null;
  readonly assertions: readonly AssertionResult[];
  readonly whatIf?: WhatIfScores; // the plan is of edited inputs: to be looked at, never to be applied
  readonly checksum: string;
}

interface WhatIfScores {
  readonly edits: readonly string[];
  readonly without: PlanBody & { readonly score: PlanScore };
  readonly alone: readonly ScoredEdit[];
  readonly together: ScoredChange;
  readonly movedShare: number | null; // of demand, served elsewhere than without edits
}

export function planCommand(): Command {
  return new Command('plan')
    .description('Plan one epoch and show what it would change; nothing is published')
    .requiredOption('--world <dir>', 'world directory')
    .requiredOption('--policy <file>', 'policy')
    .requiredOption('--tree <file>', 'bucket tree of the world’s users')
    .option('--at <time>', 'start of the epoch; default: the last of the world')
    .option('--previous <file>', 'table in force: an earlier plan; without it the table is the first one')
    .option('--out <file>', 'write the plan, with the table, as JSON')
    .option('--oracle', 'plan on the demand of the epoch itself, not on what was known before it')
    .option(
      '--what-if <edits>',
      'plan edited inputs beside the real ones, and score each edit: capacity.DATACENTER, demand.EDGE, rtt.EDGE.DATACENTER, state.DATACENTER.keep, policy.KEY, each with =, *= or +=, by commas; * names all',
    )
    .option('--detailed-exitcode', 'exit 2 where something would change')
    .addOption(solverOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  taiji plan --world world --policy policy.yaml --tree tree --at 2026-03-04T16:45:00Z --out before.json
  taiji plan --world world --policy policy.yaml --tree tree --at 2026-03-04T16:50:00Z --previous before.json
  taiji plan --world world --policy policy.yaml --tree tree -o json | jq .utilization
  taiji plan --world world --policy policy.yaml --tree tree --previous before.json --what-if 'capacity.tokyo*=0.5,demand.*=1.3,state.ashburn.keep=0'
  taiji plan --world world --policy policy.yaml --tree tree --what-if 'rtt.fra.dublin=30,policy.guards.churnMax=0.02'

What the policy asserts (assert: ["utilizationMax < 0.85", "rttMsP95 rise < 5"]) must hold of the plan, or the exit is 3; a
rise is over the table of --previous under the same demand and cannot hold without one.
Of what-if edits, *= is always the operator: demand.*=1.3 multiplies all demand, demand.* =100 sets it.`,
    )
    .action(async (flags: PlanFlags) => {
      const previous = flags.previous === undefined ? null : readPreviousPlan(flags.previous).table;
      const setting = await openSetting(flags);
      try {
        const { world, policy, context } = setting;
        const edits = flags.whatIf === undefined ? [] : parseEdits(flags.whatIf, world.topology);
        const planned = await planAt(applyEdits(world, policy, edits), context, flags, previous);
        const whatIf = edits.length > 0 ? await scoreEdits(setting, flags, previous, edits, planned) : null;
        const assertions = await judged(applyEdits(world, policy, edits), context, planned, previous);
        const file = planFile(world.topology, planned, assertions, whatIf);
        if (flags.out !== undefined) writeFileAtomically(flags.out, `${JSON.stringify(file, null, 1)}\n`);
        print(file, planned.diff, flags.output);
        const { outcome } = planned.plan;
        const changes = outcome === 'published' || outcome === 'initial';
        if (changes && flags.detailedExitcode === true) process.exitCode = 2;
        if (outcome === 'held' || outcome === 'rejected' || !allHold(assertions)) process.exitCode = 3;
      } finally {
        await setting.close();
      }
    });
}

interface Planned {
  readonly timeMs: number;
  readonly topology: Topology;
  readonly demandRps: Float64Array; // [edge] planned on
  readonly states: readonly DatacenterState[]; // [datacenter]
  readonly plan: EpochPlan;
  readonly diff: TableDiff | null;
}

async function planAt(
  { world, policy, statesOf }: WhatIf,
  context: EpochContext,
  flags: PlanFlags,
  previous: RoutingTable | null,
): Promise<Planned> {
  const { topology } = world;
  const { t, timeMs } = stepAt(world.demand, flags.at);
  if (previous) checkPrevious(previous, topology, context.tree.version, flags.previous!);
  const demandRps = new PlannedDemand(world, policy, flags.oracle === true).at(t);
  const states = statesOf(statesAt(world, timeMs));
  const plan = await planEpoch(
    {
      epoch: t,
      startMs: timeMs,
      topology,
      policy,
      demandRps,
      states,
      intents: [],
      previous,
      carried: freshState,
    },
    context,
  );
  const { segmentLevel } = policy.spec.buckets;
  const { weights } = context;
  const diff =
    plan.table && diffTables({ previous, next: plan.table, weights, edgeLoad: sharesOfAll(demandRps), segmentLevel });
  return { timeMs, topology, demandRps, states, plan, diff };
}

function sharesOfAll(demandRps: Float64Array): Float64Array {
  const total = demandRps.reduce((a, b) => a + b, 0);
  return demandRps.map((rps) => (total > 0 ? rps / total : 0));
}

/** The plan's figures, and those of the table before under the same demand, are told as those of a replay's epoch. */
async function judged(
  { world, policy }: WhatIf,
  context: EpochContext,
  planned: Planned,
  previous: RoutingTable | null,
): Promise<AssertionResult[]> {
  const assertions = assertionsOf(policy);
  if (assertions.length === 0) return [];
  const { timeMs, topology, demandRps, states } = planned;
  const figuresOf = (plan: EpochPlan): Promise<ReportedEpoch> => {
    const { table } = plan;
    const served = table ? servedFractions(table, context.weights) : plan.served;
    const utilization = utilizationOf(topology, demandRps, served);
    const rttMs = rttOf(topology, demandRps, served);
    const certified = certifiedBy([context.solver], () => {});
    const judged = [
      { topology, policy, startMs: timeMs, demandRps, states, served: null, frozen: false, established: null },
    ];
    const shown = { timeMs, plan, table, served, standing: served, states, plannedRps: demandRps, demandRps };
    const epoch = { ...shown, utilization, judged, rttMs };
    return new ReportBuilder(world, policy, context, certified).add(epoch);
  };
  const still = { forced: 0, elective: 0, deferred: 0, minimum: 0 };
  const before = previous && (await figuresOf({ ...planned.plan, table: previous, relaxed: [], churn: still }));
  return judgeAssertions(assertions, [await figuresOf(planned.plan)], before && [before], 'give --previous PLAN');
}

/** The same epoch without edits and with each one alone, beside the one with all. */
async function scoreEdits(
  { world, policy, context }: Setting,
  flags: PlanFlags,
  previous: RoutingTable | null,
  edits: readonly Edit[],
  together: Planned,
): Promise<WhatIfScores> {
  const locality = new ConnectionLocality(world, context.tree);
  const scoreOf = ({ topology, demandRps, plan }: Planned): PlanScore => scorePlan(topology, demandRps, plan, locality);
  const without = await planAt(applyEdits(world, policy, []), context, flags, previous);
  const base = scoreOf(without);
  const alone: ScoredEdit[] = [];
  for (const edit of edits) {
    let edited: WhatIf;
    try {
      edited = applyEdits(world, policy, [edit]);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      alone.push({ edit: edit.text, refused: error.message });
      continue;
    }
    const planned = edits.length === 1 ? together : await planAt(edited, context, flags, previous);
    alone.push({ edit: edit.text, ...scoredChange(scoreOf(planned), base) });
  }
  const tables = without.plan.table && together.plan.table && [without.plan.table, together.plan.table];
  const { segmentLevel } = policy.spec.buckets;
  const { weights } = context;
  const edgeLoad = sharesOfAll(together.demandRps);
  return {
    edits: edits.map(({ text }) => text),
    without: { ...planBody(without.topology, without.plan), score: base },
    alone,
    together: scoredChange(scoreOf(together), base),
    movedShare:
      tables && diffTables({ previous: tables[0]!, next: tables[1]!, weights, edgeLoad, segmentLevel }).movedShare,
  };
}

function planFile(
  topology: Topology,
  { timeMs, plan, diff }: Planned,
  assertions: readonly AssertionResult[],
  whatIf: WhatIfScores | null,
): PlanFile {
  const body = {
    time: formatTime(timeMs),
    ...planBody(topology, plan),
    diff,
    table: plan.table && encodeTable(plan.table),
    assertions,
    ...(whatIf && { whatIf }),
  };
  return { ...body, checksum: checksumOf(body) };
}

function planBody(topology: Topology, plan: EpochPlan): PlanBody {
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

function sharesOf(topology: Topology, fractions: FractionMatrix): Shares {
  const width = topology.datacenters.length;
  return Object.fromEntries(
    topology.edges.map(({ id }, e) => [
      id,
      Object.fromEntries(
        topology.datacenters.flatMap((datacenter, d) => {
          const fraction = fractions[e * width + d]!;
          return fraction > 0 ? [[datacenter.id, fraction]] : [];
        }),
      ),
    ]),
  );
}

function print(file: PlanFile, diff: TableDiff | null, format: OutputFormat): void {
  if (format === 'json') process.stdout.write(`${JSON.stringify(file, null, 2)}\n`);
  else if (format === 'yaml') process.stdout.write(stringify(file));
  else process.stdout.write(`${planLines(file, diff).join('\n')}\n`);
}

function planLines(file: PlanFile, diff: TableDiff | null): string[] {
  const { churn } = file;
  const utilization = Object.entries(file.utilization).map(([id, share]) => `${id} ${share.toFixed(3)}`);
  const why = file.reason === null ? '' : ` (${file.reason})`;
  return [
    ...(diff ? formatDiff(diff) : ['No table.']),
    '',
    `outcome      ${file.outcome}${why}${file.relaxed.length > 0 ? `; gave: ${file.relaxed.join(', ')}` : ''}`,
    `epoch        ${file.time}`,
    `utilization  ${utilization.join(', ')}`,
    `churn        forced ${churn.forced.toFixed(4)}, elective ${churn.elective.toFixed(4)}, deferred ${churn.deferred.toFixed(4)}; least possible ${churn.minimum.toFixed(4)}`,
    `checksum     ${file.checksum}`,
    ...assertionLines(file.assertions),
    ...(file.whatIf ? whatIfLines(file.whatIf, file) : []),
  ];
}

function whatIfLines({ without, alone, together, movedShare }: WhatIfScores, file: PlanFile): string[] {
  const utilization = Object.entries(file.utilization).map(([id, share]) => [
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
