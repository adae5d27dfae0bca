/** What datacenters have and services use of it. A resource (requests, cores, sessions, ...) at a datacenter is a pool:
 *  the thing that has a capacity and a utilization. A service costs so much of each resource a unit of its demand;
 *  services that draw on one resource fill the same pools and are solved together.
 *
 *  Demand of different services comes in different units (requests, sessions). In the program all of it is counted by
 *  the resource it needs most of, as a share of what all datacenters have of that: what it weighs on the fleet. */

import { requests, requestsOf, type Topology } from '../config/topology.ts';
import type { RuntimeInputs } from './inputs.ts';

export interface Pools {
  readonly resources: number;
  readonly capacity: Float64Array; // [r * D + d] in units of weighed demand
  readonly weight: Float64Array; // [s] a unit of demand, weighed
  readonly use: Float64Array; // [s * R + r] of the pool, a unit of weighed demand: 1 of the resource it needs most
}

/** Costs of a service by resource: what its policy says, else one of its own part of the requests, else of the requests. */
export function costsOf({ topology, policy }: Pick<RuntimeInputs, 'topology' | 'policy'>): ReadonlyMap<string, number> {
  const { resources } = policy.spec;
  if (resources !== undefined) return new Map(Object.entries(resources));
  const own = requestsOf(policy.metadata.service);
  const hasOwn = topology.resources?.some(({ name }) => name === own) ?? false;
  return new Map([[hasOwn ? own : requests, 1]]);
}

/** [d] what every datacenter has of a resource; zeros where the topology does not know it. */
export function capacityOf(topology: Topology, resource: string): Float64Array {
  if (resource === requests) return Float64Array.from(topology.datacenters, ({ capacityRps }) => capacityRps);
  const named = topology.resources?.find(({ name }) => name === resource);
  return named ? named.capacity : new Float64Array(topology.datacenters.length);
}

/** All services have the same topology. */
export function makePools(services: readonly Pick<RuntimeInputs, 'topology' | 'policy'>[]): Pools {
  const { topology } = services[0]!;
  const names = [...new Set(services.flatMap((service) => [...costsOf(service).keys()]))];
  const datacenters = topology.datacenters.length;
  const held = names.map((name) => capacityOf(topology, name));
  const totals = held.map((capacity) => capacity.reduce((a, b) => a + b, 0));
  const capacity = new Float64Array(names.length * datacenters);
  // All in the unit of the first resource, so that with one nothing is scaled at all.
  const scale = totals.map((total) => (total > 0 ? totals[0]! / total : 0));
  held.forEach((has, r) => {
    for (let d = 0; d < datacenters; d++) capacity[r * datacenters + d] = has[d]! * scale[r]!;
  });
  const weight = new Float64Array(services.length);
  const use = new Float64Array(services.length * names.length);
  services.forEach((service, s) => {
    const costs = costsOf(service);
    const weighed = names.map((name, r) => (costs.get(name) ?? 0) * scale[r]!);
    weight[s] = Math.max(...weighed);
    weighed.forEach((cost, r) => {
      use[s * names.length + r] = weight[s]! > 0 ? cost / weight[s]! : 0;
    });
  });
  return { resources: names.length, capacity, weight, use };
}

/** Indices of services that share no resource with those of another group, in the order of their first ones. */
export function groupsOf(
  services: readonly Pick<RuntimeInputs, 'topology' | 'policy'>[],
): readonly (readonly number[])[] {
  const groups: { names: Set<string>; members: number[] }[] = [];
  services.forEach((service, s) => {
    const names = [...costsOf(service)].filter(([, cost]) => cost > 0).map(([name]) => name);
    const touched = groups.filter((group) => names.some((name) => group.names.has(name)));
    const [into = { names: new Set<string>(), members: [] }] = touched;
    if (touched.length === 0) groups.push(into);
    for (const other of touched.slice(1)) {
      for (const name of other.names) into.names.add(name);
      into.members.push(...other.members);
      groups.splice(groups.indexOf(other), 1);
    }
    for (const name of names) into.names.add(name);
    into.members.push(s);
    into.members.sort((a, b) => a - b);
  });
  return groups.map(({ members }) => members).sort((a, b) => a[0]! - b[0]!);
}
