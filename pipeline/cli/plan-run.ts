/** One epoch of a world planned without effects, for all services that are asked for: as they are, as edits make them, and
 *  held to what their policies assert. Those that draw on the same resources are planned together. */

import { ConfigError } from '../../config/errors.ts';
import { concerns, type Intent } from '../../config/intent.ts';
import { assertionsOf, type Policy } from '../../config/policy.ts';
import { checkGroup } from '../../config/policy-group.ts';
import type { Topology } from '../../config/topology.ts';
import { type World, worldOfService } from '../../config/world.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import { rttOf } from '../../runtime/judge.ts';
import { certifiedBy } from '../../runtime/lp/certified.ts';
import { fullness, loadOf, metersOf, type ServiceLoad, sumByDatacenter } from '../../runtime/meters.ts';
import { capacityOf, costsOf, groupsOf } from '../../runtime/pools.ts';
import { statesAt } from '../../runtime/states.ts';
import type { EpochContext, EpochInputs } from '../epoch/inputs.ts';
import type { EpochPlan } from '../epoch/plan.ts';
import { freshState } from '../epoch.ts';
import { type AssertionResult, judgeAssertions } from '../replay/assertions.ts';
import type { Edit } from '../replay/edits.ts';
import { ConnectionLocality } from '../replay/locality.ts';
import { type PlanScore, type ScoredEdit, scoredChange, scorePlan } from '../replay/plan-score.ts';
import { PlannedDemand } from '../replay/planned-demand.ts';
import { planRamped } from '../replay/ramped-group.ts';
import { ReportBuilder, type ReportedEpoch } from '../replay/report.ts';
import { applyEdits, type WhatIf } from '../replay/what-if.ts';
import { diffTables, type TableDiff } from '../table/diff.ts';
import { type RoutingTable, servedFractions } from '../table/routing-table.ts';
import { planBody, type WhatIfScores } from './plan-body.ts';

/** What is planned: services of one world, in the order of names. */
export interface DryRun {
  readonly world: World; // of all services, or of the only one
  readonly services: readonly DryService[];
  readonly t: number; // step of the world
  readonly oracle: boolean;
  readonly intents: readonly Intent[];
}

export interface DryService {
  readonly policy: Policy;
  readonly context: EpochContext;
  readonly previous: RoutingTable | null;
}

/** One service's epoch, planned. */
export interface Planned extends WhatIf, DryService {
  readonly timeMs: number;
  readonly topology: Topology;
  readonly demandRps: Float64Array; // [edge] planned on
  readonly states: readonly DatacenterState[]; // [datacenter]
  readonly plan: EpochPlan;
  readonly diff: TableDiff | null;
}

/** [s] in the order of the services. Throws a ConfigError where an edit cannot be. */
export async function planDry(run: DryRun, edits: readonly Edit[]): Promise<readonly Planned[]> {
  const settings = run.services.map((service) => ({ ...service, ...editedFor(run, service, edits) }));
  const planned: Planned[] = [];
  for (const members of groupsIn(settings)) {
    const group = members.map((s) => settings[s]!);
    checkGroup(group.map(({ policy }) => policy));
    const inputs = group.map((setting) => inputsOf(setting, run));
    const plans = await planRamped(
      group.map(({ context, previous, policy }, own) => ({
        inputs: inputs[own]!,
        context: withBase(context, policy, previous),
      })),
    );
    members.forEach((s, own) => {
      planned[s] = plannedOf(settings[s]!, inputs[own]!, plans[own]!);
    });
  }
  return planned;
}

/** A dry run's ramp starts at the table it plans from. Throws a ConfigError where there is none. */
export function withBase(
  context: EpochContext,
  { spec, metadata }: Policy,
  previous: RoutingTable | null,
): EpochContext {
  if (!spec.ramp) return context;
  if (previous) return { ...context, base: previous };
  throw new ConfigError(
    `policy "${metadata.service}" has a ramp, and nothing says where the rest goes; name the imported table with --previous, or take the ramp out`,
  );
}

