/** What people hand in by mistake, through the command as they run it. */

import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test, vi } from 'vitest';
import { readTree } from '../../bucketizer/io/tree-file.ts';
import { ConfigError } from '../../config/errors.ts';
import { bucketizeCommand } from '../../pipeline/cli/bucketize.ts';
import { checkTree } from './check-tree.ts';
import { scratchFolder } from './io/scratch.ts';

const program = fileURLToPath(new URL('../../dist/pipeline/cli/main.js', import.meta.url));

async function run(...args: string[]): Promise<void> {
  const silenced = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockReturnValue(true));
  await bucketizeCommand()
    .parseAsync(args, { from: 'user' })
    .finally(() => {
      for (const spy of silenced) spy.mockRestore();
    });
}

const lines = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('');
const star = (ties: number): string => lines(ties, (i) => `hub u${i}\n`);

/** Sizes of stars at which the bisections of a tree alone leave a leaf too heavy. */
const starsOfOneTooMany = [302, 318, 334];

test.each<[string, string, number]>([
  ['one user, tied to itself', 'a a\n', 1],
  ...starsOfOneTooMany.map((ties) => [`${ties} ties to one hub`, star(ties), ties + 1] as [string, string, number]),
  ['a complete graph', lines(1600, (i) => `${Math.floor(i / 40)} ${i % 40}\n`), 40],
  ['a disconnected graph', lines(200, (i) => `a${i} b${i}\n`), 400],
  ['more leaves than users', 'a b\nb c\n', 3],
  ['ids with commas, quotes and Unicode', 'user,friend\n"a, ""b""",名前\n名前,👩‍👩‍👧\n', 3],
  ['the same tie ten thousand times', lines(10_000, () => 'a b\n'), 2],
])('%s: a whole, balanced tree, and a refresh of it that moves nobody by force', async (_, text, users) => {
  const { dir, write } = scratchFolder();
  const ties = write('ties', text);
  const [out, next] = [join(dir, 'tree'), join(dir, 'next')];
  await run(ties, '--out', out, '--height', '8');
  expect(readTree(out).users.length).toBe(users);
  checkTree(readTree(out));
  await run(ties, '--out', next, '--previous', out, '--move-max', '0');
  expect(readTree(next).version).toBe(readTree(out).version);
});

test.each([
  ['all ties to one hub', star(300)],
  ['a complete graph', lines(1600, (i) => `${Math.floor(i / 40)} ${i % 40}\n`)],
  ['a disconnected graph', lines(200, (i) => `a${i} b${i}\n`)],
  ['more leaves than users', lines(30, (i) => `u${i} u${i + 1}\n`)],
  ['the same tie again and again beside others', lines(900, (i) => `u${i % 30} u${(i + 1) % 30}\n`)],
])('%s: balance comes back where users of one half of the tree come to weigh a hundred times as much', async (_, text) => {
  const { dir, write } = scratchFolder();
  const [ties, out, next] = [write('ties', text), join(dir, 'tree'), join(dir, 'next')];
  await run(ties, '--out', out, '--height', '8');
  const { users, bucketOfUser } = readTree(out);
  const weights = users.map((_, i) => (bucketOfUser[i]! < 128 ? 100 : 1));
  const listed = write('users.csv', `user,weight\n${users.map((user, i) => `${user},${weights[i]}\n`).join('')}`);
  await run(ties, '--users', listed, '--out', next, '--previous', out, '--move-max', '1');
  checkTree(readTree(next), weights);
});

test('users without any tie, listed beside a single one, all get a bucket', async () => {
  const { dir, write } = scratchFolder();
  const users = write('users.csv', `user,weight\n${lines(50, (i) => `u${i},1\n`)}`);
  await run(write('ties', 'u1 u2\n'), '--users', users, '--out', join(dir, 'tree'), '--height', '4');
  const tree = readTree(join(dir, 'tree'));
  expect(tree.users.length).toBe(50);
  checkTree(tree);
});

test('users listed beside no tie at all are refused, too: an export of ties that failed must not make a tree', async () => {
  const { dir, write } = scratchFolder();
  const users = write('users.csv', `user,weight\n${lines(3, (i) => `u${i},1\n`)}`);
  const message = /ties: no tie is in it; [^\n]* \(users alone, as of --users, make no tree\)$/;
  await expect(run(write('ties', ''), '--users', users, '--out', join(dir, 'tree'))).rejects.toThrow(message);
  expect(readdirSync(dir).sort()).toEqual(['ties', 'users.csv']);
});

test.each([
  ['an empty file', '', /ties: no tie is in it; [^\n]*: check that what wrote it went through/],
  ['nothing but bad lines', 'a\nb\n', /ties: no tie is in it, and 2 bad lines skipped; /, ['--max-bad-lines', '2']],
  ['a METIS graph without ties', '3 0\n\n\n\n', /ties: no tie is in it; .* on the lines of/, ['--format', 'metis']],
  [
    'a file cut in the middle of a gzip block',
    gzipSync(lines(9999, (i) => `${i} ${i * 7}\n`)).subarray(0, 9000),
    /cut/,
  ],
  ['more weight than a number holds', 'a b 1.7e308\na b 1.7e308\nb c .5\n', /^the weights of ties add up to more than/],
  ['a bad line', 'a b\nc\n', /ties:2: 1 field in "c", expected 2; mend it, or skip such lines with --max-bad-lines$/],
] as const)('%s is refused in one line, and nothing is written', async (_, contents, message, flags: readonly string[] = []) => {
  const { dir, write } = scratchFolder();
  const error = await run(write('ties', contents), '--out', join(dir, 'tree'), ...flags).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).message).toMatch(message);
  expect((error as ConfigError).message).not.toContain('\n');
  expect(readdirSync(dir)).toEqual(['ties']);
});

