/** The social graph in compressed sparse rows: typed arrays only, 12 bytes a direction, no object per user or tie (a Map
 *  per node costs 450 bytes a tie and ends at 16.7 million keys). Rows are sorted by neighbour, so that the same ties give
 *  the same graph in whatever order they are listed. Nodes are users, or clusters of users once contracted. */

import assert from 'node:assert';

export interface Graph {
  readonly nodeCount: number;
  readonly rowStart: Uint32Array; // [node + 1]
  readonly neighbour: Uint32Array; // [rowStart[v] .. rowStart[v + 1]), each tie in both rows, no self-ties
  readonly tieWeight: Float64Array; // beside neighbour; integer > 0
  readonly nodeWeight: Float64Array; // [node] integer >= 0
  readonly heaviestUser: Float64Array; // [node] weight of the heaviest user within; of a user, its own weight
}

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

/** `ties`: pairs of node indices. `tieWeights`: integers > 0, one a pair; null: 1 each. */
export function buildGraph(
  ties: Uint32Array,
  tieWeights: Float64Array | null,
  nodeWeight: Float64Array,
  rules: TieRules,
): { graph: Graph; counts: TieCounts } {
  const listed = bothDirections(ties, tieWeights, nodeWeight.length);
  const merged = mergeRepeated(transpose(listed));
  const self = ties.length / 2 - listed.neighbour.length / 2;
  const repeated = listed.neighbour.length / 2 - merged.neighbour.length / 2;
  let oneWay = 0;
  let light = 0;
  const judged = keepTies(merged, (_, __, at) => {
    const missing = rules.directed && merged.direction[at] !== 3;
    const tooLight = !missing && merged.tieWeight[at]! < rules.weightMin;
    if (missing) oneWay++;
    if (tooLight) light++;
    return !missing && !tooLight;
  });
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
    graph: {
      nodeCount: nodeWeight.length,
      rowStart: rows.rowStart,
      neighbour: rows.neighbour,
      tieWeight: rows.tieWeight,
      nodeWeight,
      heaviestUser: nodeWeight,
    },
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

/** The graph on `nodes` alone, renumbered 0.. in their order. `renumber`: scratch, [node of graph], all 0 before and after. */
export function subgraph(graph: Graph, nodes: Uint32Array, renumber: Uint32Array): Graph {
  const { rowStart, neighbour, tieWeight } = graph;
  const n = nodes.length;
  let most = 0;
  for (let i = 0; i < n; i++) {
    renumber[nodes[i]!] = i + 1;
    most += rowStart[nodes[i]! + 1]! - rowStart[nodes[i]!]!;
  }
  const rows = {
    rowStart: new Uint32Array(n + 1),
    neighbour: new Uint32Array(most),
    tieWeight: new Float64Array(most),
  };
  const nodeWeight = new Float64Array(n);
  const heaviestUser = new Float64Array(n);
  let at = 0;
  for (let i = 0; i < n; i++) {
    const v = nodes[i]!;
    nodeWeight[i] = graph.nodeWeight[v]!;
    heaviestUser[i] = graph.heaviestUser[v]!;
    for (let k = rowStart[v]!; k < rowStart[v + 1]!; k++) {
      const u = renumber[neighbour[k]!]!;
      if (u === 0) continue;
      rows.neighbour[at] = u - 1;
      rows.tieWeight[at] = tieWeight[k]!;
      at++;
    }
    rows.rowStart[i + 1] = at;
  }
  for (let i = 0; i < n; i++) renumber[nodes[i]!] = 0;
  return {
    nodeCount: n,
    rowStart: rows.rowStart,
    neighbour: rows.neighbour.slice(0, at),
    tieWeight: rows.tieWeight.slice(0, at),
    nodeWeight,
    heaviestUser,
  };
}

export function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

export function maxOf(values: Float64Array): number {
  let max = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > max) max = values[i]!;
  return max;
}

interface Rows {
  readonly rowStart: Uint32Array;
  readonly neighbour: Uint32Array;
  readonly tieWeight: Float64Array;
  readonly direction: Uint8Array; // beside neighbour: 1 given from here, 2 given from there, 3 both
}

function emptyRows(nodes: number, entries: number): Rows {
  return {
    rowStart: new Uint32Array(nodes + 1),
    neighbour: new Uint32Array(entries),
    tieWeight: new Float64Array(entries),
    direction: new Uint8Array(entries),
  };
}

