import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { type ReadTies, readEdgeList } from '../../../bucketizer/io/edge-list.ts';
import type { EdgeList } from '../../../bucketizer/io/tie-collector.ts';
import { ConfigError } from '../../../config/errors.ts';
import { seededRandom } from '../../../config/random.ts';
import { below } from '../sample-graphs.ts';
import { scratchFolder } from './scratch.ts';

const u32 = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
const parquet = (columns: Record<string, unknown[]>, idType?: 'BYTE_ARRAY'): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: Object.entries(columns).map(([name, data]) => ({
        name,
        data: data as string[],
        ...(idType === undefined ? {} : { type: idType }),
      })),
      rowGroupSize: 2,
    }),
  );

const read = (
  contents: string | Uint8Array,
  options: ReadTies = {},
  badLinesMax = 0,
  name = 'ties',
): Promise<EdgeList> => readEdgeList(scratchFolder().write(name, contents), badLinesMax, options);

const pairs = ({ users, ties, tieWeights }: EdgeList): string[] =>
  Array.from(
    { length: ties.length / 2 },
    (_, i) => `${users[ties[2 * i]!]} ${users[ties[2 * i + 1]!]}${tieWeights === null ? '' : ` ${tieWeights[i]}`}`,
  );

test.each<[string, string | Uint8Array, ReadTies]>([
  ['METIS, by its comment', '% made by hand\n3 3\n2 3\n1 3\n1 2\n', {}],
  ['METIS, by what the caller says', '3 3\n2 3\n1 3\n1 2\n', { format: 'metis' }],
  ['u32 pairs, by their zero bytes', u32(1, 2, 1, 3, 2, 3), {}],
  ['Parquet of text', parquet({ user: ['1', '1', '2'], friend: ['2', '3', '3'] }), {}],
  ['Parquet of integers, other columns', parquet({ since: [1, 2, 3], source: [1, 1, 2], target: [2, 3, 3] }), {}],
  ['Parquet of big integers', parquet({ user: [1n, 1n, 2n], friend: [2n, 3n, 3n] }), {}],
  ['CSV that says so', 'user,friend\n1,2\n1,3\n2,3\n', { format: 'csv' }],
  ['text with commas in its ids', '1 2\n1 3\n2 3\n', { format: 'snap' }],
])('%s is read', async (_, contents, options) => {
  const list = await read(contents, options);
  expect(pairs(list)).toEqual(['1 2', '1 3', '2 3']);
  expect(list).toMatchObject({ badLines: 0, repeated: 0, tieWeights: null });
  if (options.format !== undefined || typeof contents === 'string' || contents[0] !== 0x50) {
    expect(pairs(await read(gzipSync(contents), options)), 'gzip').toEqual(['1 2', '1 3', '2 3']);
  }
});

test('a METIS graph is known by its name, and brings weights of users and ties', async () => {
  const list = await read('3 2 011 2\n5 9 2 7\n6 9 1 7 3 8\n0 9 2 8\n', {}, 0, 'ties.graph');
  expect(pairs(list)).toEqual(['1 2 7', '2 3 8']);
  expect([...list.userWeights!]).toEqual([5, 6, 0]);
  expect(list.mutual).toBe(true);
});

test('weights of a METIS graph stay with their users, also where friends come before their own lines', async () => {
  const { users, userWeights } = await read('4 2 010\n5 3\n1 4\n100 1\n7 2\n', {}, 0, 'ties.graph');
  const weightOf = Object.fromEntries(users.map((user, i) => [user, userWeights![i]]));
  expect(weightOf).toEqual({ 1: 5, 2: 1, 3: 100, 4: 7 });
});

