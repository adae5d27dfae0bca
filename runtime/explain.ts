/** Why a datacenter gets nothing of an edge: one word, and what would change it. Read from the solves of the epoch
 *  itself: `want` (what would be served without guards) and `guarded` (what the guards make of it, where they bind).
 *
 *  A pair that could be used and is not has a reduced cost: what its latency, and the prices of the full limits on its
 *  way, exceed those of what is used. Where the price of the datacenter being full makes all the difference it is
 *  `at-capacity`; where it would be dearer with room too, `too-far`.
 *  Declined: solving again without each limit. It answers "what if" and not "why", and costs a solve a pair. */

import { formatTime } from '../config/duration.ts';
import type { DatacenterId } from '../config/ids.ts';
import { linearMsPerCost, squaredMsPerCost } from './costs.ts';
import type { Whole } from './few.ts';
import type { DatacenterState, RuntimeInputs } from './inputs.ts';
import { loadAt, utilizations } from './limits.ts';
import { reducedCosts } from './lp/problem.ts';
import { columnOf } from './pair-columns.ts';
import { stepAfter } from './placement.ts';
import type { SolveStep } from './solve.ts';
import { isDrain } from './states.ts';

export const reasonWords = [
  'at-capacity',
  'abnormal',
  'draining',
  'unhealthy',
  'not-allowed',
  'too-far',
  'guard',
  'telemetry-missing',
] as const;
export type ReasonWord = (typeof reasonWords)[number];

export interface Reason {
  readonly datacenter: DatacenterId;
  readonly reason: ReasonWord;
  readonly detail: string; // for people
  readonly closerMs: number | null; // too-far: how much shorter the round trip would have to be; null: no round trip is short enough
}

export interface Solves {
  readonly want: SolveStep | null; // null: the epoch held before it solved
  readonly guarded: SolveStep | null; // null: no guard binds
}

/** Less than this share of an edge's load is the solver's last digits. */
const nothing = 1e-6;

/** Why datacenter `d` gets nothing of edge `e`. `standsBecause`: why the epoch moved less than it wanted, where it did
 *  (held, rejected, a small want); null: nothing but the guards stood between. */
export function whyNothing(
  inputs: Pick<RuntimeInputs, 'topology' | 'policy' | 'states'>,
  solves: Solves,
  standsBecause: string | null,
  e: number,
  d: number,
): Reason {
  const { topology, policy, states } = inputs;
  const { id: edge } = topology.edges[e]!;
  const { id: datacenter, capacityRps } = topology.datacenters[d]!;
  const i = e * topology.datacenters.length + d;
  const rttMs = topology.rttMs[i]!;
  const say = (reason: ReasonWord, detail: string, closerMs: number | null = null): Reason => ({
    datacenter,
    reason,
    detail,
    closerMs,
  });
  const { latencyMsMax, allowed, forbidden } = policy.spec;

  const rule = allowed.find((one) => one.edge === edge);
  if (rule && !rule.datacenters.includes(datacenter))
    return say('not-allowed', `the policy allows ${edge} elsewhere only`);
  if (forbidden.some((one) => one.edge === edge && one.datacenters.includes(datacenter)))
    return say('not-allowed', `the policy forbids ${edge} this datacenter`);
  if (capacityRps === 0) return say('not-allowed', 'its capacity is 0');
  const state = states[d]!;
  if (state.keep < 1) return say(stateWord(state), stateWords(state));
  const { want, guarded } = solves;
  if (!want) return say('guard', standsBecause ?? 'nothing was solved');
  const { model, placement } = want;
  const c = want.service * model.edges + e;
  const own = c * model.datacenters + d; // in the model
  if (model.mayGain[own] === 0 && !state.refill) {
    const until = state.untilMs === null ? '' : ` until ${formatTime(state.untilMs)}`;
    return say(stateWord(state), `${state.cause}; keeps what it has and gains nothing${until}`);
  }
  if (model.mayGain[own] === 0 && latencyMsMax !== null) {
    const closerMs = rttMs - latencyMsMax;
    return say('too-far', `beyond latencyMsMax ${latencyMsMax} ms; ${toGo(closerMs)}`, closerMs);
  }
  const wanted = loadAt(model, placement, own) / model.load[c]!;
  if (wanted > nothing) {
    const left = guarded ? loadAt(guarded.model, guarded.placement, own) / model.load[c]! : wanted;
    return say('guard', `${wanted.toFixed(4)} is wanted; ${heldBackBy(guarded, left, standsBecause)}`);
  }
  return unwanted(want, e, d, say);
}

