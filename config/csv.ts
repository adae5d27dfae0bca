/** Comma-separated values as RFC 4180 has them: quotes, quotes within quotes, CRLF or LF, a byte order mark or none.
 *  Every row knows its line, because every complaint about a file names one. Blank lines are skipped. Declined: guessing
 *  separators, trimming blanks, comments; what is not plain CSV is refused and says where. */

import { didYouMean } from './did-you-mean.ts';
import { ConfigError, quoteStart } from './errors.ts';

export interface CsvRow {
  readonly line: number; // 1-based, where the row begins
  readonly fields: readonly string[];
}

/** A file with its header read: `at(row, k)` of the columns asked for is `row.fields[columns[k]]`. */
export interface CsvTable {
  readonly header: readonly string[];
  readonly columns: readonly number[]; // [index into the names asked for] = index into fields; -1: optional and absent
  readonly rows: Iterable<CsvRow>; // each with as many fields as the header
}

/** Rows of `text`; throws a ConfigError at a stray or unclosed quote. */
export function* csvRows(text: string, where: string): Generator<CsvRow> {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    let end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    const bare = text.slice(at, text.charCodeAt(end - 1) === 13 && end > at ? end - 1 : end);
    if (!bare.includes('"')) {
      if (bare !== '') yield { line, fields: bare.split(',') };
      at = end + 1;
      line += 1;
    } else {
      const row = quotedRow(text, at, line, where);
      yield { line, fields: row.fields };
      at = row.end;
      line += row.lines;
    }
  }
}

/** Reads the header and finds the columns named; `others` says whether further columns are data (`any`) or mistakes. */
export function csvTable(
  text: string,
  where: string,
  names: {
    readonly required: readonly string[];
    readonly optional?: readonly string[];
    readonly others: 'any' | 'none';
  },
): CsvTable {
  const optional = names.optional ?? [];
  const rows = csvRows(text, where);
  const first = rows.next();
  if (first.done) throw new ConfigError(`${where}: the file is empty, expected the header ${names.required.join(',')}`);
  const { line, fields: header } = first.value;
  const seen = new Set<string>();
  const known = [...names.required, ...optional];
  for (const name of header) {
    if (seen.has(name)) throw new ConfigError(`${where}:${line}: column ${quoteStart(name)} is given twice; keep one`);
    seen.add(name);
  }
  for (const name of names.required) {
    if (!seen.has(name)) {
      throw new ConfigError(
        `${where}:${line}: no column "${name}" in the header ${quoteStart(header.join(','))}, expected ${names.required.join(',')}`,
      );
    }
  }
  if (names.others === 'none') {
    for (const name of header) {
      if (!known.includes(name)) {
        throw new ConfigError(
          `${where}:${line}: unknown column ${quoteStart(name)}${didYouMean(name, known)}; expected ${known.join(', ')}`,
        );
      }
    }
  }
  return { header, columns: known.map((name) => header.indexOf(name)), rows: sameWidth(rows, header.length, where) };
}

/** One field as a file holds it, quoted only where it must be. */
export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A number as people write it; `unit` is the word the complaint uses: `rps`, `ms`. Throws a ConfigError. */
export function csvNumber(
  text: string,
  at: { readonly where: string; readonly line: number; readonly column: string },
  range: { readonly min: number; readonly minExcluded?: boolean; readonly max: number; readonly unit: string },
): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= range.min && value <= range.max && !(range.minExcluded === true && value === range.min)) return value;
  const bounds = range.minExcluded === true ? `above ${range.min}` : `of at least ${range.min}`;
  const most = Number.isFinite(range.max) && range.max < Number.MAX_VALUE ? ` and at most ${range.max}` : '';
  const found = text === '' ? 'empty' : quoteStart(text);
  throw new ConfigError(
    `${at.where}:${at.line}: ${at.column} is ${found}, expected a number ${bounds}${most}${range.unit === '' ? '' : ` in ${range.unit}`}${mend(text, range.unit)}`,
  );
}

/** What a wrong unit or a wrong style would be when written right. */
function mend(text: string, unit: string): string {
  const withUnit = /^(\d+(?:\.\d+)?)\s*(s|ms|us|k|K|M|krps|rps|%)$/.exec(text.trim());
  if (withUnit) {
    const scale: Readonly<Record<string, number>> =
      unit === 'ms'
        ? { s: 1000, ms: 1, us: 0.001 }
        : unit === 'rps'
          ? { rps: 1, k: 1e3, K: 1e3, krps: 1e3, M: 1e6 }
          : {};
    const factor = scale[withUnit[2]!];
    if (factor !== undefined) return `; write ${Number((Number(withUnit[1]) * factor).toPrecision(12))}`;
  }
  if (text.trim() === '') return unit === 'rps' ? '; write 0 where there is none' : '; fill it in';
  if (/^\s|\s$/.test(text)) return '; remove the blanks around it';
  return '';
}

function* sameWidth(rows: Iterator<CsvRow>, width: number, where: string): Generator<CsvRow> {
  for (let next = rows.next(); !next.done; next = rows.next()) {
    const row = next.value;
    if (row.fields.length !== width) {
      throw new ConfigError(
        `${where}:${row.line}: ${row.fields.length} fields, expected ${width} as in the header; a comma inside a field needs quotes around it`,
      );
    }
    yield row;
  }
}

/** A row with a quote somewhere: character by character, over line ends inside quotes. */
function quotedRow(
  text: string,
  start: number,
  line: number,
  where: string,
): { fields: string[]; end: number; lines: number } {
  const fields: string[] = [];
  let at = start;
  let lines = 0;
  for (;;) {
    let field = '';
    if (text[at] === '"') {
      for (let from = at + 1; ; ) {
        const close = text.indexOf('"', from);
        if (close < 0)
          throw new ConfigError(`${where}:${line}: a quote is opened and never closed; close it or double it`);
        field += text.slice(from, close);
        at = close + 1;
        if (text[at] !== '"') break;
        field += '"';
        from = at + 1;
      }
      for (let i = field.indexOf('\n'); i >= 0; i = field.indexOf('\n', i + 1)) lines += 1;
    } else {
      const stop = /[,"\r\n]/g;
      stop.lastIndex = at;
      const found = stop.exec(text)?.index ?? text.length;
      field = text.slice(at, found);
      at = found;
    }
    fields.push(field);
    if (text[at] === ',') at += 1;
    else if (at >= text.length) return { fields, end: at, lines: lines + 1 };
    else if (text[at] === '\n') return { fields, end: at + 1, lines: lines + 1 };
    else if (text[at] === '\r' && text[at + 1] === '\n') return { fields, end: at + 2, lines: lines + 1 };
    else
      throw new ConfigError(
        `${where}:${line + lines}: a stray quote or text after one; quote the whole field and double the quotes in it`,
      );
  }
}
