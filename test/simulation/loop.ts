/** The loop on a small setting with real parts: solve, assign, pace, validate, epoch after epoch. */

import type { Policy } from '../../config/policy.ts';
import type { Topology } from '../../config/topology.ts';
import type { EpochContext } from '../../pipeline/epoch/inputs.ts';
import type { EpochPlan } from '../../pipeline/epoch/plan.ts';
import { freshState, planEpoch } from '../../pipeline/epoch.ts';
import { uniformBucketWeights } from '../../pipeline/table/bucket-weights.ts';
import { servedFractions } from '../../pipeline/table/routing-table.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import { utilizationOf } from '../../runtime/judge.ts';
import { checkTable } from '../pipeline/check-table.ts';
import { engineHere, statesWithout, treeOf } from '../scene.ts';

export interface Step {
  readonly plan: EpochPlan;
  readonly utilization: Float64Array; // of the table in force, on the epoch's demand
}

export interface Course {
  readonly topology: Topology;
  readonly policy: Policy;
  readonly epochs: number;
  readonly demandRps: (epoch: number) => Float64Array;
  readonly states?: (epoch: number) => readonly DatacenterState[];
  readonly from?: Pick<EpochPlan, 'table' | 'carried'>; // what an earlier run ended with
  readonly stuck?: boolean; // some edge has nowhere to go: the oracle of tables does not apply
}

/** Every edge has a fine mesh of equal buckets, so that what is seen is the loop and not the grain. */
export async function run({ topology, policy, epochs, demandRps, states, from, stuck }: Course): Promise<Step[]> {
  const tree = treeOf(4096, 12, 1);
  const weights = uniformBucketWeights(topology, tree);
  const context: EpochContext = { tree, weights, solver: await engineHere('highs') };
  const steps: Step[] = [];
  let before: Pick<EpochPlan, 'table' | 'carried'> = from ?? { table: null, carried: freshState };
  for (let epoch = 0; epoch < epochs; epoch++) {
    const now = states?.(epoch) ?? statesWithout(topology);
    const demand = demandRps(epoch);
    const plan = await planEpoch(
      {
        epoch,
        startMs: epoch * 300_000,
        topology,
        policy,
        demandRps: demand,
        states: now,
        intents: [],
        previous: before.table,
        carried: before.carried,
      },
      context,
    );
    if (plan.table && !stuck) checkTable(plan.table, topology, tree, now);
    const served = plan.table ? servedFractions(plan.table, weights) : plan.served;
    steps.push({ plan, utilization: utilizationOf(topology, demand, served) });
    before = plan;
  }
  return steps;
}
