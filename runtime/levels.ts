/** How full pools may be: the rows of a program that say so, and the column of the level that is sought. Where levels are
 *  sought one after the other, the next program is the last one but for these. */

import assert from 'node:assert/strict';
import type { ProgramBuilder } from './lp/builder.ts';
import { doubles, integers } from './lp/pieces.ts';
import type { LinearProgram } from './lp/problem.ts';
import { type Model, totalLoad } from './model.ts';
import { poolsNow } from './pools-now.ts';

/** Where they are in a program. */
export interface LevelRows {
  readonly levelRow: Int32Array; // [k] row, -1 where the pool has no say
  readonly levelColumn: number; // the first
  readonly missColumn: Int32Array; // [k] what a level is missed by, where few pairs are asked about; else -1
  readonly onloadRow: Int32Array; // [k] row, -1 where no guard binds it
}

export interface Levels {
  readonly levelMax: Float64Array; // [k] utilization; NaN: at most the level sought
  readonly levelFloor?: number; // no lower one is sought
}

export interface OnloadLimits {
  readonly onloadMax: number; // utilization a pool may gain
  readonly arrivals?: Float64Array; // [k] where it is more than onloadMax, utilization that may arrive; forced load counts, too
}

/** Levels and onload of the pools that have a say. `guards`: null where there are none. `missPrice`: of a unit of load
 *  that misses a level; null where none may. */
export function putLevels(
  lp: ProgramBuilder,
  model: Model,
  levels: Levels,
  isSought: boolean,
  guards: OnloadLimits | null,
  missPrice: number | null,
): LevelRows {
  const { capacity } = model;
  const { levelMax } = levels;
  const { staying, reachable } = poolsNow(model);
  const levelRow = integers(capacity.length).fill(-1);
  const onloadRow = integers(capacity.length).fill(-1);
  for (let k = 0; k < capacity.length; k++) {
    if (!(capacity[k]! > 0) || (staying[k] === 0 && reachable[k] === 0)) continue;
    levelRow[k] = lp.row(Number.NEGATIVE_INFINITY, roomIn(model, levelMax, k));
    if (guards && reachable[k] === 1 && Number.isFinite(guards.onloadMax))
      onloadRow[k] = lp.row(
        Number.NEGATIVE_INFINITY,
        Math.max(guards.onloadMax, guards.arrivals?.[k] ?? 0) * capacity[k]!,
      );
  }
  const levelColumn = isSought ? lp.column(1, floorOf(model, levels), highestOf(model)) : lp.column(0, 0, 0);
  for (let k = 0; k < capacity.length; k++) {
    if (levelRow[k]! >= 0 && Number.isNaN(levelMax[k]!)) lp.put(levelRow[k]!, -capacity[k]!);
  }
  const missColumn = integers(capacity.length).fill(-1);
  for (let k = 0; missPrice !== null && k < capacity.length; k++) {
    const excess = staying[k]! - levelMax[k]! * capacity[k]!;
    if (levelRow[k]! < 0 || !(excess > 0)) continue;
    // Had it room for the excess alone, a step that needs all of it would find nothing to enter (`lp/long-step.ts`).
    missColumn[k] = lp.column(missPrice, 0, 2 * excess);
    lp.put(levelRow[k]!, -1);
  }
  return { levelRow, onloadRow, levelColumn, missColumn };
}

/** The program of the same model and limits that seeks a level, as it would be written with these levels. */
export function relevelled(program: LinearProgram, { levelRow, levelColumn }: LevelRows, model: Model, levels: Levels) {
  assert.equal(levelColumn, 0, 'the level is the first column');
  const { levelMax } = levels;
  const { capacity } = model;
  const lower = copyOf(program.lower);
  lower[0] = floorOf(model, levels);
  const rowUpper = copyOf(program.rowUpper);
  const sought: number[] = [];
  for (let k = 0; k < capacity.length; k++) {
    if (levelRow[k]! < 0) continue;
    rowUpper[levelRow[k]!] = roomIn(model, levelMax, k);
    if (Number.isNaN(levelMax[k]!)) sought.push(k);
  }
  const before = program.columnStart[1]!;
  const entries = program.rowIndex.length + sought.length - before;
  const columnStart = integers(program.columnStart.length);
  for (let j = 1; j < columnStart.length; j++) columnStart[j] = program.columnStart[j]! + sought.length - before;
  const rowIndex = integers(entries);
  const value = doubles(entries);
  sought.forEach((k, at) => {
    rowIndex[at] = levelRow[k]!;
    value[at] = -capacity[k]!;
  });
  rowIndex.set(program.rowIndex.subarray(before), sought.length);
  value.set(program.value.subarray(before), sought.length);
  return { ...program, lower, rowUpper, columnStart, rowIndex, value };
}

/** Load that a pool may gain, all in all. */
function roomIn(model: Model, levelMax: Float64Array, k: number): number {
  const { staying } = poolsNow(model);
  return (Number.isNaN(levelMax[k]!) ? 0 : levelMax[k]! * model.capacity[k]!) - staying[k]!;
}

function floorOf(model: Model, { levelFloor = 0 }: Levels): number {
  return Math.min(levelFloor, highestOf(model));
}

/** A level over every utilization that all load in one place could make is no limit, but a finite one. */
function highestOf({ capacity }: Model): number {
  let smallest = totalLoad;
  for (let k = 0; k < capacity.length; k++) if (capacity[k]! > 0) smallest = Math.min(smallest, capacity[k]!);
  return (2 * totalLoad) / smallest;
}

function copyOf(values: Float64Array): Float64Array {
  const copy = doubles(values.length);
  copy.set(values);
  return copy;
}
