/** `taiji explain`: why an edge's traffic goes where it goes, of an epoch of a world or of a journal. */

import { Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { ConfigError } from '../../config/errors.ts';
import { indexById, type Topology } from '../../config/topology.ts';
import type { EngineName } from '../../runtime/lp/problem.ts';
import { statesAt } from '../../runtime/states.ts';
import { type EpochInputs, freshState, planEpoch } from '../epoch.ts';
import { type Explanation, explainEdge, planWatched, type WatchedEpoch } from '../replay/explanation.ts';
import { formatExplanation } from '../replay/explanation-text.ts';
import { PlannedDemand } from '../replay/planned-demand.ts';
import { watchRecorded } from '../server/io/recorded-file.ts';
import { checkPrevious, readPreviousPlan } from './plan-file.ts';
import { type OutputFormat, openSetting, outputOption, solverOption, stepAt } from './setting.ts';

interface ExplainFlags {
  readonly world?: string;
  readonly policy?: string;
  readonly tree?: string;
  readonly at?: string;
  readonly previous?: string;
  readonly journal?: string;
  readonly epoch?: number;
  readonly edge: string;
  readonly datacenter?: string;
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
    .option('--world <dir>', 'world directory')
    .option('--policy <file>', 'policy')
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
  taiji explain --journal data/journal/000000000000-1795299328.jsonl --epoch 42 --edge fra

A running control plane explains its last epoch: GET /v1/explain?edge=fra`,
    )
    .action(async (flags: ExplainFlags) => {
      const watched = await (flags.journal === undefined ? watchWorld(flags) : watchJournal(flags, flags.journal));
      const { topology } = watched.inputs;
      const e = indexOf(topology.edges, flags.edge, '--edge', 'edges');
      const { datacenter } = flags;
      const d =
        datacenter === undefined ? null : indexOf(topology.datacenters, datacenter, '--datacenter', 'datacenters');
      print(explainEdge(watched, e, d), flags.output);
    });
}

async function watchWorld(flags: ExplainFlags): Promise<WatchedEpoch> {
  const { world: worldDir, policy: policyFile, tree } = flags;
  if (worldDir === undefined || policyFile === undefined || tree === undefined) {
    throw new ConfigError('explain: --world, --policy and --tree are needed, or --journal; see taiji explain --help');
  }
  if (flags.epoch !== undefined) throw new ConfigError('--epoch: is of a journal; name an epoch of a world with --at');
  const previous = flags.previous === undefined ? null : readPreviousPlan(flags.previous);
  const setting = await openSetting({ world: worldDir, policy: policyFile, tree, solver: flags.solver });
  try {
    const { world, policy, context } = setting;
    const { topology, demand } = world;
    const { t } = stepAt(demand, flags.at);
    if (previous) checkPrevious(previous.table, topology, context.tree.version, flags.previous!);
    const planned = new PlannedDemand(world, policy, false);
    const said = (step: number): Pick<EpochInputs, 'epoch' | 'startMs' | 'demandRps' | 'states'> => {
      const startMs = demand.timesMs[step]!;
      return { epoch: step, startMs, demandRps: planned.at(step), states: statesAt(world, startMs) };
    };
    const common = { topology, policy, intents: [] };
    const stepBefore = stepOfPrevious(demand.timesMs, previous?.timeMs ?? null, t);
    const before = stepBefore === null ? null : { ...common, ...said(stepBefore) };
    const inputs = { ...common, ...said(t), previous: previous?.table ?? null, carried: freshState };
    return await planWatched(inputs, before, context, planEpoch);
  } finally {
    await setting.close();
  }
}

/** The step that the previous plan was made for, or the one before `t`. */
function stepOfPrevious(timesMs: Float64Array, previousMs: number | null, t: number): number | null {
  const planned = previousMs === null ? -1 : timesMs.indexOf(previousMs);
  if (planned >= 0 && planned < t) return planned;
  return t > 0 ? t - 1 : null;
}

function watchJournal(flags: ExplainFlags, file: string): Promise<WatchedEpoch> {
  const { world, policy, tree, previous, at } = flags;
  if ([world, policy, tree, previous, at].some((flag) => flag !== undefined)) {
    throw new ConfigError('--journal: a journal brings its own world, policy and tree; leave those flags out');
  }
  if (flags.epoch === undefined) throw new ConfigError('--journal: name the epoch to explain with --epoch');
  return watchRecorded(file, flags.epoch, null, flags.solver);
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
