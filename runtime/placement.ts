/** The linear program of an epoch (DESIGN section 4), in delta form: what is gained and left by choice, what is placed
 *  because it is forced. It adds no rows, makes every limit on change linear, and breaks ties towards staying. */

import { ProgramBuilder } from './lp/builder.ts';
import type { LinearProgram } from './lp/problem.ts';
import { type Model, totalLoad } from './model.ts';

/** Limits on moves by choice; absent: unguarded. */
export interface MoveLimits {
  readonly onloadMax: number; // utilization a datacenter may gain
  readonly churnMax: number; // share of all load
}

/** Where load goes, in load units, `[e * D + d]`. */
export interface Placement {
  readonly gained: Float64Array; // by choice
  readonly left: Float64Array; // by choice
  readonly placed: Float64Array; // forced load, placed anew
}

export interface Layout {
  readonly gained: Int32Array; // [e * D + d] column, -1 where there is none
  readonly left: Int32Array;
  readonly placed: Int32Array;
  readonly levelRow: Int32Array; // [d] row, -1 where the datacenter has no say
  readonly levelColumn: number;
  readonly onloadRow: Int32Array; // [d] row, -1 where no guard binds it
  readonly priceRow: Int32Array; // [d] row, -1 where utilization has no price
  readonly churnRow: number; // -1: unguarded
  readonly movingRow: Int32Array; // [e] what leaves by choice arrives; -1 before the first table
  readonly placingRow: Int32Array; // [e] forced load is placed; -1 where there is none
}

export interface Formulation {
  readonly limits: MoveLimits | null;
  readonly levelMax: Float64Array; // [d] utilization; NaN: at most the level sought
  readonly seek: 'level' | 'nearness' | 'calm'; // what to minimise: the level, latency and movement, movement alone
}

/** Pins and shareMax are priced, not forbidden: they give before a datacenter's state does. Dearer than any latency. */
const slackPrice = 10_000;

/** What a load unit that is too far wins by leaving: more than any latency, less than a slack. */
const tooFarBounty = 1_000;

