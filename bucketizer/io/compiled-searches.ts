/** The multilevel searches in WebAssembly (`multilevel/wasm`, decision 0017): compiled before it runs. In JavaScript the engine
 *  compiles them while they run, which took a third of the time of a small build, and does so once more in every thread. */

import type { DescentPlan } from '../multilevel/descend.ts';
import { Graph, sumOf } from '../multilevel/graph.ts';
import type { ListedRows } from '../multilevel/listed-rows.ts';
import { entriesLarge } from '../multilevel/memory.ts';
import type { TreeBounds } from '../multilevel/tree-room.ts';
import type { TreeTies } from '../multilevel/tree-ties.ts';
import { plainSearches, type Searches } from '../searches.ts';
import { compiledProgram } from './compiled-program.ts';

/** What `multilevel/wasm/entry.ts` exports; arrays are addresses in its memory. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  begin(): void;
  beginAgain(): void;
  bytes(length: number): number;
  ints(length: number): number;
  doubles(length: number): number;
  graph(rowStart: number, neighbour: number, tieWeight: number, nodeWeight: number): number;
  rows(ties: number, weights: number, nodeCount: number, directed: boolean, place: number): number;
  listedStart(rows: number): number;
  listedNeighbour(rows: number): number;
  listedWeight(rows: number): number;
  listedDirection(rows: number): number;
  listedEntries(rows: number): number;
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
    startsMax: number,
    settles: boolean,
    cycles: number,
  ): number;
  bisect(part: number, level: number, index: number, plan: number): number;
  bisectRoot(graph: number, plan: number): number;
  rootSides(root: number): number;
  isByWeight(root: number): number;
  descend(part: number, level: number, index: number, plan: number): number;
  half(part: number, sides: number, side: number): number;
  nodeCount(graph: number): number;
  startOfRows(graph: number): number;
  neighbours(graph: number): number;
  tieWeights(graph: number): number;
  nodeWeights(graph: number): number;
  degrees(graph: number): number;
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
  measure(graph: number, leafOf: number, height: number): number;
  byDistance(ties: number): number;
  rowStart(ties: number): number;
  neighbour(ties: number): number;
  weight(ties: number): number;
}

/** Refining a tree works on a copy of 8 bytes an entry. */
const refinedMax = 1 << 24; // entries of a graph

/** Bisecting takes 66 bytes an entry, and memory that a search gives back stays with the program: of huge graphs only smaller
 *  parts are bisected so. */
export function bisectedMaxOf(graph: Graph): number {
  return entriesOf(graph) < refinedMax ? entriesLarge : entriesLarge / 4;
}

/** Of larger graphs parts are bisected by threads, beside which what making rows takes had better be gone. */
const listedMax = 1 << 20; // ties

/** Down to its leaves a graph takes half a kilobyte a node, beside what its entries take; a block of memory ends at 1 GiB. */
const nodesMax = 1 << 20;

/** For graphs of fewer entries than `bisectedMax`, at most `entriesLarge`; refinement and swaps, which make no other graph,
 *  take four times that. Graphs of more entries, of more than `nodesMax` nodes, or whose ties add up to more than 32 bits go
 *  to the searches in JavaScript, and so do all where the program has not been built. */
