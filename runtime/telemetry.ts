/** What a source of telemetry says, value by value, each with when it was observed, and what may be wrong with a value.
 *  Nothing here is believed yet: `judge-telemetry.ts` decides what an epoch may plan on. */

import type { DatacenterId, EdgeId } from '../config/ids.ts';
import type { Topology } from '../config/topology.ts';

export interface Reading {
  readonly value: number; // anything, NaN too: sources send what they have
  readonly observedAtMs: number; // wall clock
}

/** Null: the source says nothing, which is never zero. */
export type Readings = readonly (Reading | null)[];

export interface Telemetry {
  readonly demandRps: Readings; // [edge]
  readonly up: Readings; // [datacenter] 1: in service, 0: abnormal
  readonly healthy: Readings; // [datacenter] 1 or 0 by its service metrics, which moves nothing; null: not watched
  readonly rttMs: Readings; // [e * D + d] of users' connections; null: not measured, the topology's counts
  readonly allocation: Readings; // [e * D + d] share of an edge's demand as observed there; a row of null: not watched
  readonly sessions: Readings; // [e * D + d] established ones of a sticky service; null: not counted, the model's
  readonly notes: readonly string[]; // what went wrong on the way here, in words
}

/** A value that is not what it should be: which one, and why. */
export interface Finding {
  readonly signal: 'demandRps' | 'up' | 'healthy' | 'allocation' | 'rttMs' | 'sessions';
  readonly place:
    | { readonly kind: 'edge'; readonly id: EdgeId }
    | { readonly kind: 'datacenter'; readonly id: DatacenterId }
    | { readonly kind: 'pair'; readonly id: string }; // `fra to dublin`
  readonly trouble: Trouble;
}

export type Trouble =
  | { readonly kind: 'missing' }
  | { readonly kind: 'stale'; readonly ageMs: number; readonly ageMsMax: number }
  | { readonly kind: 'ahead'; readonly aheadMs: number; readonly aheadMsMax: number } // observed in the future
  | { readonly kind: 'impossible'; readonly value: number; readonly expected: string }
  | { readonly kind: 'jumping'; readonly value: number; readonly before: number; readonly factorMax: number }
  | { readonly kind: 'contradicting'; readonly gap: number; readonly gapMax: number }; // share of an edge's demand

/** One finding in words: `demandRps of edge "fra" is 15m old, expected at most 10m`. */
function wordsOf({ signal, place, trouble }: Finding): string {
  return `${signal} of ${place.kind} "${place.id}" ${wordsOfTrouble(trouble)}`;
}

/** As findings name it. */
export function pairName({ edges, datacenters }: Topology, i: number): string {
  return `${edges[Math.floor(i / datacenters.length)]!.id} to ${datacenters[i % datacenters.length]!.id}`;
}

/** Several, cut short after the first few: alerts are read by people. */
export function listFindings(findings: readonly Finding[]): string {
  const more = findings.length - listedMax;
  return findings.slice(0, listedMax).map(wordsOf).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

const listedMax = 5;

function wordsOfTrouble(trouble: Trouble): string {
  switch (trouble.kind) {
    case 'missing':
      return 'is missing';
    case 'stale':
      return `is ${seconds(trouble.ageMs)} old, expected at most ${seconds(trouble.ageMsMax)}`;
    case 'ahead':
      return `was observed ${seconds(trouble.aheadMs)} in the future, expected at most ${seconds(trouble.aheadMsMax)}; set the clocks right`;
    case 'impossible':
      return `is ${trouble.value}, expected ${trouble.expected}`;
    case 'jumping':
      return `jumped from ${tidy(trouble.before)} to ${tidy(trouble.value)}, over the factor of ${trouble.factorMax}; the next one confirms it or not`;
    case 'contradicting':
      return `differs from the last tables in ${tidy(trouble.gap)} of its demand, expected at most ${trouble.gapMax}`;
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)}s`;
}

function tidy(value: number): string {
  return String(Number(value.toPrecision(4)));
}
