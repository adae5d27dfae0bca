import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { readTree } from '../../bucketizer/io/tree-file.ts';
import { ConfigError } from '../../config/errors.ts';
import { bucketizeCommand } from '../../pipeline/cli/bucketize.ts';
import { treeCommand } from '../../pipeline/cli/tree.ts';
import { checkTree } from './check-tree.ts';
import { scratchFolder } from './io/scratch.ts';

let printed = '';
beforeEach(() => {
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const run = (...args: string[]): Promise<unknown> => bucketizeCommand().parseAsync(args, { from: 'user' });
const info = (...args: string[]): Promise<unknown> => treeCommand().parseAsync(['info', ...args], { from: 'user' });

const ties = 'a b\nb c\nc a\nd e\ne f\nf d\nc d\na a\n';

test('ties and users become a tree, a report and a list of leaves', async () => {
  const { dir, write } = scratchFolder();
  const users = write('users.csv', 'user,home_edge,weight\na,x,2\nb,x,1\n"z, ""q""",x,3\n');
  const [out, report, leaves] = ['tree', 'report.json', 'leaves.csv'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  await run(
    write('ties', ties),
    '--users',
    users,
    '--out',
    out,
    '--height',
    '2',
    '--report',
    report,
    '--leaves',
    leaves,
  );

  const tree = readTree(out);
  expect(tree.users).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'z, "q"']);
  checkTree(tree, [2, 1, 2, 2, 2, 2, 3]); // who is in the ties only weighs the mean of the listed
  const written = JSON.parse(readFileSync(report, 'utf8'));
  expect(written).toMatchObject({
    treeVersion: tree.version,
    height: 2,
    users: 7,
    usersWithoutTies: 1,
    usersUnlisted: 4,
    badLines: 0,
    ties: { given: 8, self: 1, kept: 7 },
    communities: { communities: 2 },
  });
  expect(written.levels.length).toBe(3);
  const lines = readFileSync(leaves, 'utf8').split('\n');
  expect(lines[0]).toBe('user,bucket');
  expect(lines[7]).toBe(`"z, ""q""",${tree.bucketOfUser[6]}`);
  expect(statSync(leaves).mode & 0o777).toBe(0o600);
  expect(printed).toContain('7 kept of 8 (1 to oneself)');
});

test.each([
  ['as they are', '', 1],
  ['beside a weight with a fraction', 'g h 1.5\n', 1],
  ['where there are more than are held at once', '', 150_000],
])('lines to oneself and repeated ones are counted as lines: %s', async (_, more, times) => {
  const { dir, write } = scratchFolder();
  const report = join(dir, 'report.json');
  const text = `${'a a 1\n'.repeat(8 * times)}${'a b 1\n'.repeat(2)}b a 2\n${more}`;
  await run(write('ties', text), '--out', join(dir, 'tree'), '--height', '2', '--report', report);
  const { ties } = JSON.parse(readFileSync(report, 'utf8'));
  const kept = more === '' ? 1 : 2;
  expect(ties).toMatchObject({ given: 8 * times + 2 + kept, self: 8 * times, repeated: 2, kept });
});

test('users listed in another order than the ties name them in, all weighing the same, change nothing', async () => {
  const { dir, write } = scratchFolder();
  const [path, users] = [write('ties', ties), write('users.csv', 'user,weight\nf,1\nb,1\na,1\nd,1\nc,1\ne,1\n')];
  await run(path, '--out', join(dir, 'tree'), '--height', '2');
  await run(path, '--users', users, '--out', join(dir, 'listed'), '--height', '2');
  expect(readTree(join(dir, 'listed')).version).toBe(readTree(join(dir, 'tree')).version);
});

test('nor do fractions of weight listed in another order, of which who is not listed weighs the mean', async () => {
  const { dir, write } = scratchFolder();
  const path = write('ties', 'a b\nb c\nc d\nd e\ne f\n');
  const users = ['a,.831725', 'b,.602076', 'c,.318269', 'd,.745272'];
  const versions = [users, users.toReversed()].map(async (lines, i) => {
    const out = join(dir, `tree${i}`);
    await run(path, '--users', write(`users${i}.csv`, ['user,weight', ...lines, ''].join('\n')), '--out', out);
    return readTree(out).version;
  });
  expect(await versions[1]).toBe(await versions[0]);
});

test('the same files give the same report and tree', async () => {
  const { dir, write } = scratchFolder();
  const path = write('ties', ties);
  for (const name of ['1', '2']) {
    await run(path, '--out', join(dir, `tree${name}`), '--height', '3', '--report', join(dir, `report${name}`));
  }
  for (const name of ['tree', 'report']) {
    expect(readFileSync(join(dir, `${name}1`)).equals(readFileSync(join(dir, `${name}2`)))).toBe(true);
  }
});

test('tree info prints the tree, for people and for programs', async () => {
  const { dir, write } = scratchFolder();
  const out = join(dir, 'tree');
  await run(write('ties', ties), '--out', out, '--height', '2');
  const { version } = readTree(out);
  printed = '';
  await info(out);
  expect(printed).toContain(version);
  expect(printed).toMatch(/level +nodes +locality +heaviest +lightest\n +0 +1 +1.000 +1.000 +1.000\n/);
  printed = '';
  await info(out, '-o', 'json');
  const json = JSON.parse(printed);
  expect(json).toMatchObject({ version, height: 2, buckets: 4, users: 6 });
  expect(json.levels.map(({ nodes }: { nodes: number }) => nodes)).toEqual([1, 2, 4]);
  printed = '';
  await info(out, '-o', 'yaml');
  expect(parse(printed)).toEqual(json);
});

test('a refresh keeps users where they are, lists who moved, and takes the height of the tree before', async () => {
  const { dir, write } = scratchFolder();
  const [first, second, moves, report] = ['first', 'second', 'moves.csv', 'report.json'].map((name) =>
    join(dir, name),
  ) as [string, string, string, string];
  await run(write('ties', ties), '--out', first, '--height', '2');
  const later = write('later', `${ties}g a\n`);
  await run(later, '--out', second, '--previous', first, '--move-max', '0.5', '--moves', moves, '--report', report);
  const [before, after] = [readTree(first), readTree(second)];
  expect(after.height).toBe(2);
  const moved = before.users.filter(
    (user, i) => after.bucketOfUser[after.users.indexOf(user)] !== before.bucketOfUser[i],
  );
  const lines = readFileSync(moves, 'utf8').trimEnd().split('\n');
  expect(lines[0]).toBe('user,from,to');
  expect(lines.slice(1).map((line) => line.split(',')[0])).toEqual(moved);
  expect(statSync(moves).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(report, 'utf8')).refresh).toMatchObject({
    previousVersion: before.version,
    usersKept: 6,
    usersPlaced: 1,
    usersGone: 0,
    usersMoved: moved.length,
    balanceGiven: 0,
  });
  expect(printed).toMatch(/moved +\d+ users \(.* %\), .* % of weight, of 50.00 % allowed; 1 new, 0 gone\n/);

  for (const [flags, message] of [
    [['--previous', first, '--height', '3'], /^the previous tree has height 2, --height is 3; [^\n]*$/],
    [['--previous', later], /later: not a tree file, it begins with "a b\?b c\?"; expected/],
    [['--moves', moves], /^--moves is given without --previous; name the tree that users move from$/],
    [['--previous', first, '--move-max', '5'], /^--move-max is "5", expected a number from 0 to 1$/],
    [['--previous', first, '--out', first], /first: the tree would replace a file that is read/],
  ] as const) {
    await expect(run(later, '--out', second, ...flags)).rejects.toThrow(message);
  }
});

