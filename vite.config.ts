/** Builds the live page into one script and one style sheet that the server sends as files: no inline code, so that
 *  `default-src 'self'` is all the page needs, and nothing from elsewhere. */

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('pipeline/console', import.meta.url)),
  base: './', // also behind a proxy that adds a prefix
  publicDir: false,
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: fileURLToPath(new URL('dist/pipeline/console', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
