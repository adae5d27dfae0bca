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
  readonly cellsOn: Uint32Array; // [d]
  readonly part: Float64Array; // [s * D + d] weight of segment s on d
  readonly partCells: Uint32Array; // [s * D + d] its cells there: says what is empty, which rounding cannot blur
  readonly role: Uint8Array; // [d] 0: neither yet
  readonly touched: Uint8Array; // [segment] 1: a cell of it moved
  isTouched = false;
  readonly #ties: FriendTies;
  readonly #blockTies: (Float64Array | undefined)[]; // [s * D + l] = [d] ties of the block to users on d
  readonly #pull: Float64Array;

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
    this.#blockTies = new Array<Float64Array | undefined>(segmentCount * width).fill(undefined); // dense: sparse is slow
    this.#pull = new Float64Array(width);
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
    for (let d = 0; d < this.width; d++) this.#blockTies[row + d] = undefined;
    this.#ties.move(this.e, i, bucket, from, to);
  }

  /** How many ties a unit of the block's weight would win by going from `from` to `to`, in average ties a unit; its
   *  ties inside go along and count as kept. Other blocks' moves at this edge since are not looked at again. */
  blockGain(segment: number, from: number, to: number): number {
    const key = segment * this.width + from;
    const ties = (this.#blockTies[key] ??= this.#sumBlockTies(segment, from));
    return this.#perWeight(ties[to]! - ties[from]!, this.part[key]!);
  }

  /** The same for one cell, and its weight aside. */
  cellGain(i: number, from: number, to: number): number {
    const bucket = this.cells.bucket[i]!;
    this.#ties.pullOf(bucket, this.#pull);
    const share = this.#ties.shareOfBucket[this.e]![i]!;
    return this.#perWeight((this.#pull[to]! - this.#pull[from]!) * share, this.cells.weight[i]!);
  }

  #sumBlockTies(segment: number, from: number): Float64Array {
    const { bucket } = this.cells;
    const share = this.#ties.shareOfBucket[this.e]!;
    const first = this.firstCell[segment]!;
    const end = this.firstCell[segment + 1]!;
    const sum = new Float64Array(this.width);
    for (let i = first; i < end; i++) {
      if (this.assignment[bucket[i]!] !== from) continue;
      this.#ties.pullOf(bucket[i]!, this.#pull);
      for (let d = 0; d < this.width; d++) sum[d]! += this.#pull[d]! * share[i]!;
      sum[from]! -= share[i]! * this.#ties.tiesInside(this.e, bucket, first, end, i, this.assignment, from);
    }
    return sum;
  }

  #perWeight(ties: number, weight: number): number {
    const usual = this.#ties.tiesPerWeight[this.e]! * weight;
    return usual > 0 ? ties / usual : 0;
  }
}
