import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvField, csvRows, csvTable } from '../../config/csv.ts';
import { complaintOf } from './small-world.ts';

const rowsOf = (text: string): string[][] => [...csvRows(text, 'x.csv')].map((row) => [...row.fields]);

describe('RFC 4180', () => {
  test.each([
    [
      'a,b\nc,d\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a,b\r\nc,d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['\ufeffa,b\n', [['a', 'b']]],
    ['"a,b",c\n', [['a,b', 'c']]],
    ['"say ""hi""",c\n', [['say "hi"', 'c']]],
    [
      '"two\nlines",c\r\nd,e',
      [
        ['two\nlines', 'c'],
        ['d', 'e'],
      ],
    ],
    ['"",\n', [['', '']]],
    ['a,"b"', [['a', 'b']]],
    ['\n\na\n\n', [['a']]],
    ['a,\n', [['a', '']]],
    ['', []],
  ])('%j', (text, rows) => {
    expect(rowsOf(text)).toEqual(rows);
  });

  test('whatever the fields hold, they come back as they were written', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', 'é', '💡') });
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 5 }),
        fc.boolean(),
        (rows, crlf) => {
          const text = rows.map((row) => row.map(csvField).join(',')).join(crlf ? '\r\n' : '\n');
          expect(rowsOf(text)).toEqual(rows);
        },
      ),
    );
  });

  test('a row knows the line it begins on, also after fields of several lines', () => {
    const lines = [...csvRows('h\n"a\nb\nc"\n\nd\r\n"e"\nf', 'x.csv')].map((row) => row.line);
    expect(lines).toEqual([1, 2, 6, 7, 8]);
  });

  test.each([
    ['a\nb"c\n', 'x.csv:2: a stray quote'],
    ['a\n"b"c\n', 'x.csv:2: a stray quote or text after one'],
    ['a\n"b\n', 'x.csv:2: a quote is opened and never closed; close it or double it'],
  ])('%j is refused', (text, expected) => {
    expect(complaintOf(() => rowsOf(text))).toContain(expected);
  });
});

test('columns are found by name, wherever they stand, and optional ones may be absent', () => {
  const table = csvTable('c,a\n3,1\n', 'x.csv', { required: ['a'], optional: ['b', 'c'], others: 'none' });
  expect(table.columns).toEqual([1, -1, 0]);
  expect([...table.rows]).toEqual([{ line: 2, fields: ['3', '1'] }]);
});
