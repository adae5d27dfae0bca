/** Where buckets are coarse (few users at an edge), every edge ends a fraction of a bucket off its aim, and nothing says
 *  that these misses cancel: a small datacenter that is a rounding of many edges can end far off although no edge is. So
 *  what is missed is carried over, as in error diffusion: single cells go from the datacenter with too much over all
 *  edges to the one with too little, at edges that use both, and no edge ends further off than its heaviest bucket. */

import type { EdgeCells } from './bucket-weights.ts';
import { type EdgeWork, roleGained, roleLost } from './edge-work.ts';

export interface EvenOutInputs {
  readonly edgeLoad: Float64Array; // [edge] share of the service's demand
  readonly cells: readonly EdgeCells[]; // [edge]
  readonly aims: readonly Float64Array[]; // [edge][d]
  readonly ceilings: readonly Float64Array[]; // [edge][d]
  readonly overMax: Float64Array; // [d] relative to what it is wanted to carry
  readonly band: number; // share of an edge's demand a datacenter may be off besides a bucket
  readonly assignmentOf: (e: number) => Uint8Array;
  readonly loadOf: (e: number) => Float64Array; // [d]
  readonly workOf: (e: number) => EdgeWork; // made when its edge has to move
  readonly touched: (e: number) => EdgeWork | undefined;
}

/** Relative to what a datacenter is wanted to carry. Too little hurts nobody as soon as too much does. Half of it is good
 *  enough: the two are apart so that tables do not swing. */
const underMax = 0.05;
const movesMax = 1000;

export function evenOut(inputs: EvenOutInputs): void {
  const wanted = totals(inputs, (e) => inputs.aims[e]!);
  const excess = totals(inputs, inputs.loadOf).map((load, d) => load - wanted[d]!);
  const isOff = (d: number, part: number): boolean =>
    excess[d]! > part * inputs.overMax[d]! * wanted[d]! || -excess[d]! > part * underMax * wanted[d]!;
  if (!excess.some((_, d) => isOff(d, 1))) return;
  const width = excess.length;
  const isStuck = new Uint8Array(width * width);
  for (let moves = 0; moves < movesMax; ) {
    let from = -1;
    let to = -1;
    let best = 0;
    for (let l = 0; l < width; l++) {
      for (let g = 0; g < width; g++) {
        const amount = Math.min(excess[l]!, -excess[g]!);
        if (amount <= best || isStuck[l * width + g] === 1) continue;
        if (!isOff(l, 0.5) && !isOff(g, 0.5)) continue;
        best = amount;
        from = l;
        to = g;
      }
    }
    if (from < 0) return;
    const cell = bestCell(inputs, from, to, best);
    if (!cell) {
      isStuck[from * width + to] = 1;
      continue;
    }
    inputs.workOf(cell.e).moveCell(cell.i, to);
    excess[from]! -= cell.share;
    excess[to]! += cell.share;
    moves += 1;
  }
}

interface Cell {
  readonly e: number;
  readonly i: number;
  readonly share: number; // of the service's demand
}

/** The cell nearest to `amount`, at most a third over it: what it overshoots is less than what it mends. */
function bestCell(inputs: EvenOutInputs, from: number, to: number, amount: number): Cell | null {
  let best: Cell | null = null;
  for (let e = 0; e < inputs.cells.length; e++) {
    const { bucket, weight } = inputs.cells[e]!;
    const aim = inputs.aims[e]!;
    const load = inputs.loadOf(e);
    const ceiling = inputs.ceilings[e]!;
    const work = inputs.touched(e);
    if (aim[to] === 0 || ceiling[to]! < 1 || load[from] === 0) continue; // nobody goes where nobody was wanted
    if (work?.role[from] === roleGained || work?.role[to] === roleLost) continue; // nobody moves twice
    const assignment = inputs.assignmentOf(e);
    let heaviest = 0;
    for (const share of weight) heaviest = Math.max(heaviest, share);
    const room = Math.min(
      load[from]! - aim[from]! + heaviest + inputs.band,
      aim[to]! - load[to]! + heaviest + inputs.band,
    );
    for (let i = 0; i < bucket.length; i++) {
      if (assignment[bucket[i]!] !== from || weight[i]! > room) continue;
      const share = weight[i]! * inputs.edgeLoad[e]!;
      if (share > (4 / 3) * amount) continue;
      if (!best || Math.abs(share - amount) < Math.abs(best.share - amount)) best = { e, i, share };
    }
  }
  return best;
}

/** [d] over all edges, as shares of the service's demand. */
function totals({ edgeLoad }: EvenOutInputs, rowOf: (e: number) => Float64Array): Float64Array {
  const sum = new Float64Array(rowOf(0).length);
  for (let e = 0; e < edgeLoad.length; e++) {
    const row = rowOf(e);
    for (let d = 0; d < row.length; d++) sum[d]! += edgeLoad[e]! * row[d]!;
  }
  return sum;
}
