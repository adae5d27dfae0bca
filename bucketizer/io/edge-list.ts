/** Ties from a file or from standard input, in any format: told by the first bytes (Parquet by its magic, u32 pairs by zero
 *  bytes, which text does not have, METIS by its `%` comments or a name that ends in `.graph`, else text), unless the
 *  caller says it. Lines that say nothing clear are refused by number, or skipped and counted up to a limit. */

import { ConfigError } from '../../config/errors.ts';
import { type ByteSource, openBytes } from './byte-source.ts';
import { readMetisTies } from './metis-ties.ts';
import { readPairTies } from './pair-ties.ts';
import { readTextTies } from './text-ties.ts';
import { type EdgeList, TieCollector } from './tie-collector.ts';

export const tieFormats = ['auto', 'snap', 'csv', 'metis', 'u32', 'parquet'] as const;
export type TieFormat = (typeof tieFormats)[number];

export interface ReadTies {
  readonly format?: TieFormat; // default: auto
  readonly onRead?: (bytes: number, of: number) => void;
}

/** `path` `-`: standard input. Throws a ConfigError naming file and line at the first bad line beyond `badLinesMax`, and
 *  where no tie is found. */
export async function readEdgeList(path: string, badLinesMax: number, options: ReadTies = {}): Promise<EdgeList> {
  const { format = 'auto', onRead = () => {} } = options;
  const source = await openBytes(path);
  try {
    const into = new TieCollector(source.name, badLinesMax, isSmall(source));
    const found = format === 'auto' ? formatOf(source) : format;
    switch (found) {
      case 'snap':
      case 'csv':
        await readTextTies(source, into, format === 'auto' ? null : found === 'csv', onRead);
        return into.finish();
      case 'metis':
        return into.finish(true, await readMetisTies(source, into, onRead));
      case 'u32':
        await readPairTies(source, into, onRead);
        return into.finish();
      case 'parquet': {
        const { readParquetTies } = await import('./parquet-ties.ts'); // few need it, and it takes as long to load as Node
        await readParquetTies(source, path, into, onRead);
        return into.finish();
      }
    }
  } finally {
    source.close();
  }
}

const smallBytes = 1 << 24;

/** What is of such a size takes less than half a gigabyte to number, whatever its ids are. What comes through a pipe, or is
 *  in gzip, can be of any size. */
function isSmall({ bytes, gzip }: ByteSource): boolean {
  return !gzip && bytes > 0 && bytes < smallBytes;
}

function formatOf({ head, name }: ByteSource): Exclude<TieFormat, 'auto'> {
  if (isUtf16(head)) throw new ConfigError(`${name}: text in UTF-16, expected UTF-8, plain or gzip; save it as UTF-8`);
  if (startsWith(head, 'PAR1')) return 'parquet';
  if (head.includes(0)) return 'u32';
  if (startsWith(head, '%') || /\.graph(\.gz)?$/.test(name)) return 'metis';
  return 'snap';
}

function startsWith(head: Uint8Array, text: string): boolean {
  return Array.from(text).every((letter, i) => head[i] === letter.charCodeAt(0));
}

/** A byte order mark, then Latin letters: as u32 pairs, the first id is beyond 65,000 and all others have no second byte. */
function isUtf16(head: Uint8Array): boolean {
  const little = head[0] === 0xff && head[1] === 0xfe;
  const big = head[0] === 0xfe && head[1] === 0xff;
  if (!(little || big) || head.length < 4) return false;
  return head.subarray(2, 66).every((byte, i) => (i % 2 === (little ? 1 : 0)) === (byte === 0));
}
