/** From frozen inputs to the fractions each edge should serve (Taiji, SOSP'19, sections 3.1 and appendix). The order:
 *  what is wanted without guards -> is it worth a move -> what the guards allow of it -> how far to go this epoch.
 *  Pure: the engines are an argument, and the same inputs give the same millionths with either. */

import type { Policy } from '../config/policy.ts';
import { largestRemainder, ppmPerUnit } from '../config/units.ts';
import { calmestPlacement, lowestLevels, type NearestPlacement, nearestPlacement, reachableLevels } from './balance.ts';
import type { FractionMatrix } from './fractions.ts';
import { type CarriedState, observeStates, retainedFractions, smallWantEpochsMax, stillReturning } from './guards.ts';
import type { DatacenterState, RuntimeInputs } from './inputs.ts';
import { brokenBy, isBroken, type Limit, limitOrder, nothing } from './limits.ts';
import type { SolveCertified } from './lp/certified.ts';
import { meetingAt } from './meeting.ts';
import {
  type BuiltModel,
  buildGroupModel,
  type Model,
  type ServiceSetting,
  sharesOf,
  withoutLatencyMax,
} from './model.ts';
import { demandOf, type MoveLimits, type Placement } from './placement.ts';
import { PriceMemory } from './prices.ts';

export type Decision =
  | { readonly kind: 'held'; readonly reason: HeldReason; readonly carried: CarriedState }
  | {
      readonly kind: 'unchanged'; // served fractions stay
      readonly reason: 'nothing-to-move' | 'min-shift' | 'frozen' | 'not-due';
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

/** What an onlooker is shown, in this order: the want without guards, then what the guards make of it where they bind. Of
 *  services solved together each is shown the same placement as its own. */
export interface SolveStep {
  readonly kind: 'want' | 'guarded';
  readonly inputs: RuntimeInputs; // of the service
  readonly service: number; // index in the model
  readonly model: Model;
  readonly placement: NearestPlacement;
}

const meetingRounds = 8;

const unseen = (): void => {};

/** One service that shares nothing. `onStep` is for explanations: it sees and changes nothing. */
export async function solveFractions(
  inputs: RuntimeInputs,
  before: CarriedState,
  solve: SolveCertified,
  onStep: (step: SolveStep) => void = unseen,
): Promise<Decision> {
  const [decision] = await solveGroup([inputs], [before], solve, onStep);
  return decision!;
}

/** Services that share resources, in one program; topology, states and start are the same for all, and so are what their
 *  policies say of the pools they share (`checkGroup`). [s] one decision each. A service that has nothing to do, waits or
 *  is not due is fixed load for the others. */
export async function solveGroup(
  services: readonly RuntimeInputs[],
  before: readonly CarriedState[],
  solve: SolveCertified,
  onStep: (step: SolveStep) => void = unseen,
): Promise<readonly Decision[]> {
  const memory = new PriceMemory(before[0]!.prices);
  const decisions = await decide(services, before, solve, memory, onStep);
  return decisions.map((one, s) => (s > 0 ? one : { ...one, carried: { ...one.carried, prices: memory.carried } }));
}

async function decide(
  services: readonly RuntimeInputs[],
  before: readonly CarriedState[],
  solve: SolveCertified,
  memory: PriceMemory,
  onStep: (step: SolveStep) => void,
): Promise<readonly Decision[]> {
  const { topology, states } = services[0]!;
  const { policy } = services[0]!;
  const { utilizationMax } = policy.spec;
  const carried = services.map(({ served }, s) => observeStates(before[s]!, topology, states, served));
  const retained = carried.map((own) => retainedFractions(own, topology, states));
  const build = (of: readonly RuntimeInputs[]): BuiltModel =>
    buildGroupModel(
      of.map((inputs, s): ServiceSetting => ({ inputs, retained: retained[s]!, isStill: inputs.isDue === false })),
    );
  let built = build(services);
  const isHeldDown = states.some(isBarredFromGaining);
  if (isHeldDown && (built.kind === 'nowhere' || built.model.stuck.length > 0)) {
    built = build(withoutHoldDown(services));
  }
  const heldBy = (reason: HeldReason, s: number): Decision => ({ kind: 'held', reason, carried: carried[s]! });
  if (built.kind === 'nowhere') {
    const { edge } = built;
    return services.map((_, s) => heldBy({ kind: 'nowhere-to-go', edge }, s));
  }
  const uncertified = (): readonly Decision[] => services.map((_, s) => heldBy({ kind: 'no-certified-answer' }, s));

  let { model } = built;
  let levels = await reachableLevels(model, null, utilizationMax, solve);
  if (levels && isHeldDown && Math.max(...levels) > 1) {
    // A datacenter that flaps and is well now is better than one over its capacity.
    const open = build(withoutHoldDown(services));
    if (open.kind === 'model') model = open.model;
    levels = await reachableLevels(model, null, utilizationMax, solve);
  }
  if (levels && Math.max(...levels) > 1 && model.tooFar.includes(1)) {
    // Too far is better than over capacity, no further is better than either.
    model = withoutLatencyMax(model, withoutHoldDown(services));
    levels = await reachableLevels(model, null, utilizationMax, solve);
  }
  if (!levels) return uncertified();
  let want = await nearestPlacement(model, null, ceilingOf(levels, levels, policy), solve, memory);
  if (want && model.initial) ({ model, want } = await metUp(services, model, want, solve, memory));
  if (!want) return uncertified();
  services.forEach((inputs, service) => {
    onStep({ kind: 'want', inputs, service, model, placement: want });
  });

  const gain = gainOf(model, want);
  const mends = isBroken(model, want, utilizationMax);
  const first = services.map((inputs, s): Decision | Going => {
    const edge = model.nowhere[s]!;
    if (edge !== null) return heldBy({ kind: 'nowhere-to-go', edge }, s);
    return whetherToGo({ inputs, s, model, levels, want, gain, mends, carried: carried[s]! });
  });
  const going = first.flatMap((one) => (one.kind === 'going' ? [one] : []));
  if (going.length === 0) return first as readonly Decision[];

  // Who waits is fixed load, and what is wanted without guards is wanted beside everybody's moves.
  const settled = holding(model, (s) => first[s]!.kind !== 'going');
  const guarded = model.initial
    ? { placement: want, relaxed: [] }
    : await withinGuards(services, settled, levels, settled === model ? want : null, solve, memory, onStep);
  if (!guarded) return uncertified();
  // Forced load was placed counting on what moves by choice beside it: going only part of that way would overload
  // whoever was to make room. A mend goes all the way too.
  const allTheWay = guarded.relaxed.length > 0 || sum(model.forced) > 0;
  return first.map((one, s): Decision => {
    if (one.kind !== 'going') return one;
    const { guards } = services[s]!.policy.spec;
    const { served } = services[s]!;
    return {
      kind: 'move',
      ...fractionsOf(settled, guarded.placement, s, allTheWay ? 1 : guards.damping, served),
      levels,
      stuckEdges: stuckEdgesOf(model, s),
      relaxed: limitOrder.filter((limit) => one.relaxed.includes(limit) || guarded.relaxed.includes(limit)),
      carried: one.carried,
    };
  });
}

/** Before the first table nobody is anywhere to be met: round by round, friends are sought half way to where the last round
 *  put them. */
async function metUp(
  services: readonly RuntimeInputs[],
  apart: Model,
  first: NearestPlacement,
  solve: SolveCertified,
  memory: PriceMemory,
): Promise<{ readonly model: Model; readonly want: NearestPlacement | null }> {
  const { levelMax } = first.formulation;
  let [model, want]: [Model, NearestPlacement | null] = [apart, first];
  let at = sharesOf(first.placed, apart.load);
  for (let round = 0; round < meetingRounds && want; round++) {
    const meeting = meetingAt(services, apart.load, at, 0);
    if (!meeting) break;
    model = { ...apart, meeting };
    want = await nearestPlacement(model, null, levelMax, solve, memory);
    const next: Float64Array | null = want && sharesOf(want.placed, apart.load);
    if (next) at = at.map((share, i) => (share + next[i]!) / 2);
  }
  return { model, want };
}

/** A service that moves in this epoch. */
interface Going {
  readonly kind: 'going';
  readonly relaxed: readonly Limit[]; // that cannot be kept even without guards
  readonly carried: CarriedState;
}

/** Does what a service wants call for a move in this epoch? */
function whetherToGo(of: {
  readonly inputs: RuntimeInputs;
  readonly s: number;
  readonly model: Model;
  readonly levels: Float64Array;
  readonly want: Placement;
  readonly gain: Float64Array;
  readonly mends: boolean;
  readonly carried: CarriedState;
}): Decision | Going {
  const { inputs, s, model, levels, want, carried } = of;
  const { topology, policy, served, frozen } = inputs;
  const relaxed = brokenBy(model, levels, want, s, policy);
  // A datacenter is back once its fullest pool is.
  const width = topology.datacenters.length;
  const gain = of.gain.subarray(0, width).map((_, d) => fullest(of.gain, d, width));
  const returning = stillReturning(carried, topology, gain);
  const rested: CarriedState = { ...carried, smallWantEpochs: 0, returning };
  const going: Going = { kind: 'going', relaxed, carried: rested };
  const own = { from: s * model.edges, to: (s + 1) * model.edges };
  if (model.isNew[s] === 1 || sum(model.forced.subarray(own.from, own.to)) > 0) return going;
  const { solved } = fractionsOf(model, want, s, 1, served);
  const quiet = { kind: 'unchanged', solved, levels, relaxed, stuckEdges: stuckEdgesOf(model, s) } as const;
  if (inputs.isDue === false)
    return { ...quiet, reason: 'not-due', carried: { ...rested, smallWantEpochs: carried.smallWantEpochs } };
  // Without any demand there is nothing to judge a move by.
  const shift = inputs.demandRps.some((rps) => rps > 0) ? movedShare(model, want.gained, s) : 0;
  if (shift < nothing) return { ...quiet, reason: 'nothing-to-move', carried: rested };
  if (frozen) return { ...quiet, reason: 'frozen', carried: rested };
  const mayWait = returning.length === 0 && !of.mends && carried.smallWantEpochs < smallWantEpochsMax;
  if (shift >= policy.spec.guards.minShift || !mayWait) return going;
  return { ...quiet, reason: 'min-shift', carried: { ...rested, smallWantEpochs: carried.smallWantEpochs + 1 } };
}

function fullest(byPool: Float64Array, d: number, datacenters: number): number {
  return byPool.reduce(
    (most, value, k) => (k % datacenters === d ? Math.max(most, value) : most),
    Number.NEGATIVE_INFINITY,
  );
}

/** The model in which some services move nothing by choice; the same one where they are none. */
function holding(model: Model, isHeld: (s: number) => boolean): Model {
  if (!Array.from({ length: model.services }, (_, s) => s).some(isHeld)) return model;
  return { ...model, still: model.still.map((still, c) => (isHeld(model.service[c]!) ? 1 : still)) };
}

function stuckEdgesOf(model: Model, s: number): readonly number[] {
  return model.stuck.filter((c) => model.service[c]! === s).map((c) => c - s * model.edges);
}

/** Share of the service's demand that changes target by choice. */
function movedShare(model: Model, gained: Float64Array, s: number): number {
  const { edges, datacenters, churnWeight } = model;
  let moved = 0;
  for (let i = s * edges * datacenters; i < (s + 1) * edges * datacenters; i++) {
    if (gained[i]! > 0) moved += gained[i]! * churnWeight[Math.floor(i / datacenters)]!;
  }
  return moved / demandOf(model, s);
}

/** Well, and held down after outages. */
function isBarredFromGaining({ keep, refill }: DatacenterState): boolean {
  return keep === 1 && !refill;
}

function withoutHoldDown(services: readonly RuntimeInputs[]): readonly RuntimeInputs[] {
  const states = services[0]!.states.map((state) => (isBarredFromGaining(state) ? { ...state, refill: true } : state));
  return services.map((inputs) => ({ ...inputs, states }));
}

/** The best placement under the guards. Where they would keep a datacenter over its limit although more movement could
 *  mend it, they give by what the mend needs and no more: churnMax first, then onloadMax too. `want`: without guards. */
async function withinGuards(
  services: readonly RuntimeInputs[],
  model: Model,
  levels: Float64Array,
  want: Placement | null,
  solve: SolveCertified,
  memory: PriceMemory,
  onStep: (step: SolveStep) => void,
): Promise<{ placement: Placement; relaxed: readonly Limit[] } | null> {
  const { policy } = services[0]!;
  const { utilizationMax } = policy.spec;
  const { onloadMax } = policy.spec.guards;
  const churnMax = services.map((inputs) => (inputs.frozen ? 0 : inputs.policy.spec.guards.churnMax));
  const full: MoveLimits = { onloadMax, churnMax };
  if (want && obeys(model, want, full)) return { placement: want, relaxed: [] };
  const lowest = Math.max(...levels);
  // Where even the optimum is over the limit, coming near it is worth breaking guards for, and the rest is not.
  const mended = lowest > utilizationMax ? 1.05 * lowest : utilizationMax;
  const within = async (limits: MoveLimits, relaxed: readonly Limit[]) => {
    const reached = await reachableLevels(model, limits, utilizationMax, solve);
    if (!reached) return null;
    const isMended = Math.max(...reached) <= mended + 1e-5;
    const placement = await nearestPlacement(model, limits, ceilingOf(reached, levels, policy), solve, memory);
    if (placement) {
      services.forEach((inputs, service) => {
        onStep({ kind: 'guarded', inputs, service, model, placement });
      });
    }
    return placement && { placement, relaxed, isMended };
  };
  const kept = await within(full, []);
  const mayGive = services.map(({ frozen }) => !frozen);
  if (!kept || kept.isMended || !mayGive.includes(true)) return kept;
  const levelMax = levels.map((level) => Math.max(level, mended));
  for (const relaxed of [['churnMax'], ['onloadMax', 'churnMax']] as const) {
    const open: MoveLimits = {
      onloadMax: relaxed.length > 1 ? Number.POSITIVE_INFINITY : onloadMax,
      churnMax: mayGive.map((may) => (may ? model.churnWeight.reduce((a, b) => Math.max(a, b), 1) : 0)),
    };
    const reached = await lowestLevels(model, open, solve);
    if (!reached) return null;
    if (Math.max(...reached) > mended + 1e-5) continue;
    const calmest = await calmestPlacement(model, open, levelMax, solve);
    if (!calmest) return null;
    const needed = churnMax.map((most, s) =>
      mayGive[s] ? Math.max(most, movedShare(model, calmest.gained, s) * (1 + 1e-9) + 1e-9) : 0,
    );
    return within({ ...open, churnMax: needed }, relaxed);
  }
  return kept;
}

function obeys(model: Model, placement: Placement, limits: MoveLimits): boolean {
  if (limits.churnMax.some((most, s) => movedShare(model, placement.gained, s) > most * (1 + 1e-9))) return false;
  return gainOf(model, placement).every((gain) => gain <= limits.onloadMax + 1e-9);
}

/** [k] utilization gained by choice. */
function gainOf(model: Model, placement: Placement): Float64Array {
  const { datacenters, resources, capacity, use } = model;
  const gain = new Float64Array(capacity.length);
  for (let i = 0; i < placement.gained.length; i++) {
    const moved = placement.gained[i]! - placement.left[i]!;
    if (moved === 0) continue;
    const s = model.service[Math.floor(i / datacenters)]!;
    for (let r = 0; r < resources; r++) {
      const k = r * datacenters + (i % datacenters);
      if (capacity[k]! > 0) gain[k]! += (moved * use[s * resources + r]!) / capacity[k]!;
    }
  }
  return gain;
}

/** [k] utilization the placement may reach. Under `balance` the lowest level that can be had, opened to latency by the
 *  tolerance (over the unguarded level: over the guarded one it would ratchet); else the policy's threshold, or what can
 *  be had where that is higher. */
function ceilingOf(reached: Float64Array, levels: Float64Array, { spec }: Policy): Float64Array {
  const { objective, utilizationMax, guards } = spec;
  return reached.map((level, d) => {
    const most = Math.max(level, utilizationMax);
    return objective === 'balance' ? Math.min(most, Math.max(level, levels[d]! + guards.balanceTolerance)) : most;
  });
}

/** Whole millionths. Forced load goes all the way, moves by choice `damping` of it, counted from the millionths of the
 *  solution and not from its digits; an edge that nothing touches keeps what it serves to the last digit. */
function fractionsOf(
  model: Model,
  placement: Placement,
  s: number,
  damping: number,
  served: FractionMatrix | null,
): { solved: FractionMatrix; wanted: FractionMatrix } {
  const { edges, datacenters, base } = model;
  const solved = new Float64Array(edges * datacenters);
  const wanted = new Float64Array(edges * datacenters);
  for (let e = 0; e < edges; e++) {
    const from = e * datacenters;
    const of = (s * edges + e) * datacenters;
    if (served && model.forced[s * edges + e] === 0 && isUntouched(placement, of, of + datacenters)) {
      const kept = served.subarray(from, from + datacenters);
      solved.set(kept, from);
      wanted.set(kept, from);
      continue;
    }
    const anchor = new Float64Array(datacenters);
    const goal = new Float64Array(datacenters);
    for (let d = 0; d < datacenters; d++) {
      anchor[d] = base[of + d]! + placement.placed[of + d]!;
      goal[d] = Math.max(0, anchor[d]! + placement.gained[of + d]! - placement.left[of + d]!);
    }
    const unforced = served && model.forced[s * edges + e] === 0 ? served.subarray(from, from + datacenters) : null;
    const start = unforced ?? inPpm(anchor);
    const end = unforced && goal.every((load, d) => load === anchor[d]) ? unforced : inPpm(goal);
    const step = end === unforced ? end : inPpm(start.map((fraction, d) => fraction + damping * (end[d]! - fraction)));
    solved.set(end, from);
    wanted.set(step, from);
  }
  return { solved, wanted };
}

function isUntouched({ gained, left }: Placement, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (gained[i] !== 0 || left[i] !== 0) return false;
  return true;
}

function inPpm(shares: Float64Array): Float64Array {
  return Float64Array.from(largestRemainder(shares, ppmPerUnit), (ppm) => ppm / ppmPerUnit);
}

function sum(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}
