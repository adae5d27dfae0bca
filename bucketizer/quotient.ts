/** The quotient graph of a tree: tie weight between buckets. A bucket keeps its 32 heaviest neighbours (92 % of the tie
 *  weight of a friendship graph in 16,384 buckets), and is kept by whoever counts it among theirs: the graph stays
 *  symmetric and no row loses one of its heaviest, though the row of a very popular bucket grows longer than 32. */

import type { Graph } from './graph.ts';
import type { QuotientGraph } from './tree.ts';

export const tiesPerBucket = 32;

export function quotientGraph(graph: Graph, leafOf: Uint32Array, height: number): QuotientGraph {
  const buckets = 1 << height;
  const rows: Map<number, number>[] = Array.from({ length: buckets }, () => new Map());
  const users = usersByLeaf(leafOf, buckets);
  const weightTo = new Float64Array(buckets);
  const seen = new Uint32Array(buckets);
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
    const heaviestFirst = seen.slice(0, seenCount).sort((x, y) => weightTo[y]! - weightTo[x]! || x - y);
    for (const other of heaviestFirst.subarray(0, tiesPerBucket)) {
      rows[b]!.set(other, weightTo[other]!);
      rows[other]!.set(b, weightTo[other]!);
    }
    for (let i = 0; i < seenCount; i++) weightTo[seen[i]!] = 0;
  }
  return packRows(rows);
}

function packRows(rows: readonly ReadonlyMap<number, number>[]): QuotientGraph {
  const rowStart = new Uint32Array(rows.length + 1);
  for (const [b, row] of rows.entries()) rowStart[b + 1] = rowStart[b]! + row.size;
  const neighbour = new Uint32Array(rowStart[rows.length]!);
  const weight = new Float64Array(neighbour.length);
  for (const [b, row] of rows.entries()) {
    let at = rowStart[b]!;
    for (const [other, ties] of [...row].sort(([x], [y]) => x - y)) {
      neighbour[at] = other;
      weight[at++] = ties;
    }
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
