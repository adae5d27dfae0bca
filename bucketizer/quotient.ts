/** The quotient graph of a tree: tie weight between buckets. A bucket keeps its 32 heaviest neighbours (92 % of the tie
 *  weight of a friendship graph in 16,384 buckets), and is kept by whoever counts it among theirs: the graph stays
 *  symmetric and no row loses one of its heaviest, though the row of a very popular bucket grows longer than 32. */

import type { Graph } from './graph.ts';
import type { QuotientGraph } from './tree.ts';

export const tiesPerBucket = 32;

export function quotientGraph(graph: Graph, leafOf: Uint32Array, height: number): QuotientGraph {
  const buckets = 1 << height;
  const users = usersByLeaf(leafOf, buckets);
  const weightTo = new Float64Array(buckets);
  const seen = new Uint32Array(buckets);
  const heaviest: Ties = { from: [], to: [], weight: [] };
  for (let b = 0; b < buckets; b++) {
    let seenCount = 0;
    for (let i = users.start[b]!; i < users.start[b + 1]!; i++) {
      const v = users.user[i]!;
      for (let k = graph.rowStart[v]!; k < graph.rowStart[v + 1]!; k++) {
        const other = leafOf[graph.neighbour[k]!]!;
        if (other === b) continue;
        if (weightTo[other] === 0) seen[seenCount++] = other;
        weightTo[other]! += graph.tieWeight[k]!;
      }
    }
    for (const other of heaviestOf(seen.subarray(0, seenCount), weightTo)) {
      heaviest.from.push(b);
      heaviest.to.push(other);
      heaviest.weight.push(weightTo[other]!);
    }
    for (let i = 0; i < seenCount; i++) weightTo[seen[i]!] = 0;
  }
  return bothWays(heaviest, buckets);
}

/** Parallel lists: between two buckets, in the row of one of them or of both. */
interface Ties {
  readonly from: number[];
  readonly to: number[];
  readonly weight: number[];
}

/** The `tiesPerBucket` heaviest of these buckets, in no order; of equal ones the first. Their weights are sorted alone,
 *  which an engine does without asking back. */
function heaviestOf(buckets: Uint32Array, weightTo: Float64Array): Uint32Array {
  if (buckets.length <= tiesPerBucket) return buckets;
  const weights = Float64Array.from(buckets, (other) => weightTo[other]!).sort();
  const least = weights[weights.length - tiesPerBucket]!;
  const above = buckets.filter((other) => weightTo[other]! > least);
  const equal = buckets.filter((other) => weightTo[other] === least).sort();
  const kept = new Uint32Array(tiesPerBucket);
  kept.set(above);
  kept.set(equal.subarray(0, tiesPerBucket - above.length), above.length);
  return kept;
}

/** Each tie in both rows, once. Filled in by the other end first, rows come out sorted. */
function bothWays({ from, to, weight }: Ties, buckets: number): QuotientGraph {
  const start = new Uint32Array(buckets + 1);
  for (let i = 0; i < from.length; i++) {
    start[from[i]! + 1]! += 1;
    start[to[i]! + 1]! += 1;
  }
  for (let b = 0; b < buckets; b++) start[b + 1]! += start[b]!;
  const entries = start[buckets]!;
  const columns = { next: start.slice(), row: new Uint32Array(entries), weight: new Float64Array(entries) };
  const enter = (column: number, row: number, tie: number): void => {
    const at = columns.next[column]!++;
    columns.row[at] = row;
    columns.weight[at] = tie;
  };
  for (let i = 0; i < from.length; i++) {
    enter(from[i]!, to[i]!, weight[i]!);
    enter(to[i]!, from[i]!, weight[i]!);
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
