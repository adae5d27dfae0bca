/** The multilevel searches in WebAssembly (`multilevel/wasm`, decision 0017): compiled before it runs. In JavaScript the engine
 *  compiles them while they run, which took a third of the time of a small build, and does so once more in every thread. */

import assert from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import type { DescentPlan } from '../multilevel/descend.ts';
import type { Graph } from '../multilevel/graph.ts';
import { entriesLarge } from '../multilevel/memory.ts';
import type { TreeBounds } from '../multilevel/tree-room.ts';
import { plainSearches, type Searches } from '../searches.ts';

/** What `multilevel/wasm/entry.ts` exports; arrays are addresses in its memory. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  begin(): void;
  ints(length: number): number;
  doubles(length: number): number;
  graph(rowStart: number, neighbour: number, tieWeight: number, nodeWeight: number): number;
  bounds(height: number, even: number, most: number, least: number, userMean: number): number;
  plan(
    height: number,
    leafShare: number,
    seed: number,
    carefulLevels: number,
    coarsestNodes: number,
    shrinkPerRound: number,
    tries: number,
    passes: number,
    labelRounds: number,
    byDensity: boolean,
    startTies: number,
    cycles: number,
  ): number;
  bisect(part: number, level: number, index: number, plan: number): number;
  descend(part: number, level: number, index: number, plan: number): number;
  refine(graph: number, leafOf: number, bounds: number, rounds: number, seed: number): void;
  swap(graph: number, leafOf: number, bounds: number, rounds: number, seed: number): void;
  improve(
    graph: number,
    leafOf: number,
    bounds: number,
    homeLeaf: number,
    usersMax: number,
    weightMax: number,
    seed: number,
  ): void;
}

/** The part of WebAssembly used, which the types of Node leave out. */
interface Engine {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

/** For graphs that are not large; large ones, and those whose ties add up to more than 32 bits, go to the searches in
 *  JavaScript, and so do all where the program has not been built. */
export function compiledSearches(): Searches {
  const plain = plainSearches();
  const file = compiledFile();
  if (file === null) return plain;
  const memory = new SearchMemory(file);
  const fits = (graph: Graph): boolean =>
    graph.rowStart[graph.nodeCount]! < entriesLarge && graph.tieWeight instanceof Int32Array;
  const onTree =
    (search: 'refine' | 'swap'): Searches['refine'] =>
    (graph, leafOf, bounds, rounds, seed) => {
      if (!fits(graph)) return plain[search](graph, leafOf, bounds, rounds, seed);
      const { exports } = memory;
      exports.begin();
      const held = memory.bounds(bounds);
      const leaves = memory.ints(leafOf);
      exports[search](memory.graph(graph), leaves, held, rounds, seed);
      leafOf.set(new Uint32Array(exports.memory.buffer, leaves, leafOf.length));
    };
  return {
    bisect: (part, place, plan) => {
      if (!fits(part)) return plain.bisect(part, place, plan);
      const { exports } = memory;
      exports.begin();
      const side = exports.bisect(memory.graph(part), place.level, place.index, memory.plan(plan));
      return new Uint8Array(exports.memory.buffer, side, part.nodeCount).slice();
    },
    descend: (part, place, plan) => {
      if (!fits(part)) return plain.descend(part, place, plan);
      const { exports } = memory;
      exports.begin();
      const leaves = exports.descend(memory.graph(part), place.level, place.index, memory.plan(plan));
      return new Uint32Array(exports.memory.buffer, leaves, part.nodeCount).slice();
    },
    refine: onTree('refine'),
    swap: onTree('swap'),
    improve: (graph, leafOf, bounds, before, seed) => {
      if (!fits(graph)) return plain.improve(graph, leafOf, bounds, before, seed);
      const { exports } = memory;
      exports.begin();
      const leaves = memory.ints(leafOf);
      const home = memory.ints(before.leaf);
      const held = memory.bounds(bounds);
      exports.improve(memory.graph(graph), leaves, held, home, before.usersMax, before.weightMax, seed);
      leafOf.set(new Uint32Array(exports.memory.buffer, leaves, leafOf.length));
    },
  };
}

/** What is handed over is copied. Its buffer is another one whenever it has grown. */
class SearchMemory {
  readonly exports: Exports;

  constructor(file: URL) {
    const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;
    const abort = (): void => assert.fail('the multilevel search ran out of memory');
    this.exports = new Instance(new Module(readFileSync(file)), { env: { abort } }).exports as Exports;
  }

  graph({ nodeCount, rowStart, neighbour, tieWeight, nodeWeight }: Graph): number {
    const entries = rowStart[nodeCount]!;
    return this.exports.graph(
      this.ints(rowStart.subarray(0, nodeCount + 1)),
      this.ints(neighbour.subarray(0, entries)),
      this.ints(tieWeight.subarray(0, entries)),
      this.doubles(nodeWeight),
    );
  }

  plan({ height, leafShare, seed, effort, carefulLevels }: DescentPlan): number {
    const { coarsestNodes, shrinkPerRound, tries, passes, labelRounds, byDensity, startTies, cycles } = effort;
    return this.exports.plan(
      height,
      leafShare,
      seed,
      carefulLevels,
      coarsestNodes,
      shrinkPerRound,
      tries,
      passes,
      labelRounds,
      byDensity,
      startTies,
      cycles,
    );
  }

  bounds({ height, even, most, least, userMean }: TreeBounds): number {
    return this.exports.bounds(height, this.doubles(even), this.doubles(most), this.doubles(least), userMean);
  }

  ints(values: ArrayLike<number>): number {
    const at = this.exports.ints(values.length);
    new Uint32Array(this.exports.memory.buffer, at).set(values);
    return at;
  }

  doubles(values: Float64Array): number {
    const at = this.exports.doubles(values.length);
    new Float64Array(this.exports.memory.buffer, at).set(values);
    return at;
  }
}

function compiledFile(): URL | null {
  const beside = new URL('../multilevel/searches.wasm', import.meta.url);
  if (existsSync(beside)) return beside;
  const built = new URL('../../dist/bucketizer/multilevel/searches.wasm', import.meta.url);
  return existsSync(built) ? built : null;
}
