/** The linear program of an epoch (DESIGN section 4), in delta form: what is gained and left by choice, what is placed
 *  because it is forced. It adds no rows, makes every limit on change linear, and breaks ties towards staying. */

import { type EmergencyRows, putEmergency } from './emergency.ts';
import { ProgramBuilder } from './lp/builder.ts';
import type { LinearProgram } from './lp/problem.ts';
import { nobody, type Step } from './meeting.ts';
import { type Model, totalLoad } from './model.ts';

/** Limits on moves by choice; absent: unguarded. */
export interface MoveLimits {
  readonly onloadMax: number; // utilization a pool may gain
  readonly churnMax: readonly number[]; // [s] share of the service's demand
  readonly toward: Placement | null; // moves by choice are a part of it, forced load goes where it has some; null: any
}

/** Where load goes, in load units, `[c * D + d]`. */
export interface Placement {
  readonly gained: Float64Array; // by choice
  readonly left: Float64Array; // by choice
  readonly placed: Float64Array; // forced load, placed anew
}

export interface Layout {
  readonly gained: Int32Array; // [c * D + d] first column, -1 where there is none
  readonly left: Int32Array;
  readonly placed: Int32Array;
  readonly levelRow: Int32Array; // [k] row, -1 where the pool has no say
  readonly levelColumn: number;
  readonly onloadRow: Int32Array; // [k] row, -1 where no guard binds it
  readonly priceRow: Int32Array; // [k] row, -1 where utilization has no price
  readonly churnRow: Int32Array; // [s] row, -1: unguarded
  readonly movingRow: Int32Array; // [c] what leaves by choice arrives; -1 before the first table
  readonly placingRow: Int32Array; // [c] forced load is placed; -1 where there is none
  readonly slackColumns: readonly number[]; // what limits give, at a price
  readonly nextStep: Int32Array; // [column] the one that takes what it has no room for, -1 where there is none
}

export interface Formulation {
  readonly limits: MoveLimits | null;
  readonly levelMax: Float64Array; // [k] utilization; NaN: at most the level sought
  readonly seek: 'level' | 'nearness' | 'calm'; // what to minimise: the level, latency and movement, movement alone
}

/** Pins, shareMax and the like are priced, not forbidden: they give before a datacenter's state does. Dearer than any
 *  latency; of two that cannot both be kept, the one of lower rank gives. */
const slackPrices = { shareMax: 5_000, pin: 5_000, emergencyMax: 6_000, latencyMsP95Max: 7_000 } as const;

/** What a load unit that is too far wins by leaving: more than any latency, less than a slack. */
const tooFarBounty = 1_000;

/** Of forced load that is placed where it is not wanted and will have to move again. Dearer than a detour, which lasts an
 *  hour at most; cheaper than a slack. */
const twicePrice = 40;

/** At most this share of an edge's demand may be beyond latencyMsP95Max. */
export const beyondP95Max = 0.05;

