/** The real week, a tree of its users and an engine in this thread, for benches that run it. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { readWorld } from '../../config/load.ts';
import { type Policy, policySchema } from '../../config/policy.ts';
import type { World } from '../../config/world.ts';
import type { EpochContext } from '../../pipeline/epoch/inputs.ts';
import type { ReplayOptions } from '../../pipeline/replay/world-replay.ts';
import { bucketWeights } from '../../pipeline/table/bucket-weights.ts';
import { cellTies } from '../../pipeline/table/cell-ties.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import type { Solver } from '../../runtime/lp/problem.ts';

/** Null where the data is absent. */
export function realWeek(dataDir: string): World | null {
  const worldDir = join(dataDir, 'world');
  return existsSync(worldDir) ? readWorld(worldDir) : null;
}

export async function contextOf(world: World, effort: 'fast' | 'default' = 'fast', height = 14): Promise<EpochContext> {
  const { ids, weight } = world.users;
  const ties = { users: ids, userWeights: weight, ties: world.friends, tieWeights: null };
  const { tree } = bucketize(ties, { height, seed: 1, effort });
  const solve = await openEngine('highs');
  const solver: Solver = { name: 'highs', solve: async (program) => solve(program) };
  const weights = bucketWeights(world.topology, tree, world.users);
  return { tree, weights, cellTies: cellTies(world, tree, weights), solver };
}

export function policyOf(spec: Record<string, unknown> = {}): Policy {
  return policySchema.parse({ apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service: 'web' }, spec });
}

/** From the first epoch to the last. */
export function wholeSpan({ demand: { timesMs } }: World, oracle: boolean): ReplayOptions {
  return { fromMs: timesMs[0]!, toMs: timesMs.at(-1)! + 1, oracle };
}
