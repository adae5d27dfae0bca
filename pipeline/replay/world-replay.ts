/** A world under a policy, epoch by epoch, closed loop: each epoch is planned on what was known at its start (the demand
 *  of the epoch before, or a forecast from all before; with `oracle` its own) and judged on its own demand by the table
 *  then in force. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import { durationMs } from '../../config/duration.ts';
import { concerns, type Intent } from '../../config/intent.ts';
import type { Policy } from '../../config/policy.ts';
import { stepMs, type World } from '../../config/world.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { DatacenterState, RuntimeInputs } from '../../runtime/inputs.ts';
import { type RttMs, rttOf } from '../../runtime/judge.ts';
import { fullness, loadOf, metersOf } from '../../runtime/meters.ts';
import { statesAt } from '../../runtime/states.ts';
import type { EpochContext, EpochInputs } from '../epoch/inputs.ts';
import type { EpochPlan } from '../epoch/plan.ts';
import { type CarriedState, freshState } from '../epoch.ts';
import { type RoutingTable, servedFractions } from '../table/routing-table.ts';
import { ofTree } from '../table/tree-course.ts';
import { demandAt, PlannedDemand } from './planned-demand.ts';
import { planRamped } from './ramped-group.ts';
import { ReplayedTrees, type TreesInForce } from './replayed-trees.ts';
import { SessionLife } from './session-life.ts';

export interface ReplayOptions {
  readonly fromMs: number; // first epoch
  readonly toMs: number; // after the last epoch
  readonly oracle: boolean;
  readonly intents?: readonly Intent[]; // by their own times; default: none
  readonly fractionsAt?: (timeMs: number) => FractionMatrix; // in place of the linear program's
  readonly statesOf?: (observed: readonly DatacenterState[]) => readonly DatacenterState[]; // what-if; else as observed
  readonly activations?: readonly Activation[]; // by time; of all services
}

/** A tree that takes over from its time on. */
export interface Activation {
  readonly timeMs: number;
  readonly tree: BucketTree;
}

export interface ReplayedEpoch {
  readonly timeMs: number;
  readonly plan: EpochPlan;
  readonly table: RoutingTable | null; // in force
  readonly served: FractionMatrix; // by the table
  readonly standing: FractionMatrix; // of each edge's demand, where it is: of a sticky service also by tables before
  readonly states: readonly DatacenterState[];
  readonly plannedRps: Float64Array; // [edge] planned on
  readonly demandRps: Float64Array; // [edge] judged by
  readonly utilization: Float64Array; // [datacenter] of its fullest resource, other services' load too
  readonly judged: readonly RuntimeInputs[]; // what a solve for the epoch as it came would start from; of all services
  readonly rttMs: RttMs;
  readonly trees?: TreesInForce; // none: users are where the tree that the epoch was planned with has them
}

/** A service of a replay. The worlds of one replay differ in demand alone. */
export interface ReplayedService {
  readonly world: World;
  readonly policy: Policy;
  readonly context: EpochContext;
  readonly previous?: RoutingTable | null; // in force before the first epoch; none: the first table is free of guards
}

/** Tables are handed over one at a time and not kept. */
export async function* replayWorld(
  world: World,
  policy: Policy,
  context: EpochContext,
  options: ReplayOptions,
  previous: RoutingTable | null = null,
): AsyncGenerator<ReplayedEpoch> {
  for await (const [epoch] of replayGroup([{ world, policy, context, previous }], options)) yield epoch!;
}

/** Services that are solved together, [s] each epoch. With several, one whose `spec.epoch` is longer than the world's step
 *  is due every so many steps only. */
