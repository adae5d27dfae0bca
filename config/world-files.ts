/** The files of a world directory and what their columns mean: text to World and back, no disk. A complaint names file
 *  and line, says what was found and how to mend it; nothing is guessed, dropped or repaired in silence, save that a tie
 *  listed twice (once from either side, say) counts once. */

import { type CsvRow, csvField, csvNumber, csvTable } from './csv.ts';
import { didYouMean } from './did-you-mean.ts';
import { formatTime, parseTimeMs } from './duration.ts';
import { ConfigError, quoteStart } from './errors.ts';
import { compareIds, type DatacenterId, datacenterId, type EdgeId, edgeId } from './ids.ts';
import {
  capacityRpsLeast,
  type Datacenter,
  type Edge,
  indexById,
  makeTopology,
  type RttRow,
  type Topology,
} from './topology.ts';
import type { DatacenterEvent, DemandSeries, StaticWorld, World, WorldUsers } from './world.ts';

/** In the order they are read. `friends.csv` may be there gzipped, as `friends.csv.gz`. */
export const worldFileNames = [
  'edges.csv',
  'datacenters.csv',
  'latency.csv',
  'demand.csv',
  'events.csv',
  'users.csv',
  'friends.csv',
] as const;

export type WorldFileName = (typeof worldFileNames)[number];

/** A file's text, and its name as complaints give it. */
export interface WorldFile {
  readonly text: string;
  readonly where: string;
}

/** Throws a ConfigError at the first thing wrong. */
export function parseWorld(file: (name: WorldFileName) => WorldFile): World {
  const topology = parseTopology(file);
  const demand = parseDemand(file('demand.csv'), topology);
  const events = parseEvents(file('events.csv'), topology);
  const users = parseUsers(file('users.csv'), topology);
  const friends = parseFriends(file('friends.csv'), users);
  return { topology, demand, events, users, friends };
}

/** Places and users alone; the other files need not be there. Throws a ConfigError at the first thing wrong. */
export function parseStaticWorld(file: (name: WorldFileName) => WorldFile): StaticWorld {
  const topology = parseTopology(file);
  return { topology, users: parseUsers(file('users.csv'), topology) };
}

/** The same bytes for the same world, on every machine. */
export function formatWorld(world: World): Readonly<Record<WorldFileName, string>> {
  const { topology, demand, events, users, friends } = world;
  const { edges, datacenters, rttMs } = topology;
  const times = Array.from(demand.timesMs, (timeMs, t) => {
    const cells = demand.rps.subarray(t * edges.length, (t + 1) * edges.length);
    return `${formatTime(timeMs)},${cells.join(',')}`;
  });
  const ids = users.ids.map(csvField);
  const homes = edges.map((edge) => csvField(edge.id));
  const ties: string[] = [];
  for (let i = 0; i < friends.length; i += 2) ties.push(`${ids[friends[i]!]!},${ids[friends[i + 1]!]!}`);
  return {
    'edges.csv': formatEdges(edges),
    'datacenters.csv': lines(
      'datacenter,lat,lon,capacity_rps',
      datacenters.map((dc) => `${csvField(dc.id)},${dc.lat},${dc.lon},${dc.capacityRps}`),
    ),
    'latency.csv': lines(
      'edge,datacenter,rtt_ms',
      edges.flatMap((edge, e) =>
        datacenters.map((dc, d) => `${csvField(edge.id)},${csvField(dc.id)},${rttMs[e * datacenters.length + d]!}`),
      ),
    ),
    'demand.csv': lines(['time', ...homes].join(','), times),
    'events.csv': lines(
      'time,datacenter,state',
      events.map((event) => `${formatTime(event.timeMs)},${csvField(event.datacenter)},${event.state}`),
    ),
    'users.csv': lines(
      'user,home_edge,weight',
      ids.map((id, u) => `${id},${homes[users.homeEdge[u]!]!},${users.weight[u]!}`),
    ),
    'friends.csv': lines('user,friend', ties),
  };
}

