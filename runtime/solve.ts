/** From frozen inputs to the fractions each edge should serve (Taiji, SOSP'19, sections 3.1 and appendix). The order:
 *  what is wanted without guards -> is it worth a move -> what the guards allow of it -> how far to go this epoch.
 *  Pure: the engines are an argument, and the same inputs give the same millionths with either. */

import { ppmPerUnit } from '../config/units.ts';
import { lookingAhead, staysWithin } from './ahead.ts';
import { type NearestPlacement, nearestPlacement } from './balance.ts';
import type { FractionMatrix } from './fractions.ts';
import { asWanted, wantUnguarded } from './giving.ts';
import { gainOf, joined, withinGuards } from './guarded.ts';
import { type CarriedState, observeStates, retainedFractions, stillReturning } from './guards.ts';
import { solvedOf, wantedOf } from './in-millionths.ts';
import type { RuntimeInputs } from './inputs.ts';
import { brokenBy, inOrder, isMisplaced, type Limit, loadAt, nothing } from './limits.ts';
import type { SolveCertified } from './lp/certified.ts';
import { meetingAt } from './meeting.ts';
import { mendOf, seekingLevels } from './mend.ts';
import { buildGroupModel, type Model, type ServiceSetting, sharesOf } from './model.ts';
import { judgeWant, wantsPutOff } from './patience.ts';
import { demandOf, movedShare, type Placement } from './placement.ts';
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

/** Services that share resources, in one program; topology and start are the same for all, and so are what their
 *  policies say of the pools they share (`checkGroup`); states are each one's own, for a drain may be of one service. [s]
 *  one decision each. A service that has nothing to do, waits or is not due is fixed load for the others. */
export async function solveGroup(
  services: readonly RuntimeInputs[],
  before: readonly CarriedState[],
  solve: SolveCertified,
  onStep: (step: SolveStep) => void = unseen,
): Promise<readonly Decision[]> {
  const memory = new PriceMemory(before[0]!.prices);
  const carry = (decisions: readonly Decision[]): readonly Decision[] =>
    decisions.map((one, s) => (s > 0 ? one : { ...one, carried: { ...one.carried, prices: memory.carried } }));
  const ahead = lookingAhead(services);
  if (ahead) {
    const steps: SolveStep[] = [];
    const decisions = await decide(ahead, before, solve, memory, (step) => steps.push(step));
    const after = decisions.map((decision, s) => (decision.kind === 'move' ? decision.wanted : services[s]!.served));
    if (staysWithin(services, after)) {
      // Onlookers are shown the sessions of this epoch, not what becomes of them later.
      for (const step of steps) onStep({ ...step, inputs: services[step.service]! });
      return carry(decisions);
    }
  }
  return carry(await decide(services, before, solve, memory, onStep));
}

