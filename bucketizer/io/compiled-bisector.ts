/** The multilevel search in WebAssembly (`multilevel/wasm`, decision 0017): compiled before it runs. In JavaScript the engine
 *  compiles it while it runs, which took a third of the time of a small build, and does so once more in every thread. */

import assert from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { hash32 } from '../../config/random.ts';
import { type Bisector, plainBisector } from '../bisection.ts';
import { entriesLarge } from '../multilevel/graph.ts';

/** What `multilevel/wasm/entry.ts` exports; arrays are addresses in its memory. */
interface Search {
  readonly memory: { readonly buffer: ArrayBuffer };
  begin(): void;
  ints(length: number): number;
  doubles(length: number): number;
  bisect(
    rowStart: number,
    neighbour: number,
    tieWeight: number,
    nodeWeight: number,
    cap: number,
    coarsestNodes: number,
    shrinkPerRound: number,
    tries: number,
    passes: number,
    labelRounds: number,
    byDensity: boolean,
    startTies: number,
    cycles: number,
    chance: number,
  ): number;
}

/** The part of WebAssembly used, which the types of Node leave out. */
interface Engine {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

/** For graphs that are not large; large ones, and those whose ties add up to more than 32 bits, go to the search in
 *  JavaScript, and so do all where the program has not been built: the sides are the same. */
export function compiledBisector(): Bisector {
  const plain = plainBisector();
  const file = compiledFile();
  if (file === null) return plain;
  const search = instantiate(file);
  return (graph, cap, effort, chance) => {
    const { nodeCount, rowStart, neighbour, tieWeight, nodeWeight } = graph;
    const entries = rowStart[nodeCount]!;
    if (entries >= entriesLarge || !(tieWeight instanceof Int32Array)) return plain(graph, cap, effort, chance);
    search.begin();
    const [starts, neighbours, ties] = [search.ints(nodeCount + 1), search.ints(entries), search.ints(entries)];
    const weights = search.doubles(nodeCount);
    const { buffer } = search.memory; // another one whenever memory has grown
    new Uint32Array(buffer, starts).set(rowStart);
    new Uint32Array(buffer, neighbours).set(neighbour);
    new Int32Array(buffer, ties).set(tieWeight);
    new Float64Array(buffer, weights).set(nodeWeight);
    const { coarsestNodes, shrinkPerRound, tries, passes, labelRounds, byDensity, startTies, cycles } = effort;
    const side = search.bisect(
      starts,
      neighbours,
      ties,
      weights,
      cap,
      coarsestNodes,
      shrinkPerRound,
      tries,
      passes,
      labelRounds,
      byDensity,
      startTies,
      cycles,
      hash32(chance),
    );
    return new Uint8Array(search.memory.buffer, side, nodeCount).slice();
  };
}

function compiledFile(): URL | null {
  const beside = new URL('../multilevel/bisect.wasm', import.meta.url);
  if (existsSync(beside)) return beside;
  const built = new URL('../../dist/bucketizer/multilevel/bisect.wasm', import.meta.url);
  return existsSync(built) ? built : null;
}

function instantiate(file: URL): Search {
  const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;
  const abort = (): void => assert.fail('the multilevel search ran out of memory');
  return new Instance(new Module(readFileSync(file)), { env: { abort } }).exports as Search;
}
