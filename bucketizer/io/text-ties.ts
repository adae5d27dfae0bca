/** Ties from text: SNAP (`a b` or `a b weight` a line, `#` comments, with a header or without) or CSV with a header, told
 *  apart by whether the first line that is no comment has a comma. CSV has comments before its header only: below it, `#`
 *  may begin an id. Ids are opaque, `007` is not `7`. Quoted fields may hold commas, not line ends: a file is read line by
 *  line, so that one of any size can be. */

import { csvNumber, csvRows } from '../../config/csv.ts';
import { ConfigError, countOf } from '../../config/errors.ts';
import type { ByteSource } from './byte-source.ts';
import type { PairLines } from './id-table.ts';
import { eachLineBut, type OnLine } from './text-stream.ts';
import { shorten, type TieCollector } from './tie-collector.ts';

/** Columns of the two ends of a tie, by the names people give them. */
export const endNames: readonly (readonly [string, string])[] = [
  ['user', 'friend'],
  ['source', 'target'],
  ['from', 'to'],
  ['node_1', 'node_2'],
  ['id_1', 'id_2'],
];

/** How the fields of a line are found. `weight` -1: there is none. */
interface Layout {
  readonly csv: boolean;
  readonly fields: number;
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

/** `csv`: whether lines are CSV; null: as the first line says. Throws a ConfigError naming file and line. */
export async function readTextTies(
  source: ByteSource,
  into: TieCollector,
  csv: boolean | null,
  onRead: (bytes: number, of: number) => void,
): Promise<void> {
  let layout: Layout | null = null;
  let isLikeMetis = false; // as far as the first line tells
  const onText: OnLine = (line, number, wrong) => {
    const isBlank = line.trim() === '' && wrong === null; // of a line that is too long only its beginning may be
    if (isBlank || (line.startsWith('#') && layout?.csv !== true)) return;
    if (wrong !== null) {
      into.bad(number, wrong);
      return;
    }
    if (layout === null) {
      const header = headerLayout(line, csv ?? line.includes(','), source.name, number);
      layout = header ?? textLayout(line);
      if (header !== null) return;
      isLikeMetis = /^\s*\d+(\s+\d+){1,3}\s*$/.test(line);
    }
    const tie = parseTie(line, layout, source.name, number);
    if (typeof tie === 'string') into.bad(number, isLikeMetis ? `${tie}${metisHint(line, layout)}` : tie);
    else into.add(tie.from, tie.to, tie.weight);
  };
  await eachLineBut(
    source,
    (bytes, start, end) => {
      if (layout === null || layout.fields !== 2) return { lines: 0, next: start };
      return into.addPairLines(bytes, start, end, layout.csv ? csvPairs : snapPairs, layout.from === 1);
    },
    onText,
    onRead,
  );
}

const [quote, comma, space, tab] = [0x22, 0x2c, 0x20, 0x09];
const csvPairs: PairLines = {
  ofId: bytesThat((byte) => byte >= space && byte <= 0x7e && byte !== comma && byte !== quote),
  between: bytesThat((byte) => byte === comma),
  betweenMax: 1,
};
const snapPairs: PairLines = {
  ofId: bytesThat((byte) => byte > space && byte <= 0x7e),
  between: bytesThat((byte) => byte === space || byte === tab),
  betweenMax: Infinity,
};

function bytesThat(serves: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (serves(byte) ? 1 : 0));
}

/** The layout a header states, or null where the first line is data already. */
function headerLayout(line: string, csv: boolean, path: string, number: number): Layout | null {
  const names = splitFields(line, csv) ?? [];
  const ends = endNames.find(([from, to]) => names.includes(from) && names.includes(to));
  if (ends !== undefined) {
    const weight = names.indexOf('weight');
    return { csv, fields: names.length, from: names.indexOf(ends[0]), to: names.indexOf(ends[1]), weight };
  }
  if (!csv) return null;
  throw new ConfigError(
    `${path}:${number}: ${shorten(line)} is not a header${separatorHint(line)}; expected "user,friend" or "user,friend,weight" as the first line of CSV`,
  );
}

/** Of a METIS graph that came through a pipe, or by another name. */
function metisHint(line: string, { fields }: Layout): string {
  const isOther = /^[\d\s]+$/.test(line) && splitFields(line, false)!.length !== fields;
  return isOther ? ' (of a METIS graph? then say --format metis)' : '';
}

/** Spreadsheets of half of the world write semicolons. */
function separatorHint(line: string): string {
  const separator = /[;|]/.exec(line)?.[0];
  return separator === undefined ? '' : ` ("${separator}" separates no fields here: write a comma)`;
}

function textLayout(firstLine: string): Layout {
  const weighted = splitFields(firstLine, false)!.length === 3;
  return { csv: false, fields: weighted ? 3 : 2, from: 0, to: 1, weight: weighted ? 2 : -1 };
}

/** What the line says, or what is wrong with it. */
function parseTie(
  line: string,
  layout: Layout,
  path: string,
  number: number,
): { from: string; to: string; weight: number } | string {
  const fields = splitFields(line, layout.csv);
  if (fields === null)
    return 'a quote is never closed, or stands inside a field; quote whole fields and double quotes in them';
  if (fields.length !== layout.fields) {
    const hint = fields.length < layout.fields ? separatorHint(line) : '';
    return `${countOf(fields.length, 'field')} in ${shorten(line)}, expected ${layout.fields}${hint}`;
  }
  const from = fields[layout.from]!;
  const to = fields[layout.to]!;
  if (from === '' || to === '') return `an id is empty in ${shorten(line)}, expected two`;
  if (layout.weight < 0) return { from, to, weight: 1 };
  const text = fields[layout.weight]!;
  try {
    const range = { min: 0, minExcluded: true, max: Number.MAX_VALUE, unit: '' };
    return { from, to, weight: csvNumber(text, { where: path, line: number, column: 'weight' }, range) };
  } catch {
    return `weight is ${shorten(text)}, expected a number above 0`;
  }
}

/** Null where the quotes make no sense. */
function splitFields(line: string, csv: boolean): readonly string[] | null {
  if (!csv) return line.trim().split(/\s+/);
  if (!line.includes('"')) return line.split(',');
  try {
    return [...csvRows(line, '')][0]!.fields;
  } catch {
    return null;
  }
}
