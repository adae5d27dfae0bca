import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { bucketize } from '../../../bucketizer/bucketize.ts';
import { writeTree } from '../../../bucketizer/io/tree-file.ts';
import { communityTies, userNames } from '../sample-graphs.ts';
import { scratchFolder } from './scratch.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

test('the example of the documentation runs with the package as it is built', async (context) => {
  if (!existsSync(join(root, 'dist/bucketizer/io/public-lookup.d.ts'))) context.skip('not built: npm run build');
  const { tree } = bucketize(
    { users: userNames(90), userWeights: null, ties: communityTies(90, 9, 1), tieWeights: null },
    { height: 5, seed: 1 },
  );
  const path = join(scratchFolder().dir, 'tree');
  writeTree(path, tree);
  const text = readFileSync(join(root, 'docs/bucketizer.md'), 'utf8');
  const example = /<!-- example:lookup -->\s+```js\n([\s\S]*?)```/.exec(text)![1]!;
  const child = spawn(process.execPath, ['--input-type=module', '-e', example], {
    cwd: root,
    env: { ...process.env, TREE: path },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  const response = await fetch(`http://127.0.0.1:${String(port).trim()}/`, { headers: { 'x-user': 'u7' } });
  const bucket = tree.bucketOfUser[tree.users.indexOf('u7')]!;
  expect(await response.json()).toEqual({ bucket });
  expect(response.headers.get('set-cookie')).toBe(
    `bucket=${bucket}; Max-Age=31536000; Path=/; HttpOnly; Secure; SameSite=Lax`,
  );
});
