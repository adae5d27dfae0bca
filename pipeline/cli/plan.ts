/** `taiji plan`: one epoch of a world, what it would change and why, without changing anything. */

import { createHash } from 'node:crypto';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { formatTime } from '../../config/duration.ts';
import { ConfigError } from '../../config/errors.ts';
import { readText, writeFileAtomically } from '../../config/load.ts';
import type { Topology } from '../../config/topology.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { EngineName } from '../../runtime/lp/problem.ts';
import { statesAt } from '../../runtime/states.ts';
import { type Churn, type EpochPlan, freshState, type Outcome, planEpoch } from '../epoch.ts';
import { PlannedDemand } from '../replay/planned-demand.ts';
import { canonicalJson, type Json } from '../table/canonical-json.ts';
import { diffTables, formatDiff, type TableDiff } from '../table/diff.ts';
import { decodeTable, type EncodedTable, encodeTable, type RoutingTable } from '../table/routing-table.ts';
import { type OutputFormat, openSetting, outputOption, type Setting, solverOption, timeOf } from './setting.ts';

interface PlanFlags {
  readonly world: string;
  readonly policy: string;
  readonly tree: string;
  readonly at?: string;
  readonly previous?: string;
  readonly out?: string;
  readonly oracle?: boolean;
  readonly detailedExitcode?: boolean;
  readonly solver: EngineName;
  readonly output: OutputFormat;
}

type Shares = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** What a plan file holds. `checksum`: SHA-256 over the rest as canonical JSON. */
interface PlanFile {
  readonly time: string;
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly relaxed: readonly string[];
  readonly solved: Shares; // {edge: {datacenter: share}}, shares of 0 left out
  readonly wanted: Shares;
  readonly served: Shares;
  readonly utilization: Readonly<Record<string, number>>;
  readonly churn: Churn;
  readonly diff: TableDiff | null;
  readonly table: EncodedTable | null;
  readonly checksum: string;
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
    .option('--detailed-exitcode', 'exit 2 where something would change')
    .addOption(solverOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  taiji plan --world world --policy policy.yaml --tree tree --at 2026-03-04T16:45:00Z --out before.json
  taiji plan --world world --policy policy.yaml --tree tree --at 2026-03-04T16:50:00Z --previous before.json
  taiji plan --world world --policy policy.yaml --tree tree -o json | jq .utilization`,
    )
    .action(async (flags: PlanFlags) => {
      const previous = flags.previous === undefined ? null : readTable(flags.previous);
      const setting = await openSetting(flags);
      try {
        const { timeMs, plan, diff } = await planAt(setting, flags, previous);
        const file = planFile(setting.world.topology, timeMs, plan, diff);
        if (flags.out !== undefined) writeFileAtomically(flags.out, `${JSON.stringify(file, null, 1)}\n`);
        print(file, diff, flags.output);
        const changes = plan.outcome === 'published' || plan.outcome === 'initial';
        if (changes && flags.detailedExitcode === true) process.exitCode = 2;
        if (plan.outcome === 'held' || plan.outcome === 'rejected') process.exitCode = 3;
      } finally {
        await setting.close();
      }
    });
}

async function planAt(
  { world, policy, context }: Setting,
  flags: PlanFlags,
  previous: RoutingTable | null,
): Promise<{ timeMs: number; plan: EpochPlan; diff: TableDiff | null }> {
  const { topology, demand } = world;
  const timeMs = flags.at === undefined ? demand.timesMs.at(-1)! : timeOf(flags.at, '--at');
  const t = demand.timesMs.indexOf(timeMs);
  if (t < 0) {
    const span = `${formatTime(demand.timesMs[0]!)} to ${formatTime(demand.timesMs.at(-1)!)}`;
    throw new ConfigError(`--at ${formatTime(timeMs)}: no such time in the world's demand, which runs from ${span}`);
  }
  if (previous) checkPrevious(previous, topology, context.tree.version, flags.previous!);
  const demandRps = new PlannedDemand(world, policy, flags.oracle === true).at(t);
  const plan = await planEpoch(
    {
      epoch: t,
      startMs: timeMs,
      topology,
      policy,
      demandRps,
      states: statesAt(world, timeMs),
      intents: [],
      previous,
      carried: freshState,
    },
    context,
  );
  const total = demandRps.reduce((a, b) => a + b, 0);
  const edgeLoad = demandRps.map((rps) => (total > 0 ? rps / total : 0));
  const { segmentLevel } = policy.spec.buckets;
  const { weights } = context;
  const diff = plan.table && diffTables({ previous, next: plan.table, weights, edgeLoad, segmentLevel });
  return { timeMs, plan, diff };
}

/** Throws a ConfigError where `file` is no plan or its table was altered. */
function readTable(file: string): RoutingTable {
  let plan: unknown;
  try {
    plan = JSON.parse(readText(file));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`--previous ${file}: not JSON; name a file that taiji plan --out has written`);
  }
  if (typeof plan !== 'object' || plan === null || !('table' in plan) || !('checksum' in plan)) {
    throw new ConfigError(`--previous ${file}: not a plan; name a file that taiji plan --out has written`);
  }
  const { checksum, ...rest } = plan;
  if (checksum !== checksumOf(rest)) throw new ConfigError(`--previous ${file}: its checksum differs; it was altered`);
  if (plan.table === null) throw new ConfigError(`--previous ${file}: that plan was held and has no table`);
  return decodeTable(plan.table, `--previous ${file}`);
}

function checkPrevious(previous: RoutingTable, topology: Topology, treeVersion: string, file: string): void {
  const names = (items: readonly { readonly id: string }[]): string => items.map(({ id }) => id).join(' ');
  const same =
    previous.edges.join(' ') === names(topology.edges) &&
    previous.targets.map(({ datacenter }) => datacenter).join(' ') === names(topology.datacenters);
  if (!same) throw new ConfigError(`--previous ${file}: its edges and datacenters are not those of the world`);
  if (previous.treeVersion !== treeVersion) {
    throw new ConfigError(
      `--previous ${file}: made for tree ${previous.treeVersion.slice(0, 12)}, this is ${treeVersion.slice(0, 12)}; plan with the same tree`,
    );
  }
}

function planFile(topology: Topology, timeMs: number, plan: EpochPlan, diff: TableDiff | null): PlanFile {
  const body = {
    time: formatTime(timeMs),
    outcome: plan.outcome,
    reason: plan.reason,
    relaxed: plan.relaxed,
    solved: sharesOf(topology, plan.solved),
    wanted: sharesOf(topology, plan.wanted),
    served: sharesOf(topology, plan.served),
    utilization: Object.fromEntries(topology.datacenters.map(({ id }, d) => [id, plan.utilization[d]!])),
    churn: plan.churn,
    diff,
    table: plan.table && encodeTable(plan.table),
  };
  return { ...body, checksum: checksumOf(body) };
}

function checksumOf(body: object): string {
  return createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify(body)) as Json))
    .digest('hex');
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
  ];
}
