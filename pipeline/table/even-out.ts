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
    const aim = inputs.aims[e]!;
    const load = inputs.loadOf(e);
    const work = inputs.touched(e);
    if (inputs.edgeLoad[e] === 0) continue;
    if (aim[to] === 0 || inputs.ceilings[e]![to]! < 1 || load[from] === 0) continue; // nobody goes where nobody was wanted
    if (work?.role[from] === roleGained || work?.role[to] === roleLost) continue; // nobody moves twice
    const found = nearestCell(inputs, e, from, to, amount);
    if (found && (!best || Math.abs(found.share - amount) < Math.abs(best.share - amount))) best = found;
  }
  return best;
}

/** The same at one edge: of all that are as near, the first. Looks outwards from where `amount` is among the weights, since
 *  an edge may have every bucket in use and an epoch asks for hundreds. */
function nearestCell(inputs: EvenOutInputs, e: number, from: number, to: number, amount: number): Cell | null {
  const { weight, bucket } = inputs.cells[e]!;
  const [aim, load, assignment, edgeLoad] = [
    inputs.aims[e]!,
    inputs.loadOf(e),
    inputs.assignmentOf(e),
    inputs.edgeLoad[e]!,
  ];
  const ascending = ascendingByWeight(inputs.cells[e]!);
  const heaviest = weight[ascending.at(-1)!]!;
  const room = Math.min(load[from]! - aim[from]!, aim[to]! - load[to]!) + heaviest + inputs.band;
  const middle = firstAtLeast(ascending, weight, amount / edgeLoad);
  let best: Cell | null = null;
  for (const step of [-1, 1]) {
    let offMost = Number.POSITIVE_INFINITY;
    for (let k = step < 0 ? middle - 1 : middle; k >= 0 && k < ascending.length; k += step) {
      const i = ascending[k]!;
      const share = weight[i]! * edgeLoad;
      const off = Math.abs(share - amount);
      if (off > offMost || (step > 0 && (weight[i]! > room || share > (4 / 3) * amount))) break;
      if (weight[i]! > room || assignment[bucket[i]!] !== from) continue;
      offMost = off;
      const bestOff = best ? Math.abs(best.share - amount) : Number.POSITIVE_INFINITY;
      if (off < bestOff || (off === bestOff && i < best!.i)) best = { e, i, share };
    }
  }
  return best;
}

/** Cells by weight, then by bucket; worked out once for the weights. */
function ascendingByWeight(cells: EdgeCells): Uint16Array {
  let ascending = ordered.get(cells);
  if (!ascending) {
    ascending = Uint16Array.from(cells.bucket.keys()).sort((a, b) => cells.weight[a]! - cells.weight[b]! || a - b);
    ordered.set(cells, ascending);
  }
  return ascending;
}

const ordered = new WeakMap<EdgeCells, Uint16Array>();

function firstAtLeast(ascending: Uint16Array, weight: Float64Array, least: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (weight[ascending[middle]!]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
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
