/** Puts the modules of the command line together, a few files a verb, in the place of the entry that `tsc` made, and so those
 *  of the thread that bisects: a verb of eighty modules started a fifth slower than one of ten. Names stay, so that a stack
 *  still tells where it is; files are found by `builtFile`, for `import.meta.url` is a chunk's here. Packages stay outside, but
 *  for the one that every verb starts with. */

import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { dependencies } = JSON.parse(readFileSync(here('../../package.json'), 'utf8'));
const together = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: Object.keys(dependencies).filter((name) => name !== 'commander'),
  sourcemap: true,
  logLevel: 'warning',
};

rmSync(here('../../dist/pipeline/cli/chunks'), { recursive: true, force: true });
await build({
  ...together,
  entryPoints: [here('main.ts')],
  outdir: here('../../dist/pipeline/cli'),
  chunkNames: 'chunks/[name]-[hash]',
  splitting: true,
  // commander is CommonJS, and asks for what belongs to Node
  banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
});
await build({
  ...together,
  entryPoints: [here('../../bucketizer/io/bisect-worker.ts')],
  outfile: here('../../dist/bucketizer/io/bisect-worker.js'),
});
