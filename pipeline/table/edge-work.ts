/** One edge while its buckets are being moved: what each datacenter and each (segment, datacenter) block weighs, and who
 *  has lost or gained. A datacenter that lost gains nothing any more and the other way round, so that nobody moves in
 *  vain: churn is then exactly half the distance between the fractions before and after. */

import type { EdgeCells } from './bucket-weights.ts';
import type { FriendTies } from './friend-ties.ts';

export const roleLost = 1;
export const roleGained = 2;

export class EdgeWork {
  readonly e: number;
  readonly cells: EdgeCells;
  readonly assignment: Uint8Array; // [bucket], ours to change
  readonly width: number;
  readonly segmentShift: number; // bucket >>> shift = segment
  readonly firstCell: Uint32Array; // [segment + 1] the segment's cells are firstCell[s] .. firstCell[s + 1] - 1
  readonly segmentWeight: Float64Array; // [segment] share of the edge's demand
  readonly load: Float64Array; // [d]
  readonly loadBefore: Float64Array; // [d] when the work began
  readonly cellsOn: Uint32Array; // [d]
  readonly part: Float64Array; // [s * D + d] weight of segment s on d
  readonly partCells: Uint32Array; // [s * D + d] its cells there: says what is empty, which rounding cannot blur
  readonly role: Uint8Array; // [d] 0: neither yet
  readonly touched: Uint8Array; // [segment] 1: a cell of it moved
  isTouched = false;
  readonly #ties: FriendTies;
  readonly #blockTies: (Float64Array | undefined)[]; // [s * D + l] = [d] ties of the block to users on d
  readonly #insideTies: Float64Array; // [s * D + l] ties inside the block, which others' moves leave as they are; NaN: not yet

  constructor(e: number, cells: EdgeCells, assignment: Uint8Array, segmentShift: number, ties: FriendTies) {
    const width = ties.width;
    const segmentCount = assignment.length >>> segmentShift;
    this.e = e;
    this.cells = cells;
    this.assignment = assignment;
    this.width = width;
    this.segmentShift = segmentShift;
    this.firstCell = new Uint32Array(segmentCount + 1);
    this.segmentWeight = new Float64Array(segmentCount);
    this.load = new Float64Array(width);
    this.cellsOn = new Uint32Array(width);
    this.part = new Float64Array(segmentCount * width);
    this.partCells = new Uint32Array(segmentCount * width);
    this.role = new Uint8Array(width);
    this.touched = new Uint8Array(segmentCount);
    this.#ties = ties;
    this.#insideTies = new Float64Array(segmentCount * width).fill(Number.NaN);
    this.#blockTies = new Array<Float64Array | undefined>(segmentCount * width).fill(undefined); // dense: sparse is slow
    const { bucket, weight } = cells;
    for (let i = 0; i < bucket.length; i++) {
      const segment = bucket[i]! >>> segmentShift;
      const d = assignment[bucket[i]!]!;
      this.firstCell[segment + 1]! += 1;
      this.segmentWeight[segment]! += weight[i]!;
      this.load[d]! += weight[i]!;
      this.cellsOn[d]! += 1;
      this.part[segment * width + d]! += weight[i]!;
      this.partCells[segment * width + d]! += 1;
    }
    this.loadBefore = this.load.slice();
    for (let s = 0; s < segmentCount; s++) this.firstCell[s + 1]! += this.firstCell[s]!;
  }

  get segmentCount(): number {
    return this.touched.length;
  }

  /** Moves one cell; the caller has chosen it. */
  moveCell(i: number, to: number): void {
    const bucket = this.cells.bucket[i]!;
    const weight = this.cells.weight[i]!;
    const from = this.assignment[bucket]!;
    const segment = bucket >>> this.segmentShift;
    const row = segment * this.width;
    this.assignment[bucket] = to;
    this.cellsOn[from]! -= 1;
    this.cellsOn[to]! += 1;
    this.partCells[row + from]! -= 1;
    this.partCells[row + to]! += 1;
    this.part[row + from] = this.partCells[row + from] === 0 ? 0 : this.part[row + from]! - weight;
    this.part[row + to]! += weight;
    this.load[from] = this.cellsOn[from] === 0 ? 0 : this.load[from]! - weight;
    this.load[to]! += weight;
    this.role[from] = roleLost;
    this.role[to] = roleGained;
    this.touched[segment] = 1;
    this.isTouched = true;
    for (let d = 0; d < this.width; d++) {
      this.#blockTies[row + d] = undefined;
      this.#insideTies[row + d] = Number.NaN;
    }
    this.#ties.move(this.e, i, from, to);
  }

