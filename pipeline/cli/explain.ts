/** `taiji explain`: why an edge's traffic goes where it goes, of an epoch of a world or of a journal. */

import { Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { ConfigError } from '../../config/errors.ts';
import type { Policy } from '../../config/policy.ts';
import { checkGroup } from '../../config/policy-group.ts';
import { indexById, type Topology } from '../../config/topology.ts';
import type { EngineName } from '../../runtime/lp/problem.ts';
import { groupsOf } from '../../runtime/pools.ts';
import { statesAt } from '../../runtime/states.ts';
import type { EpochInputs, PlannedService } from '../epoch/inputs.ts';
import { freshState } from '../epoch.ts';
import { type Explanation, explainEdge, planGroupWatched, type WatchedEpoch } from '../replay/explanation.ts';
import { formatExplanation } from '../replay/explanation-text.ts';
import { PlannedDemand } from '../replay/planned-demand.ts';
import { planRamped } from '../replay/ramped-group.ts';
import { watchRecorded } from '../server/io/recorded-file.ts';
import { checkPrevious, type PreviousPlan, previousOf, readPreviousPlan, readPreviousPlans } from './plan-file.ts';
import { withBase } from './plan-run.ts';
import { collect } from './repeated.ts';
import { servicesOf } from './replay-services.ts';
import { type OutputFormat, openSetting, outputOption, solverOption, stepAt } from './setting.ts';

interface ExplainFlags {
  readonly world?: string;
  readonly policy: readonly string[];
  readonly service?: string;
  readonly tree?: string;
  readonly at?: string;
  readonly previous?: string;
  readonly journal?: string;
  readonly epoch?: number;
  readonly edge: string;
  readonly datacenter?: string;
  readonly bucket?: number;
  readonly solver: EngineName;
  readonly output: OutputFormat;
}

export function explainCommand(): Command {
  return new Command('explain')
    .description(
      'Say why the traffic of an edge goes where it goes: what changed, what binds and what more of it would save, and why other datacenters get nothing',
    )
    .requiredOption('--edge <edge>', 'edge to explain')
    .option('--datacenter <datacenter>', 'this datacenter only')
    .option('--bucket <number>', 'why this bucket of the tree goes where it goes there', wholeNumber)
    .option('--world <dir>', 'world directory')
    .option('--policy <file>', 'policy; repeat it for services that are planned together', collect, [])
    .option('--service <service>', 'of several services, the one to explain')
    .option('--tree <file>', 'bucket tree of the world’s users')
    .option('--at <time>', 'start of the epoch; default: the last of the world')
    .option('--previous <file>', 'table in force: an earlier plan; without it the table is the first one')
    .option('--journal <file>', 'explain a recorded epoch of a journal file instead')
    .option('--epoch <number>', 'of the journal file', wholeNumber)
    .addOption(solverOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  taiji explain --world world --policy policy.yaml --tree tree --edge fra
  taiji explain --world world --policy policy.yaml --tree tree --at 2026-03-04T16:50:00Z --previous before.json --edge cgk
  taiji explain --world world --policy policy.yaml --tree tree --edge fra --datacenter ashburn -o json
  taiji explain --world world --policy policy.yaml --tree tree --previous before.json --edge fra --bucket 812
  taiji explain --world world --policy web.yaml --policy chat.yaml --tree tree --service web --edge fra
  taiji explain --journal data/journal/000000000000-1795299328.jsonl --epoch 42 --edge fra

A running control plane explains its last epoch: GET /v1/explain?edge=fra, &datacenter= or &bucket=, of several services &service=web`,
    )
    .action(async (flags: ExplainFlags) => {
      const { datacenter, bucket } = flags;
      if (datacenter !== undefined && bucket !== undefined) {
        throw new ConfigError('--bucket: a bucket is explained with all datacenters; leave --datacenter out');
      }
      const watched = await (flags.journal === undefined ? watchWorld(flags) : watchJournal(flags, flags.journal));
      const { topology } = watched.inputs;
      const buckets = 1 << watched.context.tree.height;
      if (bucket !== undefined && bucket >= buckets) {
        throw new ConfigError(`--bucket ${bucket}: the tree has the buckets 0 to ${buckets - 1}`);
      }
      const e = indexOf(topology.edges, flags.edge, '--edge', 'edges');
      const d =
        datacenter === undefined ? null : indexOf(topology.datacenters, datacenter, '--datacenter', 'datacenters');
      print(explainEdge(watched, e, d, bucket ?? null), flags.output);
    });
}

async function watchWorld(flags: ExplainFlags): Promise<WatchedEpoch> {
  const { world: worldDir, tree } = flags;
  const [policyFile] = flags.policy;
  if (worldDir === undefined || policyFile === undefined || tree === undefined) {
    throw new ConfigError('explain: --world, --policy and --tree are needed, or --journal; see taiji explain --help');
  }
  if (flags.epoch !== undefined) throw new ConfigError('--epoch: is of a journal; name an epoch of a world with --at');
  const previous = flags.previous === undefined ? null : previousPlans(flags.previous, flags.policy.length > 1);
  const setting = await openSetting({ world: worldDir, policy: policyFile, tree, solver: flags.solver });
  try {
    const { context, wholeWorld } = setting;
    const services = flags.policy.length > 1 ? servicesOf(wholeWorld, flags.policy, context) : [setting];
    const service = chosenOf(services, flags.service);
    const { topology, demand } = setting.world;
    const { t } = stepAt(demand, flags.at);
    const group = groupsOf(services.map(({ policy }) => ({ policy, topology })))
      .find((members) => members.includes(service))!
      .map((s) => services[s]!);
    checkGroup(group.map(({ policy }) => policy));
    const before: WatchedEpoch['before'][] = [];
    const planned = group.map(({ world, policy }): PlannedService => {
      const known =
        previous && previousOf(previous, flags.policy.length > 1 ? policy.metadata.service : '', flags.previous!);
      if (known) checkPrevious(known.table, topology, context.tree.version, flags.previous!);
      const demandOf = new PlannedDemand(world, policy, false);
      const said = (step: number): Pick<EpochInputs, 'epoch' | 'startMs' | 'demandRps' | 'states'> => {
        const startMs = demand.timesMs[step]!;
        return { epoch: step, startMs, demandRps: demandOf.at(step), states: statesAt(world, startMs) };
      };
      const common = { topology, policy, intents: [] };
      const stepBefore = stepOfPrevious(demand.timesMs, known?.timeMs ?? null, t);
      before.push(stepBefore === null ? null : { ...common, ...said(stepBefore) });
      const inputs = { ...common, ...said(t), previous: known?.table ?? null, carried: freshState };
      return { inputs, context: withBase(context, policy, inputs.previous) };
    });
    const watched = await planGroupWatched(planned, before, planRamped);
    return watched[group.indexOf(services[service]!)]!;
  } finally {
    await setting.close();
  }
}

/** By service; of one service under no name. */
function previousPlans(file: string, isOfSeveral: boolean): ReadonlyMap<string, PreviousPlan> {
  return isOfSeveral ? readPreviousPlans(file) : new Map([['', readPreviousPlan(file)]]);
}

/** Index of the service that is asked for. Throws a ConfigError. */
function chosenOf(services: readonly { readonly policy: Policy }[], asked: string | undefined): number {
  const names = services.map(({ policy }) => policy.metadata.service);
  const service = asked === undefined && names.length === 1 ? 0 : names.indexOf(asked ?? '');
  if (service < 0) {
    const found = asked === undefined ? 'none is named' : `"${asked}" is not one of them`;
    throw new ConfigError(`--service: the policies are for ${names.join(', ')}, and ${found}; name one`);
  }
  return service;
}

/** The step that the previous plan was made for, or the one before `t`. */
function stepOfPrevious(timesMs: Float64Array, previousMs: number | null, t: number): number | null {
  const planned = previousMs === null ? -1 : timesMs.indexOf(previousMs);
  if (planned >= 0 && planned < t) return planned;
  return t > 0 ? t - 1 : null;
}

function watchJournal(flags: ExplainFlags, file: string): Promise<WatchedEpoch> {
  const { world, policy, tree, previous, at } = flags;
  if (policy.length > 0 || [world, tree, previous, at].some((flag) => flag !== undefined)) {
    throw new ConfigError('--journal: a journal brings its own world, policy and tree; leave those flags out');
  }
  if (flags.epoch === undefined) throw new ConfigError('--journal: name the epoch to explain with --epoch');
  return watchRecorded(file, flags.epoch, flags.service ?? null, flags.solver);
}

function indexOf(items: Topology['edges'] | Topology['datacenters'], id: string, flag: string, noun: string): number {
  const index = indexById<string>(items).get(id.normalize('NFC'));
  if (index === undefined) {
    throw new ConfigError(`${flag} ${id}: no such one; the ${noun} are ${items.map((item) => item.id).join(', ')}`);
  }
  return index;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('expected a whole number from 0');
  return Number(text);
}

function print(explanation: Explanation, format: OutputFormat): void {
  if (format === 'json') process.stdout.write(`${JSON.stringify(explanation, null, 2)}\n`);
  else if (format === 'yaml') process.stdout.write(stringify(explanation));
  else process.stdout.write(`${formatExplanation(explanation).join('\n')}\n`);
}