async function decide(
  services: readonly RuntimeInputs[],
  before: readonly CarriedState[],
  solve: SolveCertified,
  memory: PriceMemory,
  onStep: (step: SolveStep) => void,
): Promise<readonly Decision[]> {
  const { topology } = services[0]!;
  const carried = services.map(({ served, states }, s) => observeStates(before[s]!, topology, states, served));
  const retained = carried.map((own, s) =>
    retainedFractions(own, topology, services[s]!.states, services[s]!.pairDrains),
  );
  const built = buildGroupModel(
    services.map((inputs, s): ServiceSetting => ({ inputs, retained: retained[s]!, isStill: inputs.isDue === false })),
  );
  const heldBy = (reason: HeldReason, s: number): Decision => ({ kind: 'held', reason, carried: carried[s]! });
  if (built.kind === 'nowhere') {
    const { edge } = built;
    return services.map((_, s) => heldBy({ kind: 'nowhere-to-go', edge }, s));
  }
  const uncertified = (): readonly Decision[] => services.map((_, s) => heldBy({ kind: 'no-certified-answer' }, s));

  const unguarded = await wantUnguarded(services, built.model, solve, memory);
  if (!unguarded) return uncertified();
  const { levels: reached } = unguarded;
  let met: NearestPlacement | null = unguarded.want;
  let { model: wantedFrom } = unguarded;
  if (wantedFrom.initial)
    ({ model: wantedFrom, want: met } = await metUp(services, wantedFrom, unguarded.want, solve, memory));
  if (!met) return uncertified();
  const want = met;
  services.forEach((inputs, service) => {
    onStep({ kind: 'want', inputs, service, model: wantedFrom, placement: want });
  });
  const model = asWanted(wantedFrom, want);

  const gain = gainOf(model, want);
  const misplaced = isMisplaced(model, want);
  const first = services.map((inputs, s): Decision | Open => {
    const edge = model.nowhere[s]!;
    if (edge !== null) return heldBy({ kind: 'nowhere-to-go', edge }, s);
    return whetherToGo({ inputs, s, model, levels: reached, want, gain, misplaced, carried: carried[s]! });
  });
  const open = first.flatMap((one) => (one.kind === 'open' ? [one] : []));
  const isCut = open.some(({ goes }) => goes !== 'whole');
  const mayMove = holding(model, (s) => first[s]!.kind !== 'open');
  const mend = isCut ? await mendOf(services, mayMove, reached, want, solve) : 'none';
  if (mend === 'no-answer') return uncertified();

  // Who waits is fixed load, and what is wanted without guards is wanted beside everybody's moves.
  const stands = (one: Decision | Open): Decision | null =>
    one.kind !== 'open' ? one : one.goes === 'not' && mend === 'none' ? one.quiet : null;
  if (first.every(stands)) return first.map((one) => stands(one)!);
  const settled = holding(model, (s) => stands(first[s]!) !== null);
  const moving = (placement: Placement, allTheWay: boolean, relaxed: readonly Limit[]): readonly Decision[] =>
    first.map((one, s): Decision => {
      const standing = stands(one);
      if (standing || one.kind !== 'open') return standing!;
      const { served, policy: own } = services[s]!;
      const damping = allTheWay ? 1 : own.spec.guards.damping;
      const solved = solvedOf(settled, placement, s, served);
      return {
        kind: 'move',
        solved,
        wanted: wantedOf(settled, placement, s, damping, served, solved),
        levels: reached,
        stuckEdges: stuckEdgesOf(model, s),
        relaxed: inOrder([...one.relaxed, ...brokenBy(model, reached, placement, s, own, 'step'), ...relaxed]),
        carried: one.carried,
      };
    });
  if (model.initial) return moving(want, true, []);
  if (mend !== 'none' && open.every(({ goes }) => goes === 'not')) return moving(mend.placement, true, mend.relaxed);

  const toward = isCut ? wayOf(model, want, open, mend === 'none' ? null : mend.placement) : want;
  const whole = settled === model ? want : null;
  const onPlaced = (placement: NearestPlacement): void =>
    services.forEach((inputs, service) => {
      onStep({ kind: 'guarded', inputs, service, model: settled, placement });
    });
  const seek = seekingLevels(services, model, reached, want);
  const guarded = await withinGuards(services, settled, reached, whole, toward, seek, solve, memory, onPlaced);
  if (!guarded) return uncertified();
  // Forced load was placed counting on what moves by choice beside it: going only part of that way would overload
  // whoever was to make room. A mend goes all the way too.
  const allTheWay = guarded.relaxed.length > 0 || sum(model.forced) > 0;
  const moves = moving(guarded.placement, allTheWay, guarded.relaxed);
  if (guarded.placement === toward) return moves;
  return moves.map((move, s): Decision => {
    if (move.kind !== 'move' || open.every((one) => one.s !== s || one.goes === 'not')) return move;
    const wants = wantsPutOff(topology, changeBetween(settled, guarded.placement, toward, s));
    return { ...move, carried: { ...move.carried, wants } };
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
    const meeting = meetingAt(services, apart.load, () => at, 0);
    if (!meeting) break;
    model = { ...apart, meeting };
    want = await nearestPlacement(model, null, levelMax, solve, memory);
    const next: Float64Array | null = want && sharesOf(want.placed, apart.load);
    if (next) at = at.map((share, i) => (share + next[i]!) / 2);
  }
  return { model, want };
}

/** A service that may move in this epoch: the whole way to what it wants, the part of it that epochs in a row agree on,
 *  or only where something cannot wait. */
type Open = {
  readonly kind: 'open';
  readonly s: number;
  readonly relaxed: readonly Limit[]; // that cannot be kept even without guards
  readonly carried: CarriedState;
} & (
  | { readonly goes: 'whole' }
  | { readonly goes: 'part'; readonly agreedPpm: Int32Array } // [e * D + d]
  | { readonly goes: 'not'; readonly quiet: Decision }
);

/** Does what a service wants call for a move in this epoch? */
function whetherToGo(of: {
  readonly inputs: RuntimeInputs;
  readonly s: number;
  readonly model: Model;
  readonly levels: Float64Array;
  readonly want: Placement;
  readonly gain: Float64Array;
  readonly misplaced: boolean;
  readonly carried: CarriedState;
}): Decision | Open {
  const { inputs, s, model, levels, want, carried } = of;
  const { topology, policy, served, frozen } = inputs;
  const relaxed = brokenBy(model, levels, want, s, policy, 'want');
  // A datacenter is back once its fullest pool is.
  const width = topology.datacenters.length;
  const gain = of.gain.subarray(0, width).map((_, d) => fullest(of.gain, d, width));
  const returning = stillReturning(carried, topology, gain);
  const rested: CarriedState = { ...carried, wants: [], returning };
  const whole: Open = { kind: 'open', goes: 'whole', s, relaxed, carried: rested };
  const own = { from: s * model.edges, to: (s + 1) * model.edges };
  if (model.isNew[s] === 1 || sum(model.forced.subarray(own.from, own.to)) > 0) return whole;
  const solved = solvedOf(model, want, s, served);
  const quiet = { kind: 'unchanged', solved, levels, relaxed, stuckEdges: stuckEdgesOf(model, s) } as const;
  if (inputs.isDue === false) return { ...quiet, reason: 'not-due', carried: { ...rested, wants: carried.wants } };
  // Without any demand there is nothing to judge a move by.
  const shift = inputs.demandRps.some((rps) => rps > 0) ? movedShare(model, want, s) : 0;
  if (shift < nothing) return { ...quiet, reason: 'nothing-to-move', carried: rested };
  if (frozen) return { ...quiet, reason: 'frozen', carried: rested };
  if (returning.length > 0 || of.misplaced) return whole;
  const demand = demandOf(model, s);
  // By what would move: of a sticky service that is new sessions, whose table may swing by much more.
  const share = new Float64Array(model.edges);
  for (let e = 0, c = own.from; e < share.length; e++, c++) {
    const load = model.load[c]!;
    let stays = 0;
    for (let i = c * width; i < (c + 1) * width; i++) stays += model.settled[i]!;
    share[e] = (load * model.churnWeight[c]! * (load / (load + stays))) / demand;
  }
  const changePpm = changeOf(solved, served!);
  const judged = judgeWant({ topology, changePpm, share }, carried.wants, policy.spec.guards.minShift);
  if (judged.kind === 'wait') {
    const waiting: CarriedState = { ...rested, wants: judged.wants };
    const stays: Decision = { ...quiet, reason: 'min-shift', carried: waiting };
    return { ...whole, goes: 'not', quiet: stays, carried: waiting };
  }
  return judged.agreedPpm ? { ...whole, goes: 'part', agreedPpm: judged.agreedPpm } : whole;
}

/** The way to what is wanted, as far as each service may go it, and what cannot wait. */
function wayOf(model: Model, want: Placement, open: readonly Open[], mend: Placement | null): Placement {
  const gained = new Float64Array(want.gained.length);
  const left = new Float64Array(want.left.length);
  const moves = new Uint8Array(model.commodities);
  const { edges, datacenters } = model;
  const pairs = edges * datacenters;
  for (const one of open) {
    if (one.goes === 'not') continue;
    const from = one.s * pairs;
    if (one.goes === 'whole') {
      gained.set(want.gained.subarray(from, from + pairs), from);
      left.set(want.left.subarray(from, from + pairs), from);
      moves.set(want.moves.subarray(one.s * edges, (one.s + 1) * edges), one.s * edges);
      continue;
    }
    for (let own = 0; own < pairs; own++) {
      const ppm = one.agreedPpm[own]!;
      if (ppm === 0) continue;
      const i = from + own;
      const c = Math.floor(i / datacenters);
      const load = (ppm / ppmPerUnit) * model.load[c]!;
      gained[i] = Math.max(0, load);
      left[i] = Math.max(0, -load);
      moves[c] = 1;
    }
  }
  const way: Placement = { gained, left, placed: want.placed, moves };
  return mend ? joined(way, mend) : way;
}

/** [e * D + d] in millionths of the edge's demand. One of them is rounding. */
function changeOf(solved: FractionMatrix, served: FractionMatrix): Int32Array {
  const change = new Int32Array(solved.length);
  for (let i = 0; i < change.length; i++) {
    if (solved[i] === served[i]) continue;
    const ppm = Math.round((solved[i]! - served[i]!) * ppmPerUnit);
    if (Math.abs(ppm) > 1) change[i] = ppm;
  }
  return change;
}

/** The same between two placements of service `s`. */
function changeBetween(model: Model, from: Placement, to: Placement, s: number): Int32Array {
  const pairs = model.edges * model.datacenters;
  const change = new Int32Array(pairs);
  for (let own = 0; own < pairs; own++) {
    const i = s * pairs + own;
    const load = loadAt(model, to, i) - loadAt(model, from, i);
    const ppm = Math.round((load / model.load[Math.floor(i / model.datacenters)]!) * ppmPerUnit);
    if (Math.abs(ppm) > 1) change[own] = ppm;
  }
  return change;
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

function sum(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}