test('a disk that is full while writing leaves the old tree, and nothing half-written', async (context) => {
  const { dir, write } = scratchFolder();
  const disk = join(dir, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    context.skip('a small disk cannot be mounted here (it needs root)');
  }
  onTestFinished(() => void execFileSync('umount', ['-l', disk]));
  const out = join(disk, 'tree');
  writeFileSync(out, 'an older tree');
  const ties = write(
    'ties',
    lines(6000, (i) => `somebody-${i} somebody-${(i * 7) % 6000}\n`),
  );
  const error = await run(ties, '--out', out, '--height', '6', '--effort', 'fast').catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).message).toMatch(/tree: cannot be written \(no space left on device\)[^\n]*$/);
  expect(readdirSync(disk)).toEqual(['tree']);
  expect(readFileSync(out, 'utf8')).toBe('an older tree');
});

test('standard input is read as a file is, plain or gzip', (context) => {
  if (!existsSync(program)) context.skip('not built: npm run build');
  const { dir, write } = scratchFolder();
  const text = 'user,friend\na,b\nb,c\n';
  const versions = [write('ties', text), '-', '-'].map((path, i) => {
    const out = join(dir, `tree${i}`);
    const input = i === 1 ? text : gzipSync(text);
    const { status, stderr } = spawnSync(
      process.execPath,
      [program, 'bucketize', path, '--out', out, '--height', '3'],
      { input },
    );
    expect({ status, stderr: String(stderr) }).toEqual({ status: 0, stderr: '' });
    return readTree(out).version;
  });
  expect(new Set(versions).size).toBe(1);
  const { status, stderr } = spawnSync(process.execPath, [program, 'bucketize', '-', '--out', join(dir, 'none')], {
    input: 'a b\nc\n',
  });
  expect(status).toBe(1);
  expect(String(stderr)).toMatch(/standard input:2: 1 field in "c", expected 2/);
  const flags = ['--users', '-', '--out', join(dir, 'none')];
  const users = spawnSync(process.execPath, [program, 'bucketize', write('ties', text), ...flags], {
    input: 'user,weight\na,-1\n',
  });
  expect(String(users.stderr)).toMatch(/^taiji: standard input:2: /);
});

test('a file that comes as standard input is not replaced, and "-" is no file of that name', (context) => {
  if (!existsSync(program)) context.skip('not built: npm run build');
  const { dir, write } = scratchFolder();
  const [text, weights] = ['a b\nb c\n', 'user,weight\na,2\n'];
  const [path, users] = [write('-', text), write('users', weights)];
  const from = (input: string, ...args: string[]): SpawnSyncReturns<string> => {
    const stdin = openSync(input, 'r');
    const done = spawnSync(process.execPath, [program, 'bucketize', ...args], {
      cwd: dir,
      encoding: 'utf8',
      stdio: [stdin, 'pipe', 'pipe'],
    });
    closeSync(stdin);
    return done;
  };
  const refused = /: the \w+ would replace a file that is read; give it another name\n$/;
  expect(from(path, '-', '--out', path).stderr).toMatch(refused);
  expect(from(path, '-', '--out', join(dir, 'tree'), '--report', path).stderr).toMatch(refused);
  expect(from(users, path, '--users', '-', '--out', users).stderr).toMatch(refused);
  expect([readFileSync(path, 'utf8'), readFileSync(users, 'utf8')]).toEqual([text, weights]);
  const other = write('other', text); // as standard input: then the file called "-" is not read
  expect(from(other, '-', '--out', path)).toMatchObject({ status: 0, stderr: '' });
  expect(readTree(path).users).toEqual(['a', 'b', 'c']);
});

test('with little address space the searches run in JavaScript; a full standard output is one line', (context) => {
  if (!existsSync(program)) context.skip('not built: npm run build');
  const { dir, write } = scratchFolder();
  const path = write('ties', 'a b\nb c\n');
  const [out, little] = [join(dir, 'tree'), join(dir, 'little')];
  const under = (limit: string, to: string, sink: string): SpawnSyncReturns<string> =>
    spawnSync(
      'sh',
      [
        '-c',
        `${limit} exec "$0" "$@" > ${sink}`,
        process.execPath,
        program,
        'bucketize',
        path,
        '--out',
        to,
        '--height',
        '3',
      ],
      { encoding: 'utf8' },
    );
  expect(under('', out, '/dev/null')).toMatchObject({ status: 0, stderr: '' });
  expect(under('ulimit -v 3000000;', little, '/dev/null')).toMatchObject({ status: 0, stderr: '' });
  expect(readTree(little).version).toBe(readTree(out).version);
  if (!existsSync('/dev/full')) return;
  const { status, stderr } = under('', out, '/dev/full');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^taiji: standard output cannot be written \([^\n]*\); check where it goes\n$/);
});