function parseTopology(file: (name: WorldFileName) => WorldFile): Topology {
  const edges = parseEdges(file('edges.csv'));
  const datacenters = parseDatacenters(file('datacenters.csv'));
  const latency = file('latency.csv');
  return makeTopology(edges, datacenters, parseLatency(latency, edges, datacenters), latency.where);
}

/** The column of regions is there where an edge has one. */
function formatEdges(edges: readonly Edge[]): string {
  const regions = edges.some(({ region }) => region !== undefined);
  return lines(
    `edge,city,lat,lon${regions ? ',region' : ''}`,
    edges.map(
      ({ id, city, lat, lon, region = '' }) =>
        `${csvField(id)},${csvField(city)},${lat},${lon}${regions ? `,${csvField(region)}` : ''}`,
    ),
  );
}

function parseEdges({ text, where }: WorldFile): Edge[] {
  const table = csvTable(text, where, {
    required: ['edge', 'city', 'lat', 'lon'],
    optional: ['region'],
    others: 'none',
  });
  const edges: Edge[] = [];
  const lineOf = new Map<string, number>();
  for (const row of table.rows) {
    const [id, city, lat, lon, region] = pick(row, table.columns);
    const edge = edgeId(id!, `${where}:${row.line}`);
    refuseTwice(lineOf, 'edge', edge, row.line, where);
    const named = region === '' ? {} : { region: region! };
    edges.push({ id: edge, city: city!, ...place(lat!, lon!, row.line, where), ...named });
  }
  if (edges.length === 0) throw new ConfigError(`${where}: no edges, expected at least one row below the header`);
  return edges;
}

/** Capacity 0 means "not allowed to serve"; at least one datacenter must serve. */
function parseDatacenters({ text, where }: WorldFile): Datacenter[] {
  const table = csvTable(text, where, { required: ['datacenter', 'lat', 'lon', 'capacity_rps'], others: 'none' });
  const datacenters: Datacenter[] = [];
  const lineOf = new Map<string, number>();
  for (const row of table.rows) {
    const [id, lat, lon, capacity] = pick(row, table.columns);
    const datacenter = datacenterId(id!, `${where}:${row.line}`);
    refuseTwice(lineOf, 'datacenter', datacenter, row.line, where);
    const at = { where, line: row.line, column: 'capacity_rps' };
    const capacityRps = csvNumber(capacity!, at, { min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'rps' });
    if (capacityRps > 0 && capacityRps < capacityRpsLeast) {
      throw new ConfigError(
        `${where}:${row.line}: capacity_rps is ${quoteStart(capacity!)}, expected at least ${capacityRpsLeast} rps, or 0 where it may not serve`,
      );
    }
    datacenters.push({ id: datacenter, ...place(lat!, lon!, row.line, where), capacityRps });
  }
  if (datacenters.length === 0) {
    throw new ConfigError(`${where}: no datacenters, expected at least one row below the header`);
  }
  if (datacenters.every((dc) => dc.capacityRps === 0)) {
    throw new ConfigError(`${where}: capacity_rps is 0 everywhere, expected at least one datacenter that may serve`);
  }
  return datacenters;
}

function parseLatency(
  { text, where }: WorldFile,
  edges: readonly Edge[],
  datacenters: readonly Datacenter[],
): RttRow[] {
  const table = csvTable(text, where, { required: ['edge', 'datacenter', 'rtt_ms'], others: 'none' });
  const edgeIndex = indexById(edges);
  const datacenterIndex = indexById(datacenters);
  const lineOf = new Map<string, number>();
  const rows: RttRow[] = [];
  for (const row of table.rows) {
    const [from, to, rtt] = pick(row, table.columns);
    const edge = edgeId(from!, `${where}:${row.line}`);
    const datacenter = datacenterId(to!, `${where}:${row.line}`);
    refuseUnknown(edgeIndex, 'edge', edge, 'edges.csv', row.line, where);
    refuseUnknown(datacenterIndex, 'datacenter', datacenter, 'datacenters.csv', row.line, where);
    refuseTwice(lineOf, 'pair', `${edge},${datacenter}`, row.line, where);
    const at = { where, line: row.line, column: 'rtt_ms' };
    rows.push({ edge, datacenter, rttMs: csvNumber(rtt!, at, { min: 0, max: 60_000, unit: 'ms' }) });
  }
  return rows;
}

