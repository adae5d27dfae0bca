/** The social graph in compressed sparse rows: typed arrays only, 16 bytes a tie (10 where there are many), no object per
 *  user or tie (a Map per node costs 450 bytes a tie and ends at 16.7 million keys). Rows are sorted by neighbour, so that
 *  the same ties give the same graph in whatever order they are listed. Nodes are users, or clusters of users once
 *  contracted. */

import { Graph } from './multilevel/graph.ts';
import { type ListedRows, listedRows } from './multilevel/listed-rows.ts';
import { entriesLarge, type TieWeights, tiesLike } from './multilevel/memory.ts';
import { PackedWeights } from './multilevel/packed-weights.ts';
import type { Searches } from './searches.ts';

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
  rowsOf: Searches['rows'] = listedRows,
): { graph: Graph; counts: TieCounts } {
  const listed = rowsOf(ties, tieWeights, nodeWeight.length, rules.directed, place);
  const merged = trimmed(listed, listed.rowStart[nodeWeight.length]!);
  const self = ties.length / 2 - listed.listed / 2;
  const repeated = listed.listed / 2 - merged.neighbour.length / 2;
  let oneWay = 0;
  let light = 0;
  const rowsJudged = (): Rows =>
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

type Rows = Pick<ListedRows, 'rowStart' | 'neighbour' | 'tieWeight' | 'direction'>;

function keepTies(rows: Rows, keep: (from: number, to: number, at: number) => boolean): Rows {
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

function trimmed(rows: Rows, end: number): Rows {
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
