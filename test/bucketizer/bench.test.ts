import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const bench = fileURLToPath(new URL('../../dist/test/bench/bucketizer.js', import.meta.url));

test.each([
  [['--nope']],
  [['refresh', '--nope']],
  [['--seeds']],
])('the bench says in a line what is wrong with %j', (args) => {
  expect(existsSync(bench), 'the bench is built; npm run build').toBe(true);
  const { status, stderr } = spawnSync(process.execPath, [bench, ...args], { encoding: 'utf8' });
  expect(stderr).toMatch(
    /^bench: [^\n]*--(nope|seeds)[^\n]*; npm run bench:bucketizer -- --help tells which there are\n$/,
  );
  expect(status).toBe(1);
});
