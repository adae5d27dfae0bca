/** The places traffic enters and is served, and how far apart they are. Sorted by id, so that an index is the same
 *  everywhere: `rttMs[e * datacenters.length + d]`. */

import { ConfigError } from './errors.ts';
import { compareIds, type DatacenterId, type EdgeId } from './ids.ts';

export interface Edge {
  readonly id: EdgeId;
  readonly city: string;
  readonly lat: number;
  readonly lon: number;
  readonly region?: string;
  readonly unsteered?: number; // share of its demand that follows the served fractions without a bucket; 0 if absent
}

export interface Datacenter {
  readonly id: DatacenterId;
  readonly lat: number;
  readonly lon: number;
  readonly capacityRps: number;
}

export interface Topology {
  readonly edges: readonly Edge[]; // sorted by id
  readonly datacenters: readonly Datacenter[]; // sorted by id
  readonly rttMs: Float64Array; // [e * D + d], every pair measured
  readonly resources?: readonly Resource[]; // besides requests; sorted by name
}

/** The resource that a policy which names none draws on: `capacityRps`, one a unit of demand. */
export const requests = 'requests';

/** A part of it that is one service's alone. */
export function requestsOf(service: string): string {
  return `${requests}.${service}`;
}

/** Something datacenters have besides room for requests: cores, memory, licences. In any unit. */
export interface Resource {
  readonly name: string;
  readonly capacity: Float64Array; // [d]
}

/** A datacenter that serves serves this much: less is a slip of the exponent. */
export const capacityRpsLeast = 0.001;

export interface RttRow {
  readonly edge: EdgeId;
  readonly datacenter: DatacenterId;
  readonly rttMs: number;
}

/** Sorts, checks and joins. Throws a ConfigError naming the duplicate, missing or unknown id; `where` names the source. */
export function makeTopology(
  edges: readonly Edge[],
  datacenters: readonly Datacenter[],
  rtts: Iterable<RttRow>,
  where: string,
): Topology {
  const sortedEdges = sortUnique(edges, 'edge', where);
  const sortedDatacenters = sortUnique(datacenters, 'datacenter', where);
  if (sortedEdges.length === 0) throw new ConfigError(`${where}: no edges; a topology needs at least one`);
  if (sortedDatacenters.length === 0) throw new ConfigError(`${where}: no datacenters; a topology needs at least one`);
  const edgeIndex = indexById(sortedEdges);
  const datacenterIndex = indexById(sortedDatacenters);
  const width = sortedDatacenters.length;
  const rttMs = new Float64Array(sortedEdges.length * width).fill(Number.NaN);
  for (const row of rtts) {
    const e = edgeIndex.get(row.edge);
    const d = datacenterIndex.get(row.datacenter);
    if (e === undefined) throw new ConfigError(`${where}: latency of unknown edge "${row.edge}"; add it to the edges`);
    if (d === undefined) {
      throw new ConfigError(`${where}: latency to unknown datacenter "${row.datacenter}"; add it to the datacenters`);
    }
    if (!(row.rttMs >= 0 && row.rttMs < 60_000)) {
      throw new ConfigError(`${where}: rtt of ${row.edge} to ${row.datacenter} is ${row.rttMs}, expected 0..60000 ms`);
    }
    if (!Number.isNaN(rttMs[e * width + d]!)) {
      throw new ConfigError(`${where}: latency of ${row.edge} to ${row.datacenter} is given twice; keep one row`);
    }
    rttMs[e * width + d] = row.rttMs;
  }
  for (let i = 0; i < rttMs.length; i++) {
    if (Number.isNaN(rttMs[i]!)) {
      const edge = sortedEdges[Math.floor(i / width)]!.id;
      const datacenter = sortedDatacenters[i % width]!.id;
      throw new ConfigError(`${where}: no latency from edge "${edge}" to datacenter "${datacenter}"; add the row`);
    }
  }
  return { edges: sortedEdges, datacenters: sortedDatacenters, rttMs };
}

export function indexById<Id extends string>(items: readonly { readonly id: Id }[]): ReadonlyMap<Id, number> {
  return new Map(items.map((item, index) => [item.id, index]));
}

function sortUnique<T extends { readonly id: string }>(items: readonly T[], noun: string, where: string): T[] {
  const sorted = [...items].sort((a, b) => compareIds(a.id, b.id));
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i]!.id === sorted[i - 1]!.id) {
      throw new ConfigError(`${where}: ${noun} "${sorted[i]!.id}" is given twice; ids are unique`);
    }
  }
  return sorted;
}