export function formulate(model: Model, formulation: Formulation): { program: LinearProgram; layout: Layout } {
  const { commodities, datacenters, resources, load, capacity, use, base, forced, mayGain, pinned } = model;
  const { limits, levelMax, seek } = formulation;
  const lp = new ProgramBuilder();
  const pairs = commodities * datacenters;
  const gained = new Int32Array(pairs).fill(-1);
  const left = new Int32Array(pairs).fill(-1);
  const placed = new Int32Array(pairs).fill(-1);
  const slackColumns: number[] = [];
  const slack = (limit: keyof typeof slackPrices, most: number): number => {
    const column = lp.column(slackPrices[limit], 0, most);
    slackColumns.push(column);
    return column;
  };

  // A level over every utilization that all load in one place could make is no limit, but a finite one.
  const smallest = capacity.reduce((least, value) => (value > 0 && value < least ? value : least), totalLoad);
  const levelColumn = lp.column(seek === 'level' ? 1 : 0, 0, seek === 'level' ? (2 * totalLoad) / smallest : 0);
  const { staying, reachable } = poolsNow(model);
  const levelRow = new Int32Array(capacity.length).fill(-1);
  const onloadRow = new Int32Array(capacity.length).fill(-1);
  for (let k = 0; k < capacity.length; k++) {
    if (!(capacity[k]! > 0) || (staying[k] === 0 && reachable[k] === 0)) continue;
    const sought = Number.isNaN(levelMax[k]!);
    levelRow[k] = lp.row(Number.NEGATIVE_INFINITY, (sought ? 0 : levelMax[k]! * capacity[k]!) - staying[k]!);
    if (sought) lp.put(levelRow[k]!, levelColumn, -capacity[k]!);
    if (limits && reachable[k] === 1 && Number.isFinite(limits.onloadMax))
      onloadRow[k] = lp.row(Number.NEGATIVE_INFINITY, limits.onloadMax * capacity[k]!);
  }
  const priceRow = putPrices(lp, model, seek, staying);
  const emergency: EmergencyRows | null = putEmergency(lp, model, slackPrices.emergencyMax);
  slackColumns.push(...(emergency?.slackColumns ?? []));
  const churnRow = Int32Array.from({ length: model.services }, (_, s) =>
    limits ? lp.row(Number.NEGATIVE_INFINITY, limits.churnMax[s]! * demandOf(model, s)) : -1,
  );

  // Movement alone has many optima; a trace of latency makes one of them the answer of every engine.
  const trace = seek === 'nearness' ? 1 : seek === 'calm' ? 1e-4 : 0;
  const cost = (i: number): number => trace * model.rttCost[i]!;
  const bounty = (i: number): number => (seek === 'nearness' && model.tooFar[i] === 1 ? tooFarBounty : 0);
  const moveCost = (i: number): number =>
    seek === 'nearness' ? model.moveCost[i]! : seek === 'calm' ? 1 + 1e-3 * model.rttCost[i]! : 0;
  const meeting = seek === 'nearness' ? model.meeting : null;
  const arriving = (i: number): readonly Step[] => meeting?.arriving[i] ?? nobody;
  const leaving = (i: number): readonly Step[] => meeting?.leaving[i] ?? nobody;
  const next: (readonly [column: number, next: number])[] = [];
  /** Columns that have room for `most` together. Returns the first. */
  const inSteps = (steps: readonly Step[], most: number, make: (worth: number, width: number) => number): number => {
    let [first, last, room] = [-1, -1, most];
    for (const { width, worth } of steps) {
      if (!(room > 0)) break;
      const column = make(worth, Math.min(width, room));
      room -= width;
      if (first < 0) first = column;
      else next.push([last, column]);
      last = column;
    }
    return first;
  };
  const toward = limits?.toward;
  const again = (i: number): number => (seek === 'nearness' && toward?.placed[i] === 0 ? twicePrice : 0);
  // A share that is too large already is brought back by what the guards leave over, and does not claim it first.
  const mayStay = (i: number): number => (limits && seek !== 'nearness' ? base[i]! : 0);
  const movingRow = new Int32Array(commodities).fill(-1);
  const placingRow = new Int32Array(commodities).fill(-1);
  for (let c = 0; c < commodities; c++) {
    const s = model.service[c]!;
    const shareMax = model.shareMax[s]!;
    const moving = (movingRow[c] = model.isNew[s] === 1 || model.still[c] === 1 ? -1 : lp.row(0, 0));
    const placing = (placingRow[c] = forced[c]! > 0 ? lp.row(forced[c]!, forced[c]!) : -1);
    const p95Row = putP95(lp, model, c, (most) => slack('latencyMsP95Max', most));
    for (let d = 0; d < datacenters; d++) {
      const i = c * datacenters + d;
      const shareRow =
        shareMax < 1 && mayGain[i] === 1
          ? lp.row(Number.NEGATIVE_INFINITY, Math.max(mayStay(i), shareMax * load[c]!) - base[i]!)
          : -1;
      const pinRow = Number.isNaN(pinned[i]!) ? -1 : lp.row(pinned[i]! - base[i]!, pinned[i]! - base[i]!);
      const put = (column: number, sign: 1 | -1, byChoice: boolean): number => {
        for (let r = 0; r < resources; r++) {
          const k = r * datacenters + d;
          const amount = sign * use[s * resources + r]!;
          if (amount === 0) continue;
          if (levelRow[k]! >= 0) lp.put(levelRow[k]!, column, amount);
          if (byChoice && onloadRow[k]! >= 0) lp.put(onloadRow[k]!, column, amount);
          if (priceRow) lp.put(priceRow[k]!, column, amount);
          if (emergency) lp.put(emergency.poolRow[k]!, column, amount);
        }
        if (byChoice && sign > 0 && churnRow[s]! >= 0) lp.put(churnRow[s]!, column, model.churnWeight[c]!);
        lp.put(byChoice ? moving : placing, column, sign);
        if (emergency) lp.put(emergency.classRow[i]!, column, sign);
        if (p95Row >= 0 && model.beyondP95[i] === 1) lp.put(p95Row, column, sign);
        if (shareRow >= 0) lp.put(shareRow, column, sign);
        if (pinRow >= 0) lp.put(pinRow, column, sign);
        return column;
      };
      const gainMax = mayGain[i] === 1 ? Math.min(load[c]!, toward?.gained[i] ?? totalLoad) : 0;
      const leaveMax = Math.min(base[i]!, toward?.left[i] ?? totalLoad);
      if (gainMax > 0 && moving >= 0) {
        // Friends are met once: by what is placed where something is, else by what is gained.
        const steps = placing >= 0 ? nobody : arriving(i);
        gained[i] = inSteps(steps, gainMax, (worth, width) =>
          put(lp.column(cost(i) + moveCost(i) - worth, 0, width), 1, true),
        );
      }
      if (leaveMax > 0 && moving >= 0) {
        left[i] = inSteps(leaving(i), leaveMax, (worth, width) =>
          put(lp.column(worth - cost(i) - bounty(i), 0, width), -1, true),
        );
      }
      if (mayGain[i] === 1 && placing >= 0) {
        placed[i] = inSteps(arriving(i), forced[c]!, (worth, width) =>
          put(lp.column(cost(i) + again(i) - worth, 0, width), 1, false),
        );
      }
      if (shareRow >= 0) lp.put(shareRow, slack('shareMax', load[c]!), -1);
      if (pinRow >= 0) {
        lp.put(pinRow, slack('pin', load[c]!), 1);
        lp.put(pinRow, slack('pin', load[c]!), -1);
      }
    }
  }
  const rows = {
    levelRow,
    onloadRow,
    priceRow: priceRow ?? new Int32Array(capacity.length).fill(-1),
    churnRow,
    movingRow,
    placingRow,
  };
  const program = lp.build();
  const nextStep = new Int32Array(program.cost.length).fill(-1);
  for (const [column, following] of next) nextStep[column] = following;
  return { program, layout: { gained, left, placed, levelColumn, slackColumns, nextStep, ...rows } };
}