/** Not even wanted: too full or too far. */
function unwanted(
  step: SolveStep,
  e: number,
  d: number,
  say: (reason: ReasonWord, detail: string, closerMs?: number | null) => Reason,
): Reason {
  const { inputs, model } = step;
  const i = e * model.datacenters + d;
  const excess = excessCost(step, e, d);
  if (excess === null && model.still[step.service * model.edges + e] === 1) {
    const isFrozen = inputs.frozenEdges?.[e] === 1;
    const idle = isFrozen ? 'a freeze holds it' : 'there is no demand to judge a move by';
    const why = inputs.isDue === false ? 'its service is not due' : idle;
    return say('guard', `nothing of ${inputs.topology.edges[e]!.id} moves by choice in this epoch: ${why}`);
  }
  if (excess === null) return say('not-allowed', 'pins or intents say where all of this edge goes');
  const full = fullCost(step, d);
  const utilization = utilizationAt(step, d).toFixed(3);
  if (full > 0 && excess - full < -1e-9) {
    return say('at-capacity', `full at utilization ${utilization}; with room it would be used`);
  }
  const { objective } = inputs.policy.spec;
  const rttMs = inputs.topology.rttMs[i]!;
  const closer = (cost: number): number | null => closerBy(rttMs, Math.max(0, cost), objective === 'balance');
  const closerMs = closer(excess);
  return say('too-far', toGoFull(closerMs, full > 0 ? closer(excess - full) : closerMs), closerMs);
}

/** By how much a unit of the edge's load there would cost more than the dearest that may leave where it is. Prices of rows
 *  count, but for the edge's own balance of moves. Null: nothing of the edge may leave. */
function excessCost({ model, placement, service }: SolveStep, e: number, d: number): number | null {
  const whole = placement.whole();
  const { program, layout } = whole;
  const cost = pricedCosts(whole);
  const from = (service * model.edges + e) * model.datacenters;
  let excess: number | null = null;
  const note = (column: number, used: readonly number[]): void => {
    if (column < 0 || used.length === 0) return;
    const over = cost[column]! - Math.max(...used);
    if (excess === null || over < excess) excess = over;
  };
  /** Of the columns that take a pair's load one after the other, the last one used, and the one with room. */
  const lastUsed = (first: number, amount: number): number => {
    let column = first;
    for (let rest = amount; stepAfter(layout, column) >= 0; column = stepAfter(layout, column)) {
      rest -= program.upper[column]!;
      if (rest <= nothing) break;
    }
    return column;
  };
  const withRoom = (first: number, amount: number): number => {
    let rest = amount;
    let column = first;
    while (column >= 0 && program.upper[column]! - rest <= nothing) {
      rest -= program.upper[column]!;
      column = stepAfter(layout, column);
    }
    return column;
  };
  const chosen: number[] = [];
  const forced: number[] = [];
  for (let k = 0; k < model.datacenters; k++) {
    const i = from + k;
    if (!Number.isNaN(model.pinned[i]!)) continue;
    const { gained, left, placed } = placement;
    if (gained[i]! > nothing) chosen.push(cost[lastUsed(columnOf(layout.gained, i), gained[i]!)]!);
    const staying = withRoom(columnOf(layout.left, i), left[i]!);
    if (staying >= 0) chosen.push(-cost[staying]!);
    if (placed[i]! > nothing) forced.push(cost[lastUsed(columnOf(layout.placed, i), placed[i]!)]!);
  }
  note(columnOf(layout.gained, from + d), chosen);
  note(columnOf(layout.placed, from + d), forced);
  return excess;
}

