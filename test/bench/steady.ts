/** How steady the table is, per objective, on the shared world and on generated ones nothing was tuned to: what 2 % noise
 *  moves, around constant demand and around the daily curve, and what a step moves in the hour after. `npm run bench --
 *  steady`; exit 3 where a promise is missed. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { generateWorld } from '../../config/generate.ts';
import { readWorld } from '../../config/load.ts';
import { type Policy, policySchema } from '../../config/policy.ts';
import { seededRandom } from '../../config/random.ts';
import type { World } from '../../config/world.ts';
import type { EpochContext } from '../../pipeline/epoch/inputs.ts';
import { bucketWeights } from '../../pipeline/table/bucket-weights.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import { movedByNoise, movedIn, noisy, SteadyLoop, stepMoves } from '../simulation/steadiness.ts';
import type { Figure } from './figure.ts';

/** What noise may move an epoch on average; `closest-first` is told: it fills datacenters to the brim, and whatever is
 *  over a limit is brought back at once. */
const noiseMax = { balance: 0.003, priced: 0.005, 'closest-first': null } as const;
type Objective = keyof typeof noiseMax;

const stepRatioMax = 1.3;

/** A step that hardly moves anything has no ratio. */
const distanceMin = 0.005;

export async function steadyFigures(dataDir: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  const shared = join(dataDir, 'world');
  if (existsSync(shared)) figures.push(...(await figuresOf('shared', readWorld(shared), 14)));
  for (const [edges, datacenters, seed] of [
    [42, 10, 1],
    [20, 5, 2],
    [80, 16, 3],
  ] as const) {
    const world = generateWorld({ edges, datacenters, users: 4000, days: 1, seed });
    figures.push(...(await figuresOf(`seed ${seed}, ${edges} x ${datacenters}`, world, 12)));
  }
  return figures;
}

async function figuresOf(name: string, world: World, height: number): Promise<Figure[]> {
  const context = await contextOf(world, height);
  const figures: Figure[] = [];
  for (const objective of Object.keys(noiseMax) as Objective[]) {
    const document = { apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service: 'web' }, spec: { objective } };
    const policy = policySchema.parse(document);
    figures.push(...(await noiseFigures(`${name}, ${objective}`, noiseMax[objective], world, policy, context)));
    figures.push(...(await stepFigures(`${name}, ${objective}`, world, policy, context)));
  }
  return figures;
}

async function contextOf({ topology, users, friends }: World, height: number): Promise<EpochContext> {
  const input = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  const { tree } = bucketize(input, { height, seed: 1 });
  const solve = await openEngine('highs');
  const solver = { name: 'highs', solve: async (program: Parameters<typeof solve>[0]) => solve(program) } as const;
  return { tree, weights: bucketWeights(topology, tree, users), solver };
}

async function noiseFigures(
  where: string,
  limit: number | null,
  { topology, demand }: World,
  policy: Policy,
  context: EpochContext,
): Promise<Figure[]> {
  const width = topology.edges.length;
  const at = (t: number): Float64Array => demand.rps.slice(t * width, (t + 1) * width);
  const figure = (what: string, measured: number): Figure => ({
    what: `${where}: 2 % noise ${what} moves an epoch`,
    measured: measured.toFixed(5),
    limit: limit === null ? '' : `at most ${limit}`,
    holds: limit === null || measured <= limit,
  });
  const found: Figure[] = [];
  for (const hour of [4, 12, 20]) {
    const loop = new SteadyLoop(topology, policy, context);
    const moved = await movedByNoise(loop, at(hour * 12), 72, seededRandom(`noise at ${hour}`));
    found.push(figure(`around constant demand of ${hour}:00`, moved));
  }
  // The curve moves something by itself: the noise's share is what it adds.
  const [plain, shaken] = [new SteadyLoop(topology, policy, context), new SteadyLoop(topology, policy, context)];
  const random = seededRandom('noise around the curve');
  let added = 0;
  for (let t = 0; t < 288; t++) {
    const quiet = await plain.epoch({ demandRps: smooth(at, t) });
    const noise = await shaken.epoch({ demandRps: noisy(smooth(at, t), 0.02, random) });
    added += movedIn(noise) - movedIn(quiet);
  }
  found.push(figure('on top of the daily curve', added / 288));
  return found;
}

/** The daily curve without its own noise: means of an hour, joined by straight lines. */
function smooth(at: (t: number) => Float64Array, t: number): Float64Array {
  const hour = (h: number): Float64Array => {
    const steps = Array.from({ length: 12 }, (_, i) => at((h % 24) * 12 + i));
    return steps[0]!.map((_, e) => steps.reduce((sum, step) => sum + step[e]!, 0) / 12);
  };
  const [before, after] = [hour(Math.floor(t / 12)), hour(Math.floor(t / 12) + 1)];
  return before.map((rps, e) => rps + ((t % 12) / 12) * (after[e]! - rps));
}

async function stepFigures(where: string, world: World, policy: Policy, context: EpochContext): Promise<Figure[]> {
  const { topology, demand } = world;
  const noon = demand.rps.slice(144 * topology.edges.length, 145 * topology.edges.length);
  const steps = await stepMoves(new SteadyLoop(topology, policy, context), topology, noon);
  return steps.map(({ what, moved, distance }): Figure => {
    const ratio = moved / distance;
    const measured = `${moved.toFixed(4)} of ${distance.toFixed(4)}`;
    if (distance < distanceMin)
      return { what: `${where}: ${what}, moved in the hour after`, measured, limit: '', holds: true };
    return {
      what: `${where}: ${what}, moved in the hour after to the distance of the steady states`,
      measured: `${ratio.toFixed(2)} (${measured})`,
      limit: `at most ${stepRatioMax}`,
      holds: ratio <= stepRatioMax,
    };
  });
}
