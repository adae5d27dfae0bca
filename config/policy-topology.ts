/** A policy held against the places it is for: names that are not there, and limits that no routing could keep. */

import { didYouMean } from './did-you-mean.ts';
import { ConfigError } from './errors.ts';
import type { Policy } from './policy.ts';
import { indexById, type Resource, requests, requestsOf, type Topology } from './topology.ts';

/** Throws a ConfigError at what is a mistake whatever the traffic does. Returns what is legal and yet surely not meant,
 *  one line each: the limits concerned give way in their written order. `where` names the policy's source. */
export function checkPolicyFor(policy: Policy, topology: Topology, where: string): string[] {
  const subject = `${where}: policy "${policy.metadata.service}"`;
  const { spec } = policy;
  const edgeIndex: ReadonlyMap<string, number> = indexById(topology.edges);
  const datacenterIndex: ReadonlyMap<string, number> = indexById(topology.datacenters);
  const refuseUnknown = (known: ReadonlyMap<string, number>, noun: string, id: string, path: string): void => {
    if (known.has(id)) return;
    throw new ConfigError(
      `${subject}: ${path} names unknown ${noun} "${id}"${didYouMean(id, known.keys())}; the topology has ${some(known.keys())}`,
    );
  };

  spec.allowed.forEach((rule, i) => {
    refuseUnknown(edgeIndex, 'edge', rule.edge, `spec.allowed[${i}].edge`);
    rule.datacenters.forEach((id, k) => {
      refuseUnknown(datacenterIndex, 'datacenter', id, `spec.allowed[${i}].datacenters[${k}]`);
    });
  });
  spec.forbidden.forEach((rule, i) => {
    refuseUnknown(edgeIndex, 'edge', rule.edge, `spec.forbidden[${i}].edge`);
    rule.datacenters.forEach((id, k) => {
      refuseUnknown(datacenterIndex, 'datacenter', id, `spec.forbidden[${i}].datacenters[${k}]`);
    });
  });
  spec.canary?.edges.forEach((id, i) => {
    refuseUnknown(edgeIndex, 'edge', id, `spec.canary.edges[${i}]`);
  });
  spec.ramp?.edges?.forEach((id, i) => {
    refuseUnknown(edgeIndex, 'edge', id, `spec.ramp.edges[${i}]`);
  });
  if (spec.canary && new Set<string>(spec.canary.edges).size >= topology.edges.length) {
    throw new ConfigError(
      `${subject}: spec.canary.edges names every edge, and none is left to compare with; leave some out`,
    );
  }
  const resourceIndex = new Map(
    [requests, ...(topology.resources ?? []).map(({ name }) => name)].map((name, i) => [name, i]),
  );
  for (const name of Object.keys(spec.resources ?? {})) {
    refuseUnknown(resourceIndex, 'resource', name, 'spec.resources');
  }
  spec.pins.forEach((pin, i) => {
    refuseUnknown(edgeIndex, 'edge', pin.edge, `spec.pins[${i}].edge`);
    refuseUnknown(datacenterIndex, 'datacenter', pin.datacenter, `spec.pins[${i}].datacenter`);
    if (pin.fraction > 0 && topology.datacenters[datacenterIndex.get(pin.datacenter)!]!.capacityRps === 0) {
      throw new ConfigError(
        `${subject}: spec.pins[${i}] pins "${pin.edge}" to "${pin.datacenter}", whose capacity is 0; give it capacity or remove the pin`,
      );
    }
    if (pin.fraction > spec.guards.shareMax) {
      throw new ConfigError(
        `${subject}: spec.pins[${i}].fraction is ${pin.fraction}, above shareMax ${spec.guards.shareMax}; lower it or raise shareMax`,
      );
    }
  });

  const drawn = drawnOn(policy, topology);
  for (const { name, capacity } of drawn) {
    if (capacity.some((has) => has > 0)) continue;
    throw new ConfigError(
      `${subject}: no datacenter has any of "${name}", which the service draws on; give it capacity or take it out of spec.resources`,
    );
  }
  if (spec.resources === undefined && !drawn.some(({ name }) => name === requestsOf(policy.metadata.service))) {
    const served = (topology.resources ?? []).filter(({ name }) => name.startsWith(requestsOf('')));
    if (served.length > 0) {
      throw new ConfigError(
        `${subject}: datacenters.csv gives capacity by service and none to "${policy.metadata.service}"; add its rows, or name what it draws on in spec.resources`,
      );
    }
  }

  const warnings: string[] = [];
  const width = topology.datacenters.length;
  topology.edges.forEach((edge, e) => {
    const rule = spec.allowed.find((candidate) => candidate.edge === edge.id);
    const barred = spec.forbidden.find((candidate) => candidate.edge === edge.id)?.datacenters ?? [];
    const open = topology.datacenters.flatMap((datacenter, d) =>
      datacenter.capacityRps > 0 &&
      (rule === undefined || rule.datacenters.includes(datacenter.id)) &&
      !barred.includes(datacenter.id)
        ? [d]
        : [],
    );
    if (open.length === 0) {
      throw new ConfigError(
        `${subject}: every datacenter allowed to edge "${edge.id}" has capacity 0; allow it another`,
      );
    }
    if (open.length * spec.guards.shareMax < 1 - 1e-9) {
      throw new ConfigError(
        `${subject}: spec.guards.shareMax is ${spec.guards.shareMax}, too small to place all demand of edge "${edge.id}" on its ${open.length} datacenters, expected at least ${Math.ceil(1e4 / open.length) / 1e4}`,
      );
    }
    const nearestMs = Math.min(...open.map((d) => topology.rttMs[e * width + d]!));
    if (spec.latencyMsMax !== null && nearestMs > spec.latencyMsMax) {
      warnings.push(
        `${subject}: spec.latencyMsMax is ${spec.latencyMsMax}, but edge "${edge.id}" has nothing nearer than ${nearestMs} ms; the limit will give way there`,
      );
    }
  });
  return warnings;
}

/** The resources that the policy's service draws on and the topology knows of by name. */
function drawnOn({ spec, metadata }: Policy, { resources = [] }: Topology): readonly Resource[] {
  const own = requestsOf(metadata.service);
  return resources.filter(({ name }) => (spec.resources ? name in spec.resources : name === own));
}

function some(ids: Iterable<string>): string {
  const all = [...ids];
  return all.length <= 12 ? all.join(', ') : `${all.slice(0, 10).join(', ')} and ${all.length - 10} more`;
}