function parseDemand({ text, where }: WorldFile, topology: Topology): DemandSeries {
  const table = csvTable(text, where, { required: ['time'], others: 'any' });
  const { edges } = topology;
  const edgeIndex = indexById(edges);
  const timeColumn = table.columns[0]!;
  const edgeOfColumn = table.header.map((name, column) => {
    if (column === timeColumn) return -1;
    if (name === 'service' && !edges.some(({ id }) => id === name)) {
      throw new ConfigError(
        `${where}:1: column "service" is not read by this version; write one world for each service`,
      );
    }
    const edge = edgeId(name, `${where}:1`);
    refuseUnknown(edgeIndex, 'edge', edge, 'edges.csv', 1, where);
    return edgeIndex.get(edge)!;
  });
  for (let e = 0; e < edges.length; e++) {
    if (!edgeOfColumn.includes(e)) {
      throw new ConfigError(`${where}:1: no column for edge "${edges[e]!.id}"; add it, with 0 where it has no demand`);
    }
  }
  const timesMs: number[] = [];
  const rps: number[] = [];
  for (const row of table.rows) {
    timesMs.push(nextTimeMs(row.fields[timeColumn]!, timesMs, row.line, where));
    const base = rps.length;
    for (let column = 0; column < row.fields.length; column++) {
      const e = edgeOfColumn[column]!;
      if (e < 0) continue;
      const at = { where, line: row.line, column: `demand of ${edges[e]!.id}` };
      rps[base + e] = csvNumber(row.fields[column]!, at, { min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'rps' });
    }
  }
  if (timesMs.length === 0) throw new ConfigError(`${where}: no demand, expected at least one row below the header`);
  return { timesMs: Float64Array.from(timesMs), rps: Float64Array.from(rps) };
}

function parseEvents({ text, where }: WorldFile, topology: Topology): DatacenterEvent[] {
  const table = csvTable(text, where, { required: ['time', 'datacenter', 'state'], others: 'none' });
  const datacenterIndex = indexById(topology.datacenters);
  const lineOf = new Map<string, number>();
  const events: DatacenterEvent[] = [];
  for (const row of table.rows) {
    const [time, id, state] = pick(row, table.columns);
    const timeMs = timeOf(time!, row.line, where);
    const datacenter = datacenterId(id!, `${where}:${row.line}`);
    refuseUnknown(datacenterIndex, 'datacenter', datacenter, 'datacenters.csv', row.line, where);
    if (state !== 'abnormal' && state !== 'normal') {
      throw new ConfigError(
        `${where}:${row.line}: state is ${quoteStart(state!)}, expected abnormal or normal${didYouMean(state!, ['abnormal', 'normal'])}`,
      );
    }
    refuseTwice(lineOf, 'event of', `${datacenter} at ${formatTime(timeMs)}`, row.line, where);
    events.push({ timeMs, datacenter, state });
  }
  return events.sort((a, b) => a.timeMs - b.timeMs || compareIds(a.datacenter, b.datacenter));
}

function parseUsers({ text, where }: WorldFile, topology: Topology): WorldUsers {
  const table = csvTable(text, where, { required: ['user', 'home_edge', 'weight'], others: 'none' });
  const edgeIndex = indexById(topology.edges);
  const ids: string[] = [];
  const homeEdge: number[] = [];
  const weight: number[] = [];
  const lineOf = new Map<string, number>();
  for (const row of table.rows) {
    const [id, home, share] = pick(row, table.columns);
    if (id === '') throw new ConfigError(`${where}:${row.line}: user is empty, expected an id`);
    refuseTwice(lineOf, 'user', id!, row.line, where);
    const edge = edgeId(home!, `${where}:${row.line}`);
    refuseUnknown(edgeIndex, 'edge', edge, 'edges.csv', row.line, where);
    ids.push(id!);
    homeEdge.push(edgeIndex.get(edge)!);
    const at = { where, line: row.line, column: 'weight' };
    weight.push(csvNumber(share!, at, { min: 0, minExcluded: true, max: 1e9, unit: '' }));
  }
  if (ids.length === 0) throw new ConfigError(`${where}: no users, expected at least one row below the header`);
  return { ids, homeEdge: Uint32Array.from(homeEdge), weight: Float64Array.from(weight) };
}

