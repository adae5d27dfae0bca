/** demand.csv: a row a time, a column an edge; with a column `service`, a row a time and service. */

import { csvField, csvNumber, csvTable } from './csv.ts';
import { formatTime } from './duration.ts';
import { ConfigError } from './errors.ts';
import { compareIds, edgeId, serviceId } from './ids.ts';
import { indexById, type Topology } from './topology.ts';
import type { DemandSeries, ServiceDemand, World } from './world.ts';
import { csvText, refuseUnknown, timeOf, type WorldFile } from './world-rows.ts';

interface ParsedDemand {
  readonly demand: DemandSeries; // of all services together
  readonly services: readonly ServiceDemand[] | null; // by name; null: the file knows none
}

interface Series {
  readonly timesMs: number[];
  readonly rps: number[];
}

/** Throws a ConfigError with file and line. */
export function parseDemand({ text, where }: WorldFile, topology: Topology): ParsedDemand {
  const table = csvTable(text, where, { required: ['time'], others: 'any' });
  const { edges } = topology;
  const timeColumn = table.columns[0]!;
  const serviceColumn = edges.some(({ id }) => id === 'service') ? -1 : table.header.indexOf('service');
  const edgeOfColumn = edgesOfColumns(table.header, [timeColumn, serviceColumn], topology, where);
  const series = new Map<string, Series>();
  for (const row of table.rows) {
    const service = serviceColumn < 0 ? '' : serviceId(row.fields[serviceColumn]!, `${where}:${row.line}`);
    const own = series.get(service) ?? { timesMs: [], rps: [] };
    series.set(service, own);
    own.timesMs.push(nextTimeMs(row.fields[timeColumn]!, own.timesMs, row.line, where));
    const base = own.rps.length;
    for (let column = 0; column < row.fields.length; column++) {
      const e = edgeOfColumn[column]!;
      if (e < 0) continue;
      const at = { where, line: row.line, column: `demand of ${edges[e]!.id}` };
      own.rps[base + e] = csvNumber(row.fields[column]!, at, { min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'rps' });
    }
  }
  const names = [...series.keys()].sort(compareIds);
  if (names.length === 0) throw new ConfigError(`${where}: no demand, expected at least one row below the header`);
  const first = series.get(names[0]!)!;
  for (const name of names) refuseOtherTimes(first, series.get(name)!, name, where);
  const timesMs = Float64Array.from(first.timesMs);
  const all = new Float64Array(first.rps.length);
  for (const { rps } of series.values()) for (let i = 0; i < all.length; i++) all[i]! += rps[i]!;
  return {
    demand: { timesMs, rps: all },
    services:
      serviceColumn < 0
        ? null
        : names.map((service) => ({ service, rps: Float64Array.from(series.get(service)!.rps) })),
  };
}

/** The text of the file. */
export function formatDemand({ topology, demand, services }: World): string {
  const width = topology.edges.length;
  const homes = topology.edges.map(({ id }) => csvField(id));
  const row = (t: number, rps: Float64Array, service: string): string =>
    `${formatTime(demand.timesMs[t]!)},${service}${rps.subarray(t * width, (t + 1) * width).join(',')}`;
  const times = [...demand.timesMs.keys()];
  if (!services) {
    return csvText(
      ['time', ...homes].join(','),
      times.map((t) => row(t, demand.rps, '')),
    );
  }
  return csvText(
    ['time', 'service', ...homes].join(','),
    times.flatMap((t) => services.map(({ service, rps }) => row(t, rps, `${csvField(service)},`))),
  );
}

/** [column] index of its edge; -1 for the others named. */
function edgesOfColumns(
  header: readonly string[],
  others: readonly number[],
  { edges }: Topology,
  where: string,
): readonly number[] {
  const edgeIndex = indexById(edges);
  const edgeOfColumn = header.map((name, column) => {
    if (others.includes(column)) return -1;
    const edge = edgeId(name, `${where}:1`);
    refuseUnknown(edgeIndex, 'edge', edge, 'edges.csv', 1, where);
    return edgeIndex.get(edge)!;
  });
  for (let e = 0; e < edges.length; e++) {
    if (!edgeOfColumn.includes(e)) {
      throw new ConfigError(`${where}:1: no column for edge "${edges[e]!.id}"; add it, with 0 where it has no demand`);
    }
  }
  return edgeOfColumn;
}

function refuseOtherTimes(first: Series, other: Series, service: string, where: string): void {
  const t = first.timesMs.findIndex((timeMs, i) => timeMs !== other.timesMs[i]);
  if (t < 0 && first.timesMs.length === other.timesMs.length) return;
  const timeMs = first.timesMs[t] ?? other.timesMs[first.timesMs.length]!;
  throw new ConfigError(
    `${where}: service "${service}" and another do not both have a row for ${formatTime(timeMs)}; give every service a row for every time`,
  );
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
