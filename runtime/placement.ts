/** The linear program of an epoch (DESIGN section 4), in delta form: what is gained and left by choice, what is placed
 *  because it is forced. It adds no rows, makes every limit on change linear, and breaks ties towards staying. */

import { type EmergencyRows, putEmergency } from './emergency.ts';
import { type Few, putFew } from './few-columns.ts';
import { putGives } from './gives.ts';
import { type LevelRows, type Levels, type OnloadLimits, putLevels } from './levels.ts';
import { ProgramBuilder } from './lp/builder.ts';
import { doubles, integers } from './lp/pieces.ts';
import type { LinearProgram } from './lp/problem.ts';
import type { Step } from './meeting.ts';
import { type GivingLimit, hasAny, type Model, totalLoad } from './model.ts';
import { costsOf, type Sought } from './objective.ts';
import { noColumns, type PairColumns, PairColumnsBuilder } from './pair-columns.ts';
import { poolsNow } from './pools-now.ts';

/** Limits on moves by choice; absent: unguarded. */
export interface MoveLimits extends OnloadLimits {
  readonly churnMax: readonly number[]; // [s] share of the service's demand
  readonly toward: Placement | null; // moves by choice are a part of it, forced load had better be; null: any
}

/** Where load goes, in load units, `[c * D + d]`. */
export interface Placement {
  readonly gained: Float64Array; // by choice
  readonly left: Float64Array; // by choice
  readonly placed: Float64Array; // forced load, placed anew
  readonly moves: Uint8Array; // [c] 1 where anything is gained or left
}

export interface Layout extends LevelRows {
  readonly gained: PairColumns;
  readonly left: PairColumns;
  readonly placed: PairColumns;
  readonly priceRow: Int32Array; // [k] row, -1 where utilization has no price
  readonly churnRow: Int32Array; // [s] row, -1: unguarded
  readonly movingRow: Int32Array; // [c] what leaves by choice arrives; -1 where nothing may move
  readonly placingRow: Int32Array; // [c] forced load is placed; -1 where there is none
  readonly nextStep: Int32Array | null; // [column] the one that takes what it has no room for, -1 where there is none; null: none has
}

/** -1 where there is none. */
export function stepAfter({ nextStep }: Layout, column: number): number {
  return nextStep?.[column] ?? -1;
}

export interface Formulation extends Levels {
  readonly limits: MoveLimits | null;
  readonly seek: Sought;
}

/** What a load unit that is too far wins by leaving, and pays to come: more than any latency, less than a slack. */
const tooFarBounty = 1_000;

/** Of forced load that is placed where it, or so much of it, is not wanted and will have to move again. Dearer than a
 *  detour, which lasts an hour at most; cheaper than a slack. */
const twicePrice = 40;

/** At most this share of an edge's demand may be beyond latencyMsP95Max. */
export const beyondP95Max = 0.05;

/** `few`: only of these pairs, by choice; a level that they cannot keep may be missed, at a price. */
export function formulate(
  model: Model,
  formulation: Formulation,
  few: Few | null = null,
): { program: LinearProgram; layout: Layout } {
  return few ? ofFew(model, formulation, few) : ofAll(model, formulation);
}

function ofFew(model: Model, formulation: Formulation, few: Few): { program: LinearProgram; layout: Layout } {
  const { limits, seek } = formulation;
  const lp = new ProgramBuilder();
  const levels = putLevels(lp, model, formulation, false, limits, few.missPrice);
  const priceRow = putPrices(lp, model, seek) ?? noneOf(model.capacity.length);
  const churnRow = putChurn(lp, model, limits);
  const gained = new PairColumnsBuilder(few.pairs.length);
  const left = new PairColumnsBuilder(few.pairs.length);
  const movingRow = integers(model.commodities).fill(-1);
  const rows = { ...levels, priceRow, churnRow };
  putFew(lp, model, costsOf(model, seek), few, rows, { gained, left, movingRow });
  const layout: Layout = {
    ...rows,
    gained: gained.build(),
    left: left.build(),
    placed: noColumns,
    movingRow,
    placingRow: noneOf(model.commodities),
    nextStep: null,
  };
  return { program: lp.build(), layout };
}

