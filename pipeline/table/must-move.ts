/** Brings one edge to its wanted fractions with the least movement: first what has to leave, without any tolerance, then
 *  what is further off than the dead band. Inside the band nothing moves: below .001 of the edge's demand a band shatters
 *  segments where many datacenters share an edge, above .003 accuracy is worse than the paper's (ASSIGN trials). */

import { strict as assert } from 'node:assert';
import { type BlockMove, betterBlock, moveBlockPart, moveBlocks } from './block-moves.ts';
import { type EdgeWork, roleGained, roleLost } from './edge-work.ts';

/** Sums of shares blur in the last bits; less than this is nothing. */
const residue = 1e-9;

/** `aim` and `ceiling` are [d]; `band` the share of the edge's demand a datacenter may be off. Datacenters whose ceiling
 *  is below 1 end at or under it and gain nothing. Overshoots an aim by more than band / 2 only where buckets that have
 *  to leave, or buckets heavier than the band, leave no choice; never by more than the edge's heaviest bucket. */
export function mustMove(work: EdgeWork, aim: Float64Array, ceiling: Float64Array, band: number): void {
  for (let d = 0; d < work.width; d++) if (ceiling[d]! < 1) leave(work, d, aim, ceiling, band);
  settle(work, aim, ceiling, band);
  roundOff(work, aim, ceiling, band);
  breakUp(work, aim, ceiling, band);
}

/** Is there anything to do? `load` is [d]. */
export function isSettled(load: Float64Array, aim: Float64Array, ceiling: Float64Array, band: number): boolean {
  for (let d = 0; d < load.length; d++) {
    if (Math.abs(load[d]! - aim[d]!) > band) return false;
    if (ceiling[d]! < 1 && load[d]! > ceiling[d]! + (ceiling[d]! > 0 ? residue : 0)) return false;
  }
  return true;
}

/** What is above the ceiling goes, to whoever lacks most; blocks while they fit, then single cells. */
function leave(work: EdgeWork, from: number, aim: Float64Array, ceiling: Float64Array, band: number): void {
  while (isOver(work, from, ceiling)) {
    const to = neediest(work, from, aim, ceiling);
    const goal = work.load[from]! - Math.min(aim[from]!, ceiling[from]!);
    const amount = Math.min(goal, aim[to]! - work.load[to]!);
    if (amount > 0 && moveBlocks(work, from, to, amount, band / 2) > 0) continue;
    work.moveCell(cellToLeave(work, from, work.load[from]! - ceiling[from]!), to);
  }
}

function isOver(work: EdgeWork, d: number, ceiling: Float64Array): boolean {
  return ceiling[d] === 0 ? work.cellsOn[d]! > 0 : work.load[d]! > ceiling[d]! + residue;
}

function neediest(work: EdgeWork, from: number, aim: Float64Array, ceiling: Float64Array): number {
  let best = -1;
  let bestLack = 0;
  for (const wantedOnly of [true, false]) {
    for (let d = 0; d < work.width && (best < 0 || wantedOnly); d++) {
      if (d === from || ceiling[d]! < 1 || (wantedOnly && aim[d] === 0)) continue;
      const lack = aim[d]! - work.load[d]!;
      if (best < 0 || lack > bestLack) {
        best = d;
        bestLack = lack;
      }
    }
  }
  assert(best >= 0, 'no datacenter is left that may take what has to leave');
  return best;
}

/** The lightest cell that is enough by itself, else the heaviest: few and exact. */
function cellToLeave(work: EdgeWork, from: number, over: number): number {
  const { bucket, weight } = work.cells;
  let enough = -1;
  let heaviest = -1;
  for (let i = 0; i < bucket.length; i++) {
    if (work.assignment[bucket[i]!] !== from) continue;
    if (heaviest < 0 || weight[i]! > weight[heaviest]!) heaviest = i;
    if (weight[i]! >= over && (enough < 0 || weight[i]! < weight[enough]!)) enough = i;
  }
  return enough >= 0 ? enough : heaviest;
}

/** By choice alone: of all blocks on a datacenter with too much that could go to one with too little, at least one of them
 *  off by more than the band, the best, until none is left. */