test('the ties of a METIS graph are found alike on both lines in whatever order they are listed', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const rows: string[][] = Array.from({ length: 12 }, () => []);
    for (let i = 0; i < 40; i++) {
      const [a, b] = [below(12, random), below(12, random)];
      const weight = 1 + below(3, random);
      rows[a]!.splice(below(rows[a]!.length + 1, random), 0, `${b + 1} ${weight}`);
      if (a !== b) rows[b]!.splice(below(rows[b]!.length + 1, random), 0, `${a + 1} ${weight}`);
    }
    const text = (): string => `12 40 1\n${rows.map((row) => `${row.join(' ')}\n`).join('')}`;
    const { ties, tieWeights, repeated, selfRepeated } = await read(text(), { format: 'metis' });
    expect(ties.length / 2 + repeated + selfRepeated, `seed ${seed}`).toBe(40);
    expect(tieWeights!.every((weight) => weight > 0)).toBe(true);
    const some = rows.findIndex((row, v) => row.some((entry) => !entry.startsWith(`${v + 1} `)));
    rows[some] = rows[some]!.filter((entry) => entry.startsWith(`${some + 1} `));
    await expect(read(text(), { format: 'metis' }), `seed ${seed}`).rejects.toThrow(
      /ties: user \d+ lists 1, but user 1 /,
    );
  }
});

test.each([
  ['fractions on several lines', '2 3 001\n2 .1 2 .2 2 .3\n1 .3 1 .2 1 .1\n', ['1 2']],
  ['as much in other parts', '3 3 001\n3 1 3 3\n3 5\n2 5 1 2 1 2\n', ['1 3', '2 3']],
  ['a friend of oneself, listed as often as the friends of two are', '2 2\n1 1 2\n1\n', ['1 1', '1 2']],
  ['friends of oneself that each count as half a tie', '2 2\n1 2\n1 2\n', ['1 1', '1 2', '2 2']],
  ['friends of oneself that each count as one', '2 3\n1 2\n1 2\n', ['1 1', '1 2', '2 2']],
])('lines of a METIS graph are alike: %s', async (_, text, expected) => {
  const list = await read(text, { format: 'metis' });
  const { users, ties } = list;
  const found = Array.from({ length: ties.length / 2 }, (_, i) => `${users[ties[2 * i]!]} ${users[ties[2 * i + 1]!]}`);
  expect([...new Set(found)].sort()).toEqual(expected);
});

test('a tie on a good line of a METIS graph is one, where the line of the other user is bad', async () => {
  const skipping = async (text: string, badLines: number): Promise<string[]> => {
    const list = await read(text, { format: 'metis' }, 5);
    expect(list.badLines).toBe(badLines);
    return pairs(list).sort();
  };
  expect(await skipping('3 2\nx 2\n1 3\n2\n', 1)).toEqual(['2 1', '2 3']);
  expect(await skipping('3 2\n2\n1 x\n2\n', 1)).toEqual(['1 2', '3 2']);
  expect(await skipping('3 2\n2 9\n\n1\n', 1)).toEqual(['3 1']);
  expect(await skipping('3 3\n2 3\nx\nx\n', 2)).toEqual(['1 2', '1 3']);
  await expect(skipping('4 2\nx\n3\n1\n\n', 1)).rejects.toThrow(/ties: user 2 lists 3, but user 3 does not list 2/);
});

test('of a METIS graph of which one tie is not alike on both lines that tie is named', async () => {
  const size = 300;
  const rowOf = (v: number): number[] => [v - 7, v - 1, v + 1, v + 7].filter((u) => u >= 0 && u < size);
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const rows = Array.from({ length: size }, (_, v) => rowOf(v).map((u) => `${u + 1} ${((u + 1) * (v + 1)) % 7}.1`));
    const ties = rows.flat().length / 2;
    const v = 7 + below(size - 7, random);
    const kind = below(4, random);
    const other = v - (kind % 2 === 0 ? 7 : 1);
    const at = rows[v]!.findIndex((entry) => entry.startsWith(`${other + 1} `));
    if (kind < 2) rows[v]!.splice(at, 1);
    else rows[v]![at] += '1';
    const text = `${size} ${ties} 1\n${rows.map((row) => `${row.join(' ')}\n`).join('')}`;
    const message = kind < 2 ? `user ${other + 1} lists ${v + 1}, but` : `users ${other + 1} and ${v + 1} weighs `;
    await expect(read(text, { format: 'metis' }), `seed ${seed}`).rejects.toThrow(message);
  }
});

test('users of a METIS graph without friends are users', async () => {
  expect((await read('4 1\n2\n1\n\n\n', { format: 'metis' })).users).toEqual(['1', '2', '3', '4']);
});

