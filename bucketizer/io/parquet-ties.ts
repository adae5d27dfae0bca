/** Ties from Parquet, one row group at a time: columns named as in CSV (`user,friend[,weight]`), ids text or integers.
 *  The index of a Parquet file is at its end, so one that comes through a pipe is held whole. */

import { Buffer } from 'node:buffer';
import { type AsyncBuffer, asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { ConfigError } from '../../config/errors.ts';
import type { ByteSource } from './byte-source.ts';
import { textOf } from './text-stream.ts';
import { endNames } from './text-ties.ts';
import { shorten, type TieCollector } from './tie-collector.ts';

const parsers = { stringFromBytes: (bytes: Uint8Array | undefined) => bytes && (textOf(bytes) ?? bytes) };

export async function readParquetTies(
  source: ByteSource,
  path: string,
  into: TieCollector,
  onRead: (bytes: number, of: number) => void,
): Promise<void> {
  if (source.gzip) {
    throw new ConfigError(
      `${source.name}: Parquet in gzip, expected it plain; undo the gzip (Parquet compresses by itself)`,
    );
  }
  try {
    const file = source.isFile ? await asyncBufferFromFile(path) : await heldWhole(source);
    const metadata = await parquetMetadataAsync(file);
    const names = metadata.schema.slice(1).map(({ name }) => name);
    const ends = endNames.find(([from, to]) => names.includes(from) && names.includes(to));
    if (ends === undefined) {
      throw new ConfigError(`${source.name}: columns ${names.join(', ')}; expected user, friend and perhaps weight`);
    }
    const columns = names.includes('weight') ? [...ends, 'weight'] : [...ends];
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      const rows = await parquetReadObjects({ file, metadata, columns, rowStart, rowEnd, compressors, parsers });
      for (const [i, row] of rows.entries()) addRow(row, rowStart + i + 1, ends, into);
      rowStart = rowEnd;
      onRead(rowStart, Number(metadata.num_rows));
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const reason = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    throw new ConfigError(`${source.name}: not a whole Parquet file (${reason}); copy it again`);
  }
}

function addRow(
  row: Readonly<Record<string, unknown>>,
  number: number,
  [from, to]: readonly [string, string],
  into: TieCollector,
): void {
  const ends = [idOf(row[from]), idOf(row[to])] as const;
  const given = 'weight' in row ? row['weight'] : 1;
  const weight = typeof given === 'object' ? Number.NaN : Number(given); // null, a date, bytes that are no text
  if (ends[0] === null || ends[1] === null)
    into.bad(`row ${number}`, 'an id is empty or no integer or text in UTF-8, expected two');
  else if (!(weight > 0 && weight < Infinity))
    into.bad(`row ${number}`, `weight is ${weightShown(given)}, expected a number above 0`);
  else into.add(ends[0], ends[1], weight);
}

function idOf(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  return typeof value === 'bigint' || Number.isSafeInteger(value) ? String(value) : null;
}

function weightShown(given: unknown): string {
  return given === null || given === undefined || given === '' ? 'empty' : shorten(String(given));
}

async function heldWhole(source: ByteSource): Promise<AsyncBuffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.chunks) chunks.push(chunk);
  const bytes = new Uint8Array(Buffer.concat(chunks));
  return { byteLength: bytes.length, slice: async (start, end) => bytes.buffer.slice(start, end) as ArrayBuffer };
}