export function compiledSearches(bisectedMax: number = entriesLarge): Searches {
  const exact = plainSearches();
  const exports = compiledProgram('searches');
  if (exports === null) return exact;
  const memory = new SearchMemory(exports as Exports);
  /** Null: the compiled ones. What a search of a large graph has to work with goes with it, for it takes as much as the graph. */
  const othersFor = (graph: Graph, entriesMax: number): Searches | null => {
    if (entriesOf(graph) >= entriesMax || graph.nodeCount > nodesMax) return plainSearches();
    return graph.tieWeight instanceof Float64Array ? exact : null;
  };
  const onTree =
    (search: 'refine' | 'swap'): Searches['refine'] =>
    (graph, leafOf, bounds, rounds, seed) => {
      const others = othersFor(graph, refinedMax);
      if (others !== null) return others[search](graph, leafOf, bounds, rounds, seed);
      const { exports } = memory;
      const at = memory.begin(graph);
      const held = memory.bounds(bounds);
      const leaves = memory.ints(leafOf);
      exports[search](at, leaves, held, rounds, seed);
      leafOf.set(new Uint32Array(exports.memory.buffer, leaves, leafOf.length));
    };
  return {
    descendedMax: bisectedMax / 2, // each half leaves behind half of what its part did
    bisect: (part, place, plan) => {
      const others = othersFor(part, bisectedMax);
      if (others !== null) return others.bisect(part, place, plan);
      const { exports } = memory;
      const side = exports.bisect(memory.begin(part), place.level, place.index, memory.plan(plan));
      return new Uint8Array(exports.memory.buffer, side, part.nodeCount).slice();
    },
    bisectRoot: (graph, plan) => {
      const others = othersFor(graph, bisectedMax);
      if (others !== null) return others.bisectRoot(graph, plan);
      const { exports } = memory;
      const root = exports.bisectRoot(memory.begin(graph), memory.plan(plan));
      const side = new Uint8Array(exports.memory.buffer, exports.rootSides(root), graph.nodeCount).slice();
      return { side, isByWeight: exports.isByWeight(root) !== 0 };
    },
    descend: (part, place, plan) => {
      const others = othersFor(part, bisectedMax);
      if (others !== null) return others.descend(part, place, plan);
      const { exports } = memory;
      const leaves = exports.descend(memory.begin(part), place.level, place.index, memory.plan(plan));
      memory.letGo();
      return new Uint32Array(exports.memory.buffer, leaves, part.nodeCount).slice();
    },
    halves: (part, side) => {
      const others = othersFor(part, bisectedMax);
      if (others !== null) return others.halves(part, side);
      const at = memory.begin(part);
      const sides = memory.bytes(side);
      memory.letGo();
      return [memory.half(at, sides, 0), memory.half(at, sides, 1)];
    },
    refine: onTree('refine'),
    swap: onTree('swap'),
    improve: (graph, leafOf, bounds, before, seed) => {
      const others = othersFor(graph, entriesLarge); // it contracts the graph, too
      if (others !== null) return others.improve(graph, leafOf, bounds, before, seed);
      const { exports } = memory;
      const at = memory.begin(graph);
      const leaves = memory.ints(leafOf);
      const home = memory.ints(before.leaf);
      const held = memory.bounds(bounds);
      exports.improve(at, leaves, held, home, before.usersMax, before.weightMax, seed);
      leafOf.set(new Uint32Array(exports.memory.buffer, leaves, leafOf.length));
    },
    rows: (ties, weights, nodeCount, directed, place) => {
      const fits = ties.length / 2 < listedMax && (weights === null || 2 * sumOf(weights) < 2_147_483_648);
      if (!fits) return exact.rows(ties, weights, nodeCount, directed, place);
      const { exports } = memory;
      memory.beginAnew();
      const listed = memory.ints(ties);
      const given = weights === null ? 0 : memory.doubles(weights);
      const placed = place === null ? 0 : memory.ints(place);
      return memory.listedRows(exports.rows(listed, given, nodeCount, directed, placed), nodeCount);
    },
    measure: (graph, leafOf, height) => {
      const others = othersFor(graph, entriesLarge);
      if (others !== null) return others.measure(graph, leafOf, height);
      const { exports } = memory;
      const at = memory.begin(graph);
      const leaves = memory.ints(leafOf);
      return memory.treeTies(exports.measure(at, leaves, height), height);
    },
  };
}

function entriesOf({ rowStart, nodeCount }: Graph): number {
  return rowStart[nodeCount]!;
}

/** What is handed over is copied. Its buffer is another one whenever it has grown. */
class SearchMemory {
  readonly exports: Exports;
  private held: Graph | null = null; // copied already; a WeakRef would keep each of them until all is done, for nothing here waits
  private heldAt = 0;

  constructor(exports: Exports) {
    this.exports = exports;
  }

