/** From frozen inputs to the fractions each edge should serve (Taiji, SOSP'19, sections 3.1 and appendix). The order:
 *  what is wanted without guards -> is it worth a move -> what the guards allow of it -> how far to go this epoch.
 *  Pure: the engines are an argument, and the same inputs give the same millionths with either. */

import type { Policy } from '../config/policy.ts';
import { largestRemainder, ppmPerUnit } from '../config/units.ts';
import { calmestPlacement, lowestLevels, type NearestPlacement, nearestPlacement } from './balance.ts';
import type { FractionMatrix } from './fractions.ts';
import { type CarriedState, observeStates, retainedFractions, smallWantEpochsMax, stillReturning } from './guards.ts';
import type { DatacenterState, RuntimeInputs } from './inputs.ts';
import type { SolveCertified } from './lp/certified.ts';
import { buildModel, type Model, totalLoad, withoutLatencyMax } from './model.ts';
import type { MoveLimits, Placement } from './placement.ts';

export type Decision =
  | { readonly kind: 'held'; readonly reason: HeldReason; readonly carried: CarriedState }
  | {
      readonly kind: 'unchanged'; // served fractions stay
      readonly reason: 'nothing-to-move' | 'min-shift' | 'frozen';
      readonly solved: FractionMatrix;
      readonly levels: Float64Array;
      readonly relaxed: readonly Limit[];
      readonly stuckEdges: readonly number[];
      readonly carried: CarriedState;
    }
  | {
      readonly kind: 'move';
      readonly solved: FractionMatrix;
      readonly wanted: FractionMatrix; // solved after damping
      readonly levels: Float64Array; // [d] lowest utilization without guards
      readonly relaxed: readonly Limit[];
      readonly stuckEdges: readonly number[]; // nowhere to go: they stay where their datacenter's state forbids it
      readonly carried: CarriedState;
    };

export type HeldReason =
  | { readonly kind: 'nowhere-to-go'; readonly edge: string }
  | { readonly kind: 'no-certified-answer' };

/** In the order in which they give, the first last. */
export const limitOrder = [
  'datacenterState',
  'capacity',
  'latencyMsMax',
  'utilizationMax',
  'shareMax',
  'onloadMax',
  'churnMax',
] as const;
export type Limit = (typeof limitOrder)[number];

/** What an onlooker is shown, in this order: the want without guards, then what the guards make of it where they bind. */
export interface SolveStep {
  readonly kind: 'want' | 'guarded';
  readonly inputs: RuntimeInputs;
  readonly model: Model;
  readonly placement: NearestPlacement;
}

/** Less than this share of all load is the solver's last digits, not a want. */
const nothing = 1e-6;

const unseen = (): void => {};

/** `onStep` is for explanations: it sees and changes nothing. */
export async function solveFractions(
  inputs: RuntimeInputs,
  before: CarriedState,
  solve: SolveCertified,
  onStep: (step: SolveStep) => void = unseen,
): Promise<Decision> {
  const { topology, policy, states, served } = inputs;
  const { guards, utilizationMax } = policy.spec;
  const carried = observeStates(before, topology, states, served);
  const retained = retainedFractions(carried, topology, states);
  let built = buildModel(inputs, retained);
  const isHeldDown = states.some(isBarredFromGaining);
  if (isHeldDown && (built.kind === 'nowhere' || built.model.stuck.length > 0)) {
    built = buildModel(withoutHoldDown(inputs), retained);
  }
  if (built.kind === 'nowhere') return { kind: 'held', reason: { kind: 'nowhere-to-go', edge: built.edge }, carried };
  const uncertified: Decision = { kind: 'held', reason: { kind: 'no-certified-answer' }, carried };

  let { model } = built;
  let levels = await lowestLevels(model, null, solve);
  if (levels && isHeldDown && Math.max(...levels) > 1) {
    // A datacenter that flaps and is well now is better than one over its capacity.
    const open = buildModel(withoutHoldDown(inputs), retained);
    if (open.kind === 'model') model = open.model;
    levels = await lowestLevels(model, null, solve);
  }
  if (levels && Math.max(...levels) > 1 && model.tooFar.includes(1)) {
    // Too far is better than over capacity, no further is better than either.
    model = withoutLatencyMax(model, withoutHoldDown(inputs));
    levels = await lowestLevels(model, null, solve);
  }
  if (!levels) return uncertified;
  const want = await nearestPlacement(model, null, ceilingOf(levels, levels, policy), solve);
  if (!want) return uncertified;
  onStep({ kind: 'want', inputs, model, placement: want });
  const overLimits = brokenBy(model, levels, want, policy);
  const settled: CarriedState = {
    ...carried,
    smallWantEpochs: 0,
    returning: stillReturning(carried, topology, gainOf(model, want)),
  };
  if (model.initial) {
    const { solved } = fractionsOf(model, want, 1, null);
    return { kind: 'move', solved, wanted: solved, levels, relaxed: overLimits, stuckEdges: [], carried: settled };
  }

  // Without any demand there is nothing to judge a move by.
  const shift = inputs.demandRps.some((rps) => rps > 0) ? sum(want.gained) / totalLoad : 0;
  if (sum(model.forced) === 0) {
    const { solved } = fractionsOf(model, want, 1, served);
    const quiet = { kind: 'unchanged', solved, levels, relaxed: overLimits, stuckEdges: model.stuck } as const;
    if (shift < nothing) return { ...quiet, reason: 'nothing-to-move', carried: settled };
    if (inputs.frozen) return { ...quiet, reason: 'frozen', carried: settled };
    const mends = isBroken(model, utilizationMax);
    const mayWait = settled.returning.length === 0 && !mends && carried.smallWantEpochs < smallWantEpochsMax;
    if (shift < guards.minShift && mayWait) {
      const waiting = { ...settled, smallWantEpochs: carried.smallWantEpochs + 1 };
      return { ...quiet, reason: 'min-shift', carried: waiting };
    }
  }

  const guarded = await withinGuards(inputs, model, levels, want, solve, onStep);
  if (!guarded) return uncertified;
  // Forced load was placed counting on what moves by choice beside it: going only part of that way would overload
  // whoever was to make room. A mend goes all the way too.
  const damping = guarded.relaxed.length > 0 || sum(model.forced) > 0 ? 1 : guards.damping;
  return {
    kind: 'move',
    ...fractionsOf(model, guarded.placement, damping, served),
    levels,
    stuckEdges: model.stuck,
    relaxed: limitOrder.filter((limit) => overLimits.includes(limit) || guarded.relaxed.includes(limit)),
    carried: settled,
  };
}