function ofAll(model: Model, formulation: Formulation): { program: LinearProgram; layout: Layout } {
  const { commodities, datacenters, resources, load, use, base, forced, mayGain, pinned } = model;
  const { service, tooFar, churnWeight } = model;
  const { limits, seek } = formulation;
  const lp = new ProgramBuilder();
  const gained = new PairColumnsBuilder(commodities);
  const left = new PairColumnsBuilder(commodities);
  const placed = forced.some((amount) => amount > 0) ? new PairColumnsBuilder(commodities) : null;
  const levels = putLevels(lp, model, formulation, seek === 'level', limits, null);
  const { levelRow, onloadRow } = levels;
  const priceRow = putPrices(lp, model, seek);
  const gives = putGives(lp, model, limits !== null, seek);
  /** A column of what misses a limit; it goes into the rows that the limit is kept by. */
  const slack = (limit: GivingLimit, most: number): number => {
    const at = lp.column(gives.slackPrice(limit), 0, most);
    if (gives.rowOf(limit) >= 0) lp.put(gives.rowOf(limit), 1);
    return at;
  };
  const emergency: EmergencyRows | null = putEmergency(lp, model, (most) => slack('emergencyMax', most));
  const churnRow = putChurn(lp, model, limits);
  const { rttCost, moveCost } = costsOf(model, seek);
  const toward = limits?.toward;
  const bounty = seek === 'nearness' ? tooFarBounty : 0;
  const again = seek === 'nearness' && toward ? twicePrice : 0;
  const meeting = seek === 'nearness' ? model.meeting : null;
  const following: number[] = []; // a column and the one that takes what it has no room for, in turn
  // A share that is too large already is brought back by what the guards leave over, and does not claim it first.
  const mayStay = (i: number): number => (limits && seek !== 'nearness' ? base[i]! : 0);
  const movingRow = integers(commodities).fill(-1);
  const placingRow = integers(commodities).fill(-1);
  const isLimited = hasLimitsOfPairs(model) || emergency !== null;
  const isSought = gives.isSought;
  let [p95Row, shareRow, pinRow] = [-1, -1, -1]; // of the pair that is looked at
  const enterLimits = (i: number, sign: 1 | -1): void => {
    if (emergency) lp.put(emergency.classRow[i]!, sign);
    if (p95Row >= 0 && model.beyondP95[i] === 1) lp.put(p95Row, sign);
    if (shareRow >= 0) lp.put(shareRow, sign);
    if (pinRow >= 0) lp.put(pinRow, sign);
    gives.put(i, sign);
  };
  /** Enters the column of load that arrives (1) or leaves (-1), by choice or forced, into the rows of all. It is told
   *  nothing but what is small: numbers with a fraction, handed to functions thousands of times, are garbage. */
  const enter = (c: number, d: number, sign: 1 | -1, byChoice: boolean): void => {
    const s = service[c]!;
    for (let r = 0, k = d; r < resources; r++, k += datacenters) {
      const amount = sign * use[s * resources + r]!;
      if (amount === 0) continue;
      if (levelRow[k]! >= 0) lp.put(levelRow[k]!, amount);
      if ((byChoice || limits?.arrivals) && onloadRow[k]! >= 0) lp.put(onloadRow[k]!, amount);
      if (priceRow) lp.put(priceRow[k]!, amount);
      if (emergency) lp.put(emergency.poolRow[k]!, amount);
    }
    if (byChoice && sign > 0 && churnRow[s]! >= 0) lp.put(churnRow[s]!, churnWeight[c]!);
    if (isLimited) enterLimits(c * datacenters + d, sign);
  };
  /** Columns of falling worth that have room for `most` together. Returns the first. */
  const inSteps = (
    steps: readonly Step[],
    c: number,
    d: number,
    cost: number,
    most: number,
    sign: 1 | -1,
    row: number,
  ) => {
    let [first, last, room] = [-1, -1, most];
    for (const { width, worth } of steps) {
      if (!(room > 0)) break;
      const at = lp.column(cost - sign * worth, 0, Math.min(width, room), row, sign);
      enter(c, d, sign, row === movingRow[c]);
      room -= width;
      if (first < 0) first = at;
      else following.push(last, at);
      last = at;
    }
    return first;
  };
  for (let c = 0, i = 0; c < commodities; c++) {
    const s = service[c]!;
    const shareMax = model.shareMax[s]!;
    const mayMove = model.isNew[s] === 0 && model.still[c] === 0;
    const ownLoad = load[c]!;
    const forcedLoad = forced[c]!;
    if (toward && !isLimited && forcedLoad === 0 && toward.moves[c] === 0) {
      i += datacenters;
      continue;
    }
    const placing = forcedLoad > 0 ? lp.row(forcedLoad, forcedLoad) : -1;
    placingRow[c] = placing;
    let moving = -1;
    if (isLimited) p95Row = putP95(lp, model, c, slack);
    for (let d = 0; d < datacenters; d++, i++) {
      const mayArrive = mayGain[i] === 1;
      if (!mayArrive && base[i] === 0 && !isLimited) continue;
      const far = tooFar[i] === 1 ? bounty : 0;
      if (isLimited) {
        const room = Math.max(mayStay(i), shareMax * ownLoad) - base[i]!;
        shareRow = shareMax < 1 && mayArrive ? lp.row(Number.NEGATIVE_INFINITY, room) : -1;
        pinRow = Number.isNaN(pinned[i]!) ? -1 : lp.row(pinned[i]! - base[i]!, pinned[i]! - base[i]!);
      }
      const gainMax = mayMove && mayArrive ? Math.min(ownLoad, toward ? toward.gained[i]! : totalLoad) : 0;
      const leaveMax = mayMove ? Math.min(base[i]!, toward ? toward.left[i]! : totalLoad) : 0;
      if (moving < 0 && (gainMax > 0 || leaveMax > 0)) moving = movingRow[c] = lp.row(0, 0);
      if (gainMax > 0) {
        const cost = rttCost[i]! + moveCost[i]! + far + (isSought ? gives.cost(i, 1) : 0);
        // Friends are met once: by what is placed where something is, else by what is gained.
        if (meeting && placing < 0) gained.put(i, inSteps(meeting.arriving[i]!, c, d, cost, gainMax, 1, moving));
        else {
          gained.put(i, lp.column(cost, 0, gainMax, moving, 1));
          enter(c, d, 1, true);
        }
      }
      if (leaveMax > 0) {
        const cost = -rttCost[i]! - far + (isSought ? gives.cost(i, -1) : 0);
        if (meeting) left.put(i, inSteps(meeting.leaving[i]!, c, d, cost, leaveMax, -1, moving));
        else {
          left.put(i, lp.column(cost, 0, leaveMax, moving, -1));
          enter(c, d, -1, true);
        }
      }
      if (placed && mayArrive && placing >= 0) {
        const cost = rttCost[i]! + far + (isSought ? gives.cost(i, 1) : 0);
        const steps = meeting ? meeting.arriving[i]! : alike;
        const worth = again > 0 ? lessBeyond(steps, toward!.placed[i]!, again) : steps;
        if (worth !== alike) placed.put(i, inSteps(worth, c, d, cost, forcedLoad, 1, placing));
        else {
          placed.put(i, lp.column(cost, 0, forcedLoad, placing, 1));
          enter(c, d, 1, false);
        }
      }
      if (shareRow >= 0) {
        slack('shareMax', ownLoad);
        lp.put(shareRow, -1);
      }
      if (pinRow >= 0) {
        slack('pins', ownLoad);
        lp.put(pinRow, 1);
        slack('pins', ownLoad);
        lp.put(pinRow, -1);
      }
    }
  }
  const program = lp.build();
  const nextStep = following.length > 0 ? integers(program.cost.length).fill(-1) : null;
  for (let at = 0; nextStep && at < following.length; at += 2) nextStep[following[at]!] = following[at + 1]!;
  const layout: Layout = {
    ...levels,
    gained: gained.build(),
    left: left.build(),
    placed: placed?.build() ?? noColumns,
    priceRow: priceRow ?? noneOf(model.capacity.length),
    churnRow,
    movingRow,
    placingRow,
    nextStep,
  };
  return { program, layout };
}

