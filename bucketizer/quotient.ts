/** The quotient graph of a tree: tie weight between buckets. A bucket keeps its 32 heaviest neighbours (92 % of the tie
 *  weight of a friendship graph in 16,384 buckets), and is kept by whoever counts it among theirs: the graph stays
 *  symmetric and no row loses one of its heaviest, though the row of a very popular bucket grows longer than 32. */

import type { Graph } from './multilevel/graph.ts';
import type { QuotientGraph } from './tree.ts';

export const tiesPerBucket = 32;

export function quotientGraph(graph: Graph, leafOf: Uint32Array, height: number): QuotientGraph {
  const buckets = 1 << height;
  const users = usersByLeaf(leafOf, buckets);
  const weightTo = new Float64Array(buckets);
  const seen = new Uint32Array(buckets);
  const heap = new Uint32Array(tiesPerBucket);
  const room = Math.min(buckets * tiesPerBucket, graph.neighbour.length);
  const heaviest = { end: new Uint32Array(buckets), to: new Uint32Array(room), weight: new Float64Array(room) };
  let end = 0;
  for (let b = 0; b < buckets; b++) {
    const seenCount = weighTies(
      graph,
      leafOf,
      users.user.subarray(users.start[b]!, users.start[b + 1]!),
      b,
      weightTo,
      seen,
    );
    const kept = heaviestOf(seen, seenCount, weightTo, heap);
    for (let i = 0; i < kept.length; i++) {
      heaviest.to[end] = kept[i]!;
      heaviest.weight[end++] = weightTo[kept[i]!]!;
    }
    heaviest.end[b] = end;
    for (let i = 0; i < seenCount; i++) weightTo[seen[i]!] = 0;
  }
  return bothWays(heaviest, buckets);
}

/** Adds up the ties of `users`, who are in `bucket`, by the other bucket: `weightTo`, all 0 before. Lists the buckets in
 *  `seen`; returns how many they are. */
function weighTies(
  { rowStart, neighbour, tieWeight }: Graph,
  leafOf: Uint32Array,
  users: Uint32Array,
  bucket: number,
  weightTo: Float64Array,
  seen: Uint32Array,
): number {
  let count = 0;
  for (let i = 0; i < users.length; i++) {
    const end = rowStart[users[i]! + 1]!;
    for (let k = rowStart[users[i]!]!; k < end; k++) {
      const other = leafOf[neighbour[k]!]!;
      if (other === bucket) continue;
      const sum = weightTo[other]!;
      if (sum === 0) seen[count++] = other;
      weightTo[other] = sum + tieWeight[k]!;
    }
  }
  return count;
}

/** Between two buckets, in the row of one of them or of both. */
interface Ties {
  readonly end: Uint32Array; // [bucket] where its row ends, and the next one's begins
  readonly to: Uint32Array;
  readonly weight: Float64Array; // beside to
}

/** The `tiesPerBucket` heaviest of the first `count` of `buckets`, in no order; of equal ones the first. A heap of as many,
 *  the lightest on top: few of thousands ever enter it. */
function heaviestOf(buckets: Uint32Array, count: number, weightTo: Float64Array, heap: Uint32Array): Uint32Array {
  if (count <= tiesPerBucket) return buckets.subarray(0, count);
  for (let i = 0; i < tiesPerBucket; i++) heap[i] = buckets[i]!;
  for (let at = tiesPerBucket / 2 - 1; at >= 0; at--) sink(heap, at, weightTo);
  for (let i = tiesPerBucket; i < count; i++) {
    const other = buckets[i]!;
    if (!isLighter(heap[0]!, other, weightTo)) continue;
    heap[0] = other;
    sink(heap, 0, weightTo);
  }
  return heap;
}

/** Moves the bucket at `from` down to where no lighter one is below it. */
function sink(heap: Uint32Array, from: number, weightTo: Float64Array): void {
  const bucket = heap[from]!;
  let at = from;
  for (let down = 2 * at + 1; down < heap.length; down = 2 * at + 1) {
    if (down + 1 < heap.length && isLighter(heap[down + 1]!, heap[down]!, weightTo)) down++;
    if (!isLighter(heap[down]!, bucket, weightTo)) break;
    heap[at] = heap[down]!;
    at = down;
  }
  heap[at] = bucket;
}

function isLighter(a: number, b: number, weightTo: Float64Array): boolean {
  const difference = weightTo[a]! - weightTo[b]!;
  return difference < 0 || (difference === 0 && a > b);
}

/** Each tie in both rows, once. Filled in by the other end first, rows come out sorted. */
function bothWays({ end, to, weight }: Ties, buckets: number): QuotientGraph {
  const start = new Uint32Array(buckets + 1);
  for (let b = 0, i = 0; b < buckets; b++) {
    start[b + 1]! += end[b]! - i;
    for (; i < end[b]!; i++) start[to[i]! + 1]! += 1;
  }
  for (let b = 0; b < buckets; b++) start[b + 1]! += start[b]!;
  const entries = start[buckets]!;
  const columns = { next: start.slice(), row: new Uint32Array(entries), weight: new Float64Array(entries) };
  const enter = (column: number, row: number, tie: number): void => {
    const at = columns.next[column]!++;
    columns.row[at] = row;
    columns.weight[at] = tie;
  };
  for (let b = 0, i = 0; b < buckets; b++) {
    for (; i < end[b]!; i++) {
      enter(b, to[i]!, weight[i]!);
      enter(to[i]!, b, weight[i]!);
    }
  }
  const rows = { end: start.slice(), neighbour: new Uint32Array(entries), weight: new Float64Array(entries) };
  for (let column = 0; column < buckets; column++) {
    for (let k = start[column]!; k < start[column + 1]!; k++) {
      const row = columns.row[k]!;
      const end = rows.end[row]!;
      if (end > start[row]! && rows.neighbour[end - 1] === column) continue; // it was in both rows already
      rows.neighbour[end] = column;
      rows.weight[end] = columns.weight[k]!;
      rows.end[row] = end + 1;
    }
  }
  return packRows(start, rows);
}

function packRows(
  start: Uint32Array,
  rows: { readonly end: Uint32Array; readonly neighbour: Uint32Array; readonly weight: Float64Array },
): QuotientGraph {
  const buckets = start.length - 1;
  const rowStart = new Uint32Array(buckets + 1);
  for (let b = 0; b < buckets; b++) rowStart[b + 1] = rowStart[b]! + rows.end[b]! - start[b]!;
  const neighbour = new Uint32Array(rowStart[buckets]!);
  const weight = new Float64Array(neighbour.length);
  for (let b = 0; b < buckets; b++) {
    neighbour.set(rows.neighbour.subarray(start[b]!, rows.end[b]!), rowStart[b]!);
    weight.set(rows.weight.subarray(start[b]!, rows.end[b]!), rowStart[b]!);
  }
  return { rowStart, neighbour, weight };
}

function usersByLeaf(leafOf: Uint32Array, buckets: number): { start: Uint32Array; user: Uint32Array } {
  const start = new Uint32Array(buckets + 1);
  for (const leaf of leafOf) start[leaf + 1]! += 1;
  for (let b = 0; b < buckets; b++) start[b + 1]! += start[b]!;
  const next = start.slice();
  const user = new Uint32Array(leafOf.length);
  for (let v = 0; v < leafOf.length; v++) user[next[leafOf[v]!]!++] = v;
  return { start, user };
}
