/** Puts the modules of the command line together, a few files a verb, in the place of the entry that `tsc` made: a verb of
 *  eighty modules started a fifth slower than one of ten. Names stay, so that a stack still tells where it is; packages stay
 *  outside; files are found by `builtFile`, for `import.meta.url` is a chunk's here. */

import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
rmSync(here('../../dist/pipeline/cli/chunks'), { recursive: true, force: true });
await build({
  entryPoints: [here('main.ts')],
  outdir: here('../../dist/pipeline/cli'),
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
});