/** The world as the service has it, and its policy, both with the edits. */
function editedFor({ world, services }: DryRun, { policy }: DryService, edits: readonly Edit[]): WhatIf {
  const edited = applyEdits(world, policy, edits);
  if (services.length === 1) return edited;
  return { ...edited, world: worldOfService(edited.world, policy.metadata.service, '--policy') };
}

/** Indices of the services of each group. */
export function groupsIn(settings: readonly WhatIf[]): readonly (readonly number[])[] {
  return groupsOf(settings.map(({ world, policy }) => ({ policy, topology: world.topology })));
}

function inputsOf(
  { world, policy, statesOf, previous }: WhatIf & DryService,
  { t, oracle, intents }: DryRun,
): EpochInputs {
  const startMs = world.demand.timesMs[t]!;
  return {
    epoch: t,
    startMs,
    topology: world.topology,
    policy,
    demandRps: new PlannedDemand(world, policy, oracle).at(t),
    states: statesOf(statesAt(world, startMs)),
    intents: intents.filter((intent) => concerns(intent, policy.metadata.service)),
    previous,
    carried: freshState,
  };
}

function plannedOf(setting: WhatIf & DryService, inputs: EpochInputs, plan: EpochPlan): Planned {
  const { policy, context, previous } = setting;
  const { topology, demandRps, states, startMs } = inputs;
  const { segmentLevel } = policy.spec.buckets;
  const { weights } = context;
  const diff =
    plan.table && diffTables({ previous, next: plan.table, weights, edgeLoad: sharesOfAll(demandRps), segmentLevel });
  return { ...setting, timeMs: startMs, topology, demandRps, states, plan, diff };
}

function sharesOfAll(demandRps: Float64Array): Float64Array {
  const total = demandRps.reduce((a, b) => a + b, 0);
  return demandRps.map((rps) => (total > 0 ? rps / total : 0));
}

/** [s] the plan's figures, and those of the tables before under the same demand, are told as those of a replay's epoch. */
export async function judgeDry(planned: readonly Planned[]): Promise<readonly AssertionResult[][]> {
  const groups = groupsIn(planned);
  const results: AssertionResult[][] = [];
  for (const [s, one] of planned.entries()) {
    const group = groups.find((members) => members.includes(s))!.map((other) => planned[other]!);
    results.push(await judged(one, group));
  }
  return results;
}

async function judged(one: Planned, group: readonly Planned[]): Promise<AssertionResult[]> {
  const { world, policy, context, timeMs, topology, demandRps, states, previous } = one;
  const assertions = assertionsOf(policy);
  if (assertions.length === 0) return [];
  const figuresOf = (plan: EpochPlan, tableOf: (other: Planned) => RoutingTable | null): Promise<ReportedEpoch> => {
    const { table } = plan;
    const served = table ? servedFractions(table, context.weights) : plan.served;
    const others = group.flatMap((other): ServiceLoad[] => {
      const its = other === one ? null : tableOf(other);
      if (!its) return [];
      return [{ policy: other.policy, load: loadOf(other.demandRps, servedFractions(its, other.context.weights)) }];
    });
    const none = new Float64Array(topology.datacenters.length);
    const utilization = fullness(metersOf(topology, { policy }, none, others), loadOf(demandRps, served));
    const rttMs = rttOf(topology, demandRps, served);
    const certified = certifiedBy([context.solver], () => {});
    const common = { topology, startMs: timeMs, served: null, frozen: false, established: null };
    const judgedOf = (other: Planned) => ({
      ...common,
      policy: other.policy,
      demandRps: other.demandRps,
      states: other.states,
    });
    const shown = { timeMs, plan, table, served, standing: served, states, plannedRps: demandRps, demandRps };
    const epoch = { ...shown, utilization, judged: group.map(judgedOf), rttMs };
    return new ReportBuilder(world, policy, context, certified).add(epoch);
  };
  const still = { forced: 0, elective: 0, deferred: 0, minimum: 0 };
  const stood = { ...one.plan, table: previous, relaxed: [], churn: still };
  const before = previous && (await figuresOf(stood, (other) => other.previous));
  const after = await figuresOf(one.plan, (other) => other.plan.table);
  return judgeAssertions(assertions, [after], before && [before], 'give --previous PLAN');
}

