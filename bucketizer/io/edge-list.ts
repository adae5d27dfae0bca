/** Ties from a file: SNAP text (`a b` or `a b weight` a line, `#` comments) or CSV with a header, told apart by whether
 *  the first line has a comma. Ids are opaque, `007` is not `7`. Lines that say nothing clear are refused by number, or
 *  skipped and counted up to a limit the caller sets. Quoted fields may hold commas, not line ends: a file is read line
 *  by line, so that one of any size can be. */

import { csvNumber, csvRows } from '../../config/csv.ts';
import { ConfigError } from '../../config/errors.ts';
import { eachLine } from './text-stream.ts';

export interface EdgeList {
  readonly users: readonly string[]; // by first appearance
  readonly ties: Uint32Array; // pairs of indices into users; self-ties and repeated ones as given
  readonly tieWeights: Float64Array | null; // [tie] > 0; null where the file has no weights
  readonly badLines: number; // skipped
}

/** Columns of the two ends of a tie, by the names people give them. */
const endNames: readonly (readonly [string, string])[] = [
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

/** Throws a ConfigError naming file and line at the first bad line beyond `badLinesMax`, and where no tie is found. */
export async function readEdgeList(
  path: string,
  badLinesMax: number,
  onRead: (bytes: number, of: number) => void = () => {},
): Promise<EdgeList> {
  const ids = new Map<string, number>();
  const ties = new Numbers(Uint32Array);
  const weights = new Numbers(Float64Array);
  let layout: Layout | null = null;
  let badLines = 0;

  const index = (id: string): number => {
    const known = ids.get(id);
    if (known !== undefined) return known;
    ids.set(id, ids.size);
    return ids.size - 1;
  };

  await eachLine(
    path,
    (line, number) => {
      if (line === '' || line.startsWith('#') || line.trim() === '') return;
      if (layout === null) {
        const header = headerLayout(line, path, number);
        layout = header ?? textLayout(line);
        if (header !== null) return;
      }
      const tie = parseTie(line, layout, path, number);
      if (typeof tie === 'string') {
        badLines++;
        if (badLines <= badLinesMax) return;
        const which = badLinesMax === 0 ? 'mend it, or skip such lines with' : `bad line ${badLines}, more than`;
        throw new ConfigError(
          `${path}:${number}: ${tie}; ${which} --max-bad-lines${badLinesMax === 0 ? '' : ` ${badLinesMax}`}`,
        );
      }
      ties.push(index(tie.from));
      ties.push(index(tie.to));
      if (layout.weight >= 0) weights.push(tie.weight);
    },
    onRead,
  );
  if (ties.length === 0) {
    throw new ConfigError(
      `${path}: the graph is empty, no line holds a tie; expected lines such as "a b" or "user,friend"`,
    );
  }
  const weighted = weights.length > 0;
  return {
    users: [...ids.keys()],
    ties: ties.values() as Uint32Array,
    tieWeights: weighted ? (weights.values() as Float64Array) : null,
    badLines,
  };
}

/** The layout a header states, or null where the first line is data already. */
function headerLayout(line: string, path: string, number: number): Layout | null {
  const csv = line.includes(',');
  const names = splitFields(line, csv) ?? [];
  const ends = endNames.find(([from, to]) => names.includes(from) && names.includes(to));
  if (ends !== undefined) {
    const weight = names.indexOf('weight');
    return { csv, fields: names.length, from: names.indexOf(ends[0]), to: names.indexOf(ends[1]), weight };
  }
  if (!csv) return null;
  throw new ConfigError(
    `${path}:${number}: ${shorten(line)} is not a header; expected "user,friend" or "user,friend,weight" as the first line of CSV`,
  );
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
  if (fields.length !== layout.fields) return `${fields.length} fields in ${shorten(line)}, expected ${layout.fields}`;
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

function shorten(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

/** A typed array that grows: a list of JavaScript numbers costs several times the memory. */
class Numbers {
  length = 0;
  private held: Uint32Array | Float64Array;
  private readonly make: Uint32ArrayConstructor | Float64ArrayConstructor;

  constructor(make: Uint32ArrayConstructor | Float64ArrayConstructor) {
    this.make = make;
    this.held = new make(1 << 12);
  }

  push(value: number): void {
    if (this.length === this.held.length) {
      const grown = new this.make(2 * this.held.length);
      grown.set(this.held);
      this.held = grown;
    }
    this.held[this.length++] = value;
  }

  values(): Uint32Array | Float64Array {
    return this.held.slice(0, this.length);
  }
}