test.each([
  [['--height', '17'], '--height is "17", expected a whole number from 1 to 16'],
  [['--height', '0'], '--height is "0", expected a whole number from 1 to 16'],
  [['--height', '1e1'], '--height is "1e1", expected a whole number from 1 to 16'],
  [['--seed', '-1'], '--seed is "-1", expected a whole number from 0 to 9007199254740991'],
  [['--hub-degree', 'many'], '--hub-degree is "many", expected a whole number of at least 1'],
  [['--min-weight', 'NaN'], '--min-weight is "NaN", expected a number of at least 0'],
  [['--max-bad-lines', '-1'], '--max-bad-lines is "-1", expected a whole number of at least 0'],
])('%s is refused in a line', async (flags, message) => {
  const { dir, write } = scratchFolder();
  const error = await run(write('ties', ties), '--out', join(dir, 'tree'), ...flags).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).message).toBe(message);
});

test('what could not be written is refused before the work, and no input is ever replaced', async () => {
  const { dir, write } = scratchFolder();
  const path = write('ties', ties);
  const out = join(dir, 'tree');
  const link = join(dir, 'link');
  symlinkSync(path, link);
  symlinkSync(dir, join(dir, 'here'));
  for (const [input, flags, message] of [
    [path, ['--out', path], /ties: the tree would replace a file that is read; give it another name$/],
    [link, ['--out', path], /ties: the tree would replace a file that is read/],
    [path, ['--out', join(dir, 'here', 'ties')], /ties: the tree would replace a file that is read/],
    [path, ['--out', join(dir, 'no', 'tree')], /tree: the tree cannot be written \(no such file or folder\)/],
    [
      path,
      ['--out', join(path, 'tree')],
      /tree: the tree cannot be written \(.*ties is no folder\); check the folder$/,
    ],
    [path, ['--out', dir], /: the tree cannot be written \(it is a folder\)/],
    [path, ['--out', ''], /: the tree cannot be written \(its name is empty\); name a file$/],
    [path, ['--out', `${dir}/new/`], /new\/: the tree cannot be written \(its name ends in \/, as .*\); name a file$/],
    [path, ['--out', join(dir, 'x'.repeat(300))], /: the tree cannot be written \(the name is too long\)/],
    [path, ['--out', join(dir, 'x'.repeat(250))], /: cannot be written \(name too long\)/],
    [path, ['--out', out, '--report', out], /tree: the report would replace another file that is written/],
    [path, ['--out', out, '--report', join(dir, 'here', 'tree')], /tree: the report would replace another file/],
    [path, ['--out', out, '--leaves', dir], /: the list of leaves cannot be written \(it is a folder\)/],
    [path, ['--out', '-'], /^-: the tree cannot be written \("-" is standard output, which has the summary\); name a/],
    ['-', ['--out', out, '--leaves', '-'], /^-: the list of leaves cannot be written \("-" is standard output/],
    [path, ['--out', out, '--report', '-'], /^-: the report cannot be written \("-" is standard output/],
    [path, ['--out', out, '--previous', path, '--moves', '-'], /^-: the list of moves cannot be written \("-" is/],
  ] as const) {
    await expect(run(input, ...flags), flags.join(' ')).rejects.toThrow(message);
  }
  expect(readFileSync(path, 'utf8')).toBe(ties);
  expect(readdirSync(dir).sort()).toEqual(['here', 'link', 'ties']);
});

test('a link in the place of the tree is replaced, and what it leads to stays; one user is one user', async () => {
  const { dir, write } = scratchFolder();
  const [kept, out] = [write('kept', 'an older tree'), join(dir, 'tree')];
  symlinkSync(kept, out);
  await run(write('ties', 'a a\n'), '--out', out, '--height', '2');
  expect(readTree(out).users).toEqual(['a']);
  expect(readFileSync(kept, 'utf8')).toBe('an older tree');
  expect(printed).toMatch(/tree {2}1 user in 4 buckets, /);
});

test('an input that nobody can tell the file of is complained of by who reads it', async () => {
  const { dir, write } = scratchFolder();
  const path = write('ties', ties);
  const [loop, locked] = [join(dir, 'loop'), join(dir, 'locked')];
  symlinkSync(loop, loop);
  mkdirSync(locked, { mode: 0o000 });
  chmodSync(dir, 0o777);
  const isRoot = process.geteuid?.() === 0; // who may enter any folder
  for (const [input, message] of [
    [join(dir, 'none'), /none: [^\n]*cannot be read \(no such file or folder\)[^\n]*$/],
    [join(path, 'x'), /ties\/x: [^\n]*cannot be read \(a part of its path is no folder\)[^\n]*$/],
    [join(dir, 'x'.repeat(300)), /x: [^\n]*cannot be read \(the name is too long\)[^\n]*$/],
    [loop, /loop: [^\n]*cannot be read \(its links lead in a circle\)[^\n]*$/],
    [join(locked, 'x'), /locked\/x: [^\n]*cannot be read \(permission denied\)[^\n]*$/],
  ] as const) {
    for (const args of [[input], [path, '--users', input], [path, '--previous', input]]) {
      if (isRoot) process.seteuid!('nobody');
      const error = await run(...args, '--out', join(dir, 'tree'))
        .catch((e: unknown) => e)
        .finally(() => isRoot && process.seteuid!(0));
      expect(error, args.join(' ')).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).message).toMatch(message);
    }
  }
  expect(readdirSync(dir).sort()).toEqual(['locked', 'loop', 'ties']);
});

test('the tree is replaced last: where another file cannot be written it is the one before', async () => {
  const { dir, write } = scratchFolder();
  const out = write('tree', 'an older tree');
  const leaves = join(dir, 'x'.repeat(250)); // too long beside the suffix of what is not whole yet
  await expect(run(write('ties', ties), '--out', out, '--leaves', leaves)).rejects.toThrow(/name too long/);
  expect(readFileSync(out, 'utf8')).toBe('an older tree');
});

test('help tells no default where there is none', () => {
  expect(bucketizeCommand().helpInformation()).toMatch(/--report <file> [^[]*--simulate-cache/);
});

test('reports are written for programs and for people at once', async () => {
  const { dir, write } = scratchFolder();
  const [forPrograms, forPeople] = [join(dir, 'report.json'), join(dir, 'report.html')];
  await run(write('ties', ties), '--out', join(dir, 'tree'), '--report', forPrograms, '--report', forPeople);
  expect(JSON.parse(readFileSync(forPrograms, 'utf8'))).toMatchObject({ users: 6 });
  expect(readFileSync(forPeople, 'utf8')).toMatch(/^<!doctype html>/i);
});

test('bad lines that are skipped are named on stderr as a refusal would, the first ten of them', async () => {
  const { dir, write } = scratchFolder();
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const path = write('ties', `a b\n${'c\n'.repeat(2)}b c\n`);
  await run(path, '--out', join(dir, 'tree'), '--max-bad-lines', '12');
  const named = [2, 3].map((line) => `note: ${path}:${line}: 1 field in "c", expected 2; skipped\n`);
  expect(said.mock.calls.map(([text]) => text)).toEqual(named);
  expect(printed).toContain('(2 bad lines)');
  said.mockClear();
  write('ties', `a b\n${'c\n'.repeat(12)}`);
  await run(path, '--out', join(dir, 'tree'), '--max-bad-lines', '12');
  expect(said.mock.calls).toHaveLength(11);
  expect(said.mock.calls.at(-1)![0]).toBe('note: and 2 more bad lines, skipped\n');
});

test('a refresh without most of the users of the tree before is written, and says so', async () => {
  const { dir, write } = scratchFolder();
  const [tree, next] = [join(dir, 'tree'), join(dir, 'next')];
  await run(write('ties', ties), '--out', tree, '--height', '2');
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  await run(write('half', 'a b\nb c\nx y\n'), '--previous', tree, '--out', next);
  expect(said.mock.calls.join('')).toBe('');
  await run(write('other', 'a b\nx y\n'), '--previous', tree, '--out', next);
  expect(said.mock.calls.join('')).toMatch(
    /^note: 4 of the 6 users of --previous are gone, and 2 are new; [^\n]*name the right file and build again\n$/,
  );
  expect(readTree(next).users).toEqual(['a', 'b', 'x', 'y']);
});

test('a limit of moves without a tree to move from is told to be of no use', async () => {
  const { dir, write } = scratchFolder();
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  await run(write('ties', ties), '--out', join(dir, 'tree'), '--height', '2', '--move-max', '0.03');
  expect(said.mock.calls).toEqual([
    ['note: --move-max is of a refresh; without --previous the tree is new, and everybody moves\n'],
  ]);
});

test('a refresh says that effort and objective are of new trees, and reports those of every refresh', async () => {
  const { dir, write } = scratchFolder();
  const path = write('ties', ties);
  const [tree, report] = [join(dir, 'tree'), join(dir, 'report.json')];
  await run(path, '--out', tree, '--height', '2');
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const flags = ['--effort', 'best', '--objective', 'p-fanout'];
  await run(path, '--previous', tree, '--out', join(dir, 'next'), '--report', report, ...flags);
  expect(said.mock.calls.join('')).toMatch(/^note: --effort and --objective are of new trees[^\n]*\n$/);
  expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({ effort: 'default', objective: 'cut' });
});

test.each([
  ['a b\nc d\na a\n', ['--directed'], '3 (1 to oneself, 2 one way)', 'leave --directed out'],
  ['a b 1\nb a 2\nc d 2\n', ['--min-weight', '9'], '3 (1 repeated, 2 light)', 'lower --min-weight'],
  ['a b\na c\n', ['--hub-degree', '1'], '2 (2 of 1 hub)', 'raise --hub-degree'],
  ['a a\nb b\n', [], '2 (2 to oneself)', 'name two users a line'],
])('where nothing is left of the ties a note says why, and nothing reads as perfect: %j %j', async (text, flags, of, mend) => {
  const { dir, write } = scratchFolder();
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const report = join(dir, 'report.json');
  await run(write('ties', text), '--out', join(dir, 'tree'), '--simulate-cache', '--report', report, ...flags);
  expect(said.mock.calls.join('')).toBe(`note: no tie is left of ${of}: buckets hold users by weight alone; ${mend}\n`);
  expect(printed).toContain('\nlocality  - (no tie was kept)\n');
  expect(printed).toContain('\nmisses    - (nobody who weighs anything has friends whose items a cache could miss)\n');
  expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({ meanLocality: 1, cache: null });
});

test('a tree with ties is printed without a note, in figures that never read as nothing', async () => {
  const { dir, write } = scratchFolder();
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const users = write(
    'users.csv',
    `user,weight\na,1\nb,1\n${Array.from({ length: 5000 }, (_, i) => `u${i},1\n`).join('')}`,
  );
  await run(write('ties', 'a b\n'), '--users', users, '--out', join(dir, 'tree'), '--height', '1', '--simulate-cache');
  expect(said.mock.calls.join('')).toBe('');
  expect(printed).toContain('\nlocality  1.000 of tie weight inside buckets, 1.000 in the mean of the levels\n');
  expect(printed).toContain('its heaviest user 0.00040 x even\n');
  expect(printed).toMatch(/\n {12}share {2}at random {4}by hash {4}by tree\n( {10,}\d+\.\d %( +\d\.\d+){3}\n){8}$/);
});

test('standard input is read once: as ties or as users', async () => {
  const { dir } = scratchFolder();
  const message = /^TIES and --users are both "-", and standard input can be read once; name a file for one$/;
  await expect(run('-', '--users', '-', '--out', join(dir, 'tree'))).rejects.toThrow(message);
});
