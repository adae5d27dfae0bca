/** What datacenters have: datacenters.csv and, for anything besides requests, resources.csv. Capacity stated for each
 *  service (a column `service`) is a resource of that service alone. */

import { csvField, csvNumber, csvTable } from './csv.ts';
import { ConfigError, quoteStart } from './errors.ts';
import { compareIds, type DatacenterId, datacenterId, serviceId } from './ids.ts';
import { nameSchema } from './name-schema.ts';
import {
  capacityRpsLeast,
  type Datacenter,
  indexById,
  type Resource,
  requests,
  requestsOf,
  type Topology,
} from './topology.ts';
import { csvText, pick, place, refuseTwice, refuseUnknown, type WorldFile } from './world-rows.ts';

interface ParsedDatacenters {
  readonly datacenters: readonly Datacenter[]; // capacity for all services together
  readonly ofServices: (topology: Topology) => readonly Resource[];
}

/** Capacity 0 means "not allowed to serve"; at least one datacenter must serve. Throws a ConfigError. */
export function parseDatacenters({ text, where }: WorldFile): ParsedDatacenters {
  const table = csvTable(text, where, {
    required: ['datacenter', 'lat', 'lon', 'capacity_rps'],
    optional: ['service'],
    others: 'none',
  });
  const isByService = table.columns[4]! >= 0;
  const datacenters = new Map<DatacenterId, Datacenter>();
  const capacities = new Map<string, Map<DatacenterId, number>>(); // service -> datacenter -> rps
  const lineOf = new Map<string, number>();
  for (const row of table.rows) {
    const [id, lat, lon, capacity, of] = pick(row, table.columns);
    const datacenter = datacenterId(id!, `${where}:${row.line}`);
    const service = isByService ? serviceId(of!, `${where}:${row.line}`) : '';
    refuseTwice(lineOf, 'datacenter', isByService ? `${datacenter} for ${service}` : datacenter, row.line, where);
    const at = { where, line: row.line, column: 'capacity_rps' };
    const capacityRps = csvNumber(capacity!, at, { min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'rps' });
    if (capacityRps > 0 && capacityRps < capacityRpsLeast) {
      throw new ConfigError(
        `${where}:${row.line}: capacity_rps is ${quoteStart(capacity!)}, expected at least ${capacityRpsLeast} rps, or 0 where it may not serve`,
      );
    }
    const there = place(lat!, lon!, row.line, where);
    const known = datacenters.get(datacenter);
    if (known && (known.lat !== there.lat || known.lon !== there.lon)) {
      throw new ConfigError(
        `${where}:${row.line}: datacenter "${datacenter}" is at two places; give it the same lat and lon in every row`,
      );
    }
    const own = capacities.get(service) ?? new Map<DatacenterId, number>();
    capacities.set(service, own.set(datacenter, capacityRps));
    datacenters.set(datacenter, { id: datacenter, ...there, capacityRps: (known?.capacityRps ?? 0) + capacityRps });
  }
  if (datacenters.size === 0) {
    throw new ConfigError(`${where}: no datacenters, expected at least one row below the header`);
  }
  for (const [service, own] of capacities) {
    if ([...own.values()].some((rps) => rps > 0)) continue;
    const whose = isByService ? ` for service "${service}"` : '';
    throw new ConfigError(
      `${where}: capacity_rps is 0 everywhere${whose}, expected at least one datacenter that may serve`,
    );
  }
  const ofServices = (topology: Topology): Resource[] =>
    [...capacities].map(([service, own]) => ({
      name: requestsOf(service),
      capacity: Float64Array.from(topology.datacenters, ({ id }) => own.get(id) ?? 0),
    }));
  return { datacenters: [...datacenters.values()], ofServices: isByService ? ofServices : () => [] };
}

/** Every datacenter has a row for every resource, 0 where it has none. Throws a ConfigError. */
export function parseResources({ text, where }: WorldFile, topology: Topology): readonly Resource[] {
  const table = csvTable(text, where, { required: ['datacenter', 'resource', 'capacity'], others: 'none' });
  const index = indexById(topology.datacenters);
  const resources = new Map<string, Float64Array>();
  const lineOf = new Map<string, number>();
  for (const row of table.rows) {
    const [id, resource, amount] = pick(row, table.columns);
    const datacenter = datacenterId(id!, `${where}:${row.line}`);
    refuseUnknown(index, 'datacenter', datacenter, 'datacenters.csv', row.line, where);
    const name = nameSchema.safeParse(resource);
    if (!name.success || name.data === requests || resource!.startsWith(requestsOf(''))) {
      throw new ConfigError(
        `${where}:${row.line}: resource ${quoteStart(resource!)} is not a name, or one of capacity_rps in datacenters.csv; use 1 to 63 letters, digits, ". _ : -"`,
      );
    }
    refuseTwice(lineOf, 'capacity of', `${datacenter} in ${name.data}`, row.line, where);
    const at = { where, line: row.line, column: 'capacity' };
    const capacity = resources.get(name.data) ?? new Float64Array(topology.datacenters.length).fill(Number.NaN);
    capacity[index.get(datacenter)!] = csvNumber(amount!, at, { min: 0, max: Number.MAX_SAFE_INTEGER, unit: '' });
    resources.set(name.data, capacity);
  }
  return [...resources].map(([name, capacity]) => {
    const missing = capacity.findIndex(Number.isNaN);
    if (missing >= 0) {
      const { id } = topology.datacenters[missing]!;
      throw new ConfigError(
        `${where}: no capacity of "${name}" at datacenter "${id}"; add the row, 0 where it has none`,
      );
    }
    return { name, capacity };
  });
}

/** By name; none at all where there are none. */
export function withResources(topology: Topology, resources: readonly Resource[]): Topology {
  if (resources.length === 0) return topology;
  return { ...topology, resources: [...resources].sort((a, b) => compareIds(a.name, b.name)) };
}

/** The text of datacenters.csv. */
export function formatDatacenters({ datacenters, resources }: Topology): string {
  const ofServices = (resources ?? []).filter(({ name }) => isOfService(name));
  if (ofServices.length === 0) {
    return csvText(
      'datacenter,lat,lon,capacity_rps',
      datacenters.map((dc) => `${csvField(dc.id)},${dc.lat},${dc.lon},${dc.capacityRps}`),
    );
  }
  return csvText(
    'datacenter,lat,lon,capacity_rps,service',
    datacenters.flatMap((dc, d) =>
      ofServices.map(({ name, capacity }) => {
        const service = name.slice(requestsOf('').length);
        return `${csvField(dc.id)},${dc.lat},${dc.lon},${capacity[d]!},${csvField(service)}`;
      }),
    ),
  );
}

/** The text of resources.csv. */
export function formatResources({ datacenters, resources = [] }: Topology): string {
  return csvText(
    'datacenter,resource,capacity',
    datacenters.flatMap((dc, d) =>
      resources
        .filter(({ name }) => !isOfService(name))
        .map(({ name, capacity }) => `${csvField(dc.id)},${csvField(name)},${capacity[d]!}`),
    ),
  );
}

/** Has the topology resources that resources.csv holds? */
export function hasShared({ resources = [] }: Topology): boolean {
  return resources.some(({ name }) => !isOfService(name));
}

function isOfService(name: string): boolean {
  return name.startsWith(requestsOf(''));
}