/** Nobody to meet: all of it is worth the same. */
const alike: readonly Step[] = [{ width: Number.POSITIVE_INFINITY, worth: 0 }];

/** What comes after the first `most` is worth less by `fine`: it will have to move again. */
function lessBeyond(steps: readonly Step[], most: number, fine: number): readonly Step[] {
  const fined: Step[] = [];
  let room = most;
  for (const { width, worth } of steps) {
    if (room > 0) fined.push({ width: Math.min(width, room), worth });
    if (width > room) fined.push({ width: width - Math.max(0, room), worth: worth - fine });
    room -= width;
  }
  return fined;
}

/** Does any pair have rows of its own, or count in those of limits that give? */
export function hasLimitsOfPairs({ shareMax, hasPins, beyondP95, gives }: Model): boolean {
  return hasPins || gives.length > 0 || hasAny(beyondP95) || shareMax.some((share) => share < 1);
}

/** Changed by nobody, so that all layouts may have the same. */
let none = new Int32Array(0);

function noneOf(count: number): Int32Array {
  if (none.length < count) none = new Int32Array(count).fill(-1);
  return none.subarray(0, count);
}

/** Load units of all a service's demand, settled or not. */
export function demandOf(model: Model, s: number): number {
  return demandsOf(model)[s]!;
}

