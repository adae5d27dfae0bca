/** A world under a policy, epoch by epoch, closed loop: each epoch is planned on what was known at its start (the demand
 *  of the epoch before, or a forecast from all before; with `oracle` its own) and judged on its own demand by the table
 *  then in force. */

import type { Policy } from '../../config/policy.ts';
import type { World } from '../../config/world.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import { type RttMs, rttOf, utilizationOf } from '../../runtime/judge.ts';
import { statesAt } from '../../runtime/states.ts';
import { type EpochContext, type EpochPlan, freshState, planEpoch } from '../epoch.ts';
import { type RoutingTable, servedFractions } from '../table/routing-table.ts';
import { demandAt, PlannedDemand } from './planned-demand.ts';

export interface ReplayOptions {
  readonly fromMs: number; // first epoch
  readonly toMs: number; // after the last epoch
  readonly oracle: boolean;
  readonly statesOf?: (observed: readonly DatacenterState[]) => readonly DatacenterState[]; // what-if; else as observed
}

export interface ReplayedEpoch {
  readonly timeMs: number;
  readonly plan: EpochPlan;
  readonly table: RoutingTable | null; // in force
  readonly served: FractionMatrix;
  readonly states: readonly DatacenterState[];
  readonly plannedRps: Float64Array; // [edge] planned on
  readonly demandRps: Float64Array; // [edge] judged by
  readonly utilization: Float64Array; // [datacenter]
  readonly rttMs: RttMs;
}

/** Tables are handed over one at a time and not kept. */
export async function* replayWorld(
  world: World,
  policy: Policy,
  context: EpochContext,
  options: ReplayOptions,
): AsyncGenerator<ReplayedEpoch> {
  const { topology, demand } = world;
  const planned = new PlannedDemand(world, policy, options.oracle);
  let previous: RoutingTable | null = null;
  let carried = freshState;
  let epoch = 0;
  for (let t = 0; t < demand.timesMs.length; t++) {
    const timeMs = demand.timesMs[t]!;
    if (timeMs < options.fromMs || timeMs >= options.toMs) continue;
    const observed = statesAt(world, timeMs);
    const states = options.statesOf ? options.statesOf(observed) : observed;
    const plannedRps = planned.at(t);
    const plan: EpochPlan = await planEpoch(
      { epoch, startMs: timeMs, topology, policy, demandRps: plannedRps, states, intents: [], previous, carried },
      context,
    );
    const demandRps = demandAt(world, t);
    const served = plan.table ? servedFractions(plan.table, context.weights) : plan.served;
    yield {
      timeMs,
      plan,
      table: plan.table,
      served,
      states,
      plannedRps,
      demandRps,
      utilization: utilizationOf(topology, demandRps, served),
      rttMs: rttOf(topology, demandRps, served),
    };
    previous = plan.table;
    carried = plan.carried;
    epoch += 1;
  }
}