/** [s] the same epoch without edits and with each one alone, beside the one with all. */
export async function scoreEdits(
  run: DryRun,
  edits: readonly Edit[],
  together: readonly Planned[],
): Promise<readonly WhatIfScores[]> {
  const localities = run.services.map(({ context }) => new ConnectionLocality(run.world, context.tree));
  const scoreOf = ({ topology, demandRps, plan }: Planned, s: number): PlanScore =>
    scorePlan(topology, demandRps, plan, localities[s]!);
  const without = await planDry(run, []);
  const base = without.map(scoreOf);
  const alone = run.services.map((): ScoredEdit[] => []);
  for (const edit of edits) {
    let planned: readonly Planned[];
    try {
      planned = edits.length === 1 ? together : await planDry(run, [edit]);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const scored of alone) scored.push({ edit: edit.text, refused: error.message });
      continue;
    }
    planned.forEach((one, s) => {
      alone[s]!.push({ edit: edit.text, ...scoredChange(scoreOf(one, s), base[s]!) });
    });
  }
  return together.map((one, s): WhatIfScores => {
    const was = without[s]!;
    const tables = was.plan.table && one.plan.table && [was.plan.table, one.plan.table];
    const { segmentLevel } = run.services[s]!.policy.spec.buckets;
    const { weights } = one.context;
    const edgeLoad = sharesOfAll(one.demandRps);
    return {
      edits: edits.map(({ text }) => text),
      without: { ...planBody(was.topology, was.plan), score: base[s]! },
      alone: alone[s]!,
      together: scoredChange(scoreOf(one, s), base[s]!),
      movedShare:
        tables && diffTables({ previous: tables[0]!, next: tables[1]!, weights, edgeLoad, segmentLevel }).movedShare,
    };
  });
}

/** How full all services together make a resource. */
export interface SharedUse {
  readonly resource: string;
  readonly services: readonly string[]; // that draw on it
  readonly utilization: Readonly<Record<string, number>>; // datacenter -> load / capacity
}

/** Every resource that somebody draws on. */
export function sharedUse(planned: readonly Planned[]): readonly SharedUse[] {
  const { topology } = planned[0]!;
  const names = new Set(planned.flatMap(({ policy }) => [...costsOf({ topology, policy }).keys()]));
  const loads = planned.map(placedBy);
  return [...names].map((resource): SharedUse => {
    const capacity = capacityOf(topology, resource);
    const used = new Float64Array(capacity.length);
    const drawing = planned.filter(({ policy }, s) => {
      const cost = costsOf({ topology, policy }).get(resource) ?? 0;
      for (let d = 0; d < used.length; d++) used[d]! += cost * loads[s]![d]!;
      return cost > 0;
    });
    return {
      resource,
      services: drawing.map(({ policy }) => policy.metadata.service),
      utilization: Object.fromEntries(
        topology.datacenters.map(({ id }, d) => [id, used[d]! > 0 ? used[d]! / capacity[d]! : 0]),
      ),
    };
  });
}

/** [d] in units of the service's demand; of a sticky service its sessions, those of tables before too. */
function placedBy({ plan, demandRps, topology }: Planned): Float64Array {
  const { sessions } = plan.carried;
  if (sessions) return sumByDatacenter(Float64Array.from(sessions), topology.datacenters.length);
  return loadOf(demandRps, plan.served);
}