const demandsKnown = new WeakMap<Model, Float64Array>();

function demandsOf(model: Model): Float64Array {
  const before = demandsKnown.get(model);
  if (before) return before;
  const { services, service, commodities, datacenters, load, settled } = model;
  const demands = doubles(services);
  if (services === 1) demands[0] = totalLoad;
  for (let c = 0, i = 0; c < commodities && services > 1; c++) {
    let sum = demands[service[c]!]! + load[c]!;
    for (let d = 0; d < datacenters; d++, i++) sum += settled[i]!;
    demands[service[c]!] = sum;
  }
  demandsKnown.set(model, demands);
  return demands;
}

/** Share of the service's demand that changes target by choice. */
export function movedShare(model: Model, { gained, moves }: Placement, s: number): number {
  const { edges, datacenters, churnWeight } = model;
  let moved = 0;
  for (let c = s * edges; c < (s + 1) * edges; c++) {
    if (moves[c] === 0) continue;
    for (let i = c * datacenters; i < (c + 1) * datacenters; i++) moved += gained[i]! * churnWeight[c]!;
  }
  return moved / demandOf(model, s);
}

/** A row for what of the commodity is beyond latencyMsP95Max; -1 where nothing may be. */
function putP95(
  lp: ProgramBuilder,
  model: Model,
  c: number,
  slack: (limit: 'latencyMsP95Max', most: number) => number,
): number {
  const { datacenters, beyondP95, base, load } = model;
  let beyond = 0;
  let isAny = false;
  for (let i = c * datacenters; i < (c + 1) * datacenters; i++) {
    if (beyondP95[i] === 0) continue;
    isAny = true;
    beyond += base[i]!;
  }
  if (!isAny) return -1;
  const row = lp.row(Number.NEGATIVE_INFINITY, beyondP95Max * load[c]! - beyond);
  slack('latencyMsP95Max', load[c]!);
  lp.put(row, -1);
  return row;
}

/** The convex price of utilization: load above each point pays the slope from there on. [k] row that its load goes into;
 *  null where nothing is priced. */
function putPrices(lp: ProgramBuilder, model: Model, seek: Sought): Int32Array | null {
  const { utilizationPrices, capacity } = model;
  if (seek !== 'nearness' || utilizationPrices.length === 0) return null;
  const { staying } = poolsNow(model);
  return Int32Array.from(capacity, (units, k) => {
    const row = lp.row(Number.NEGATIVE_INFINITY, utilizationPrices[0]!.above * units - staying[k]!);
    utilizationPrices.forEach(({ above, cost }, step) => {
      const next = utilizationPrices[step + 1]?.above;
      const width = next === undefined ? totalLoad : (next - above) * units;
      lp.column(cost, 0, width);
      lp.put(row, -1);
    });
    return row;
  });
}

/** [s] row, -1 where nothing guards. */
function putChurn(lp: ProgramBuilder, model: Model, limits: MoveLimits | null): Int32Array {
  if (!limits) return noneOf(model.services);
  const demands = demandsOf(model);
  const churnRow = integers(model.services);
  for (let s = 0; s < demands.length; s++)
    churnRow[s] = lp.row(Number.NEGATIVE_INFINITY, limits.churnMax[s]! * demands[s]!);
  return churnRow;
}