  /** Everything but this graph is gone. Returns its address: the same one after the other searches it. */
  begin(graph: Graph): number {
    if (this.held === graph) {
      this.exports.beginAgain();
      return this.heldAt;
    }
    this.beginAnew();
    this.heldAt = this.graph(graph);
    this.held = graph;
    return this.heldAt;
  }

  beginAnew(): void {
    this.exports.begin();
    this.letGo();
  }

  /** Nobody searches this graph again: what is here of it in JavaScript may go. */
  letGo(): void {
    this.held = null;
  }

  private graph({ nodeCount, rowStart, neighbour, tieWeight, nodeWeight }: Graph): number {
    const entries = rowStart[nodeCount]!;
    return this.exports.graph(
      this.ints(rowStart.subarray(0, nodeCount + 1)),
      this.ints(neighbour.subarray(0, entries)),
      this.ints(tieWeight.subarray(0, entries)),
      this.doubles(nodeWeight),
    );
  }

  /** Of users; a copy. */
  half(part: number, sides: number, side: number): Graph {
    const { exports } = this;
    const at = exports.half(part, sides, side);
    const nodeCount = exports.nodeCount(at);
    const { buffer } = exports.memory;
    const rowStart = new Uint32Array(buffer, exports.startOfRows(at), nodeCount + 1).slice();
    const entries = rowStart[nodeCount]!;
    const neighbour = new Uint32Array(buffer, exports.neighbours(at), entries).slice();
    const tieWeight = new Int32Array(buffer, exports.tieWeights(at), entries).slice();
    const nodeWeight = new Float64Array(buffer, exports.nodeWeights(at), nodeCount).slice();
    const degree = new Int32Array(buffer, exports.degrees(at), nodeCount).slice();
    return new Graph(rowStart, neighbour, tieWeight, nodeWeight, nodeWeight, degree);
  }

  plan({ height, leafShare, seed, effort, carefulLevels }: DescentPlan): number {
    const { coarsestNodes, shrinkPerRound, tries, passes, labelRounds, byDensity } = effort;
    const { startTies, startsMax, settles, cycles } = effort;
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
      startsMax,
      settles,
      cycles,
    );
  }

  bounds({ height, even, most, least, userMean }: TreeBounds): number {
    return this.exports.bounds(height, this.doubles(even), this.doubles(most), this.doubles(least), userMean);
  }

  listedRows(at: number, nodeCount: number): ListedRows {
    const { exports } = this;
    const { buffer } = exports.memory;
    const rowStart = new Uint32Array(buffer, exports.listedStart(at), nodeCount + 1).slice();
    const entries = rowStart[nodeCount]!;
    const direction = exports.listedDirection(at);
    return {
      rowStart,
      neighbour: new Uint32Array(buffer, exports.listedNeighbour(at), entries).slice(),
      tieWeight: new Int32Array(buffer, exports.listedWeight(at), entries).slice(),
      direction: direction === 0 ? null : new Uint8Array(buffer, direction, entries).slice(),
      listed: exports.listedEntries(at),
    };
  }

  treeTies(at: number, height: number): TreeTies {
    const { buffer } = this.exports.memory;
    const rowStart = new Uint32Array(buffer, this.exports.rowStart(at), (1 << height) + 1).slice();
    const entries = rowStart[1 << height]!;
    return {
      byDistance: new Float64Array(buffer, this.exports.byDistance(at), height + 1).slice(),
      quotient: {
        rowStart,
        neighbour: new Uint32Array(buffer, this.exports.neighbour(at), entries).slice(),
        weight: new Float64Array(buffer, this.exports.weight(at), entries).slice(),
      },
    };
  }

  ints(values: ArrayLike<number>): number {
    const at = this.exports.ints(values.length);
    new Uint32Array(this.exports.memory.buffer, at).set(values);
    return at;
  }

  bytes(values: Uint8Array): number {
    const at = this.exports.bytes(values.length);
    new Uint8Array(this.exports.memory.buffer, at).set(values);
    return at;
  }

  doubles(values: Float64Array): number {
    const at = this.exports.doubles(values.length);
    new Float64Array(this.exports.memory.buffer, at).set(values);
    return at;
  }
}
