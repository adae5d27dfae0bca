/** Dry runs from the command line on a small world, in this process. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { vi } from 'vitest';
import { stringify } from 'yaml';
import { bucketize } from '../../../bucketizer/bucketize.ts';
import { writeTree } from '../../../bucketizer/io/tree-file.ts';
import { formatTime } from '../../../config/duration.ts';
import { generateWorld } from '../../../config/generate.ts';
import { writeWorld } from '../../../config/load.ts';
import type { World } from '../../../config/world.ts';
import { planCommand } from '../../../pipeline/cli/plan.ts';
import { replayCommand } from '../../../pipeline/cli/replay.ts';
import { scratchDirectory } from '../../config/small-world.ts';

const generated = generateWorld({ seed: 7, edges: 4, datacenters: 3, users: 400, days: 1 });
export const world: World = { ...generated, events: [] };
const span = ['--from', formatTime(world.demand.timesMs[100]!), '--to', formatTime(world.demand.timesMs[103]!)];
const at = ['--at', formatTime(world.demand.timesMs[100]!)];

export interface Files {
  readonly world: string;
  readonly policy: string;
  readonly tree: string;
}

/** The world and a policy of nothing but `spec`, on disk until the test is over. */
export function filesOf(of: World = world, spec: Record<string, unknown> = {}): Files {
  const dir = scratchDirectory();
  const files = { world: join(dir, 'world'), policy: join(dir, 'policy.yaml'), tree: join(dir, 'tree') };
  writeWorld(files.world, of);
  const { users, friends } = of;
  const input = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  writeTree(files.tree, bucketize(input, { height: 6, seed: 1, effort: 'fast' }).tree);
  writeFileSync(
    files.policy,
    stringify({ apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service: 'web' }, spec }),
  );
  return files;
}

const flagsOf = ({ world: dir, policy, tree }: Files): string[] => ['--world', dir, '--policy', policy, '--tree', tree];

/** In this process; what it printed and its exit code. */
export async function run(command: Command, ...args: string[]): Promise<{ out: string; exitCode: unknown }> {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await command.parseAsync(args, { from: 'user' });
    return { out: out.mock.calls.map(([text]) => text).join(''), exitCode: process.exitCode };
  } finally {
    process.exitCode = before;
    out.mockRestore();
  }
}

export const plan = (files: Files, ...args: string[]) => run(planCommand(), ...flagsOf(files), ...at, ...args);
export const replay = (files: Files, ...args: string[]) => run(replayCommand(), ...flagsOf(files), ...span, ...args);
export const jsonOf = async (ran: Promise<{ out: string }>) => JSON.parse((await ran).out);