export async function* replayGroup(
  services: readonly ReplayedService[],
  options: ReplayOptions,
): AsyncGenerator<readonly ReplayedEpoch[]> {
  const { topology, demand } = services[0]!.world;
  const { intents = [] } = options;
  const runs = services.map((service) => ({
    ...service,
    planned: new PlannedDemand(service.world, service.policy, options.oracle),
    life: new SessionLife(service.policy, stepMs(demand)),
    everySteps: services.length > 1 ? stepsAnEpoch(service) : 1,
    trees: new ReplayedTrees(service, options.activations ?? []),
  }));
  let last = services.map(({ previous = null }): { previous: RoutingTable | null; carried: CarriedState } => ({
    previous,
    carried: freshState,
  }));
  let epoch = 0;
  for (let t = 0; t < demand.timesMs.length; t++) {
    const timeMs = demand.timesMs[t]!;
    if (timeMs < options.fromMs || timeMs >= options.toMs) continue;
    const observed = statesAt(services[0]!.world, timeMs);
    const states = options.statesOf ? options.statesOf(observed) : observed;
    const plannedRps = runs.map(({ planned }) => planned.at(t));
    const standing = runs.map(
      ({ policy, life, everySteps }, s): EpochInputs => ({
        epoch,
        startMs: timeMs,
        topology,
        policy,
        demandRps: plannedRps[s]!,
        states,
        intents: intents.filter((intent) => concerns(intent, policy.metadata.service)),
        ...last[s]!,
        epochMs: stepMs(demand),
        ...(options.fractionsAt && { fractions: options.fractionsAt(timeMs) }),
        ...(life.sessions && { sessions: life.sessions }),
        ...(epoch % everySteps !== 0 && { isDue: false }),
      }),
    );
    const steps = runs.map(({ trees }, s) => trees.next(standing[s]!));
    const plans = await planRamped(
      runs.map(({ context, trees: { cellTies } }, s) => {
        const { routing, step } = steps[s]!;
        const previous = ofTree(last[s]!.previous, routing.tree.version);
        return {
          context: { ...context, ...routing, ...(cellTies && { cellTies }) },
          inputs: { ...standing[s]!, previous, ...(step && { churnSpent: step.churn }) },
        };
      }),
    );
    const routed = runs.map(({ trees }, s) => trees.after(steps[s]!, plans[s]!));
    const lived = runs.map(({ world, policy, life }, s) => {
      const { table, served: planServed } = plans[s]!;
      const demandRps = demandAt(world, t);
      const served = table ? servedFractions(table, routed[s]!.routing.weights) : planServed;
      const { established, sessions } = life.live(states, demandRps, served);
      const standing = policy.spec.traffic.kind === 'sticky' ? sharesOf(sessions, demandRps, served) : served;
      const judged: RuntimeInputs = {
        topology,
        policy,
        startMs: timeMs,
        demandRps,
        states,
        served: null,
        frozen: false,
        established,
      };
      return { table, served, standing, demandRps, judged };
    });
    const judged = lived.map((one) => one.judged);
    const loads = lived.map(({ demandRps, standing }) => loadOf(demandRps, standing));
    const none = new Float64Array(topology.datacenters.length);
    yield runs.map(({ policy }, s): ReplayedEpoch => {
      const { demandRps, standing } = lived[s]!;
      const others = runs.flatMap((other, o) => (o === s ? [] : [{ policy: other.policy, load: loads[o]! }]));
      return {
        ...lived[s]!,
        trees: routed[s]!,
        timeMs,
        plan: plans[s]!,
        states,
        plannedRps: plannedRps[s]!,
        utilization: fullness(metersOf(topology, { policy }, none, others), loads[s]!),
        judged,
        rttMs: rttOf(topology, demandRps, standing),
      };
    });
    last = plans.map(({ table, carried }) => ({ previous: table, carried }));
    epoch += 1;
  }
}

function stepsAnEpoch({ world, policy }: ReplayedService): number {
  return Math.max(1, Math.round(durationMs(policy.spec.epoch) / stepMs(world.demand)));
}

/** [e * D + d] of each edge's demand; where it has none, as the table says. */
function sharesOf(sessions: Float64Array, demandRps: Float64Array, served: FractionMatrix): FractionMatrix {
  const width = sessions.length / demandRps.length;
  return sessions.map((count, i) => {
    const demand = demandRps[Math.floor(i / width)]!;
    return demand > 0 ? count / demand : served[i]!;
  });
}
