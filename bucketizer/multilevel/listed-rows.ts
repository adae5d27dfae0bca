/** The rows of a graph from a list of ties. */

import {
  assertNode,
  type Doubles,
  entriesLarge,
  type Nodes,
  nodes,
  roomForNodes,
  roomForSums,
  roomForTies,
  type Sides,
  sides,
  type TieWeights,
  tiesLike,
  toInt,
  toSide,
} from './memory.ts';

/** By neighbour, each once. What follows the last row is room. */
export class ListedRows {
  readonly rowStart: Nodes; // [node + 1]
  readonly neighbour: Nodes;
  readonly tieWeight: TieWeights; // beside neighbour, repeated ties added up
  readonly direction: Sides | null; // beside neighbour: 1 given from here, 2 given from there, 3 both; null: not asked for
  readonly listed: i32; // entries before repeated ones were added up, without those to oneself

  constructor(rowStart: Nodes, neighbour: Nodes, tieWeight: TieWeights, direction: Sides | null, listed: i32) {
    this.rowStart = rowStart;
    this.neighbour = neighbour;
    this.tieWeight = tieWeight;
    this.direction = direction;
    this.listed = listed;
  }
}

/** Before repeated ties are added up. */
class RepeatedRows {
  readonly rowStart: Nodes;
  readonly neighbour: Nodes;
  readonly tieWeight: TieWeights | null; // null: 1 each
  readonly direction: Sides | null;

  constructor(rowStart: Nodes, neighbour: Nodes, tieWeight: TieWeights | null, direction: Sides | null) {
    this.rowStart = rowStart;
    this.neighbour = neighbour;
    this.tieWeight = tieWeight;
    this.direction = direction;
  }
}

/** `ties`: pairs of node indices, after `place` where given ([index in ties] = node). `weights`: integers > 0, one a pair,
 *  null: 1 each. Every tie is in the rows of both its users; those to oneself are left out. */
export function listedRows(
  ties: Nodes,
  weights: Doubles | null,
  nodeCount: i32,
  directed: boolean,
  place: Nodes | null,
): ListedRows {
  // one in the other: what the sorting starts from is free once it is done
  return addUpRepeated(transpose(bothDirections(ties, weights, nodeCount, directed, place)));
}

/** Loops over all ties are cut into calls of so many: an engine that makes better code of a loop while it runs has it replace
 *  the code of the next call only. What is called is exported from WebAssembly, lest it be put into its caller. */
const atOnce: i32 = 1 << 12;

function endOf(from: i32, length: i32): i32 {
  return from + atOnce < length ? from + atOnce : length;
}

/** In the order of the list. */
function bothDirections(
  ties: Nodes,
  weights: Doubles | null,
  nodeCount: i32,
  directed: boolean,
  place: Nodes | null,
): RepeatedRows {
  const rowStart = nodes(nodeCount + 1);
  for (let i: i32 = 0; i < ties.length; i += atOnce) countTies(ties, place, nodeCount, rowStart, i);
  for (let v = 0; v < nodeCount; v++) rowStart[v + 1] = rowStart[v + 1]! + rowStart[v]!;
  const entries: i32 = rowStart[nodeCount]!;
  let tieWeight: TieWeights | null = null;
  if (weights !== null) tieWeight = roomForTies(weights, entries);
  let direction: Sides | null = null;
  if (directed) direction = sides(entries);
  const rows = new RepeatedRows(rowStart, roomForNodes(entries), tieWeight, direction);
  const next = startsOf(rowStart);
  for (let i: i32 = 0; i < ties.length; i += atOnce) enterTies(ties, weights, place, rows, next, i);
  return rows;
}

/** `counts`: [node + 1]. */
export function countTies(ties: Nodes, place: Nodes | null, nodeCount: i32, counts: Nodes, from: i32): void {
  const end = endOf(from, ties.length);
  for (let i = from; i < end; i += 2) {
    assertNode(ties[i]!, nodeCount);
    assertNode(ties[i + 1]!, nodeCount);
    const a = place === null ? ties[i]! : place[ties[i]!]!;
    const b = place === null ? ties[i + 1]! : place[ties[i + 1]!]!;
    if (a === b) continue;
    counts[a + 1] = counts[a + 1]! + 1;
    counts[b + 1] = counts[b + 1]! + 1;
  }
}