/** Every tie in the rows of both its users, in file order; self-ties left out. */
function bothDirections(ties: Uint32Array, weights: Float64Array | null, nodeCount: number): Rows {
  const degree = new Uint32Array(nodeCount);
  let entries = 0;
  for (let i = 0; i < ties.length; i += 2) {
    const a = ties[i]!;
    const b = ties[i + 1]!;
    assert(a < nodeCount && b < nodeCount, 'a tie names a node that does not exist');
    if (a === b) continue;
    degree[a]! += 1;
    degree[b]! += 1;
    entries += 2;
  }
  const rows = emptyRows(nodeCount, entries);
  for (let v = 0; v < nodeCount; v++) rows.rowStart[v + 1] = rows.rowStart[v]! + degree[v]!;
  const next = rows.rowStart.slice();
  const put = (from: number, to: number, weight: number, direction: number): void => {
    const at = next[from]!;
    next[from] = at + 1;
    rows.neighbour[at] = to;
    rows.tieWeight[at] = weight;
    rows.direction[at] = direction;
  };
  for (let i = 0; i < ties.length; i += 2) {
    const a = ties[i]!;
    const b = ties[i + 1]!;
    if (a === b) continue;
    const weight = weights === null ? 1 : weights[i >>> 1]!;
    put(a, b, weight, 1);
    put(b, a, weight, 2);
  }
  return rows;
}

/** Turning rows into columns sorts them: rows are visited in order, so each column is filled in order. The graph is its
 *  own mirror image; only the direction flips. */
function transpose(rows: Rows): Rows {
  const n = rows.rowStart.length - 1;
  const turned = emptyRows(n, rows.neighbour.length);
  turned.rowStart.set(rows.rowStart);
  const next = rows.rowStart.slice();
  for (let v = 0; v < n; v++) {
    for (let k = rows.rowStart[v]!; k < rows.rowStart[v + 1]!; k++) {
      const u = rows.neighbour[k]!;
      const at = next[u]!;
      next[u] = at + 1;
      turned.neighbour[at] = v;
      turned.tieWeight[at] = rows.tieWeight[k]!;
      turned.direction[at] = 3 - rows.direction[k]!;
    }
  }
  return turned;
}

/** In place on sorted rows: equal neighbours become one, weights added. */
function mergeRepeated(rows: Rows): Rows {
  const n = rows.rowStart.length - 1;
  const rowStart = new Uint32Array(n + 1);
  let end = 0;
  for (let v = 0; v < n; v++) {
    const start = end;
    for (let k = rows.rowStart[v]!; k < rows.rowStart[v + 1]!; k++) {
      const u = rows.neighbour[k]!;
      if (end > start && rows.neighbour[end - 1] === u) {
        rows.tieWeight[end - 1]! += rows.tieWeight[k]!;
        rows.direction[end - 1]! |= rows.direction[k]!;
        continue;
      }
      rows.neighbour[end] = u;
      rows.tieWeight[end] = rows.tieWeight[k]!;
      rows.direction[end] = rows.direction[k]!;
      end++;
    }
    rowStart[v + 1] = end;
  }
  return trimmed(rows, rowStart, end);
}

function keepTies(rows: Rows, keep: (from: number, to: number, at: number) => boolean): Rows {
  const n = rows.rowStart.length - 1;
  const kept = emptyRows(n, rows.neighbour.length);
  let end = 0;
  for (let v = 0; v < n; v++) {
    for (let k = rows.rowStart[v]!; k < rows.rowStart[v + 1]!; k++) {
      if (!keep(v, rows.neighbour[k]!, k)) continue;
      kept.neighbour[end] = rows.neighbour[k]!;
      kept.tieWeight[end] = rows.tieWeight[k]!;
      kept.direction[end] = rows.direction[k]!;
      end++;
    }
    kept.rowStart[v + 1] = end;
  }
  return trimmed(kept, kept.rowStart, end);
}

function trimmed(rows: Rows, rowStart: Uint32Array, end: number): Rows {
  return {
    rowStart,
    neighbour: rows.neighbour.slice(0, end),
    tieWeight: rows.tieWeight.slice(0, end),
    direction: rows.direction.slice(0, end),
  };
}
