import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { orderOfIds } from '../../../bucketizer/id-order.ts';
import { CompiledIds } from '../../../bucketizer/io/compiled-ids.ts';
import { readEdgeList } from '../../../bucketizer/io/edge-list.ts';
import type { EdgeList } from '../../../bucketizer/io/tie-collector.ts';
import { ConfigError } from '../../../config/errors.ts';
import { seededRandom } from '../../../config/random.ts';
import { below } from '../sample-graphs.ts';
import { scratchFolder } from './scratch.ts';

async function read(contents: string | Uint8Array, badLinesMax = 0): Promise<EdgeList> {
  return readEdgeList(scratchFolder().write('ties', contents), badLinesMax);
}

const pairs = ({ users, ties }: EdgeList): string[] =>
  Array.from({ length: ties.length / 2 }, (_, i) => `${users[ties[2 * i]!]} ${users[ties[2 * i + 1]!]}`);

test.each([
  ['SNAP text', '# a comment\n# 3 ties\n0\t1\n1 2\n\n2 0\n'],
  ['no line end at the end, CRLF elsewhere', '0 1\r\n1 2\r\n2 0'],
  ['CSV', 'user,friend\n0,1\n1,2\n2,0\n'],
  ['CSV with a byte order mark and other columns', '\ufeffsince,friend,user\n2020,1,0\n2021,2,1\n2022,0,2\n'],
  ['text with a header', 'source target\n0 1\n1 2\n2 0\n'],
])('%s is read', async (_, text) => {
  const list = await read(text);
  expect(pairs(list)).toEqual(['0 1', '1 2', '2 0']);
  expect(list.tieWeights).toBeNull();
  expect(list.badLines).toBe(0);
});

test('gzip is known by its first bytes, whatever the name', async () => {
  expect(pairs(await read(gzipSync('0 1\n1 2\n')))).toEqual(['0 1', '1 2']);
});

test('weights come as a third field or as a column', async () => {
  expect([...(await read('a b 2\nb c 0.5\n')).tieWeights!]).toEqual([2, 0.5]);
  expect([...(await read('weight,user,friend\n2,a,b\n1e3,b,c\n')).tieWeights!]).toEqual([2, 1000]);
});

test('ids are opaque: leading zeros, commas, quotes and any script', async () => {
  const list = await read('user,friend\n007,7\n"Zoë, ""Z""",名前\n');
  expect(pairs(list)).toEqual(['007 7', 'Zoë, "Z" 名前']);
});

test('a # begins a comment in SNAP text and before the header of CSV, and an id below it', async () => {
  const rows = ['#a,b', '#c,#d', 'e,f'];
  const csv = ['#a b', '#c #d', 'e f'];
  expect(pairs(await read(`user,friend\n${rows.join('\n')}\n`))).toEqual(csv);
  expect(pairs(await read(`# made, by hand\n\nuser,friend\n${rows.join('\r\n')}`))).toEqual(csv);
  expect(pairs(await read(`user,friend,weight\n${rows.map((row) => `${row},2\n`).join('')}`))).toEqual(csv);
  expect(pairs(await read('# a b\ne f\n#a b\n'))).toEqual(['e f']);
  await expect(read('user,friend\na,b\n# the end\n')).rejects.toThrow(/:3: 1 field in "# the end", expected 2/);
});

test('the order of users is told for small plain files, and is that of their ids', async (context) => {
  if (CompiledIds.made() === null) context.skip('ids.wasm is made by npm run build');
  const text = 'b 10\nZoë 9\n😀 \uffff\n名前 b\n';
  const { users, order } = await read(text);
  expect(order).toEqual(orderOfIds(users));
  expect((await read(gzipSync(text))).order).toBeUndefined();
});

test('self-ties and repeated ties are handed on as given: the graph counts them', async () => {
  expect(pairs(await read('a a\na b\nb a\n'))).toEqual(['a a', 'a b', 'b a']);
});

test('ids split by the pieces in which a file is read stay whole', async () => {
  const name = 'ü'.repeat(50);
  const lines = Array.from({ length: 20_000 }, (_, i) => `${name}${i} ${name}${i + 1}\n`);
  const list = await read(lines.join(''));
  expect(list.users.length).toBe(20_001);
  expect(list.users[12_345]).toBe(`${name}12345`);
});

