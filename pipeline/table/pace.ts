/** What of a target table this epoch may do. Forced moves always go. Elective ones are scaled back alike when together
 *  they exceed `churnMax`: of every flow (edge, from, to) the same fraction, rounded down to whole buckets, so that every
 *  datacenter's load lies between its load before and after, but for one bucket a flow. What rounding down leaves of
 *  `churnMax`, which is most of it where buckets are heavy, goes to one more bucket a flow that lifts nobody above both.
 *
 *  Deferring the largest gains first was declined: in a chain A -> B -> C it kept A -> B and put B -> C off, and sent B
 *  from .8 to 1.2 of its capacity. Where forced load arrives at a datacenter whose own elective outflow is scaled back,
 *  it can end above both; `validate` looks at utilizations after pacing for that reason. */

import type { BucketWeights } from './bucket-weights.ts';
import type { Ceilings } from './ceilings.ts';
import { forcedShares, takeDue } from './churn.ts';
import type { RoutingTable } from './routing-table.ts';

export interface PaceInputs {
  readonly previous: RoutingTable; // the same shape as `target`
  readonly target: RoutingTable;
  readonly weights: BucketWeights;
  readonly edgeLoad: Float64Array; // [edge] share of the service's demand
  readonly ceilings: Ceilings;
  readonly churnMax: number; // share of the service's demand that may move by choice
}

export interface Paced {
  readonly table: RoutingTable; // `target` itself where nothing is put off
  readonly deferred: number; // share of the service's demand put off
  readonly deferredEdges: readonly number[]; // ascending
}

export function pace(inputs: PaceInputs): Paced {
  const { target, edgeLoad, churnMax } = inputs;
  const edges = target.edges.map((_, e) => movesOf(inputs, e));
  let elective = 0;
  for (let e = 0; e < edges.length; e++) elective += edgeLoad[e]! * edges[e]!.elective;
  if (elective <= churnMax) return { table: target, deferred: 0, deferredEdges: [] };
  const most = churnMax * (1 - 1e-12); // sums blur in the last bits; the limit does not
  const kept = most / elective;
  const byEdge = [...target.byEdge];
  const deferredEdges: number[] = [];
  let deferred = 0;
  for (let e = 0; e < edges.length; e++) {
    const putOff = scaleBack(inputs, e, edges[e]!, kept);
    if (putOff === null) continue;
    byEdge[e] = putOff.assignment;
    deferred += edgeLoad[e]! * putOff.share;
    deferredEdges.push(e);
  }
  deferred -= fillUp(inputs, byEdge, deferredEdges, most - (elective - deferred));
  const stillWaits = (e: number): boolean => byEdge[e]!.some((on, b) => on !== target.byEdge[e]![b]);
  return { table: { ...target, byEdge }, deferred, deferredEdges: deferredEdges.filter(stillWaits) };
}

/** The elective moves of one edge. `spent`: [d] what whole buckets that had to leave took beyond what was due; it counts
 *  against what else may leave d by choice. */
interface EdgeMoves {
  readonly cells: readonly number[]; // elective ones, ascending
  readonly elective: number; // share of the edge's demand
  readonly spent: Float64Array;
}

function movesOf(inputs: PaceInputs, e: number): EdgeMoves {
  const { previous, target, weights } = inputs;
  const width = target.targets.length;
  const was = previous.byEdge[e]!;
  const is = target.byEdge[e]!;
  if (was === is) return { cells: [], elective: 0, spent: new Float64Array(width) };
  const { bucket, weight } = weights.byEdge[e]!;
  const served = new Float64Array(width);
  for (let i = 0; i < bucket.length; i++) served[was[bucket[i]!]!]! += weight[i]!;
  const due = forcedShares(served, inputs.ceilings.subarray(e * width, (e + 1) * width));
  const cells: number[] = [];
  let elective = 0;
  for (let i = 0; i < bucket.length; i++) {
    const from = was[bucket[i]!]!;
    if (from === is[bucket[i]!] || takeDue(due, from, weight[i]!)) continue;
    cells.push(i);
    elective += weight[i]!;
  }
  return { cells, elective, spent: due.map((left) => Math.max(0, -left)) };
}

/** Sends elective cells back until each flow keeps at most `kept` of itself. Cells that fit stay in ascending order, so
 *  that what goes on is a run of neighbours. null: nothing is sent back. */
function scaleBack(
  { previous, target, weights }: PaceInputs,
  e: number,
  { cells, spent }: EdgeMoves,
  kept: number,
): { readonly assignment: Uint8Array; readonly share: number } | null {
  if (cells.length === 0) return null;
  const width = target.targets.length;
  const { bucket, weight } = weights.byEdge[e]!;
  const was = previous.byEdge[e]!;
  const is = target.byEdge[e]!;
  const room = new Float64Array(width * width); // [from * D + to]
  for (const i of cells) room[was[bucket[i]!]! * width + is[bucket[i]!]!]! += kept * weight[i]!;
  for (let from = 0; from < width; from++) {
    let owed = spent[from]!;
    for (let flow = from * width; flow < (from + 1) * width && owed > 0; flow++) {
      const paid = Math.min(owed, room[flow]!);
      room[flow]! -= paid;
      owed -= paid;
    }
  }
  const assignment = is.slice();
  let share = 0;
  for (const i of cells) {
    const b = bucket[i]!;
    const flow = was[b]! * width + is[b]!;
    if (weight[i]! <= room[flow]!) {
      room[flow]! -= weight[i]!;
    } else {
      assignment[b] = was[b]!;
      share += weight[i]!;
    }
  }
  return share > 0 ? { assignment, share } : null;
}

/** Lets one more bucket of each flow go, edge after edge, as long as there is churn `left` and no datacenter ends above what
 *  it had and is to have. Returns the share of the service's demand that goes. */
function fillUp(
  { previous, target, weights, edgeLoad }: PaceInputs,
  byEdge: readonly Uint8Array[],
  deferredEdges: readonly number[],
  left: number,
): number {
  const width = target.targets.length;
  const loadsOf = (rows: readonly Uint8Array[]): Float64Array => {
    const loads = new Float64Array(width);
    rows.forEach((row, e) => {
      const { bucket, weight } = weights.byEdge[e]!;
      for (let i = 0; i < bucket.length; i++) loads[row[bucket[i]!]!]! += edgeLoad[e]! * weight[i]!;
    });
    return loads;
  };
  const after = loadsOf(target.byEdge);
  const most = loadsOf(previous.byEdge).map((before, d) => Math.max(before, after[d]!));
  const now = loadsOf(byEdge);
  let gone = 0;
  for (const e of deferredEdges) {
    const { bucket, weight } = weights.byEdge[e]!;
    const isFilled = new Uint8Array(width * width); // [from * D + to]
    for (let i = 0; i < bucket.length; i++) {
      const from = byEdge[e]![bucket[i]!]!;
      const to = target.byEdge[e]![bucket[i]!]!;
      const moves = edgeLoad[e]! * weight[i]!;
      if (from === to || isFilled[from * width + to] === 1) continue;
      if (gone + moves > left || now[to]! + moves > most[to]!) continue;
      byEdge[e]![bucket[i]!] = to;
      isFilled[from * width + to] = 1;
      now[from]! -= moves;
      now[to]! += moves;
      gone += moves;
    }
  }
  return gone;
}