/** [k] load of a pool if nothing moves by choice, and 1 where it may get more. */
function poolsNow(model: Model): { staying: Float64Array; reachable: Uint8Array } {
  const { datacenters, resources, use } = model;
  const staying = new Float64Array(model.capacity.length);
  const reachable = new Uint8Array(model.capacity.length);
  for (let d = 0; d < datacenters; d++) {
    for (let c = 0; c < model.commodities; c++) {
      const s = model.service[c]!;
      const i = c * datacenters + d;
      for (let r = 0; r < resources; r++) {
        const each = use[s * resources + r]!;
        staying[r * datacenters + d]! += each * (model.base[i]! + model.settled[i]!);
        if (each > 0 && model.mayGain[i] === 1) reachable[r * datacenters + d] = 1;
      }
    }
  }
  return { staying, reachable };
}

/** Load units of all a service's demand, settled or not. */
export function demandOf(model: Model, s: number): number {
  if (model.services === 1) return totalLoad;
  const { commodities, datacenters, load, settled } = model;
  let sum = 0;
  for (let c = 0; c < commodities; c++) {
    if (model.service[c] !== s) continue;
    sum += load[c]!;
    for (let d = 0; d < datacenters; d++) sum += settled[c * datacenters + d]!;
  }
  return sum;
}

/** Share of the service's demand that changes target by choice. */
export function movedShare(model: Model, gained: Float64Array, s: number): number {
  const { edges, datacenters, churnWeight } = model;
  let moved = 0;
  for (let i = s * edges * datacenters; i < (s + 1) * edges * datacenters; i++) {
    if (gained[i]! > 0) moved += gained[i]! * churnWeight[Math.floor(i / datacenters)]!;
  }
  return moved / demandOf(model, s);
}

/** A row for what of the commodity is beyond latencyMsP95Max; -1 where nothing may be. */
function putP95(lp: ProgramBuilder, model: Model, c: number, slack: (most: number) => number): number {
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
  lp.put(row, slack(load[c]!), -1);
  return row;
}

/** The convex price of utilization: load above each point pays the slope from there on. [k] row that its load goes into;
 *  null where nothing is priced. */
function putPrices(
  lp: ProgramBuilder,
  { utilizationPrices, capacity }: Model,
  seek: Formulation['seek'],
  staying: Float64Array,
): Int32Array | null {
  if (seek !== 'nearness' || utilizationPrices.length === 0) return null;
  return Int32Array.from(capacity, (units, k) => {
    const row = lp.row(Number.NEGATIVE_INFINITY, utilizationPrices[0]!.above * units - staying[k]!);
    utilizationPrices.forEach(({ above, cost }, step) => {
      const next = utilizationPrices[step + 1]?.above;
      const width = next === undefined ? totalLoad : (next - above) * units;
      lp.put(row, lp.column(cost, 0, width), -1);
    });
    return row;
  });
}
