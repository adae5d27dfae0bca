/** The measures of Taiji's evaluation (SOSP'19, section 4), of epochs as a replay gives them. */

import type { Topology } from '../../config/topology.ts';
import type { World } from '../../config/world.ts';
import type { BucketWeights } from '../../pipeline/table/bucket-weights.ts';
import type { RoutingTable } from '../../pipeline/table/routing-table.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';

/** Section 4.6: how far each datacenter's utilization is from the mean of all, `|u - mean| / mean`; of those in service. */
export function divergences(utilization: Float64Array, states: readonly DatacenterState[]): number[] {
  const inService = [...utilization].filter((_, d) => states[d]!.keep === 1);
  const mean = inService.reduce((a, b) => a + b, 0) / inService.length;
  return mean > 0 ? inService.map((value) => Math.abs(value - mean) / mean) : [];
}

/** Time since the last event of the world; infinite before the first. */
export function sinceEventMs({ events }: World, timeMs: number): number {
  const last = events.findLast((event) => event.timeMs <= timeMs);
  return last ? timeMs - last.timeMs : Number.POSITIVE_INFINITY;
}

/** Section 4.1: round trips of users, by how many they are. */
export class RoundTrips {
  readonly #topology: Topology;
  readonly #mayCount: (edge: number) => boolean;
  readonly #users: Float64Array; // [e * D + d]

  constructor(topology: Topology, mayCount: (edge: number) => boolean = () => true) {
    this.#topology = topology;
    this.#mayCount = mayCount;
    this.#users = new Float64Array(topology.rttMs.length);
  }

  add(demandRps: Float64Array, fractions: Float64Array): this {
    const width = this.#topology.datacenters.length;
    for (let i = 0; i < fractions.length; i++) {
      const e = Math.floor(i / width);
      if (this.#mayCount(e)) this.#users[i]! += demandRps[e]! * fractions[i]!;
    }
    return this;
  }

  meanMs(): number {
    const { rttMs } = this.#topology;
    return this.#users.reduce((sum, users, i) => sum + users * rttMs[i]!, 0) / this.#users.reduce((a, b) => a + b, 0);
  }

  /** Below which `share` of the users are. */
  quantileMs(share: number): number {
    const { rttMs } = this.#topology;
    const order = [...this.#users.keys()].filter((i) => this.#users[i]! > 0).sort((a, b) => rttMs[a]! - rttMs[b]!);
    const total = this.#users.reduce((a, b) => a + b, 0);
    let below = 0;
    for (const i of order) {
      below += this.#users[i]!;
      if (below >= share * total) return rttMs[i]!;
    }
    return Number.NaN;
  }
}

/** Every edge to the nearest datacenter in service: no routing has lower round trips. */
export function closestFractions(
  { edges, datacenters, rttMs }: Topology,
  states: readonly DatacenterState[],
): Float64Array {
  const width = datacenters.length;
  const fractions = new Float64Array(rttMs.length);
  edges.forEach((_, e) => {
    const open = [...datacenters.keys()].filter((d) => states[d]!.keep === 1 && datacenters[d]!.capacityRps > 0);
    const nearest = open.reduce((a, b) => (rttMs[e * width + b]! < rttMs[e * width + a]! ? b : a), open[0]!);
    fractions[e * width + nearest] = 1;
  });
  return fractions;
}

/** Every edge to all datacenters in service, by their capacity. */
export function randomFractions({ edges, datacenters }: Topology, states: readonly DatacenterState[]): Float64Array {
  const open = datacenters.map(({ capacityRps }, d) => (states[d]!.keep === 1 ? capacityRps : 0));
  const total = open.reduce((a, b) => a + b, 0);
  return Float64Array.from(edges.flatMap(() => open.map((capacity) => capacity / total)));
}

/** Section 4.4: to how many datacenters a user is sent within an hour, as shares of users. A user has one edge. */
export class HourlyStability {
  readonly #weights: BucketWeights;
  readonly #hours: { readonly startMs: number; readonly shares: readonly number[] }[] = [];
  readonly #seen: Uint32Array[]; // [edge][cell] a bit for each datacenter
  #hourMs = Number.NaN;
  #edgeShare: Float64Array;

  constructor(weights: BucketWeights) {
    this.#weights = weights;
    this.#seen = weights.byEdge.map(({ bucket }) => new Uint32Array(bucket.length));
    this.#edgeShare = new Float64Array(weights.byEdge.length);
  }

  add(timeMs: number, table: RoutingTable, demandRps: Float64Array): void {
    const hourMs = Math.floor(timeMs / 3_600_000) * 3_600_000;
    if (hourMs !== this.#hourMs) this.#close();
    this.#hourMs = hourMs;
    this.#weights.byEdge.forEach(({ bucket }, e) => {
      const seen = this.#seen[e]!;
      const row = table.byEdge[e]!;
      for (let i = 0; i < bucket.length; i++) seen[i]! |= 1 << row[bucket[i]!]!;
      this.#edgeShare[e]! += demandRps[e]!;
    });
  }

  /** [hour] shares of users who saw at most 1, 2 and 3 datacenters. */
  hours(): readonly { readonly startMs: number; readonly shares: readonly number[] }[] {
    this.#close();
    return this.#hours;
  }

  #close(): void {
    if (Number.isNaN(this.#hourMs)) return;
    const total = this.#edgeShare.reduce((a, b) => a + b, 0);
    const shares = [0, 0, 0];
    this.#weights.byEdge.forEach(({ weight }, e) => {
      const seen = this.#seen[e]!;
      for (let i = 0; i < seen.length; i++) {
        const users = (weight[i]! * this.#edgeShare[e]!) / total;
        const count = bits(seen[i]!);
        for (let most = 1; most <= 3; most++) if (count <= most) shares[most - 1]! += users;
      }
      seen.fill(0);
    });
    if (total > 0) this.#hours.push({ startMs: this.#hourMs, shares });
    this.#edgeShare.fill(0);
    this.#hourMs = Number.NaN;
  }
}

function bits(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