test('a line of a METIS graph may be long: its pieces are joined once', async () => {
  const text = `%${'a'.repeat(1 << 25)}\n2 1\n${' '.repeat(1 << 21)}2\n1\n`;
  expect(pairs(await read(gzipSync(text), {}, 0))).toEqual(['1 2']);
});

test('a line of a METIS graph that is no text is one of a user', async () => {
  const latin = (text: string): Uint8Array => Buffer.from(text, 'latin1');
  expect(pairs(await read(latin('% caf\xe9\n3 1\n2\n1\n\xe9\n'), {}, 1))).toEqual(['1 2']);
  await expect(read(latin('% x\n\xe9 1\n'), {}, 1)).rejects.toThrow(/ties:2: not UTF-8 text/);
});

test('ids of u32 pairs may be of any size', async () => {
  expect(pairs(await read(u32(0, 4294967295), { format: 'u32' }))).toEqual(['0 4294967295']);
  expect(pairs(await read(u32(0, 16777215)))).toEqual(['0 16777215']);
  await expect(read(u32(0, 16777216))).rejects.toThrow(
    /ties: neither text nor .* --format \(u32: pairs with any ids\)/,
  );
  const large = Uint32Array.from({ length: 2048 }, (_, i) => (i < 1024 ? i : 4294967295 - i));
  expect((await read(new Uint8Array(large.buffer))).users.length).toBe(2048); // the first 4,096 bytes are looked at
});

test('u32 pairs may have their zero bytes where text in UTF-16 has them', async () => {
  const ids = Array.from({ length: 254 }, (_, i) => [65537, 65538 + i]).flat();
  expect((await read(u32(...ids))).users.length).toBe(255);
  await expect(read(u32(0x200041, 0x20000a))).rejects.toThrow(
    /UTF-16, .* \(or say --format u32, if it is pairs of u32\)$/,
  );
  expect(pairs(await read(u32(0x200041, 0x20000a), { format: 'u32' }))).toEqual(['2097217 2097162']);
});

test('text is text, whatever it begins with', async () => {
  for (const word of ['PAR1', 'BZh91AY&SY', 'TAIJITREE1', '7z', 'Rar!', 'PK', '\x04"M\x18']) {
    expect(pairs(await read(`${word} b\n`))).toEqual([`${word} b`]);
  }
  const mustard = `${'a b\n'.repeat(64)}mustard c\n`;
  expect(mustard.indexOf('ustar')).toBe(257);
  expect((await read(mustard)).users).toEqual(['a', 'b', 'mustard', 'c']);
  for (let cut = 1; cut <= 4; cut++) {
    const text = `${mustard}${'x'.repeat(4096 - cut - mustard.length)}\u{1f600} c\n`; // of a letter of four bytes some are beyond the first 4,096
    expect((await read(text)).users.length, `${cut}`).toBe(5);
  }
});

test('ids in Parquet of bytes are those of text', async () => {
  const bytes = (text: string): Uint8Array => Buffer.from(text);
  const contents = parquet(
    { user: [bytes('Zoë'), bytes('\ufeffa')], friend: [bytes('a'), bytes('名前')] },
    'BYTE_ARRAY',
  );
  expect(pairs(await read(contents))).toEqual(['Zoë a', '\ufeffa 名前']);
});

test('a pipe with a name is read once, as standard input is, Parquet whole', async (context) => {
  const { dir } = scratchFolder();
  const path = join(dir, 'pipe');
  try {
    execFileSync('mkfifo', [path], { stdio: 'ignore' });
  } catch {
    context.skip('there is no mkfifo here');
  }
  const contents = parquet({ user: ['1', '1', '2'], friend: ['2', '3', '3'] });
  for (const given of [contents, gzipSync('1 2\n1 3\n2 3\n'), u32(1, 2, 1, 3, 2, 3)]) {
    const [list] = await Promise.all([readEdgeList(path, 0), writeFile(path, given)]);
    expect(pairs(list)).toEqual(['1 2', '1 3', '2 3']);
  }
});

