/** Buckets to datacenters so that as few users as possible move and friends move together (`assignment: friends`).
 *
 *  Every edge stays as it is but for what its wanted fractions demand; who moves is chosen block by block by where the
 *  friends are (`must-move.ts`). With a budget, blocks are then exchanged where that brings friends together
 *  (`exchange.ts`): least movement alone wears locality down within a week to below the paper's random preferences;
 *  friends alone, bucket by bucket, split half of the segments. A min-cost flow was declined: it moves as little and
 *  scatters segments. The first table is contiguous ranges in tree order, exchanged for free until nothing is won
 *  or, with hundreds of edges, for as long as a start may take. */

import { strict as assert } from 'node:assert';
import type { BucketTree } from '../../bucketizer/tree.ts';
import type { EdgeId } from '../../config/ids.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { CarriedLocality } from '../../runtime/guards.ts';
import type { BucketWeights, EdgeCells } from './bucket-weights.ts';
import type { Ceilings } from './ceilings.ts';
import type { CellTies } from './cell-ties.ts';
import { EdgeWork } from './edge-work.ts';
import { evenOut } from './even-out.ts';
import { type Exchanged, type ExchangeInputs, exchangeBlocks } from './exchange.ts';
import { FriendTies } from './friend-ties.ts';
import { afterSpending, allowanceMax, allowanceOf, freshLocality } from './locality-budget.ts';
import { isSettled, mustMove, settle } from './must-move.ts';
import { type RoutingTable, sameAssignment, type Target } from './routing-table.ts';

export interface FriendsInputs {
  readonly tree: BucketTree;
  readonly weights: BucketWeights;
  readonly edgeLoad: Float64Array; // [edge] share of the service's demand
  readonly wanted: FractionMatrix;
  readonly ceilings: Ceilings;
  readonly previous: RoutingTable | null; // of the same targets, edges and height
  readonly targets: readonly Target[];
  readonly edges: readonly EdgeId[];
  readonly segmentLevel: number;
  readonly overMax?: Float64Array; // [d] how far above what it is wanted to carry a datacenter may end, relative; default 0.02
  readonly mayExchange?: Uint8Array; // [e * D + d] 1 where users may be exchanged for others; absent: everywhere
  readonly localityBudget?: number; // extra moves, as a share of the needed ones; default 0
  readonly churnMax?: number; // share of the service's demand that may move by choice; default 1
  readonly locality?: CarriedLocality; // from the epoch before
  readonly cellTies?: CellTies; // where ties are known per edge and bucket
}

/** Share of an edge's demand that a datacenter may be off before anything moves by choice. */
export const deadBand = 0.003;

/** Exchanges keep closer, since they are many. */
const exchangeBand = 0.0024;

/** Share of all demand that may be misplaced before the band narrows at the edges that misplace most. */
const misplacedMax = 0.005;
const narrowerBands = [deadBand / 2, deadBand / 4];

/** How far above what it is wanted to carry a datacenter may end over all edges where nobody says, relative. */
export const overMost = 0.02;

/** Rounds over all edges at the start, and exchanges to try at one edge in a round; it ends by itself after about ten. Where
 *  there are hundreds of edges it ends sooner: a first table is waited for. */
const climbsMax = 30;
const climbTrials = 1000;
const climbTrialsInAll = 100_000;

/** Exchanges to try in an epoch, over all edges. */
const gatherTrials = 300;

const most = Number.POSITIVE_INFINITY;
const unbounded = { allowance: most, hadToMove: 0, allowanceMax: () => most, room: most };

/** Edges at which blocks of one segment may be exchanged together. */
const edgesTogether = 16;

export interface Assigned {
  readonly table: RoutingTable;
  readonly locality?: CarriedLocality; // for the next epoch
}

/** Edges that need nothing share the arrays of the previous table; where none does, the result is the previous table. */
export function assignFriends(inputs: FriendsInputs): Assigned {
  const { tree, weights, targets, edges, previous } = inputs;
  const width = targets.length;
  const aims = edges.map((_, e) => aimOf(rowOf(inputs.wanted, e, width), rowOf(inputs.ceilings, e, width)));
  const byEdge =
    previous === null
      ? edges.map((_, e) => contiguous(weights.byEdge[e]!, aims[e]!, tree.height))
      : [...previous.byEdge];
  const plan = new TablePlan(inputs, aims, byEdge, previous === null);
  for (let e = 0; e < edges.length; e++) plan.improve(e);
  for (const band of narrowerBands) plan.narrow(band);
  plan.evenOut();
  const locality = previous === null ? plan.climb() : plan.gather(inputs.locality ?? freshLocality);
  plan.finish();
  if (
    previous !== null &&
    previous.treeVersion === tree.version &&
    byEdge.every((row, e) => row === previous.byEdge[e])
  ) {
    return { table: previous, locality };
  }
  return { table: { treeVersion: tree.version, height: tree.height, targets, edges, byEdge }, locality };
}

