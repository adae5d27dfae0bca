/** Ties from a file or from standard input, in any format: told by the first bytes, unless the caller says it. Lines that
 *  say nothing clear are refused by number, or skipped and counted up to a limit. */

import { type ByteSource, openBytes } from './byte-source.ts';
import { readMetisTies } from './metis-ties.ts';
import { readPairTies } from './pair-ties.ts';
import { readTextTies } from './text-ties.ts';
import { type EdgeList, TieCollector } from './tie-collector.ts';
import { formatOf, type TieFormat } from './tie-format.ts';

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
