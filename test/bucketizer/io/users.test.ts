import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readUsers } from '../../../bucketizer/io/users.ts';
import { ConfigError } from '../../../config/errors.ts';
import { scratchFolder } from './scratch.ts';

test('user and weight are read, other columns are not', async () => {
  const text = 'user,home_edge,weight\nu1,han,0.5\n"u,2",del,0\n';
  for (const contents of [text, gzipSync(text)]) {
    const { users, weights } = await readUsers(scratchFolder().write('users.csv', contents));
    expect(users).toEqual(['u1', 'u,2']);
    expect([...weights]).toEqual([0.5, 0]);
  }
});

test('as many users are read as there is room for, and one more, or a letter, is refused with its line', async () => {
  const path = scratchFolder().write('users.csv', 'user,weight\nu1,1\nu2,1\nu3,1\n');
  expect((await readUsers(path, { users: 3, letters: 27 })).users).toEqual(['u1', 'u2', 'u3']);
  for (const [limits, line] of [
    [{ users: 2, letters: 27 }, 4],
    [{ users: 3, letters: 26 }, 4],
    [{ users: 3, letters: 11 }, 1],
  ] as const) {
    const { users, letters } = limits;
    await expect(readUsers(path, limits)).rejects.toThrow(
      `users.csv:${line}: expected at most ${users} lines of users and ${letters} letters; list those alone who do`,
    );
  }
});

test.each([
  ['no header', 'u1,1\n', /users.csv:1: no column "user"/],
  ['a missing column', 'user\nu1\n', /users.csv:1: no column "weight"/],
  ['nobody', 'user,weight\n', /users.csv: no users under the header/],
  ['an empty file', '', /users.csv: the file is empty/],
  ['a zero byte', 'user,weight\nu\0,1\n', /users.csv:2: a zero byte in the line, expected text/],
  ['a line without end', 'user,weight\n'.repeat(1 << 17).replaceAll('\n', ','), /users.csv:1: the line is longer/],
  ['a weight that is no number', 'user,weight\nu1,heavy\n', /users.csv:2: weight is "heavy", expected a number/],
  ['a negative weight', 'user,weight\nu1,-1\n', /users.csv:2: weight is "-1", expected a number of at least 0/],
  ['a weight that is NaN', 'user,weight\nu1,NaN\n', /users.csv:2: weight is "NaN"/],
  ['a user twice', 'user,weight\nu1,1\nu2,1\nu1,2\n', /users.csv:4: user "u1" is listed already on line 2; keep one/],
  ['an empty id', 'user,weight\n,1\n', /users.csv:2: user is empty, expected an id/],
])('%s is refused in one line that names the file', async (_, text, message) => {
  const error = await readUsers(scratchFolder().write('users.csv', text)).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).message).toMatch(message);
});
