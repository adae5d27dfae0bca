/** Compiles the multilevel searches to WebAssembly, `searches.wasm` beside their JavaScript in `dist`, and the table of
 *  ids, `ids.wasm`. A file in this folder stands for the one of the same name above it, as if all lay in one folder;
 *  AssemblyScript has no `import type`. Nothing else is changed. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const here = fileURLToPath(new URL('.', import.meta.url));
const above = dirname(here);
const out = fileURLToPath(new URL('../../../dist/bucketizer/multilevel/', import.meta.url));
const programs = { 'entry.ts': 'searches.wasm', 'ids.ts': 'ids.wasm' };

const options = {
  optimizeLevel: 3,
  runtime: 'stub', // memory is given out, and all of it taken back at once
  uncheckedBehavior: 'always', // bounds: as for the same code in JavaScript, its tests
};

for (const [entry, program] of Object.entries(programs)) {
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const host = { readFile, writeFile, listFiles: () => [], reportDiagnostic };
  const { error } = await asc.main([entry, '--outFile', program, ...flags], host);
  if (error !== null) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

function readFile(name) {
  const path = [here, above].map((folder) => join(folder, name)).find(existsSync);
  return path === undefined ? null : forAssemblyScript(readFileSync(path, 'utf8'));
}

function forAssemblyScript(source) {
  return source.replace(/^(import|export) (?:type )?(\{[^}]*\}) from '\.\.?\/(.*)\.ts';/gm, (_, verb, names, file) => {
    return `${verb} ${names.replace(/\btype /g, '')} from './${file}';`;
  });
}

function writeFile(name, contents) {
  if (!name.endsWith('.wasm')) return;
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, name), contents);
}

/** Of what it has to say, all but notes: most are about "!", which is for tsc. */
function reportDiagnostic(diagnostic) {
  if (diagnostic.category === 1 || diagnostic.category === 0) return;
  process.stderr.write(`${diagnostic.range?.source?.normalizedPath ?? ''}: ${diagnostic.message}\n`);
}
