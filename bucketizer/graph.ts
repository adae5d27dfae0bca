/** The social graph in compressed sparse rows: typed arrays only, 16 bytes a tie (10 where there are many), no object per
 *  user or tie (a Map per node costs 450 bytes a tie and ends at 16.7 million keys). Rows are sorted by neighbour, so that the same ties give
 *  the same graph in whatever order they are listed. Nodes are users, or clusters of users once contracted. */

import assert from 'node:assert';
import { Graph, sumOf } from './multilevel/graph.ts';
import { entriesLarge, type TieWeights, tiesLike } from './multilevel/memory.ts';
import { PackedWeights } from './multilevel/packed-weights.ts';

export interface TieRules {
  readonly directed: boolean; // only ties given in both directions count
  readonly weightMin: number; // fixed point; lighter ties are left out, after repeated ones are added up
  readonly degreeMax: number; // users with more friends keep none (celebrities say nothing about who meets whom)
}

/** What became of the ties given. */
export interface TieCounts {
  readonly given: number; // lines
  readonly self: number; // lines from a user to itself, dropped
  readonly repeated: number; // lines added to another one between the same two users
  readonly oneWay: number; // dropped because the rules ask for both directions
  readonly light: number; // dropped because below the least weight
  readonly hubUsers: number; // users with more friends than the rules allow
  readonly hubTies: number; // dropped with them
  readonly kept: number;
}

/** `ties`: pairs of node indices, after `place` where given ([index in ties] = node). `tieWeights`: integers > 0, one a
 *  pair; null: 1 each. */
export function buildGraph(
  ties: Uint32Array,
  tieWeights: Float64Array | null,
  nodeWeight: Float64Array,
  rules: TieRules,
  place: Uint32Array | null = null,
): { graph: Graph; counts: TieCounts } {
  const sorted = sortedRows(ties, tieWeights, nodeWeight.length, rules.directed, place);
  const listedEntries = sorted.neighbour.length;
  const merged = mergeRepeated(sorted, tieWeights);
  const self = ties.length / 2 - listedEntries / 2;
  const repeated = listedEntries / 2 - merged.neighbour.length / 2;
  let oneWay = 0;
  let light = 0;
  const rowsJudged = (): WeightedRows =>
    keepTies(merged, (_, __, at) => {
      const missing = rules.directed && merged.direction![at] !== 3;
      const tooLight = !missing && merged.tieWeight[at]! < rules.weightMin;
      if (missing) oneWay++;
      if (tooLight) light++;
      return !missing && !tooLight;
    });
  const judged = rules.directed || rules.weightMin > 1 ? rowsJudged() : merged;
  const isHub = new Uint8Array(nodeWeight.length);
  let hubUsers = 0;
  for (let v = 0; v < nodeWeight.length; v++) {
    if (judged.rowStart[v + 1]! - judged.rowStart[v]! > rules.degreeMax) {
      isHub[v] = 1;
      hubUsers++;
    }
  }
  const rows = hubUsers === 0 ? judged : keepTies(judged, (v, u) => isHub[v] === 0 && isHub[u] === 0);
  return {
    graph: new Graph(rows.rowStart, rows.neighbour, narrowed(rows.tieWeight), nodeWeight, nodeWeight),
    counts: {
      given: ties.length / 2,
      self,
      repeated,
      oneWay: oneWay / 2,
      light: light / 2,
      hubUsers,
      hubTies: (judged.neighbour.length - rows.neighbour.length) / 2,
      kept: rows.neighbour.length / 2,
    },
  };
}

/** The same weights in 8 or 16 bits, where there are many and each fits. */
function narrowed(weights: TieWeights): TieWeights {
  if (!(weights instanceof Int32Array) || weights.length < entriesLarge) return weights;
  const packed = new PackedWeights(weights, weights.length);
  packed.append(weights, weights.length);
  return packed.all();
}

interface Rows {
  readonly rowStart: Uint32Array;
  readonly neighbour: Uint32Array;
  readonly tieWeight: TieWeights | null; // null: 1 each
  readonly direction: Uint8Array | null; // beside neighbour: 1 given from here, 2 given from there, 3 both; null: not asked for
}

type WeightedRows = Rows & { readonly tieWeight: TieWeights };

/** Every tie in the rows of both its users, by neighbour. What the sorting starts from is free once this returns. */
function sortedRows(
  ties: Uint32Array,
  weights: Float64Array | null,
  nodeCount: number,
  directed: boolean,
  place: Uint32Array | null,
): Rows {
  return transpose(bothDirections(ties, weights, nodeCount, directed, place));
}

/** Every tie in the rows of both its users, in file order; self-ties left out. */
function bothDirections(
  ties: Uint32Array,
  weights: Float64Array | null,
  nodeCount: number,
  directed: boolean,
  place: Uint32Array | null,
): Rows {
  const rowStart = new Uint32Array(nodeCount + 1);
  let entries = 0;
  for (let i = 0; i < ties.length; i += 2) {
    const a = place === null ? ties[i]! : place[ties[i]!]!;
    const b = place === null ? ties[i + 1]! : place[ties[i + 1]!]!;
    assert(a < nodeCount && b < nodeCount, 'a tie names a node that does not exist');
    if (a === b) continue;
    rowStart[a + 1]! += 1;
    rowStart[b + 1]! += 1;
    entries += 2;
  }
  for (let v = 0; v < nodeCount; v++) rowStart[v + 1]! += rowStart[v]!;
  const neighbour = new Uint32Array(entries);
  const tieWeight = weights === null ? null : sumsOf(weights, entries);
  const direction = directed ? new Uint8Array(entries) : null;
  const next = rowStart.slice();
  for (let i = 0; i < ties.length; i += 2) {
    const a = place === null ? ties[i]! : place[ties[i]!]!;
    const b = place === null ? ties[i + 1]! : place[ties[i + 1]!]!;
    if (a === b) continue;
    const atA = next[a]!++;
    const atB = next[b]!++;
    neighbour[atA] = b;
    neighbour[atB] = a;
    if (tieWeight !== null) tieWeight[atA] = tieWeight[atB] = weights![i >>> 1]!;
    if (direction !== null) {
      direction[atA] = 1;
      direction[atB] = 2;
    }
  }
  return { rowStart, neighbour, tieWeight, direction };
}

