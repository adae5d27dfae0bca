/** `taiji plan`: one epoch of a world, what it would change and why, without changing anything. */

import { Command } from 'commander';
import { stringify } from 'yaml';
import { formatTime } from '../../config/duration.ts';
import { writeFileAtomically } from '../../config/io/files.ts';
import type { EngineName } from '../../runtime/lp/problem.ts';
import { allHold } from '../replay/assertions.ts';
import { parseEdits } from '../replay/edits.ts';
import { intentsOption, readIntents } from './intents-file.ts';
import { planLines, type ServicePlan, servicePlan } from './plan-body.ts';
import { checksumOf, previousTables } from './plan-file.ts';
import {
  type DryRun,
  groupsIn,
  judgeDry,
  type Planned,
  planDry,
  type SharedUse,
  scoreEdits,
  sharedUse,
} from './plan-run.ts';
import { collect } from './repeated.ts';
import { servicesOf } from './replay-services.ts';
import { type OutputFormat, openSetting, outputOption, type Setting, solverOption, stepAt } from './setting.ts';

interface PlanFlags {
  readonly world: string;
  readonly policy: readonly string[];
  readonly tree: string;
  readonly at?: string;
  readonly previous?: string;
  readonly out?: string;
  readonly oracle?: boolean;
  readonly whatIf?: string;
  readonly intents?: string;
  readonly detailedExitcode?: boolean;
  readonly solver: EngineName;
  readonly output: OutputFormat;
}

/** What a plan file holds. `checksum`: SHA-256 over the rest as canonical JSON. */
type PlanFile = LonePlan | ServicesPlan;

interface LonePlan extends ServicePlan {
  readonly time: string;
  readonly checksum: string;
}

interface ServicesPlan {
  readonly time: string;
  readonly services: Readonly<Record<string, ServicePlan>>;
  readonly shared: {
    readonly groups: readonly (readonly string[])[]; // services that were planned together
    readonly utilization: readonly SharedUse[]; // by all services, resource by resource
  };
  readonly checksum: string;
}