test('weights come from Parquet too', async () => {
  const contents = parquet({ user: ['Zoë, "Z"', 'b'], friend: ['名前', 'c'], weight: [2.5, 1] });
  expect(pairs(await read(contents))).toEqual(['Zoë, "Z" 名前 2.5', 'b c 1']);
});

test.each<[string, string | Uint8Array, ReadTies, RegExp]>([
  ['METIS cut', '3 3\n2 3\n', { format: 'metis' }, /ties: ends after 1 of 3 users; it was cut/],
  ['METIS without a header', '', { format: 'metis' }, /ties: the graph is empty, no header/],
  [
    'METIS with strange columns',
    '2 1 011 x\n1 2 1\n1 1 1\n',
    { format: 'metis' },
    /ties:1: "2 1 011 x" is not the head/,
  ],
  ['METIS with another header', 'a b\n', { format: 'metis' }, /ties:1: "a b" is not the header of a METIS graph/],
  [
    'a friend beyond the users',
    '2 1\n3\n1\n',
    { format: 'metis' },
    /ties:2: friend 3 in "3", expected 1 to 2; mend it/,
  ],
  [
    'a tie on one line only',
    '2 1\n2\n\n',
    { format: 'metis' },
    /ties: user 1 lists 2, but user 2 does not list 1; exp/,
  ],
  [
    'a tie on the other line only',
    '2 1\n\n1\n',
    { format: 'metis' },
    /ties: user 2 lists 1, but user 1 does not list 2/,
  ],
  [
    'as many ties one way as the other',
    '4 2\n2\n1\n1\n1\n',
    { format: 'metis' },
    /ties: user 3 lists 1, but user 1 does/,
  ],
  ['as many friends as expected', '3 2\n2 3\n3\n2\n', { format: 'metis' }, /ties: user 1 lists 2, but user 2 does not/],
  [
    'a tie of two weights',
    '3 2 001\n2 7\n1 7 3 1\n2 9\n',
    { format: 'metis' },
    /ties: the tie of users 2 and 3 weighs 1 on the line of 2 and 9 on that of 3; expected each tie on both/,
  ],
  ['a friend listed twice', '2 2\n2 2\n1\n', { format: 'metis' }, /users 1 and 2 weighs 2 on the line of 1 and 1 on/],
  [
    'more ties than in the header',
    '2 1\n2 2\n1 1\n',
    { format: 'metis' },
    /ties: 2 ties are listed, expected 1 as the/,
  ],
  ['u32 pairs cut', u32(1, 2, 3).subarray(0, 11), {}, /ties: 3 bytes follow pair 1, expected 8 bytes a tie/],
  ['Parquet cut', parquet({ user: ['a'], friend: ['b'] }).subarray(0, 60), {}, /ties: not a whole Parquet file/],
  [
    'Parquet in gzip',
    gzipSync(parquet({ user: ['a'], friend: ['b'] })),
    {},
    /ties: Parquet in gzip, expected it plain; undo the gzip/,
  ],
  ['text in UTF-16', Buffer.from('\ufeffuser,friend\n1,23\n', 'utf16le'), {}, /ties: text in UTF-16, expected UTF-8/],
  ['Parquet of other columns', parquet({ a: ['a'], b: ['b'] }), {}, /ties: columns a, b; expected user, friend/],
  ['an empty id in Parquet', parquet({ user: ['a', ''], friend: ['b', 'c'] }), {}, /ties:row 2: an id is empty/],
  [
    'an id in Parquet that is not UTF-8',
    parquet({ user: ['a', Uint8Array.of(0xff)], friend: ['b', 'c'] }, 'BYTE_ARRAY'),
    {},
    /ties:row 2: an id is empty or no integer or text in UTF-8/,
  ],
  [
    'an empty weight in Parquet',
    parquet({ user: ['a'], friend: ['b'], weight: [''] }),
    {},
    /ties:row 1: weight is empty, exp/,
  ],
  [
    'no weight in Parquet',
    parquet({ user: ['a', 'b'], friend: ['b', 'c'], weight: [1, null] }),
    {},
    /ties:row 2: weight is empty, exp/,
  ],
  [
    'a weight of 0 in Parquet',
    parquet({ user: ['a'], friend: ['b'], weight: [0] }),
    {},
    /ties:row 1: weight is "0", exp/,
  ],
  ['text that is said to be CSV', 'a b\n', { format: 'csv' }, /ties:1: "a b" is not a header/],
])('%s is refused in one line that names the file', async (_, contents, options, message) => {
  const error = await read(contents, options).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).message).toMatch(message);
  expect((error as ConfigError).message).not.toContain('\n');
});