  /** Half the distance between the loads before the work began and now: the least that any way to get here moves. */
  leastMoved(): number {
    let sum = 0;
    for (let d = 0; d < this.width; d++) sum += Math.abs(this.load[d]! - this.loadBefore[d]!);
    return sum / 2;
  }

  /** How many datacenters have a part of the segment. */
  pieces(segment: number): number {
    let pieces = 0;
    const end = (segment + 1) * this.width;
    for (let i = segment * this.width; i < end; i++) if (this.partCells[i]! > 0) pieces += 1;
    return pieces;
  }

  /** What the segment has on the datacenter, ascending. */
  cellsOf(segment: number, datacenter: number): number[] {
    const cells: number[] = [];
    for (let i = this.firstCell[segment]!; i < this.firstCell[segment + 1]!; i++) {
      if (this.assignment[this.cells.bucket[i]!] === datacenter) cells.push(i);
    }
    return cells;
  }

  /** [d] what of the block `other` has on d. */
  partsOf(segment: number, datacenter: number, other: Uint8Array): Float64Array {
    const parts = new Float64Array(this.width);
    const { bucket, weight } = this.cells;
    for (let i = this.firstCell[segment]!; i < this.firstCell[segment + 1]!; i++) {
      if (this.assignment[bucket[i]!] === datacenter) parts[other[bucket[i]!]!]! += weight[i]!;
    }
    return parts;
  }

  /** How many ties a unit of the block's weight would win by going from `from` to `to`, in average ties a unit; its
   *  ties inside go along and count as kept. */
  blockGain(segment: number, from: number, to: number): number {
    const ties = this.blockTies(segment, from);
    return this.#perWeight(ties[to]! - ties[from]!, this.part[segment * this.width + from]!);
  }

  /** [d] ties from what the segment has on `from` to everybody else on d. As of when the segment last moved or `look` was
   *  called: other blocks' moves since are not looked at again. */
  blockTies(segment: number, from: number): Float64Array {
    return (this.#blockTies[segment * this.width + from] ??= this.#sumBlockTies(segment, from));
  }

  /** The same as of now. */
  blockTiesNow(segment: number, from: number): Float64Array {
    return (this.#blockTies[segment * this.width + from] = this.#sumBlockTies(segment, from));
  }

  /** Look at friends anew. */
  look(): void {
    this.#blockTies.fill(undefined);
  }

  /** Ties a cell would win by going to `to` now. */
  cellTies(i: number, to: number): number {
    const { pull } = this.#ties;
    const row = this.#ties.rowOf(this.e, i);
    const from = this.assignment[this.cells.bucket[i]!]!;
    return (pull[row + to]! - pull[row + from]!) * this.#ties.shareOf(this.e, i);
  }

  #sumBlockTies(segment: number, from: number): Float64Array {
    const { bucket } = this.cells;
    const { width } = this;
    const { pull } = this.#ties;
    const first = this.firstCell[segment]!;
    const end = this.firstCell[segment + 1]!;
    const sum = new Float64Array(width);
    for (let i = first; i < end; i++) {
      if (this.assignment[bucket[i]!] !== from) continue;
      const row = this.#ties.rowOf(this.e, i);
      const share = this.#ties.shareOf(this.e, i);
      for (let d = 0; d < width; d++) sum[d]! += pull[row + d]! * share;
    }
    const block = segment * width + from;
    if (Number.isNaN(this.#insideTies[block]!)) this.#insideTies[block] = this.#sumInside(segment, from, first, end);
    sum[from]! -= this.#insideTies[block]!;
    return sum;
  }

  #sumInside(segment: number, from: number, first: number, end: number): number {
    const add = (): number => this.#ties.tiesInside(this.e, first, end, this.cells.bucket, this.assignment, from);
    if (this.partCells[segment * this.width + from] !== end - first) return add();
    const whole = this.#ties.wholeInside(this.e, this.segmentShift, this.segmentCount);
    if (Number.isNaN(whole[segment]!)) whole[segment] = add();
    return whole[segment]!;
  }

  #perWeight(ties: number, weight: number): number {
    const usual = this.#ties.tiesPerWeight[this.e]! * weight;
    return usual > 0 ? ties / usual : 0;
  }
}
