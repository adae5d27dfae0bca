/** The quotient graph of a tree: tie weight between buckets. A bucket keeps its 32 heaviest neighbours (92 % of the tie
 *  weight of a friendship graph in 16,384 buckets), and is kept by whoever counts it among theirs: the graph stays
 *  symmetric and no row loses one of its heaviest, though the row of a very popular bucket grows longer than 32. */

import type { Graph } from './graph.ts';
import { LeafMembers } from './leaf-members.ts';
import { type Doubles, doubles, type Nodes, nodes } from './memory.ts';

export const tiesPerBucket: i32 = 32;

/** As `QuotientGraph` of `../tree.ts`. */
export class BucketTies {
  readonly rowStart: Nodes; // [bucket + 1]
  readonly neighbour: Nodes; // [rowStart[b] .. rowStart[b + 1])
  readonly weight: Doubles; // beside neighbour

  constructor(rowStart: Nodes, neighbour: Nodes, weight: Doubles) {
    this.rowStart = rowStart;
    this.neighbour = neighbour;
    this.weight = weight;
  }
}

export function quotientGraph(graph: Graph, leafOf: Nodes, height: i32): BucketTies {
  const buckets: i32 = 1 << height;
  return packed(sorted(bothWays(heaviestTies(graph, leafOf, buckets), buckets), buckets), buckets);
}

/** Of every bucket, in no order; rows may be followed by room. */
function heaviestTies(graph: Graph, leafOf: Nodes, buckets: i32): BucketTies {
  const members = new LeafMembers(leafOf, buckets);
  const weightTo = doubles(buckets);
  const seen = nodes(buckets + 1); // one more is written to than counts
  const most: i32 = buckets * tiesPerBucket;
  const entries: i32 = graph.rowStart[graph.nodeCount]!;
  const room: i32 = most < entries ? most : entries;
  const kept = new BucketTies(nodes(buckets + 1), nodes(room), doubles(room));
  let end: i32 = 0;
  for (let b = 0; b < buckets; b++) {
    const count = weighTies(graph, leafOf, members, b, weightTo, seen);
    const keptCount = heaviestFirst(seen, count, weightTo);
    for (let i = 0; i < keptCount; i++) {
      kept.neighbour[end] = seen[i]!;
      kept.weight[end] = weightTo[seen[i]!]!;
      end++;
    }
    kept.rowStart[b + 1] = end;
    for (let i = 0; i < count; i++) weightTo[seen[i]!] = 0;
  }
  return kept;
}

/** Adds up the ties of those in `bucket` by the other bucket: `weightTo`, all 0 before. Lists the buckets in `seen`; returns
 *  how many they are. */
function weighTies(
  graph: Graph,
  leafOf: Nodes,
  members: LeafMembers,
  bucket: i32,
  weightTo: Doubles,
  seen: Nodes,
): i32 {
  const rowStart = graph.rowStart;
  const neighbour = graph.neighbour;
  const tieWeight = graph.tieWeight;
  let count: i32 = 0;
  weightTo[bucket] = 1; // seen already: no neighbour of itself
  for (let v = members.first(bucket); v >= 0; v = members.after(v)) {
    const end = rowStart[v + 1]!;
    for (let k = rowStart[v]!; k < end; k++) {
      const other = leafOf[neighbour[k]!]!;
      const sum = weightTo[other]!;
      seen[count] = other;
      count += sum === 0 ? 1 : 0; // no branch to guess, as in `addUpRows`
      weightTo[other] = sum + tieWeight[k]!;
    }
  }
  weightTo[bucket] = 0;
  return count;
}

/** Puts the `tiesPerBucket` heaviest of the first `count` of `buckets` first, in no order; of equal ones the first. Returns
 *  how many they are. They are a heap, the lightest on top: few of thousands ever enter it. */
function heaviestFirst(buckets: Nodes, count: i32, weightTo: Doubles): i32 {
  if (count <= tiesPerBucket) return count;
  for (let at = (tiesPerBucket >> 1) - 1; at >= 0; at--) sink(buckets, at, weightTo);
  for (let i = tiesPerBucket; i < count; i++) {
    const other = buckets[i]!;
    const lightest = buckets[0]!;
    if (!isLighter(lightest, other, weightTo)) continue;
    buckets[0] = other;
    buckets[i] = lightest;
    sink(buckets, 0, weightTo);
  }
  return tiesPerBucket;
}

