/** What `plan` and `replay` start from: a world, a policy and a tree read from files, checked against each other, and the
 *  engines that solve. */

import { Option } from 'commander';
import { readTree } from '../../bucketizer/io/tree-file.ts';
import { durationMs, formatTime, parseTimeMs } from '../../config/duration.ts';
import { ConfigError } from '../../config/errors.ts';
import { readPolicy, readWorld } from '../../config/load.ts';
import type { Policy } from '../../config/policy.ts';
import { checkPolicyFor } from '../../config/policy-topology.ts';
import { type DemandSeries, stepMs, type World, worldOfService } from '../../config/world.ts';
import { worldNotes } from '../../config/world-notes.ts';
import type { EngineName } from '../../runtime/lp/problem.ts';
import type { EpochContext } from '../epoch/inputs.ts';
import { openEngines } from '../server/io/engines.ts';
import { checkTreeFits, coarseBuckets } from '../server/tree-fits.ts';
import { bucketWeights } from '../table/bucket-weights.ts';
import { cellTies } from '../table/cell-ties.ts';

export interface SettingFiles {
  readonly world: string;
  readonly policy: string;
  readonly tree: string;
  readonly solver: EngineName;
}

export interface Setting {
  readonly world: World; // as the policy's service has it
  readonly wholeWorld: World; // of all services
  readonly policy: Policy;
  readonly context: EpochContext;
  close(): Promise<void>;
}

/** Throws a ConfigError where a file is bad or the policy does not fit the world. */
export async function openSetting(files: SettingFiles): Promise<Setting> {
  const whole = readWorld(files.world);
  const policy = readPolicy(files.policy);
  const world = worldOfService(whole, policy.metadata.service, files.policy);
  checkPolicyFor(policy, world.topology, files.policy);
  for (const note of worldNotes(world)) process.stderr.write(`${files.world}: note: ${note}\n`);
  const tree = readTree(files.tree);
  const worldStepMs = stepMs(world.demand);
  if (worldStepMs !== durationMs(policy.spec.epoch)) {
    process.stderr.write(
      `${files.policy}: spec.epoch is ${policy.spec.epoch}, ${files.world} steps by ${worldStepMs / 1000}s; every step is an epoch here\n`,
    );
  }
  const stranger = checkTreeFits(tree, world.users, files.tree, files.world);
  const weights = bucketWeights(world.topology, tree, world.users);
  for (const warning of [stranger, coarseBuckets(tree, weights, world.topology.edges, files.tree)]) {
    if (warning !== null) process.stderr.write(`${warning}\n`);
  }
  const engines = await openEngines(files.solver, tree, weights);
  const context = { ...engines.context, cellTies: cellTies(world, tree, weights) };
  return { world, wholeWorld: whole, policy, context, close: engines.close };
}

export function solverOption(): Option {
  return new Option(
    '--solver <engine>',
    'highs: our own steps, HiGHS where they do not end; glpk: GLPK alone; the tables are the same with either',
  )
    .choices(['highs', 'glpk'])
    .default('highs');
}

export function outputOption(): Option {
  return new Option('-o, --output <format>', 'output format').choices(['table', 'json', 'yaml']).default('table');
}

export type OutputFormat = 'table' | 'json' | 'yaml';

/** Throws a ConfigError naming the flag. */
export function timeOf(text: string, flag: string): number {
  const timeMs = parseTimeMs(text);
  if (Number.isNaN(timeMs)) {
    throw new ConfigError(`${flag} is "${text}", expected an RFC 3339 time in UTC such as 2026-03-05T00:00:00Z`);
  }
  return timeMs;
}

/** The step of the world that `--at` names; the last one where it names none. Throws a ConfigError. */
export function stepAt(
  { timesMs }: DemandSeries,
  at: string | undefined,
): { readonly t: number; readonly timeMs: number } {
  const timeMs = at === undefined ? timesMs.at(-1)! : timeOf(at, '--at');
  const t = timesMs.indexOf(timeMs);
  if (t < 0) {
    const span = `${formatTime(timesMs[0]!)} to ${formatTime(timesMs.at(-1)!)}`;
    throw new ConfigError(`--at ${formatTime(timeMs)}: no such time in the world's demand, which runs from ${span}`);
  }
  return { t, timeMs };
}
