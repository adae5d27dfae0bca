import { expect, test } from 'vitest';
import { generateWorld } from '../../config/generate.ts';
import { replayWorld } from '../../pipeline/replay/world-replay.ts';
import { uniformBucketWeights } from '../../pipeline/table/bucket-weights.ts';
import { utilizationWithout } from '../../runtime/emergency.ts';
import type { SolveStep } from '../../runtime/solve.ts';
import { engineHere, policyOf, treeOf } from '../scene.ts';

test('through a day under closest-first a loss would lift nobody far over emergencyMax, on the demand planned on', async () => {
  const world = generateWorld({ seed: 7, days: 1, users: 200, edges: 20, datacenters: 6 });
  const { topology } = world;
  const tree = treeOf(400, 9, 1);
  let want: SolveStep | null = null;
  const context = {
    tree,
    weights: uniformBucketWeights(topology, tree),
    solver: await engineHere('highs'),
    onStep: (step: SolveStep) => {
      if (step.kind === 'want') want = step;
    },
  };
  const policy = policyOf({ objective: 'closest-first', emergencyMax: 0.85 });
  const calm = { ...world, events: [] };
  const span = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, oracle: false };
  const worst: number[] = [];
  for await (const { plan, served } of replayWorld(calm, policy, context, span)) {
    const { model } = want as unknown as SolveStep;
    const load = (i: number): number => served[i]! * model.load[Math.floor(i / model.datacenters)]!;
    const highest = topology.datacenters.map((_, lost) => Math.max(...utilizationWithout(model, load, lost)));
    if (!plan.relaxed.includes('emergencyMax')) worst.push(Math.max(...highest));
  }
  worst.sort((a, b) => a - b);
  expect(worst.length).toBeGreaterThan(100);
  expect(worst.at(-1)).toBeLessThan(0.868);
});
