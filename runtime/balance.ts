/** The `balance` policy (Taiji, SOSP'19, appendix): the lowest highest utilization first, then load-weighted squared
 *  latency within it. A single min-max stops at the first datacenter that is stuck and leaves the others as they fall,
 *  so the level is sought again over those that can still improve, until none can. */

import { ProgramBuilder } from './lp/builder.ts';
import type { CertifiedAnswer, SolveCertified } from './lp/certified.ts';
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

/** The lowest utilization level of every datacenter that can be had, highest first; null: no certified answer. */
export async function lowestLevels(
  model: Model,
  limits: MoveLimits | null,
  shareMax: number,
  solve: SolveCertified,
): Promise<Float64Array | null> {
  const level = new Float64Array(model.datacenters).fill(Number.NaN); // NaN: still sought
  let previousLevel = Number.POSITIVE_INFINITY;
  while (level.some(Number.isNaN)) {
    const { program, layout } = formulate(model, { limits, shareMax, levelMax: level, seek: 'level' });
    const answer = await solve(program);
    if (!answer) return null;
    const found = answer.columns[layout.levelColumn]!;
    // Two rounds within solver noise are one level, or the level would depend on the engine's choice of duals.
    const settled = previousLevel - found <= 2e-6 ? previousLevel : roundedUp(found);
    previousLevel = settled;
    let progress = false;
    for (let d = 0; d < model.datacenters; d++) {
      const row = layout.levelRow[d]!;
      if (!Number.isNaN(level[d]!)) continue;
      const binding = row < 0 || -answer.rowDuals[row]! * model.capacity[d]! > 1e-6;
      if (!binding) continue;
      level[d] = settled;
      progress = true;
    }
    if (!progress) for (let d = 0; d < model.datacenters; d++) if (Number.isNaN(level[d]!)) level[d] = settled;
  }
  return level;
}

/** Least squared latency and movement with every datacenter at or under its level; null: no certified answer. */
export async function nearestPlacement(
  model: Model,
  limits: MoveLimits | null,
  shareMax: number,
  levelMax: Float64Array,
  solve: SolveCertified,
): Promise<Placement | null> {
  const { program, layout } = formulate(model, { limits, shareMax, levelMax, seek: 'nearness' });
  return placementOf(layout, await solve(program));
}

/** Least movement by choice with every datacenter at or under its level, latency aside: what calm alone would cost. */
export async function calmestPlacement(
  model: Model,
  levelMax: Float64Array,
  solve: SolveCertified,
): Promise<Placement | null> {
  const { program, layout } = formulate(model, { limits: null, shareMax: 1, levelMax, seek: 'calm' });
  return placementOf(layout, await solve(program));
}

function placementOf(layout: Layout, answer: CertifiedAnswer | null): Placement | null {
  if (!answer) return null;
  const take = (columns: Int32Array): Float64Array =>
    Float64Array.from(columns, (column) => (column < 0 ? 0 : Math.max(0, answer.columns[column]!)));
  return { gained: take(layout.gained), left: take(layout.left), placed: take(layout.placed) };
}

interface Layout {
  readonly gained: Int32Array; // [e * D + d] column, -1 where there is none
  readonly left: Int32Array;
  readonly placed: Int32Array;
  readonly levelRow: Int32Array; // [d] row, -1 where the datacenter has no say
  readonly levelColumn: number;
}

interface Formulation {
  readonly limits: MoveLimits | null;
  readonly shareMax: number;
  readonly levelMax: Float64Array; // [d] utilization; NaN: at most the level sought
  readonly seek: 'level' | 'nearness' | 'calm'; // what to minimise: the level, latency and movement, movement alone
}

/** A share over the limit is priced, not forbidden: shareMax gives before a datacenter's state does. */
const overSharePrice = 10_000;

function formulate(model: Model, formulation: Formulation): { program: LinearProgram; layout: Layout } {
  const { edges, datacenters, load, capacity, base, forced, mayGain } = model;
  const { limits, shareMax, levelMax, seek } = formulation;
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
      if (limits && reachable) onloadRow[d] = lp.row(Number.NEGATIVE_INFINITY, limits.onloadMax * capacity[d]!);
    }
  }
  const churnRow = limits ? lp.row(Number.NEGATIVE_INFINITY, limits.churnMax * totalLoad) : -1;

  const cost = (i: number): number => (seek === 'nearness' ? model.rttCost[i]! : 0);
  const moveCost = (i: number): number => (seek === 'nearness' ? model.moveCost[i]! : seek === 'calm' ? 1 : 0);
  for (let e = 0; e < edges; e++) {
    const moving = model.initial ? -1 : lp.row(0, 0);
    const placing = forced[e]! > 0 ? lp.row(forced[e]!, forced[e]!) : -1;
    for (let d = 0; d < datacenters; d++) {
      const i = e * datacenters + d;
      const shareRow =
        shareMax < 1 && mayGain[i] === 1
          ? lp.row(Number.NEGATIVE_INFINITY, Math.max(0, shareMax * load[e]!) - base[i]!)
          : -1;
      const put = (column: number, sign: 1 | -1, byChoice: boolean): void => {
        if (levelRow[d]! >= 0) lp.put(levelRow[d]!, column, sign);
        if (byChoice && onloadRow[d]! >= 0) lp.put(onloadRow[d]!, column, sign);
        if (byChoice && sign > 0 && churnRow >= 0) lp.put(churnRow, column, 1);
        lp.put(byChoice ? moving : placing, column, sign);
        if (shareRow >= 0) lp.put(shareRow, column, sign);
      };
      if (mayGain[i] === 1 && moving >= 0) put((gained[i] = lp.column(cost(i) + moveCost(i), 0, load[e]!)), 1, true);
      if (base[i]! > 0 && moving >= 0) put((left[i] = lp.column(-cost(i), 0, base[i]!)), -1, true);
      if (mayGain[i] === 1 && placing >= 0) put((placed[i] = lp.column(cost(i), 0, forced[e]!)), 1, false);
      if (shareRow >= 0) lp.put(shareRow, lp.column(overSharePrice, 0, load[e]!), -1);
    }
  }
  return { program: lp.build(), layout: { gained, left, placed, levelRow, levelColumn } };
}

/** Up to a ten-millionth, and one more, so that the level found can be held as a limit; the thousandth of a step keeps
 *  round levels, which people's inputs make likely, away from the edge of the rounding. */
function roundedUp(level: number): number {
  return (Math.ceil(level * 1e7 - 1e-3) + 1) / 1e7;
}