test.each<[string, string | Uint8Array, RegExp]>([
  ['a program', `\x7fELF\x02\x01\x01${'\0'.repeat(65)}`, /ties: a program \(ELF\), expected ties; name the/],
  ['bzip2', Buffer.from('BZh91AY&SY\x50\x14\xb3\xf1\0\0', 'latin1'), /ties: packed by bzip2, .*, with bunzip2$/],
  ['xz', Buffer.from('\xfd7zXZ\0\0\x04', 'latin1'), /ties: packed by xz, expected plain or gzip; undo that first/],
  ['zstd', Buffer.from('\x28\xb5\x2f\xfd\x24\x18\xc1\0', 'latin1'), /ties: packed by zstd, .*, with unzstd$/],
  ['zip', Buffer.from('PK\x03\x04\x14\0\0\0', 'latin1'), /ties: packed by zip, .*, with unzip$/],
  ['tar', `ties.csv${'\0'.repeat(249)}ustar${'\0'.repeat(250)}`, /ties: packed by tar, .*, with "tar -x"$/],
  ['lz4', Buffer.from('\x04\x22\x4d\x18\x64\x40\xa7\x0b\0\0\x80', 'latin1'), /ties: packed by lz4, .*, with unlz4$/],
  ['7-Zip', Buffer.from('7z\xbc\xaf\x27\x1c\0\x04', 'latin1'), /ties: packed by 7-Zip, .*, with "7z x"$/],
  ['RAR', Buffer.from('Rar!\x1a\x07\x01\0', 'latin1'), /ties: packed by RAR, .*, with "unrar x"$/],
  ['WebAssembly', '\0asm\x01\0\0\0', /ties: a program \(WebAssembly\), expected ties; name the/],
  [
    'numbers of 64 bits',
    new Uint8Array(BigInt64Array.from({ length: 20 }, (_, i) => BigInt(i)).buffer),
    /ties: every second number of 32 bits is 0, .* \(or say --format u32, if all are friends of 0\)$/,
  ],
  ['a tree', 'TAIJITRE\x01\0\0\0\0\0\0\0', /ties: a bucket tree, expected ties; .* --previous\)$/],
  [
    'zero bytes',
    Buffer.alloc(1 << 16),
    /ties: neither text nor pairs of u32 with ids below 2\^24; name a file of ties/,
  ],
  ['bytes by chance', Uint8Array.from({ length: 4096 }, (_, i) => (i * i * 31) >> 3), /ties: neither text nor/],
  ['text in UTF-16 without a mark', Buffer.from('1 2\n1 23\n', 'utf16le'), /ties: text in UTF-16, expected UTF-8/],
  [
    'a line of text with a zero byte',
    'user,friend\na,b\na,\0\n',
    /ties:3: a zero byte in the line, expected text; mend/,
  ],
])('%s is not taken for u32 pairs, unless the caller says it', async (_, contents, message) => {
  await expect(read(contents)).rejects.toThrow(message);
  await expect(read(gzipSync(contents))).rejects.toThrow(message);
  const whole = Buffer.from(contents).subarray(0, contents.length - (contents.length % 8));
  expect((await read(whole, { format: 'u32' })).ties.length).toBe(whole.length / 4);
});

test('bad rows of every format are skipped and counted up to the limit', async () => {
  const rows = parquet({ user: ['a', '', 'b'], friend: ['b', 'x', 'c'] });
  expect(await read(rows, {}, 1)).toMatchObject({ badLines: 1, users: ['a', 'b', 'c'] });
  expect(await read('2 1\n2\n1 9\n', { format: 'metis' }, 1)).toMatchObject({ badLines: 1, users: ['1', '2'] });
});
