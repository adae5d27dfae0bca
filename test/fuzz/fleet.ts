/** A fleet of three edges and two datacenters, planned for a few epochs with whatever a test lets in, and what must hold
 *  of every plan however ugly that was. */

import { expect } from 'vitest';
import { ConfigError } from '../../config/errors.ts';
import type { Intent } from '../../config/intent.ts';
import type { Policy } from '../../config/policy.ts';
import type { Topology } from '../../config/topology.ts';
import type { EpochContext } from '../../pipeline/epoch/inputs.ts';
import type { EpochPlan } from '../../pipeline/epoch/plan.ts';
import { freshState, planEpoch } from '../../pipeline/epoch.ts';
import { uniformBucketWeights } from '../../pipeline/table/bucket-weights.ts';
import type { RoutingTable } from '../../pipeline/table/routing-table.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import { engineHere, statesWithout, topologyOf, treeOf } from '../scene.ts';

export const fleet = topologyOf(3, [900, 600]);
const tree = treeOf(64, 5, 1);
const solver = await engineHere('highs');
export const context = contextOf(fleet);

function contextOf(topology: Topology): EpochContext {
  return { tree, weights: uniformBucketWeights(topology, tree), solver };
}

export interface Told {
  readonly topology?: Topology;
  readonly policy: Policy;
  readonly demandRps: readonly Float64Array[]; // [epoch][edge]
  readonly states?: readonly (readonly DatacenterState[])[]; // [epoch][datacenter]
  readonly intents?: readonly Intent[];
}

export const calmRps = [Float64Array.of(100, 200, 50), Float64Array.of(120, 180, 90), Float64Array.of(10, 400, 0)];

/** All plans, each checked. The second datacenter is out in the second epoch, unless `states` says otherwise. */
export async function planned({
  topology = fleet,
  policy,
  demandRps,
  states,
  intents = [],
}: Told): Promise<EpochPlan[]> {
  const plans: EpochPlan[] = [];
  const with_ = contextOf(topology);
  let previous: RoutingTable | null = null;
  let carried = freshState;
  for (const [epoch, rps] of demandRps.entries()) {
    const now = states?.[epoch] ?? (epoch === 1 ? statesWithout(topology, 1) : statesWithout(topology));
    const inputs = {
      epoch,
      startMs: 1_772_409_600_000 + epoch * 300_000,
      topology,
      policy,
      demandRps: rps,
      states: now,
    };
    const plan: EpochPlan = await planEpoch({ ...inputs, intents, previous, carried }, with_);
    checkPlan(plan, topology, rps, policy);
    plans.push(plan);
    previous = plan.table;
    carried = plan.carried;
  }
  return plans;
}

/** No NaN, nothing infinite, nothing negative; rows sum to 1; every bucket has a datacenter that exists. */
export function checkPlan(plan: EpochPlan, topology: Topology, demandRps: Float64Array, policy?: Policy): void {
  const width = topology.datacenters.length;
  for (const name of ['solved', 'wanted', 'served'] as const) {
    const fractions = plan[name];
    if (!fractions.every((value) => value >= 0 && value <= 1 + 1e-9)) throw new Error(`${name} is ${fractions}`);
    if (plan.table === null) continue;
    for (let e = 0; e < topology.edges.length; e++) {
      const sum = fractions.subarray(e * width, (e + 1) * width).reduce((a, b) => a + b, 0);
      if (!(Math.abs(sum - 1) <= 1e-6)) throw new Error(`${name} of edge ${e} sums to ${sum}`);
    }
  }
  const load = demandRps.reduce((a, b) => a + b, 0);
  const utilization = [...plan.utilization];
  if (!utilization.every((value) => Number.isFinite(value) && value >= 0))
    throw new Error(`utilization ${utilization}`);
  if (plan.table) {
    const served = utilization.reduce((sum, value, d) => sum + value * topology.datacenters[d]!.capacityRps, 0);
    // The utilization of the fullest of several resources says nothing of the load.
    const { requests, ...others } = policy?.spec.resources ?? { requests: 1 };
    const asked = load * (requests ?? 0);
    const isOne = Object.keys(others).length === 0;
    if (isOne && !(Math.abs(served - asked) <= 1e-6 * asked)) throw new Error(`load ${served}, demand ${load}`);
    for (const assignment of plan.table.byEdge) {
      if (!assignment.every((target) => target < width)) throw new Error('a bucket without a datacenter');
    }
  }
  for (const share of Object.values(plan.churn)) {
    if (!(share >= 0 && share <= 1 + 1e-9)) throw new Error(`churn ${JSON.stringify(plan.churn)}`);
  }
  expect(JSON.parse(JSON.stringify(plan.carried))).toEqual(plan.carried);
  if (plan.outcome === 'held' || plan.outcome === 'rejected') expect(plan.reason).toBeTruthy();
}

/** What it makes, or null where it is refused in one line that starts with `start`. Anything else is a crash. */
export function madeOrRefused<Made>(start: RegExp, make: () => Made): Made | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (!start.test(error.message)) throw new Error(`no place in: ${error.message.slice(0, 300)}`);
    if (/[\n\r]/.test(error.message))
      throw new Error(`more than a line: ${JSON.stringify(error.message.slice(0, 300))}`);
    if (error.message.length > 2000) throw new Error(`${error.message.length} letters: ${error.message.slice(0, 300)}`);
    return null;
  }
}
