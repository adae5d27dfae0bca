/** Files of the built program that are opened by name: threads, WebAssembly, pages. Whoever asks may run as the sources, as
 *  what `tsc` made of them, or as the bundle of all of it (`pipeline/cli/bundle.mjs`): what counts is where the package is. */

import { existsSync } from 'node:fs';

/** `path`: from `dist`. It may be absent. */
export function builtFile(path: string): URL {
  let folder = new URL('.', import.meta.url);
  while (!existsSync(new URL('package.json', folder))) {
    const above = new URL('..', folder);
    if (above.href === folder.href) break;
    folder = above;
  }
  return new URL(`dist/${path}`, folder);
}