/** Pairs of user indices in file order; a tie listed again, from either side, is left out. */
function parseFriends({ text, where }: WorldFile, users: WorldUsers): Uint32Array {
  const table = csvTable(text, where, { required: ['user', 'friend'], others: 'none' });
  const index = new Map(users.ids.map((id, u) => [id, u]));
  const [from, to] = table.columns as [number, number];
  const pairs: number[] = [];
  const seen = new Set<number>();
  const indexOf = (id: string, line: number): number => {
    const u = index.get(id);
    if (u === undefined) {
      throw new ConfigError(`${where}:${line}: unknown user ${quoteStart(id)}; add it to users.csv or remove the tie`);
    }
    return u;
  };
  for (const row of table.rows) {
    const a = indexOf(row.fields[from]!, row.line);
    const b = indexOf(row.fields[to]!, row.line);
    if (a === b) {
      throw new ConfigError(
        `${where}:${row.line}: user ${quoteStart(row.fields[from]!)} is tied to itself; remove the row`,
      );
    }
    const key = Math.min(a, b) * users.ids.length + Math.max(a, b);
    if (seen.has(key)) continue;
    seen.add(key);
    pairs.push(a, b);
  }
  return Uint32Array.from(pairs);
}

function pick(row: CsvRow, columns: readonly number[]): string[] {
  return columns.map((column) => row.fields[column] ?? '');
}

function place(lat: string, lon: string, line: number, where: string): { lat: number; lon: number } {
  return {
    lat: csvNumber(lat, { where, line, column: 'lat' }, { min: -90, max: 90, unit: 'degrees' }),
    lon: csvNumber(lon, { where, line, column: 'lon' }, { min: -180, max: 180, unit: 'degrees' }),
  };
}

function refuseTwice(lineOf: Map<string, number>, noun: string, id: string, line: number, where: string): void {
  const first = lineOf.get(id);
  if (first !== undefined) {
    throw new ConfigError(
      `${where}:${line}: ${noun} ${quoteStart(id)} is given twice, first on line ${first}; keep one row`,
    );
  }
  lineOf.set(id, line);
}

function refuseUnknown<Id extends EdgeId | DatacenterId>(
  known: ReadonlyMap<Id, number>,
  noun: string,
  id: Id,
  file: WorldFileName,
  line: number,
  where: string,
): void {
  if (known.has(id)) return;
  throw new ConfigError(`${where}:${line}: unknown ${noun} "${id}"${didYouMean(id, known.keys())}; add it to ${file}`);
}

function timeOf(text: string, line: number, where: string): number {
  const timeMs = parseTimeMs(text);
  if (Number.isNaN(timeMs)) {
    throw new ConfigError(
      `${where}:${line}: time is ${quoteStart(text)}, expected RFC 3339 in UTC such as 2026-03-05T00:00:00Z`,
    );
  }
  return timeMs;
}

function nextTimeMs(text: string, timesMs: readonly number[], line: number, where: string): number {
  const timeMs = timeOf(text, line, where);
  const n = timesMs.length;
  if (n >= 1 && timeMs <= timesMs[n - 1]!) {
    throw new ConfigError(
      `${where}:${line}: time ${text} does not follow ${formatTime(timesMs[n - 1]!)}; sort the rows by time, one row a time`,
    );
  }
  if (n >= 2 && timeMs - timesMs[n - 1]! !== timesMs[1]! - timesMs[0]!) {
    throw new ConfigError(
      `${where}:${line}: time ${text} is ${(timeMs - timesMs[n - 1]!) / 1000} s after the row before it, expected the even step of ${(timesMs[1]! - timesMs[0]!) / 1000} s; fill the gap or remove the row`,
    );
  }
  return timeMs;
}

function lines(header: string, rows: readonly string[]): string {
  return `${header}\n${rows.length === 0 ? '' : `${rows.join('\n')}\n`}`;
}