export function formulate(model: Model, formulation: Formulation): { program: LinearProgram; layout: Layout } {
  const { edges, datacenters, load, capacity, base, forced, mayGain, shareMax, pinned } = model;
  const { limits, levelMax, seek } = formulation;
  const lp = new ProgramBuilder();
  const pairs = edges * datacenters;
  const gained = new Int32Array(pairs).fill(-1);
  const left = new Int32Array(pairs).fill(-1);
  const placed = new Int32Array(pairs).fill(-1);

  // A level over every utilization that all load in one place could make is no limit, but a finite one.
  const smallest = capacity.reduce((least, value) => (value > 0 && value < least ? value : least), totalLoad);
  const levelColumn = lp.column(seek === 'level' ? 1 : 0, 0, seek === 'level' ? (2 * totalLoad) / smallest : 0);
  const levelRow = new Int32Array(datacenters).fill(-1);
  const onloadRow = new Int32Array(datacenters).fill(-1);
  for (let d = 0; d < datacenters; d++) {
    let staying = 0;
    let reachable = false;
    for (let e = 0; e < edges; e++) {
      staying += base[e * datacenters + d]!;
      reachable ||= mayGain[e * datacenters + d] === 1;
    }
    if (capacity[d]! > 0 && (staying > 0 || reachable)) {
      const sought = Number.isNaN(levelMax[d]!);
      levelRow[d] = lp.row(Number.NEGATIVE_INFINITY, (sought ? 0 : levelMax[d]! * capacity[d]!) - staying);
      if (sought) lp.put(levelRow[d]!, levelColumn, -capacity[d]!);
      if (limits && reachable && Number.isFinite(limits.onloadMax))
        onloadRow[d] = lp.row(Number.NEGATIVE_INFINITY, limits.onloadMax * capacity[d]!);
    }
  }
  const priceRow = putPrices(lp, model, seek);
  const churnRow = limits ? lp.row(Number.NEGATIVE_INFINITY, limits.churnMax * totalLoad) : -1;

  // Movement alone has many optima; a trace of latency makes one of them the answer of every engine.
  const trace = seek === 'nearness' ? 1 : seek === 'calm' ? 1e-4 : 0;
  const cost = (i: number): number => trace * model.rttCost[i]!;
  const bounty = (i: number): number => (seek === 'nearness' && model.tooFar[i] === 1 ? tooFarBounty : 0);
  const moveCost = (i: number): number =>
    seek === 'nearness' ? model.moveCost[i]! : seek === 'calm' ? 1 + 1e-3 * model.rttCost[i]! : 0;
  const movingRow = new Int32Array(edges).fill(-1);
  const placingRow = new Int32Array(edges).fill(-1);
  for (let e = 0; e < edges; e++) {
    const moving = (movingRow[e] = model.initial || model.still[e] === 1 ? -1 : lp.row(0, 0));
    const placing = (placingRow[e] = forced[e]! > 0 ? lp.row(forced[e]!, forced[e]!) : -1);
    for (let d = 0; d < datacenters; d++) {
      const i = e * datacenters + d;
      const shareRow =
        shareMax < 1 && mayGain[i] === 1
          ? lp.row(Number.NEGATIVE_INFINITY, Math.max(0, shareMax * load[e]!) - base[i]!)
          : -1;
      const pinRow = Number.isNaN(pinned[i]!) ? -1 : lp.row(pinned[i]! - base[i]!, pinned[i]! - base[i]!);
      const put = (column: number, sign: 1 | -1, byChoice: boolean): void => {
        if (levelRow[d]! >= 0) lp.put(levelRow[d]!, column, sign);
        if (byChoice && onloadRow[d]! >= 0) lp.put(onloadRow[d]!, column, sign);
        if (byChoice && sign > 0 && churnRow >= 0) lp.put(churnRow, column, 1);
        lp.put(byChoice ? moving : placing, column, sign);
        if (priceRow) lp.put(priceRow[d]!, column, sign);
        if (shareRow >= 0) lp.put(shareRow, column, sign);
        if (pinRow >= 0) lp.put(pinRow, column, sign);
      };
      if (mayGain[i] === 1 && moving >= 0) put((gained[i] = lp.column(cost(i) + moveCost(i), 0, load[e]!)), 1, true);
      if (base[i]! > 0 && moving >= 0) put((left[i] = lp.column(-cost(i) - bounty(i), 0, base[i]!)), -1, true);
      if (mayGain[i] === 1 && placing >= 0) put((placed[i] = lp.column(cost(i), 0, forced[e]!)), 1, false);
      if (shareRow >= 0) lp.put(shareRow, lp.column(slackPrice, 0, load[e]!), -1);
      if (pinRow >= 0) {
        lp.put(pinRow, lp.column(slackPrice, 0, load[e]!), 1);
        lp.put(pinRow, lp.column(slackPrice, 0, load[e]!), -1);
      }
    }
  }
  const rows = { levelRow, onloadRow, priceRow: priceRow ?? levelRow.map(() => -1), churnRow, movingRow, placingRow };
  return { program: lp.build(), layout: { gained, left, placed, levelColumn, ...rows } };
}

/** The convex price of utilization: load above each point pays the slope from there on. [d] row that its load goes into;
 *  null where nothing is priced. */
function putPrices(
  lp: ProgramBuilder,
  { utilizationPrices, capacity, base, datacenters }: Model,
  seek: Formulation['seek'],
): Int32Array | null {
  if (seek !== 'nearness' || utilizationPrices.length === 0) return null;
  return Int32Array.from(capacity, (units, d) => {
    let staying = 0;
    for (let i = d; i < base.length; i += datacenters) staying += base[i]!;
    const row = lp.row(Number.NEGATIVE_INFINITY, utilizationPrices[0]!.above * units - staying);
    utilizationPrices.forEach(({ above, cost }, step) => {
      const next = utilizationPrices[step + 1]?.above;
      const width = next === undefined ? totalLoad : (next - above) * units;
      lp.put(row, lp.column(cost, 0, width), -1);
    });
    return row;
  });
}
