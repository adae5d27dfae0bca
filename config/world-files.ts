/** The files of a world directory and what their columns mean: text to World and back, no disk. A complaint names file
 *  and line, says what was found and how to mend it; nothing is guessed, dropped or repaired in silence, save that a tie
 *  listed twice (once from either side, say) counts once. */

import { csvField, csvNumber, csvTable } from './csv.ts';
import { didYouMean } from './did-you-mean.ts';
import { formatTime } from './duration.ts';
import { ConfigError, quoteStart } from './errors.ts';
import { compareIds, datacenterId, edgeId } from './ids.ts';
import { type Datacenter, type Edge, indexById, makeTopology, type RttRow, type Topology } from './topology.ts';
import type { DatacenterEvent, StaticWorld, World, WorldUsers } from './world.ts';
import {
  formatDatacenters,
  formatResources,
  hasShared,
  parseDatacenters,
  parseResources,
  withResources,
} from './world-capacity.ts';
import { formatDemand, parseDemand } from './world-demand.ts';
import { csvText, pick, place, refuseTwice, refuseUnknown, timeOf, type WorldFile } from './world-rows.ts';

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

/** May be absent. */
export const optionalWorldFileNames = ['resources.csv'] as const;

export type WorldFileName = (typeof worldFileNames)[number] | (typeof optionalWorldFileNames)[number];

/** Where a world's files come from: throws where one is missing, null where an optional one is. */
export interface WorldFiles {
  (name: (typeof worldFileNames)[number]): WorldFile;
  readonly optional?: (name: (typeof optionalWorldFileNames)[number]) => WorldFile | null;
}

/** Throws a ConfigError at the first thing wrong. */
export function parseWorld(file: WorldFiles): World {
  const topology = parseTopology(file);
  const { demand, services } = parseDemand(file('demand.csv'), topology);
  const events = parseEvents(file('events.csv'), topology);
  const users = parseUsers(file('users.csv'), topology);
  const friends = parseFriends(file('friends.csv'), users);
  return { topology, demand, ...(services && { services }), events, users, friends };
}

/** Places and users alone; the other files need not be there. Throws a ConfigError at the first thing wrong. */
export function parseStaticWorld(file: WorldFiles): StaticWorld {
  const topology = parseTopology(file);
  return { topology, users: parseUsers(file('users.csv'), topology) };
}

/** The same bytes for the same world, on every machine. */
export function formatWorld(
  world: World,
): Readonly<Record<(typeof worldFileNames)[number], string>> & Readonly<Partial<Record<WorldFileName, string>>> {
  const { topology, events, users, friends } = world;
  const { edges, datacenters, rttMs } = topology;
  const ids = users.ids.map(csvField);
  const homes = edges.map((edge) => csvField(edge.id));
  const ties: string[] = [];
  for (let i = 0; i < friends.length; i += 2) ties.push(`${ids[friends[i]!]!},${ids[friends[i + 1]!]!}`);
  return {
    'edges.csv': formatEdges(edges),
    'datacenters.csv': formatDatacenters(topology),
    ...(hasShared(topology) && { 'resources.csv': formatResources(topology) }),
    'latency.csv': csvText(
      'edge,datacenter,rtt_ms',
      edges.flatMap((edge, e) =>
        datacenters.map((dc, d) => `${csvField(edge.id)},${csvField(dc.id)},${rttMs[e * datacenters.length + d]!}`),
      ),
    ),
    'demand.csv': formatDemand(world),
    'events.csv': csvText(
      'time,datacenter,state',
      events.map((event) => `${formatTime(event.timeMs)},${csvField(event.datacenter)},${event.state}`),
    ),
    'users.csv': csvText(
      'user,home_edge,weight',
      ids.map((id, u) => `${id},${homes[users.homeEdge[u]!]!},${users.weight[u]!}`),
    ),
    'friends.csv': csvText('user,friend', ties),
  };
}

function parseTopology(file: WorldFiles): Topology {
  const edges = parseEdges(file('edges.csv'));
  const { datacenters, ofServices } = parseDatacenters(file('datacenters.csv'));
  const latency = file('latency.csv');
  const topology = makeTopology(edges, datacenters, parseLatency(latency, edges, datacenters), latency.where);
  const shared = file.optional?.('resources.csv') ?? null;
  return withResources(topology, [...ofServices(topology), ...(shared ? parseResources(shared, topology) : [])]);
}

/** The columns of regions and unsteered shares are there where an edge has one. */
function formatEdges(edges: readonly Edge[]): string {
  const regions = edges.some(({ region }) => region !== undefined);
  const unsteered = edges.some((edge) => edge.unsteered !== undefined);
  return csvText(
    `edge,city,lat,lon${regions ? ',region' : ''}${unsteered ? ',unsteered' : ''}`,
    edges.map(
      ({ id, city, lat, lon, region = '', unsteered: share = 0 }) =>
        `${csvField(id)},${csvField(city)},${lat},${lon}${regions ? `,${csvField(region)}` : ''}${unsteered ? `,${share}` : ''}`,
    ),
  );
}

function parseEdges({ text, where }: WorldFile): Edge[] {
  const table = csvTable(text, where, {
    required: ['edge', 'city', 'lat', 'lon'],
    optional: ['region', 'unsteered'],
    others: 'none',
  });
  const edges: Edge[] = [];
  const lineOf = new Map<string, number>();
  for (const row of table.rows) {
    const [id, city, lat, lon, region, unsteered] = pick(row, table.columns);
    const edge = edgeId(id!, `${where}:${row.line}`);
    refuseTwice(lineOf, 'edge', edge, row.line, where);
    const named = region === '' ? {} : { region: region! };
    const at = { where, line: row.line, column: 'unsteered' };
    const share = unsteered === '' ? 0 : csvNumber(unsteered!, at, { min: 0, max: 1, unit: 'of its demand' });
    edges.push({
      id: edge,
      city: city!,
      ...place(lat!, lon!, row.line, where),
      ...named,
      ...(share > 0 && { unsteered: share }),
    });
  }
  if (edges.length === 0) throw new ConfigError(`${where}: no edges, expected at least one row below the header`);
  return edges;
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