export function planCommand(): Command {
  return new Command('plan')
    .description('Plan one epoch and show what it would change; nothing is published')
    .requiredOption('--world <dir>', 'world directory')
    .requiredOption('--policy <file>', 'policy; repeat it for services that are planned together', collect)
    .requiredOption('--tree <file>', 'bucket tree of the world’s users')
    .option('--at <time>', 'start of the epoch; default: the last of the world')
    .option('--previous <file>', 'table in force: an earlier plan; without it the table is the first one')
    .option('--out <file>', 'write the plan, with the table, as JSON')
    .option('--oracle', 'plan on the demand of the epoch itself, not on what was known before it')
    .option(
      '--what-if <edits>',
      'plan edited inputs beside the real ones, and score each edit: capacity.DATACENTER[.RESOURCE], demand.EDGE, rtt.EDGE.DATACENTER, state.DATACENTER.keep, policy.KEY or policy.SERVICE.KEY, each with =, *= or +=, by commas; * names all',
    )
    .addOption(intentsOption())
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
  taiji plan --world world --policy policy.yaml --tree tree --previous before.json --intents drain.yaml
  taiji plan --world world --policy web.yaml --policy chat.yaml --tree tree -o json | jq .shared.utilization
  taiji plan --world world --policy web.yaml --policy chat.yaml --tree tree --what-if 'demand.*=1.2,policy.web.movePriceMs=5'

What the policy asserts (assert: ["utilizationMax < 0.85", "rttMsP95 rise < 5"]) must hold of the plan, or the exit is 3; a
rise is over the table of --previous under the same demand and cannot hold without one.
Of what-if edits, *= is always the operator: demand.*=1.3 multiplies all demand, demand.* =100 sets it.
Of several services, policy.KEY is of every policy and policy.SERVICE.KEY of one; demand is that of all, each with its part.`,
    )
    .action(async (flags: PlanFlags) => {
      const [policy] = flags.policy;
      const setting = await openSetting({ ...flags, policy: policy! });
      try {
        const run = dryRunOf(setting, flags);
        const names = run.services.length > 1 ? run.services.map((one) => one.policy.metadata.service) : [];
        const { topology } = setting.world;
        const edits = flags.whatIf === undefined ? [] : parseEdits(flags.whatIf, topology, names);
        const planned = await planDry(run, edits);
        const whatIf = edits.length > 0 ? await scoreEdits(run, edits, planned) : [];
        const assertions = await judgeDry(planned);
        const plans = planned.map((one, s) => servicePlan(one.topology, one, assertions[s]!, whatIf[s] ?? null));
        const file = planFile(planned, plans);
        if (flags.out !== undefined) writeFileAtomically(flags.out, `${JSON.stringify(file, null, 1)}\n`);
        print(file, flags.output);
        const outcomes = plans.map(({ outcome }) => outcome);
        const changes = outcomes.some((outcome) => outcome === 'published' || outcome === 'initial');
        if (changes && flags.detailedExitcode === true) process.exitCode = 2;
        const stands = outcomes.some((outcome) => outcome === 'held' || outcome === 'rejected');
        if (stands || !assertions.every(allHold)) process.exitCode = 3;
      } finally {
        await setting.close();
      }
    });
}

/** Throws a ConfigError where files and flags do not fit each other. */
function dryRunOf({ world, wholeWorld, policy, context }: Setting, flags: PlanFlags): DryRun {
  const { t } = stepAt(world.demand, flags.at);
  const common = { t, oracle: flags.oracle === true, intents: readIntents(flags.intents, world.topology) };
  const { topology } = world;
  if (flags.policy.length === 1) {
    const { service } = policy.metadata;
    const [previous] = previousTables(flags.previous, [service], topology, context.tree.version);
    return { ...common, world, services: [{ policy, context, previous: previous! }] };
  }
  const services = servicesOf(wholeWorld, flags.policy, context);
  const names = services.map((one) => one.policy.metadata.service);
  const previous = previousTables(flags.previous, names, topology, context.tree.version);
  return {
    ...common,
    world: wholeWorld,
    services: services.map((one, s) => ({ policy: one.policy, context, previous: previous[s]! })),
  };
}

function planFile(planned: readonly Planned[], plans: readonly ServicePlan[]): PlanFile {
  const time = formatTime(planned[0]!.timeMs);
  if (planned.length === 1) {
    const body = { time, ...plans[0]! };
    return { ...body, checksum: checksumOf(body) };
  }
  const names = planned.map(({ policy }) => policy.metadata.service);
  const body = {
    time,
    services: Object.fromEntries(names.map((name, s) => [name, plans[s]!])),
    shared: {
      groups: groupsIn(planned).map((members) => members.map((s) => names[s]!)),
      utilization: sharedUse(planned),
    },
  };
  return { ...body, checksum: checksumOf(body) };
}

function print(file: PlanFile, format: OutputFormat): void {
  if (format === 'json') process.stdout.write(`${JSON.stringify(file, null, 2)}\n`);
  else if (format === 'yaml') process.stdout.write(stringify(file));
  else process.stdout.write(`${('services' in file ? servicesLines(file) : planLines(file, file)).join('\n')}\n`);
}

function servicesLines({ time, services, shared, checksum }: ServicesPlan): string[] {
  const fullnessOf = ({ utilization }: SharedUse): string =>
    Object.entries(utilization)
      .map(([id, share]) => `${id} ${share.toFixed(3)}`)
      .join(', ');
  return [
    ...Object.entries(services).flatMap(([service, plan]) => [
      `service ${service}`,
      ...planLines(plan, { time, checksum: null }),
      '',
    ]),
    'all services',
    ...shared.groups.map((group) => `together     ${group.join(', ')}`),
    ...shared.utilization.map((use) => `${use.resource.padEnd(12)} ${fullnessOf(use)} (${use.services.join(', ')})`),
    `checksum     ${checksum}`,
  ];
}