/** The edges at work. Nothing is built for an edge, nor the ties for a table, until something has to move. */
class TablePlan {
  readonly #inputs: FriendsInputs;
  readonly #aims: readonly Float64Array[];
  readonly #byEdge: Uint8Array[];
  readonly #isStart: boolean;
  readonly #loads: Float64Array[];
  readonly #works: (EdgeWork | undefined)[];
  #ties: FriendTies | null = null;

  constructor(inputs: FriendsInputs, aims: readonly Float64Array[], byEdge: Uint8Array[], isStart: boolean) {
    this.#inputs = inputs;
    this.#aims = aims;
    this.#byEdge = byEdge;
    this.#isStart = isStart;
    this.#works = byEdge.map(() => undefined);
    this.#loads = byEdge.map((assignment, e) => loadsOf(inputs.weights.byEdge[e]!, assignment, inputs.targets.length));
  }

  improve(e: number): void {
    const ceiling = rowOf(this.#inputs.ceilings, e, this.#inputs.targets.length);
    if (isSettled(this.#load(e), this.#aims[e]!, ceiling, deadBand)) return;
    mustMove(this.#workOf(e), this.#aims[e]!, ceiling, deadBand);
  }

  /** Goes over the edges that misplace most demand, until little enough is misplaced. */
  narrow(band: number): void {
    const { edgeLoad } = this.#inputs;
    const misplaced = this.#byEdge.map((_, e) => edgeLoad[e]! * halfDistance(this.#load(e), this.#aims[e]!));
    let sum = misplaced.reduce((a, b) => a + b, 0);
    const order = misplaced.map((_, e) => e).sort((a, b) => misplaced[b]! - misplaced[a]! || a - b);
    for (const e of order) {
      if (sum <= misplacedMax) return;
      settle(this.#workOf(e), this.#aims[e]!, rowOf(this.#inputs.ceilings, e, this.#inputs.targets.length), band);
      sum += edgeLoad[e]! * halfDistance(this.#load(e), this.#aims[e]!) - misplaced[e]!;
    }
  }

  /** The start costs nobody anything: exchanges until none wins a tie. */
  climb(): CarriedLocality {
    if (!this.#inputs.localityBudget) return freshLocality;
    const atOneEdge = Math.min(climbTrials, Math.ceil(climbTrialsInAll / 2 / this.#byEdge.length));
    let trials = 0;
    for (let pass = 0; pass < climbsMax && trials < climbTrialsInAll; pass++) {
      let kept = 0;
      for (const e of this.#byEdge.keys()) {
        const exchanged = this.#exchange([e], 0, unbounded, atOneEdge);
        kept += exchanged.kept;
        trials += exchanged.trials;
      }
      if (kept === 0) break;
    }
    return freshLocality;
  }

  /** As many exchanges as the budget pays. */
  gather(carried: CarriedLocality): CarriedLocality {
    const { localityBudget = 0, churnMax = 1 } = this.#inputs;
    if (localityBudget === 0) return carried;
    const moved = this.#leastMoved();
    const allowance = allowanceOf(carried, { localityBudget, churnMax, moved });
    const bounds = { allowance, hadToMove: moved, allowanceMax, room: churnMax - moved };
    const { spent } = this.#exchange([...this.#byEdge.keys()], carried.price, bounds, gatherTrials);
    return afterSpending(carried, { localityBudget, churnMax, moved: this.#leastMoved(), spent });
  }

  /** Share of the service's demand. */
  #leastMoved(): number {
    const { edgeLoad } = this.#inputs;
    return this.#works.reduce((sum, work, e) => sum + (work ? edgeLoad[e]! * work.leastMoved() : 0), 0);
  }

  #exchange(
    at: readonly number[],
    price: number,
    bounds: Pick<ExchangeInputs, 'allowance' | 'hadToMove' | 'allowanceMax' | 'room'>,
    trialsMax: number,
  ): Exchanged {
    const { edgeLoad, ceilings, targets, previous, mayExchange } = this.#inputs;
    const width = targets.length;
    const works = this.#byEdge.map((_, e) => this.#workOf(e));
    return exchangeBlocks({
      works,
      at,
      edgeLoad,
      aims: this.#aims,
      isOpen: (e, d) => ceilings[e * width + d]! >= 1 && mayExchange?.[e * width + d] !== 0,
      homes: previous?.byEdge ?? null,
      overMax: this.#overMax,
      band: exchangeBand,
      allTies: this.#ties!.allTies,
      price,
      ...bounds,
      trialsMax,
      edgesMax: edgesTogether,
    });
  }

  /** What single edges miss for the sake of whole buckets is made to cancel over all edges. */
  evenOut(): void {
    const { edgeLoad, weights, ceilings, targets } = this.#inputs;
    evenOut({
      edgeLoad,
      cells: weights.byEdge,
      aims: this.#aims,
      ceilings: this.#byEdge.map((_, e) => rowOf(ceilings, e, targets.length)),
      overMax: this.#overMax,
      band: deadBand,
      assignmentOf: (e) => this.#works[e]?.assignment ?? this.#byEdge[e]!,
      loadOf: (e) => this.#load(e),
      workOf: (e) => this.#workOf(e),
      touched: (e) => this.#works[e],
    });
  }

  /** Buckets without demand follow their segment; unchanged edges give their copy up. */
  finish(): void {
    for (let e = 0; e < this.#byEdge.length; e++) {
      const ceiling = rowOf(this.#inputs.ceilings, e, this.#inputs.targets.length);
      const keepsBarred = ceiling.some((most, d) => most === 0 && this.#byEdge[e]!.includes(d));
      const work = keepsBarred || this.#isStart ? this.#workOf(e) : this.#works[e];
      if (work === undefined || !(work.isTouched || keepsBarred || this.#isStart)) continue;
      if (!this.#isStart && !keepsBarred && sameAssignment(work.assignment, this.#byEdge[e]!)) continue;
      followSegments(work, ceiling, this.#isStart);
      this.#byEdge[e] = work.assignment;
    }
  }

  get #overMax(): Float64Array {
    return this.#inputs.overMax ?? new Float64Array(this.#inputs.targets.length).fill(overMost);
  }

  #load(e: number): Float64Array {
    return this.#works[e]?.load ?? this.#loads[e]!;
  }

  #workOf(e: number): EdgeWork {
    const { tree, weights, targets, segmentLevel } = this.#inputs;
    this.#ties ??= new FriendTies(this.#inputs, this.#byEdge, targets.length);
    const shift = Math.max(0, tree.height - segmentLevel);
    return (this.#works[e] ??= new EdgeWork(e, weights.byEdge[e]!, this.#byEdge[e]!.slice(), shift, this.#ties));
  }
}

/** The wanted row with nothing on barred datacenters. */
function aimOf(wanted: Float64Array, ceiling: Float64Array): Float64Array {
  let open = 0;
  let all = 0;
  for (let d = 0; d < wanted.length; d++) {
    all += wanted[d]!;
    if (ceiling[d]! > 0) open += wanted[d]!;
  }
  assert(open > 0, 'an edge wants no datacenter that may serve it');
  return wanted.map((share, d) => (ceiling[d]! > 0 ? (open === all ? share : share / open) : 0));
}

/** Datacenters in one order at all edges, each a range of buckets in tree order: the same users meet at the same place
 *  wherever they come in. */
function contiguous({ bucket, weight }: EdgeCells, aim: Float64Array, height: number): Uint8Array {
  const assignment = new Uint8Array(1 << height);
  const last = aim.findLastIndex((share) => share > 0);
  let d = aim.findIndex((share) => share > 0);
  let end = aim[d]!;
  let before = 0;
  for (let i = 0; i < bucket.length; i++) {
    while (d < last && before + weight[i]! / 2 > end) end += aim[++d]!;
    assignment[bucket[i]!] = d;
    before += weight[i]!;
  }
  return assignment;
}

/** Buckets without demand go where most of their segment is; in a segment without any, where the segment before it went.
 *  They cost nothing, and whoever turns up in them finds friends. No bucket stays on a barred datacenter. */
function followSegments(work: EdgeWork, ceiling: Float64Array, all: boolean): void {
  const { assignment, segmentShift, width } = work;
  let followed = firstMajority(work);
  for (let segment = 0; segment < work.segmentCount; segment++) {
    followed = majorityOf(work, segment) ?? followed;
    const first = segment << segmentShift;
    const end = (segment + 1) << segmentShift;
    if (!all && work.touched[segment] === 0 && !holdsBarred(assignment, first, end, ceiling, width)) continue;
    let cell = work.firstCell[segment]!;
    for (let b = first; b < end; b++) {
      if (cell < work.firstCell[segment + 1]! && work.cells.bucket[cell] === b) cell += 1;
      else assignment[b] = followed;
    }
  }
}

function holdsBarred(
  assignment: Uint8Array,
  first: number,
  end: number,
  ceiling: Float64Array,
  width: number,
): boolean {
  for (let d = 0; d < width; d++) {
    if (ceiling[d] !== 0) continue;
    const found = assignment.indexOf(d, first);
    if (found >= 0 && found < end) return true;
  }
  return false;
}

function firstMajority(work: EdgeWork): number {
  for (let segment = 0; segment < work.segmentCount; segment++) {
    const majority = majorityOf(work, segment);
    if (majority !== undefined) return majority;
  }
  return 0; // no cells at all: an edge has at least one
}

function majorityOf(work: EdgeWork, segment: number): number | undefined {
  let best: number | undefined;
  for (let d = 0; d < work.width; d++) {
    const part = work.part[segment * work.width + d]!;
    if (
      work.partCells[segment * work.width + d]! > 0 &&
      (best === undefined || part > work.part[segment * work.width + best]!)
    ) {
      best = d;
    }
  }
  return best;
}

function loadsOf({ bucket, weight }: EdgeCells, assignment: Uint8Array, width: number): Float64Array {
  const load = new Float64Array(width);
  for (let i = 0; i < bucket.length; i++) load[assignment[bucket[i]!]!]! += weight[i]!;
  return load;
}

function halfDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += Math.abs(a[d]! - b[d]!);
  return sum / 2;
}

function rowOf(matrix: Float64Array, e: number, width: number): Float64Array {
  return matrix.subarray(e * width, (e + 1) * width);
}