/** Well, and held down after outages. */
function isBarredFromGaining({ keep, refill }: DatacenterState): boolean {
  return keep === 1 && !refill;
}

function withoutHoldDown(inputs: RuntimeInputs): RuntimeInputs {
  const states = inputs.states.map((state) => (isBarredFromGaining(state) ? { ...state, refill: true } : state));
  return { ...inputs, states };
}

/** The best placement under the guards. Where they would keep a datacenter over its limit although more movement could
 *  mend it, they give by what the mend needs and no more: churnMax first, then onloadMax too. */
async function withinGuards(
  inputs: RuntimeInputs,
  model: Model,
  levels: Float64Array,
  want: Placement,
  solve: SolveCertified,
  onStep: (step: SolveStep) => void,
): Promise<{ placement: Placement; relaxed: readonly Limit[] } | null> {
  const { guards, utilizationMax } = inputs.policy.spec;
  const { onloadMax, churnMax } = guards;
  const full: MoveLimits = { onloadMax, churnMax: inputs.frozen ? 0 : churnMax };
  if (obeys(model, want, full)) return { placement: want, relaxed: [] };
  const lowest = Math.max(...levels);
  // Where even the optimum is over the limit, coming near it is worth breaking guards for, and the rest is not.
  const mended = lowest > utilizationMax ? 1.05 * lowest : utilizationMax;
  const within = async (limits: MoveLimits, relaxed: readonly Limit[]) => {
    const reached = await lowestLevels(model, limits, solve);
    if (!reached) return null;
    const isMended = Math.max(...reached) <= mended + 1e-5;
    const placement = await nearestPlacement(model, limits, ceilingOf(reached, levels, inputs.policy), solve);
    if (placement) onStep({ kind: 'guarded', inputs, model, placement });
    return placement && { placement, relaxed, isMended };
  };
  const kept = await within(full, []);
  if (!kept || kept.isMended || inputs.frozen) return kept;
  const levelMax = levels.map((level) => Math.max(level, mended));
  for (const relaxed of [['churnMax'], ['onloadMax', 'churnMax']] as const) {
    const open = { onloadMax: relaxed.length > 1 ? Number.POSITIVE_INFINITY : onloadMax, churnMax: 1 };
    const reached = await lowestLevels(model, open, solve);
    if (!reached) return null;
    if (Math.max(...reached) > mended + 1e-5) continue;
    const calmest = await calmestPlacement(model, open, levelMax, solve);
    if (!calmest) return null;
    const needed = (sum(calmest.gained) / totalLoad) * (1 + 1e-9) + 1e-9;
    return within({ ...open, churnMax: Math.max(churnMax, needed) }, relaxed);
  }
  return kept;
}

function obeys(model: Model, placement: Placement, limits: MoveLimits): boolean {
  if (sum(placement.gained) > limits.churnMax * totalLoad * (1 + 1e-9)) return false;
  return gainOf(model, placement).every((gain) => gain <= limits.onloadMax + 1e-9);
}