export function settle(work: EdgeWork, aim: Float64Array, ceiling: Float64Array, band: number): void {
  const { width } = work;
  const isStuck = new Uint8Array(work.partCells.length * width); // [(s * D + from) * D + to] no cell of it fits
  const slack = band / 2;
  const near = band / 4; // close enough: not worth another cell
  for (;;) {
    let best: BlockMove | null = null;
    for (let from = 0; from < width; from++) {
      const surplus = work.load[from]! - aim[from]!;
      if (surplus <= near || work.role[from] === roleGained) continue;
      for (let to = 0; to < width; to++) {
        const lack = aim[to]! - work.load[to]!;
        if (lack <= near || work.role[to] === roleLost || ceiling[to]! < 1) continue;
        if (surplus <= band && lack <= band) continue;
        best = betterBlock(work, from, to, Math.min(surplus, lack), slack, isStuck, best);
      }
    }
    if (best === null) return;
    const { segment, from, to, amount } = best;
    if (moveBlockPart(work, segment, from, to, amount, slack) === 0) isStuck[(segment * width + from) * width + to] = 1;
  }
}

/** Where no bucket fits, one that overshoots moves if that halves the miss: nearest, not never. What it mends is at least
 *  its own weight, so that an aim has to swing by half a bucket before it moves back. */
function roundOff(work: EdgeWork, aim: Float64Array, ceiling: Float64Array, band: number): void {
  const { bucket, weight } = work.cells;
  const off = (d: number): number => work.load[d]! - aim[d]!;
  for (let round = 0; round < bucket.length; round++) {
    const from = extreme(work, aim, (d) => work.role[d] === roleGained || work.cellsOn[d] === 0, 1);
    const to = extreme(work, aim, (d) => work.role[d] === roleLost || ceiling[d]! < 1, -1);
    if (from < 0 || to < 0 || from === to) return;
    const surplus = off(from);
    const lack = -off(to);
    if (surplus <= 0 || lack <= 0 || Math.max(surplus, lack) <= band) return;
    let best = -1;
    let bestMends = 0;
    for (let i = 0; i < bucket.length; i++) {
      if (work.assignment[bucket[i]!] !== from) continue;
      const mends = surplus + lack - Math.abs(surplus - weight[i]!) - Math.abs(lack - weight[i]!);
      if (mends < weight[i]! || mends <= bestMends) continue;
      best = i;
      bestMends = mends;
    }
    if (best < 0) return;
    work.moveCell(best, to);
  }
}

/** Where many small lacks face one surplus (or the other way round), no bucket may fit any of them. Once a datacenter is
 *  off by more than the heaviest bucket and the band, its lightest bucket moves all the same: nobody ends further off
 *  than one bucket. Roles yield last: being exact comes before moving least. */
function breakUp(work: EdgeWork, aim: Float64Array, ceiling: Float64Array, band: number): void {
  let heaviest = 0;
  for (const weight of work.cells.weight) heaviest = Math.max(heaviest, weight);
  const off = heaviest + band;
  for (const minding of [true, false]) {
    for (let round = 0; round < work.cells.bucket.length; round++) {
      const from = extreme(work, aim, (d) => (minding && work.role[d] === roleGained) || work.cellsOn[d] === 0, 1);
      const to = extreme(work, aim, (d) => (minding && work.role[d] === roleLost) || ceiling[d]! < 1, -1);
      if (from < 0 || to < 0 || from === to) break;
      const surplus = work.load[from]! - aim[from]!;
      const lack = aim[to]! - work.load[to]!;
      if (surplus <= 0 || lack <= 0 || Math.max(surplus, lack) <= off) break;
      work.moveCell(lightestCell(work, from), to);
    }
  }
}

/** The datacenter furthest above its aim (`sign` 1) or below (-1); -1 where all are left out. */
function extreme(work: EdgeWork, aim: Float64Array, isLeftOut: (d: number) => boolean, sign: number): number {
  let best = -1;
  for (let d = 0; d < work.width; d++) {
    if (isLeftOut(d)) continue;
    if (best < 0 || sign * (work.load[d]! - aim[d]!) > sign * (work.load[best]! - aim[best]!)) best = d;
  }
  return best;
}

function lightestCell(work: EdgeWork, from: number): number {
  const { bucket, weight } = work.cells;
  let lightest = -1;
  for (let i = 0; i < bucket.length; i++) {
    if (work.assignment[bucket[i]!] === from && (lightest < 0 || weight[i]! < weight[lightest]!)) lightest = i;
  }
  return lightest;
}