/** Turning rows into columns sorts them: rows are visited in order, so each column is filled in order. The graph is its
 *  own mirror image; only the direction flips. */
function transpose({ rowStart, neighbour, tieWeight, direction }: Rows): Rows {
  const n = rowStart.length - 1;
  const turned = new Uint32Array(neighbour.length);
  const turnedWeight = tieWeight === null ? null : tiesLike(tieWeight, neighbour.length);
  const turnedDirection = direction === null ? null : new Uint8Array(neighbour.length);
  const next = rowStart.slice();
  for (let v = 0; v < n; v++) {
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      const at = next[neighbour[k]!]!++;
      turned[at] = v;
      if (turnedWeight !== null) turnedWeight[at] = tieWeight![k]!;
      if (turnedDirection !== null) turnedDirection[at] = 3 - direction![k]!;
    }
  }
  return { rowStart, neighbour: turned, tieWeight: turnedWeight, direction: turnedDirection };
}

/** Room for tie weights whose sums fit, all of them taken twice. */
function sumsOf(weights: Float64Array | null, entries: number): TieWeights {
  const small = (weights === null ? entries : 2 * sumOf(weights)) < 2_147_483_648;
  return small ? new Int32Array(entries) : new Float64Array(entries);
}

/** In place on sorted rows: equal neighbours become one, weights added. */
function mergeRepeated(rows: Rows, given: Float64Array | null): WeightedRows {
  const { neighbour, direction } = rows;
  const n = rows.rowStart.length - 1;
  const rowStart = new Uint32Array(n + 1);
  const tieWeight = rows.tieWeight ?? roomForCounts(rows, given);
  let end = 0;
  for (let v = 0; v < n; v++) {
    const start = end;
    for (let k = rows.rowStart[v]!; k < rows.rowStart[v + 1]!; k++) {
      const u = neighbour[k]!;
      const weight = rows.tieWeight === null ? 1 : rows.tieWeight[k]!;
      if (end > start && neighbour[end - 1] === u) {
        tieWeight[end - 1]! += weight; // at or before k: read already
        if (direction !== null) direction[end - 1]! |= direction[k]!;
        continue;
      }
      neighbour[end] = u;
      tieWeight[end] = weight;
      if (direction !== null) direction[end] = direction[k]!;
      end++;
    }
    rowStart[v + 1] = end;
  }
  return trimmed({ rowStart, neighbour, tieWeight, direction }, end);
}

/** Room for how often each tie comes. */
function roomForCounts({ rowStart, neighbour }: Rows, given: Float64Array | null): TieWeights {
  if (neighbour.length < entriesLarge) return sumsOf(given, neighbour.length);
  let most = 0;
  for (let v = 0; v + 1 < rowStart.length; v++) {
    let first = rowStart[v]!;
    for (let k = first; k < rowStart[v + 1]!; k++) {
      if (neighbour[k] !== neighbour[first]) first = k;
      if (k - first >= most) most = k - first + 1;
    }
  }
  return most > 255 ? sumsOf(given, neighbour.length) : new Uint8Array(neighbour.length);
}

function keepTies(rows: WeightedRows, keep: (from: number, to: number, at: number) => boolean): WeightedRows {
  const n = rows.rowStart.length - 1;
  const rowStart = new Uint32Array(n + 1);
  const neighbour = new Uint32Array(rows.neighbour.length);
  const tieWeight = tiesLike(rows.tieWeight, neighbour.length);
  let end = 0;
  for (let v = 0; v < n; v++) {
    for (let k = rows.rowStart[v]!; k < rows.rowStart[v + 1]!; k++) {
      if (!keep(v, rows.neighbour[k]!, k)) continue;
      neighbour[end] = rows.neighbour[k]!;
      tieWeight[end] = rows.tieWeight[k]!;
      end++;
    }
    rowStart[v + 1] = end;
  }
  return trimmed({ rowStart, neighbour, tieWeight, direction: null }, end);
}

function trimmed(rows: WeightedRows, end: number): WeightedRows {
  if (end === rows.neighbour.length) return rows;
  const { rowStart, neighbour, tieWeight, direction } = rows;
  if (end >= entriesLarge && end > rows.neighbour.length / 2) {
    // a copy would cost as much memory as the graph
    return {
      rowStart,
      neighbour: neighbour.subarray(0, end),
      tieWeight: tieWeight.subarray(0, end),
      direction: direction?.subarray(0, end) ?? null,
    };
  }
  return {
    rowStart,
    neighbour: neighbour.slice(0, end),
    tieWeight: tieWeight.slice(0, end),
    direction: direction === null ? null : direction.slice(0, end),
  };
}