test.each([
  ['an empty file', '', /: no tie is in it; expected lines such as "a b", or "a,b" below "user,friend": check/],
  ['comments only', '# nothing\n', /: no tie is in it/],
  ['a header only', 'user,friend\n', /: no tie is in it/],
  ['CSV without a header', 'a,b\nc,d\n', /:1: "a,b" is not a header; expected "user,friend"/],
  ['a weight that is no number', 'a b 1\nb c many\n', /:2: weight is "many", expected a number above 0/],
  ['a weight that is NaN', 'a b 1\nb c NaN\n', /:2: weight is "NaN", expected a number above 0/],
  ['a negative weight', 'user,friend,weight\na,b,-1\n', /:2: weight is "-1", expected a number above 0/],
  ['a weight of 0', 'a b 0\n', /:1: weight is "0", expected a number above 0/],
  ['an infinite weight', 'a b 1e999\n', /:1: weight is "1e999", expected/],
  ['a field too few', 'a b\nc\n', /:2: 1 field in "c", expected 2/],
  ['semicolons', 'user;friend\na;b\n', /:1: 1 field in "user;friend", expected 2 \(";" .*: write a comma\); mend it/],
  ['semicolons in CSV', 'user,friend\na;b\n', /:2: 1 field in "a;b", expected 2 \(";" .*: write a comma\); mend it/],
  ['semicolons and commas', 'user;friend;w\na;b;1,5\n', /:1: 1 field in "user;friend;w", expected 2 \(";" sep/],
  ['semicolons and commas first', 'a;b;1,5\n', /:1: "a;b;1,5" is not a header \(";" separates no fields here: write/],
  ['METIS by another name', '3 2\n2\n1 3\n2\n', /:2: 1 field in "2", expected 2 \(of a METIS graph\? .*\); mend it/],
  ['METIS with weights', '3 3 1\n2 5 3 1\n', /:2: 4 fields in "2 5 3 1", expected 3 \(of a METIS graph\? then say --/],
  ['words below numbers', '3 2\n2 3 a\n', /:2: 3 fields in "2 3 a", expected 2; mend it/],
  ['numbers below words', 'a b\n1 2 3\n', /:2: 3 fields in "1 2 3", expected 2; mend it/],
  ['a field too many', 'user,friend\na,b,c\n', /:2: 3 fields in "a,b,c", expected 2/],
  ['an empty id', 'user,friend\na,\n', /:2: an id is empty in "a,", expected two/],
  ['a quote never closed', 'user,friend\n"a,b\n', /:2: a quote is never closed/],
  ['bytes that are not UTF-8', Buffer.from([0x61, 0x20, 0xff, 0xfe, 0x0a]), /:1: not UTF-8 text, expected UTF-8/],
  ['a line of two million letters', `a b\n${'a'.repeat(2e6)} b\n`, /:2: the line is longer than 1 MiB; mend it/],
  ['two million letters and no line end', 'a'.repeat(2e6), /:1: the line is longer than 1 MiB; mend it/],
  [
    'gzip cut in the middle',
    gzipSync('a b\n'.repeat(9999)).subarray(0, 40),
    /: the gzip file ends early, after line \d+/,
  ],
  [
    'gzip damaged',
    Buffer.concat([gzipSync('a b\n').subarray(0, 11), Buffer.alloc(9)]),
    /: the gzip file (is damaged|ends)/,
  ],
])('%s is refused in one line that names the file', async (_, contents, message) => {
  const error = await read(contents).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).message).toMatch(message);
  expect((error as ConfigError).message).toMatch(/^\/.*\bties:/);
  expect((error as ConfigError).message).not.toContain('\n');
});

test('what is wrong with a line of a gzip file is what is said, not that its reading was ended', async () => {
  const text = Array.from({ length: 200_000 }, (_, i) => (i === 100 ? 'alone' : `u${i} u${(i * 7919) % 200_000}`));
  await expect(read(gzipSync(text.join('\n')))).rejects.toThrow(/:101: 1 field in "alone", expected 2/);
});

test('a first line of two words is a tie, unless they are names of columns as CSV has them', async () => {
  expect(pairs(await read('alice bob\nbob carol\n'))).toEqual(['alice bob', 'bob carol']);
  expect(pairs(await read('user alice\nfriend bob\n'))).toEqual(['user alice', 'friend bob']);
  expect(pairs(await read('friend user\nalice bob\nuser friend\n'))).toEqual(['bob alice', 'friend user']);
});

test('bad lines are skipped and counted up to the limit, and the one beyond it is named', async () => {
  const text = 'a b\nc\nb c\nd\n';
  const list = await read(text, 2);
  expect(list.badLines).toBe(2);
  expect(pairs(list)).toEqual(['a b', 'b c']);
  await expect(read(text, 1)).rejects.toThrow(
    /:4: 1 field in "d", expected 2; bad line 2, more than --max-bad-lines 1$/,
  );
  await expect(read(text, 0)).rejects.toThrow(/:2: .*; mend it, or skip such lines with --max-bad-lines$/);
});

test('a bad line after thousands of good ones is named by its number', async () => {
  const good = Array.from({ length: 5000 }, (_, i) => `u${i % 70} u${i % 31}`);
  await expect(read(`${[...good, 'a b c', ...good].join('\n')}\n`, 0)).rejects.toThrow(/:5001: 3 fields in "a b c"/);
});

test('lines that are no text, or too long for one, are skipped and counted as bad lines are', async () => {
  const latin = Buffer.from('b caf\xe9\n', 'latin1');
  const long = Buffer.from(`b ${'a'.repeat(1 << 21)}\n`);
  const text = Buffer.concat([Buffer.from('a b\n# '), latin, latin, long, Buffer.from('b c\n'), long, latin]);
  for (const contents of [text, gzipSync(text), text.subarray(0, -1)]) {
    const list = await read(contents, 4);
    expect(list.badLines).toBe(4);
    expect(pairs(list)).toEqual(['a b', 'b c']);
    await expect(read(contents, 3)).rejects.toThrow(/:7: not UTF-8 text, .*; bad line 4, more than --max-bad-lines 3$/);
    await expect(read(contents, 2)).rejects.toThrow(/:6: the line is longer than 1 MiB; bad line 3, /);
    await expect(read(contents)).rejects.toThrow(/:3: not UTF-8 text, expected UTF-8, plain or gzip; mend it/);
  }
});

test('a line that is too long is a bad one whatever it begins with, but for comments', async () => {
  const [blank, more] = [' '.repeat(1 << 20), 'x'.repeat(1 << 20)];
  for (const [text, where] of [
    [`a b\n${blank}c d\nb c\n`, 2],
    [`user,friend\na,b\n${' '.repeat(100)}${more},y\nb,c\n`, 3],
    [`user,friend\na,b\n#${more},y\nb,c\n`, 3],
    [`${blank}c d\na b\nb c\n`, 1],
    [`user,friend\na,b\nb,c\n\t${blank}`, 4],
  ] as const) {
    const list = await read(text, 1);
    expect(list.badLines).toBe(1);
    expect(pairs(list)).toEqual(['a b', 'b c']);
    await expect(read(text)).rejects.toThrow(`ties:${where}: the line is longer than 1 MiB`);
  }
  for (const text of [`# ${more}\na b\nb c\n`, `a b\n#${more}\nb c\n`, `#${more}\nuser,friend\na,b\nb,c\n`]) {
    expect(pairs(await read(text))).toEqual(['a b', 'b c']);
  }
});

test('a line of a mebibyte is a line, wherever the pieces end in which it is read', async () => {
  for (const more of [-1, 0]) {
    const id = 'a'.repeat((1 << 20) - 2 + more);
    for (const before of ['', 'b c\n']) expect((await read(`${before}${id} b\n`)).users).toContain(id);
  }
  await expect(read(`b c\n${'a'.repeat((1 << 20) - 1)} b\n`)).rejects.toThrow(/:2: the line is longer than 1 MiB/);
});

test('a file cut between the two bytes of a line end has whole lines', async () => {
  expect(pairs(await read('user,friend\r\na,b\r\nb,c\r'))).toEqual(['a b', 'b c']);
});

test('a file that is not there, and a folder, are refused in one line', async () => {
  const { dir } = scratchFolder();
  await expect(readEdgeList(`${dir}/none`, 0)).rejects.toThrow(/none: cannot be read \(no such file or folder\)/);
  await expect(readEdgeList(dir, 0)).rejects.toThrow(/: cannot be read \(it is a folder\)/);
});

test('lines read as bytes say what they say as text, however oddly they are written', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const one = (...of: readonly string[]): string => of[below(of.length, random)]!;
    const csv = seed % 2 === 0;
    const swapped = seed % 4 === 0;
    const id = (): string =>
      one('a', '7', '007', 'x-y', 'ü', '名前', csv ? 'a b' : 'a,b', '"'.slice(csv ? 1 : 0) || 'q');
    const expected: string[] = [];
    const lines = Array.from({ length: 200 }, () => {
      const kind = random();
      if (kind < 0.05) return one('', csv ? '' : '# a b', ' ', '\t ');
      const [from, to] = [id(), id()];
      expected.push(swapped ? `${to} ${from}` : `${from} ${to}`);
      return csv
        ? `${one(from, `"${from}"`)},${to}`
        : `${one('', ' ')}${from}${one(' ', '\t', '  \t')}${to}${one('', ' ')}`;
    });
    const header = swapped ? 'friend,user' : csv ? 'user,friend' : 'from to';
    const text = `${header}\n${lines.join(one('\n', '\r\n'))}\n`;
    expect(pairs(await read(text)), `seed ${seed}`).toEqual(expected);
  }
});
