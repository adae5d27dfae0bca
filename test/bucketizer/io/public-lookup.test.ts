import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, onTestFinished, test } from 'vitest';
import { bucketize } from '../../../bucketizer/bucketize.ts';
import { writeTree } from '../../../bucketizer/io/tree-file.ts';
import { communityTies, userNames } from '../sample-graphs.ts';
import { scratchFolder } from './scratch.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

const built = existsSync(join(root, 'dist/bucketizer/io/public-lookup.d.ts'));
const text = readFileSync(join(root, 'docs/bucketizer.md'), 'utf8');
const example = /<!-- example:lookup -->\s+```js\n([\s\S]*?)```/.exec(text)![1]!;

test('the example of the documentation runs with the package as it is built', async (context) => {
  if (!built) context.skip('not built: npm run build');
  const { tree } = bucketize(
    { users: userNames(90), userWeights: null, ties: communityTies(90, 9, 1), tieWeights: null },
    { height: 5, seed: 1 },
  );
  const path = join(scratchFolder().dir, 'tree');
  writeTree(path, tree);
  const child = spawn(process.execPath, ['--input-type=module', '-e', example], {
    cwd: root,
    env: { ...process.env, TREE: path },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  const [address] = (await once(child.stdout, 'data')) as [Buffer];
  const port = /port: (\d+)/.exec(String(address))![1];
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-user': 'u7' } });
  const bucket = tree.bucketOfUser[tree.users.indexOf('u7')]!;
  expect(await response.json()).toEqual({ bucket });
  expect(response.headers.get('set-cookie')).toBe(
    `bucket=${bucket}; Max-Age=31536000; Path=/; HttpOnly; Secure; SameSite=Lax`,
  );
});

/** What strict TypeScript says of a user's file that imports the package as it is built, types of libraries included. */
function complaintsOf(source: string): string[] {
  const file = join(root, 'consumer.ts'); // held in memory
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => path === file || fileExists(path);
  host.readFile = (path) => (path === file ? source : readFile(path));
  return ts
    .getPreEmitDiagnostics(ts.createProgram([file], options, host))
    .map(({ messageText, file: at }) => `${at?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
}

test('the example compiles as TypeScript without skipLibCheck, and so does whatever the package exports', (context) => {
  if (!built) context.skip('not built: npm run build');
  const rest = `
    import { createServer, type IncomingMessage } from 'node:http';
    import * as all from 'taiji/lookup';
    const tree: all.BucketLookup = all.openTree('tree');
    const between = all.lookupBetween(tree, all.openTree('next'), all.fullCut / 2);
    // @ts-expect-error: a cut is a number
    all.lookupBetween(tree, tree, 'half');
    const options: all.BucketCookieOptions = { height: between.height, macKey: 'key' };
    const seen = all.bucketMiddleware<IncomingMessage>({ lookup: between, userOf: () => null, friendsOf: () => ['a'] });
    createServer((request, response) => {
      const bucket: number | null = all.readBucketCookie(request.headers.cookie, options);
      seen(request, response, () => response.end(all.bucketCookie(bucket ?? all.unknownUserBucket('a', 3), options)));
    });
    export const onNext: boolean = all.isOnNextTree('a', 1) && tree.knows(all.bucketCookieName);
  `;
  expect(complaintsOf(`${example}${rest}`)).toEqual([]);
});