/** `next`: [node] where its next entry goes. */
export function enterTies(
  ties: Nodes,
  weights: Doubles | null,
  place: Nodes | null,
  rows: RepeatedRows,
  next: Nodes,
  from: i32,
): void {
  const neighbour = rows.neighbour;
  const tieWeight = rows.tieWeight;
  const direction = rows.direction;
  const end = endOf(from, ties.length);
  for (let i = from; i < end; i += 2) {
    const a = place === null ? ties[i]! : place[ties[i]!]!;
    const b = place === null ? ties[i + 1]! : place[ties[i + 1]!]!;
    if (a === b) continue;
    const atA = next[a]!;
    const atB = next[b]!;
    next[a] = atA + 1;
    next[b] = atB + 1;
    neighbour[atA] = b;
    neighbour[atB] = a;
    if (tieWeight !== null && weights !== null) {
      const weight = toInt(weights[i >>> 1]!);
      tieWeight[atA] = weight;
      tieWeight[atB] = weight;
    }
    if (direction !== null) {
      direction[atA] = 1;
      direction[atB] = 2;
    }
  }
}

function startsOf(rowStart: Nodes): Nodes {
  const starts = nodes(rowStart.length);
  for (let v = 0; v < rowStart.length; v++) starts[v] = rowStart[v]!;
  return starts;
}

/** Turning rows into columns sorts them: rows are visited in order, so each column is filled in order. The graph is its
 *  own mirror image; only the direction flips. */
function transpose(rows: RepeatedRows): RepeatedRows {
  const entries: i32 = rows.neighbour.length;
  const given = rows.tieWeight;
  let tieWeight: TieWeights | null = null;
  if (given !== null) tieWeight = tiesLike(given, entries);
  let direction: Sides | null = null;
  if (rows.direction !== null) direction = sides(entries);
  const turned = new RepeatedRows(rows.rowStart, roomForNodes(entries), tieWeight, direction);
  const next = startsOf(rows.rowStart);
  for (let v = 0; v + 1 < next.length; v++) turnRow(rows, v, turned, next);
  return turned;
}

export function turnRow(rows: RepeatedRows, v: i32, turned: RepeatedRows, next: Nodes): void {
  const neighbour = rows.neighbour;
  const tieWeight = rows.tieWeight;
  const direction = rows.direction;
  const column = turned.neighbour;
  const columnWeight = turned.tieWeight;
  const columnDirection = turned.direction;
  const end = rows.rowStart[v + 1]!;
  for (let k = rows.rowStart[v]!; k < end; k++) {
    const u = neighbour[k]!;
    const at = next[u]!;
    next[u] = at + 1;
    column[at] = v;
    if (columnWeight !== null && tieWeight !== null) columnWeight[at] = tieWeight[k]!;
    if (columnDirection !== null && direction !== null) columnDirection[at] = toSide(3 - direction[k]!);
  }
}

/** In place on sorted rows: equal neighbours become one, weights added. */
function addUpRepeated(rows: RepeatedRows): ListedRows {
  const given = rows.tieWeight;
  const entries: i32 = rows.neighbour.length;
  const tieWeight = roomForSums(given, heaviestTie(rows), entries);
  const rowStart = nodes(rows.rowStart.length);
  for (let v = 0; v + 1 < rowStart.length; v++) rowStart[v + 1] = addUpRow(rows, v, tieWeight, rowStart[v]!);
  return new ListedRows(rowStart, rows.neighbour, tieWeight, rows.direction, entries);
}

/** Row `v` moves to `start`, at or before where it was; returns its end. */
export function addUpRow(rows: RepeatedRows, v: i32, tieWeight: TieWeights, start: i32): i32 {
  const neighbour = rows.neighbour;
  const given = rows.tieWeight;
  const direction = rows.direction;
  const givenEnd = rows.rowStart[v + 1]!;
  let end = start;
  for (let k = rows.rowStart[v]!; k < givenEnd; k++) {
    const u = neighbour[k]!;
    const weight = given === null ? 1 : given[k]!;
    if (end > start && neighbour[end - 1]! === u) {
      tieWeight[end - 1] = tieWeight[end - 1]! + weight; // at or before k: read already
      if (direction !== null) direction[end - 1] = toSide(direction[end - 1]! | direction[k]!);
      continue;
    }
    neighbour[end] = u;
    tieWeight[end] = weight;
    if (direction !== null) direction[end] = direction[k]!;
    end++;
  }
  return end;
}

/** What a tie's entries weigh together at most; 0 where there are few, and nobody asks. */
function heaviestTie(rows: RepeatedRows): f64 {
  const rowStart = rows.rowStart;
  const neighbour = rows.neighbour;
  const tieWeight = rows.tieWeight;
  let most: f64 = 0;
  if (neighbour.length < entriesLarge) return most;
  for (let v = 0; v + 1 < rowStart.length; v++) {
    const first = rowStart[v]!;
    let sum: f64 = 0;
    for (let k = first; k < rowStart[v + 1]!; k++) {
      if (k > first && neighbour[k]! !== neighbour[k - 1]!) sum = 0;
      sum += tieWeight === null ? 1 : tieWeight[k]!;
      if (sum > most) most = sum;
    }
  }
  return most;
}