/** [d] utilization gained by choice. */
function gainOf(model: Model, placement: Placement): Float64Array {
  const gain = new Float64Array(model.datacenters);
  for (let i = 0; i < placement.gained.length; i++) {
    const d = i % model.datacenters;
    if (model.capacity[d]! > 0) gain[d]! += (placement.gained[i]! - placement.left[i]!) / model.capacity[d]!;
  }
  return gain;
}

/** [d] utilization if nothing moves by choice. */
function utilizationOf(model: Model): Float64Array {
  const utilization = new Float64Array(model.datacenters);
  for (let i = 0; i < model.base.length; i++) {
    const d = i % model.datacenters;
    if (model.capacity[d]! > 0) utilization[d]! += model.base[i]! / model.capacity[d]!;
  }
  return utilization;
}

/** [d] utilization the placement may reach. Under `balance` the lowest level that can be had, opened to latency by the
 *  tolerance (over the unguarded level: over the guarded one it would ratchet); else the policy's threshold, or what can
 *  be had where that is higher. */
function ceilingOf(reached: Float64Array, levels: Float64Array, { spec }: Policy): Float64Array {
  const { objective, utilizationMax, guards } = spec;
  return reached.map((level, d) => {
    const most = Math.max(level, utilizationMax);
    return objective === 'balance' ? Math.min(most, Math.max(level, levels[d]! + guards.balanceTolerance)) : most;
  });
}

/** Limits that cannot be kept even without guards. */
function brokenBy(model: Model, levels: Float64Array, want: Placement, { spec }: Policy): readonly Limit[] {
  const highest = Math.max(...levels);
  const broken: Limit[] = model.stuck.length > 0 ? ['datacenterState'] : [];
  if (highest > 1 + 1e-5) broken.push('capacity');
  if (model.tooFar.some((far, i) => far === 1 && want.gained[i]! + want.placed[i]! > nothing))
    broken.push('latencyMsMax');
  if (highest > spec.utilizationMax + 1e-5 && spec.utilizationMax < 1) broken.push('utilizationMax');
  const over = (i: number): number =>
    loadAt(model, want, i) - Math.max(model.base[i]!, model.shareMax * model.load[Math.floor(i / model.datacenters)]!);
  if (model.shareMax < 1 && model.base.some((_, i) => over(i) > nothing * totalLoad)) broken.push('shareMax');
  return broken;
}

/** Is a limit broken now, if nothing moves by choice: too full, or too far or off its pin by more than whole buckets
 *  explain? */
function isBroken(model: Model, utilizationMax: number): boolean {
  if (utilizationOf(model).some((utilization) => utilization > utilizationMax)) return true;
  return model.base.some((load, i) => {
    const much = 0.01 * model.load[Math.floor(i / model.datacenters)]!;
    return (model.tooFar[i] === 1 && load > much) || Math.abs(load - model.pinned[i]!) > much;
  });
}

function loadAt({ base }: Model, { placed, gained, left }: Placement, i: number): number {
  return base[i]! + placed[i]! + gained[i]! - left[i]!;
}

/** Whole millionths. Forced load goes all the way, moves by choice `damping` of it, counted from the millionths of the
 *  solution and not from its digits; an edge that nothing touches keeps what it serves to the last digit. */
function fractionsOf(
  model: Model,
  placement: Placement,
  damping: number,
  served: FractionMatrix | null,
): { solved: FractionMatrix; wanted: FractionMatrix } {
  const { edges, datacenters, base } = model;
  const solved = new Float64Array(edges * datacenters);
  const wanted = new Float64Array(edges * datacenters);
  for (let e = 0; e < edges; e++) {
    const from = e * datacenters;
    const anchor = new Float64Array(datacenters);
    const goal = new Float64Array(datacenters);
    for (let d = 0; d < datacenters; d++) {
      anchor[d] = base[from + d]! + placement.placed[from + d]!;
      goal[d] = Math.max(0, anchor[d]! + placement.gained[from + d]! - placement.left[from + d]!);
    }
    const unforced = served && model.forced[e] === 0 ? served.subarray(from, from + datacenters) : null;
    const start = unforced ?? inPpm(anchor);
    const end = unforced && goal.every((load, d) => load === anchor[d]) ? unforced : inPpm(goal);
    const step = end === unforced ? end : inPpm(start.map((fraction, d) => fraction + damping * (end[d]! - fraction)));
    solved.set(end, from);
    wanted.set(step, from);
  }
  return { solved, wanted };
}

function inPpm(shares: Float64Array): Float64Array {
  return Float64Array.from(largestRemainder(shares, ppmPerUnit), (ppm) => ppm / ppmPerUnit);
}

function sum(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}
