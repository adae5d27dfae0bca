import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openToken } from '../../../../pipeline/server/io/secrets.ts';
import { scratchDirectory } from '../../../config/small-world.ts';

const file = (text: string): string => {
  const path = join(scratchDirectory(), 'token');
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};

test('a token with a name is that person’s, one without is nobody’s', async () => {
  const token = await openToken(file('ann 0123456789abcdef\nbare-0123456789abc\nbob abcdef0123456789\n'));
  expect(token.bearerOf('0123456789abcdef')).toMatchObject({ name: 'ann' });
  expect(token.bearerOf('abcdef0123456789')).toMatchObject({ name: 'bob' });
  expect(token.bearerOf('bare-0123456789abc')).toMatchObject({ name: null });
  for (const wrong of ['', 'ann', '0123456789abcdee', 'ann 0123456789abcdef']) {
    expect(token.bearerOf(wrong), wrong).toBe(null);
  }
});

test('a token file that is none is refused with what one is', async () => {
  for (const text of [
    '',
    'short\n',
    'ann 0123456789abcdef extra\n',
    'an,n 0123456789abcdef\n',
    'x 0123456789abcdef\n\n0\n',
  ]) {
    await expect(openToken(file(text)), JSON.stringify(text)).rejects.toThrow(/not a token; expected lines of a token/);
  }
});
