/** What `npm run build` has compiled to WebAssembly (decision 0017), started. */

import assert from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { builtFile } from '../../config/io/built.ts';

/** The part of WebAssembly used, which the types of Node leave out. Under `node --jitless` there is none. */
interface Engine {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

/** What the program exports, each time in a memory of its own; null where it has not been built or cannot run, as where the
 *  system allows a process less address space (`ulimit -v`) than the engine sets aside for such a memory. */
export function compiledProgram(name: 'searches' | 'ids'): object | null {
  const file = builtFile(`bucketizer/multilevel/${name}.wasm`);
  const engine = (globalThis as unknown as { readonly WebAssembly?: Engine }).WebAssembly;
  if (engine === undefined || !existsSync(file)) return null;
  const abort = (): void => assert.fail(`${name}.wasm ran out of memory, or was handed a node that does not exist`);
  const module = new engine.Module(readFileSync(file));
  try {
    return new engine.Instance(module, { env: { abort } }).exports;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
