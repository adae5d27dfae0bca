/** What of a target table this epoch may do. Forced moves always go. Elective ones are scaled back alike when together
 *  they exceed `churnMax`: of every flow (edge, from, to) the same fraction, rounded down to whole buckets, so that every
 *  datacenter's load lies between its load before and after, but for one bucket a flow.
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
  const kept = (churnMax / elective) * (1 - 1e-12); // sums blur in the last bits; the limit does not
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
  return { table: { ...target, byEdge }, deferred, deferredEdges };
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