/** Moves the bucket at `from` down the heap to where no lighter one is below it. */
function sink(heaped: Nodes, from: i32, weightTo: Doubles): void {
  const bucket = heaped[from]!;
  let at: i32 = from;
  for (let down: i32 = 2 * at + 1; down < tiesPerBucket; down = 2 * at + 1) {
    if (down + 1 < tiesPerBucket && isLighter(heaped[down + 1]!, heaped[down]!, weightTo)) down++;
    if (!isLighter(heaped[down]!, bucket, weightTo)) break;
    heaped[at] = heaped[down]!;
    at = down;
  }
  heaped[at] = bucket;
}

function isLighter(a: i32, b: i32, weightTo: Doubles): boolean {
  const difference = weightTo[a]! - weightTo[b]!;
  return difference < 0 || (difference === 0 && a > b);
}

/** Each tie in the rows of both its buckets: twice, where either one kept it. */
function bothWays(kept: BucketTies, buckets: i32): BucketTies {
  const rowStart = roomForBothWays(kept, buckets);
  const entries: i32 = rowStart[buckets]!;
  const rows = new BucketTies(rowStart, nodes(entries), doubles(entries));
  const next = startsOf(rowStart, buckets);
  for (let b = 0; b < buckets; b++) {
    const end = kept.rowStart[b + 1]!;
    for (let i = kept.rowStart[b]!; i < end; i++) {
      const other = kept.neighbour[i]!;
      enter(rows, next, b, other, kept.weight[i]!);
      enter(rows, next, other, b, kept.weight[i]!);
    }
  }
  return rows;
}

function roomForBothWays(kept: BucketTies, buckets: i32): Nodes {
  const rowStart = nodes(buckets + 1);
  for (let b = 0; b < buckets; b++) {
    const end = kept.rowStart[b + 1]!;
    rowStart[b + 1] = rowStart[b + 1]! + end - kept.rowStart[b]!;
    for (let i = kept.rowStart[b]!; i < end; i++) {
      const other = kept.neighbour[i]!;
      rowStart[other + 1] = rowStart[other + 1]! + 1;
    }
  }
  for (let b = 0; b < buckets; b++) rowStart[b + 1] = rowStart[b + 1]! + rowStart[b]!;
  return rowStart;
}

function startsOf(rowStart: Nodes, buckets: i32): Nodes {
  const starts = nodes(buckets);
  for (let b = 0; b < buckets; b++) starts[b] = rowStart[b]!;
  return starts;
}

function enter(rows: BucketTies, next: Nodes, row: i32, bucket: i32, weight: f64): void {
  const at = next[row]!;
  next[row] = at + 1;
  rows.neighbour[at] = bucket;
  rows.weight[at] = weight;
}

/** The same with every tie once in a row, by neighbour, from the start of it; behind it is room. Rows filled in by the other
 *  end first come out sorted. */
function sorted(rows: BucketTies, buckets: i32): Sorted {
  const entries: i32 = rows.rowStart[buckets]!;
  const made = new BucketTies(rows.rowStart, nodes(entries), doubles(entries));
  const end = startsOf(rows.rowStart, buckets);
  for (let column = 0; column < buckets; column++) {
    const columnEnd = rows.rowStart[column + 1]!;
    for (let k = rows.rowStart[column]!; k < columnEnd; k++) {
      const row = rows.neighbour[k]!;
      const at = end[row]!;
      if (at > rows.rowStart[row]! && made.neighbour[at - 1]! === column) continue; // both had kept it
      enter(made, end, row, column, rows.weight[k]!);
    }
  }
  return new Sorted(made, end);
}

class Sorted {
  readonly rows: BucketTies;
  readonly end: Nodes; // [bucket] of its row

  constructor(rows: BucketTies, end: Nodes) {
    this.rows = rows;
    this.end = end;
  }
}

function packed(from: Sorted, buckets: i32): BucketTies {
  const rows = from.rows;
  const rowStart = nodes(buckets + 1);
  for (let b = 0; b < buckets; b++) rowStart[b + 1] = rowStart[b]! + from.end[b]! - rows.rowStart[b]!;
  const entries: i32 = rowStart[buckets]!;
  const made = new BucketTies(rowStart, nodes(entries), doubles(entries));
  for (let b = 0; b < buckets; b++) {
    let at: i32 = rowStart[b]!;
    for (let k = rows.rowStart[b]!; k < from.end[b]!; k++) {
      made.neighbour[at] = rows.neighbour[k]!;
      made.weight[at] = rows.weight[k]!;
      at++;
    }
  }
  return made;
}
