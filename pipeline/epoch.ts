/** One epoch, without effects: solve -> assign -> pace -> validate. Config feed, dry run and postmortem all call it, and
 *  the same inputs give the same plan to the last byte. */

import type { Fraction } from '../config/units.ts';
import type { FractionMatrix } from '../runtime/fractions.ts';
import { observeStates } from '../runtime/guards.ts';
import { certifiedBy, type Doubt } from '../runtime/lp/certified.ts';
import { fullness, loadOf, metersOf, type ServiceLoad, sumByDatacenter } from '../runtime/meters.ts';
import { type Decision, solveGroup } from '../runtime/solve.ts';
import { suspectShare } from '../runtime/states.ts';
import type { EpochContext, EpochInputs, PlannedService } from './epoch/inputs.ts';
import { type EpochPlan, planned, standing } from './epoch/plan.ts';
import { ceilingsOf, loadOn, type Setting, settingOf } from './epoch/setting.ts';

export { type CarriedState, freshState } from '../runtime/guards.ts';

export type PlanEpoch = (inputs: EpochInputs, context: EpochContext) => Promise<EpochPlan>;

export type PlanGroup = (services: readonly PlannedService[]) => Promise<readonly EpochPlan[]>;

/** More than this share of all capacity failing by itself is suspect: the table is held until an operator drains. */
const suspectShareMax = 0.5;

export const planEpoch: PlanEpoch = async (inputs, context) => {
  const [plan] = await planGroup([{ inputs, context }]);
  return plan!;
};

/** [s] a plan each. Services that draw on the same datacenters are in one program; each then gets a table of its own. The
 *  first one's solver solves. */
export const planGroup: PlanGroup = async (services) => {
  const settings = services.map((service) => settingOf(withinBudget(service)));
  const { inputs } = services[0]!;
  // Whoever drains a datacenter, for whichever service, has looked at it.
  const intents = services.flatMap((service) => service.inputs.intents);
  const suspect = suspectShare(inputs.topology, inputs.states, intents, inputs.startMs);
  if (suspect > suspectShareMax) {
    const reason = `${(suspect * 100).toFixed(0)} % of all capacity failed at once, which is suspect; drain to confirm it`;
    return settings.map((setting) => {
      const ceilings = ceilingsOf(setting, setting.carried);
      return standing(setting, { outcome: 'held', reason, carried: setting.carried, doubts: [], ceilings });
    });
  }
  const doubts: Doubt[] = [];
  const { solver, secondSolver } = services[0]!.context;
  const engines = secondSolver ? [solver, secondSolver] : [solver];
  const decisions = inputs.fractions
    ? settings.map(stated)
    : await solveGroup(
        settings.map(({ runtime }) => runtime),
        settings.map(({ carried }) => carried),
        certifiedBy(engines, (doubt) => doubts.push(doubt)),
        (step) => services[step.service]!.context.onStep?.(step),
      );
  const plans: EpochPlan[] = [];
  settings.forEach((setting, s) => {
    // What the others put on the datacenters: by their new tables, or where those are still to come, as they are wanted.
    const others = settings.flatMap((other, o): ServiceLoad[] =>
      o === s ? [] : [loadOn(other, plans[o]?.served ?? wantedOf(decisions[o]!, other))],
    );
    plans.push(planned({ ...setting, others }, decisions[s]!, doubts));
  });
  return plans.length > 1
    ? plans.map((plan, s) => ({ ...plan, utilization: utilizationOf(settings, plans, s) }))
    : plans;
};

/** The service with what is left of its `churnMax`. */
function withinBudget(service: PlannedService): PlannedService {
  const { policy, churnSpent = 0 } = service.inputs;
  if (churnSpent === 0) return service;
  const { guards } = policy.spec;
  const churnMax = Math.max(0, guards.churnMax - churnSpent) as Fraction;
  const spec = { ...policy.spec, guards: { ...guards, churnMax } };
  return { ...service, inputs: { ...service.inputs, policy: { ...policy, spec } } };
}

/** Fractions that were given, not solved: what a datacenter's state does not let it hold goes where the rest of its edge
 *  does, and where nothing is left to the others by their capacity. */
function stated(setting: Setting): Decision {
  const { inputs, runtime, carried: before } = setting;
  const { topology, states, served } = runtime;
  const width = topology.datacenters.length;
  const carried = observeStates(before, topology, states, served);
  const ceilings = ceilingsOf(setting, carried);
  const wanted = inputs.fractions!.map((share, i) => (ceilings[i] === 0 ? 0 : share));
  for (let e = 0; e < topology.edges.length; e++) {
    const row = wanted.subarray(e * width, (e + 1) * width);
    const open = ceilings.subarray(e * width, (e + 1) * width);
    if (!row.some((share) => share > 0)) {
      topology.datacenters.forEach(({ capacityRps }, d) => {
        if (open[d]! > 0) row[d] = capacityRps;
      });
    }
    const sum = row.reduce((a, b) => a + b, 0);
    if (sum === 0) return { kind: 'held', reason: { kind: 'nowhere-to-go', edge: topology.edges[e]!.id }, carried };
    for (let d = 0; d < width; d++) row[d]! /= sum;
  }
  const none = { levels: new Float64Array(width), relaxed: [], stuckEdges: [] };
  return { kind: 'move', solved: wanted, wanted, carried, ...none };
}

/** [d] as all tables of the group leave it: while the first were made, those after them were still to come. */
function utilizationOf(settings: readonly Setting[], plans: readonly EpochPlan[], s: number): Float64Array {
  const { inputs, established, arriving } = settings[s]!;
  const { topology, policy } = inputs;
  const others = settings.flatMap((other, o) => (o === s ? [] : [loadOn(other, plans[o]!.served)]));
  const meters = metersOf(topology, { policy }, sumByDatacenter(established, topology.datacenters.length), others);
  return fullness(meters, loadOf(arriving, plans[s]!.served));
}

function wantedOf(decision: Decision, { runtime }: Setting): FractionMatrix {
  const { topology, served } = runtime;
  if (decision.kind === 'move') return decision.wanted;
  return served ?? new Float64Array(topology.edges.length * topology.datacenters.length);
}
