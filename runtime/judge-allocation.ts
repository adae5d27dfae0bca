/** Where edges were seen to send their demand, held against where the tables say. It alerts and moves nothing: edges that do
 *  not follow the table do not follow the next one either. What is observed may still be of the table before the last. */

import type { Topology } from '../config/topology.ts';
import type { FractionMatrix } from './fractions.ts';
import { timeTrouble } from './reading-trouble.ts';
import type { Finding, Readings, Trouble } from './telemetry.ts';

export interface JudgedAllocation {
  readonly observed: Float64Array | null; // [e * D + d] rows sum to 1; NaN: nothing usable of that edge; null: of none
  readonly distance: Float64Array | null; // [edge] half L1 to the nearer of the last two tables; NaN: unknown; null: of none
  readonly contradicting: readonly Finding[];
}

export interface AllocationContext {
  readonly topology: Topology;
  readonly limits: { readonly ageMsMax: number; readonly allocationGapMax: number };
  readonly nowMs: number; // wall clock
  readonly served: FractionMatrix | null; // by the table in force
}

/** `before`: served by the table before the one in force. */
export function judgeAllocation(
  said: Readings,
  before: FractionMatrix | null,
  { topology, limits, nowMs, served }: AllocationContext,
): JudgedAllocation {
  const { edges, datacenters } = topology;
  const width = datacenters.length;
  const observed = new Float64Array(edges.length * width).fill(Number.NaN);
  const distance = new Float64Array(edges.length).fill(Number.NaN);
  const contradicting: Finding[] = [];
  edges.forEach(({ id }, e) => {
    const row = said.slice(e * width, (e + 1) * width);
    if (!row.some((reading) => reading !== null)) return;
    const find = (trouble: Trouble): void => {
      contradicting.push({ signal: 'allocation', place: { kind: 'edge', id }, trouble });
    };
    const trouble = rowTrouble(row, limits.ageMsMax, nowMs);
    if (trouble) {
      if (served !== null) find(trouble);
      return;
    }
    const shares = row.map((reading) => reading?.value ?? 0); // nothing was seen where nothing is said
    const sum = shares.reduce((a, b) => a + b, 0);
    shares.forEach((share, d) => {
      observed[e * width + d] = share / sum;
    });
    if (served === null) return;
    const gapTo = (table: FractionMatrix): number =>
      shares.reduce((gap, share, d) => gap + Math.abs(share - table[e * width + d]!), 0) / 2;
    const gap = Math.min(gapTo(served), before ? gapTo(before) : 1);
    distance[e] = gap;
    if (gap > limits.allocationGapMax) find({ kind: 'contradicting', gap, gapMax: limits.allocationGapMax });
  });
  return {
    observed: observed.every(Number.isNaN) ? null : observed,
    distance: distance.every(Number.isNaN) ? null : distance,
    contradicting,
  };
}

function rowTrouble(row: Readings, ageMsMax: number, nowMs: number): Trouble | null {
  for (const reading of row) {
    if (reading === null) continue;
    const { value } = reading;
    if (!(value >= 0 && value <= 1)) return { kind: 'impossible', value, expected: '0..1' };
    const trouble = timeTrouble(reading, ageMsMax, nowMs);
    if (trouble) return trouble;
  }
  const sum = row.reduce((all, reading) => all + (reading?.value ?? 0), 0);
  return Math.abs(sum - 1) > 0.01 ? { kind: 'impossible', value: sum, expected: 'shares that sum to 1' } : null;
}