/** [column] its cost and what it takes of limits, at their prices. */
function pricedCosts({ program, layout, rowDuals }: Whole): Float64Array {
  const ofLimits = rowDuals.slice();
  for (const own of [layout.movingRow, layout.placingRow]) for (const row of own) if (row >= 0) ofLimits[row] = 0;
  return reducedCosts(program, ofLimits);
}

/** What a unit of load pays for the datacenter being full, or for its utilization. */
function fullCost({ model, placement, service }: SolveStep, d: number): number {
  const { layout, rowDuals } = placement.whole();
  const price = (row: number): number => (row >= 0 ? Math.max(0, -rowDuals[row]!) : 0);
  let cost = 0;
  for (let r = 0; r < model.resources; r++) {
    const k = r * model.datacenters + d;
    const each = model.use[service * model.resources + r]!;
    cost += each * (price(layout.levelRow[k]!) + price(layout.priceRow[k]!));
  }
  return cost;
}

/** How much shorter a round trip costs so much less; null where none does. */
function closerBy(rttMs: number, cost: number, isSquared: boolean): number | null {
  if (!isSquared) return cost * linearMsPerCost <= rttMs ? cost * linearMsPerCost : null;
  const left = rttMs * rttMs - cost * squaredMsPerCost;
  return left >= 0 ? rttMs - Math.sqrt(left) : null;
}

/** As full as it is, and with room. */
function toGoFull(closerMs: number | null, withRoomMs: number | null): string {
  if (withRoomMs === null || withRoomMs === closerMs) return toGo(closerMs);
  if (closerMs === null) return `${toGo(withRoomMs)} with room; as full as it is, no round trip would do`;
  return `${toGo(closerMs)}, ${withRoomMs.toFixed(1)} ms with room`;
}

function toGo(closerMs: number | null): string {
  return closerMs === null
    ? 'no round trip would be short enough'
    : `would have to be ${closerMs.toFixed(1)} ms closer`;
}

function stateWord(state: DatacenterState): ReasonWord {
  const { cause } = state;
  if (isDrain(state)) return 'draining';
  if (cause.startsWith('held down')) return 'guard';
  if (cause.startsWith('unhealthy')) return 'unhealthy';
  if (cause.startsWith('telemetry')) return 'telemetry-missing';
  return 'abnormal';
}

function stateWords({ cause, keep, untilMs }: DatacenterState): string {
  const keeps = keep === 0 ? 'keeps nothing' : `keeps ${keep} of what it had and gains nothing`;
  const until = untilMs === null ? '' : ` until ${formatTime(untilMs)}`;
  return `${cause === '' || cause === 'abnormal' ? '' : `${cause}; `}${keeps}${until}`;
}

/** What stands between the want and the table. */
function heldBackBy(guarded: SolveStep | null, left: number, standsBecause: string | null): string {
  if (standsBecause !== null) return standsBecause;
  if (guarded && left <= nothing) {
    const { formulation, whole } = guarded.placement;
    const { layout, rowDuals } = whole();
    const { onloadMax } = formulation.limits!;
    const churnMax = formulation.limits!.churnMax[guarded.service]!;
    const isTight = (row: number): boolean => row >= 0 && rowDuals[row]! < -1e-9;
    const names = [
      ...(layout.onloadRow.some(isTight) ? [`onloadMax ${onloadMax}`] : []),
      ...(isTight(layout.churnRow[guarded.service]!) ? [`churnMax ${churnMax}`] : []),
    ];
    return `${names.length > 0 ? names.join(' and ') : 'the guards'} put it off`;
  }
  return `${left.toFixed(4)} is planned, too little for a whole bucket or put off to keep the pace`;
}

/** Of the datacenter's fullest pool. */
function utilizationAt({ model, placement }: SolveStep, d: number): number {
  const all = utilizations(model, (i) => loadAt(model, placement, i));
  return all.reduce((most, value, k) => (k % model.datacenters === d ? Math.max(most, value) : most), 0);
}
