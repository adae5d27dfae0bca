/** What the rows of a world's files have in common: places, times and names, and how they are refused. */

import { type CsvRow, csvNumber } from './csv.ts';
import { didYouMean } from './did-you-mean.ts';
import { parseTimeMs } from './duration.ts';
import { ConfigError, quoteStart } from './errors.ts';
import type { DatacenterId, EdgeId } from './ids.ts';

/** A file's text, and its name as complaints give it. */
export interface WorldFile {
  readonly text: string;
  readonly where: string;
}

export function pick(row: CsvRow, columns: readonly number[]): string[] {
  return columns.map((column) => row.fields[column] ?? '');
}

export function place(lat: string, lon: string, line: number, where: string): { lat: number; lon: number } {
  return {
    lat: csvNumber(lat, { where, line, column: 'lat' }, { min: -90, max: 90, unit: 'degrees' }),
    lon: csvNumber(lon, { where, line, column: 'lon' }, { min: -180, max: 180, unit: 'degrees' }),
  };
}

export function refuseTwice(lineOf: Map<string, number>, noun: string, id: string, line: number, where: string): void {
  const first = lineOf.get(id);
  if (first !== undefined) {
    throw new ConfigError(
      `${where}:${line}: ${noun} ${quoteStart(id)} is given twice, first on line ${first}; keep one row`,
    );
  }
  lineOf.set(id, line);
}

export function refuseUnknown<Id extends EdgeId | DatacenterId>(
  known: ReadonlyMap<Id, number>,
  noun: string,
  id: Id,
  file: string,
  line: number,
  where: string,
): void {
  if (known.has(id)) return;
  throw new ConfigError(`${where}:${line}: unknown ${noun} "${id}"${didYouMean(id, known.keys())}; add it to ${file}`);
}

export function timeOf(text: string, line: number, where: string): number {
  const timeMs = parseTimeMs(text);
  if (Number.isNaN(timeMs)) {
    throw new ConfigError(
      `${where}:${line}: time is ${quoteStart(text)}, expected RFC 3339 in UTC such as 2026-03-05T00:00:00Z`,
    );
  }
  return timeMs;
}

export function csvText(header: string, rows: readonly string[]): string {
  return `${header}\n${rows.length === 0 ? '' : `${rows.join('\n')}\n`}`;
}
