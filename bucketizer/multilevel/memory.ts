/** Arrays and chance for the multilevel search, which is compiled twice: by tsc to JavaScript, with this file, and by
 *  AssemblyScript to WebAssembly, with the file of the same name in `wasm`, where arrays are plain memory. All that the
 *  two languages do not share is in here; what uses it is written in what they do share (decision 0017). */

import assert from 'node:assert';
import { mix32, type Random, seededRandom } from '../../config/random.ts';

/** 32 bits where all of a graph's ties together fit in them, which is nearly always: half the memory, and faster. Of those
 *  graphs the large ones have their ties in 8 or 16 bits where each fits; searches see one kind where graphs are small. */
export type TieWeights = Uint8Array | Uint16Array | Int32Array | Float64Array;

/** Sums of them. */
export type TieSum = number;

export type Nodes = Uint32Array; // indices
export type Ints = Int32Array;
export type Entries = Ints | Nodes; // room for neighbours
export type Doubles = Float64Array;
export type Floats = Float32Array;
export type Sides = Uint8Array; // 0 or 1

/** [node] the area it lies in, which clusters do not leave. */
export type Areas = ArrayLike<number>;

/** From so many entries on memory is what counts: weights become bytes, and arrays are made once, as long as they may get,
 *  and looked at through views (memory that was never written to is not there). Below, exact and reused arrays are faster. */
export const entriesLarge: i32 = 1 << 22;

/** The leaf of a user who has none yet. */
export const nowhere = 0xffffffff;

/** Chance, as an argument. */
export type Chance = Random;

/** A seed for every tree node, of 32 bits as is `seed`: that of the tree. */
export function seedOf(seed: number, node: number): number {
  return mix32((seed + mix32(node)) >>> 0);
}

export function chanceOf(seed: number): Chance {
  return seededRandom(seed);
}

/** Uniform integer from 0 to before `n`. */
export function below(chance: Chance, n: number): number {
  return Math.floor(chance() * n);
}

export function nodes(length: number): Nodes {
  return new Uint32Array(length);
}

/** Written to before it is read: in WebAssembly it holds whatever was there. */
export function roomForNodes(length: number): Nodes {
  return new Uint32Array(length);
}

export function ints(length: number): Ints {
  return new Int32Array(length);
}

export function doubles(length: number): Doubles {
  return new Float64Array(length);
}

export function floats(length: number): Floats {
  return new Float32Array(length);
}

export function sides(length: number): Sides {
  return new Uint8Array(length);
}

/** Room for some of these weights; as `roomForNodes`. */
export function tiesLike(weights: TieWeights, length: number): TieWeights {
  if (weights instanceof Float64Array) return new Float64Array(length);
  if (length >= entriesLarge && weights instanceof Uint8Array) return new Uint8Array(length);
  if (length >= entriesLarge && weights instanceof Uint16Array) return new Uint16Array(length);
  return new Int32Array(length);
}

/** Room for each of these weights twice, which are whole; as `roomForNodes`. */
export function roomForTies(weights: Doubles, length: number): TieWeights {
  let most = 0;
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]!;
    if (weights[i]! > most) most = weights[i]!;
  }
  return 2 * sum < sumEnd ? roomUpTo(most, length) : new Float64Array(length);
}

/** `given` where it has room for `most` also, which some of its weights add up to, else more room; as `roomForNodes`. Null: one
 *  for each of `length` entries. */
export function roomForSums(given: TieWeights | null, most: number, length: number): TieWeights {
  if (given === null) return length < sumEnd ? roomUpTo(most, length) : new Float64Array(length);
  return given instanceof Float64Array || most <= mostIn(given) ? given : roomUpTo(most, length);
}

const sumEnd = 2_147_483_648;

function roomUpTo(most: number, length: number): TieWeights {
  if (length < entriesLarge || most > 65_535) return new Int32Array(length);
  return new (most > 255 ? Uint16Array : Uint8Array)(length);
}

/** The largest that fits. */
export function mostIn(weights: TieWeights): number {
  if (weights instanceof Uint8Array) return 255;
  if (weights instanceof Uint16Array) return 65_535;
  return weights instanceof Int32Array ? sumEnd - 1 : Infinity;
}

/** Room for sums of these weights. */
export function sumsLike(weights: TieWeights, length: number): TieWeights {
  return weights instanceof Float64Array ? new Float64Array(length) : new Int32Array(length);
}

export function assertNode(node: number, nodeCount: number): void {
  assert(node < nodeCount, 'a tie names a node that does not exist');
}

/** As the kind of array it is to become keeps it. */
export function toSide(value: number): number {
  return value;
}

export function toFloat(value: number): number {
  return value;
}

/** `value` is whole and fits. */
export function toInt(value: number): number {
  return value;
}

/** Of 32 bits. */
export function leadingZeros(value: number): number {
  return Math.clz32(value);
}

export function firstNodes(all: Ints, length: number): Nodes {
  return new Uint32Array(all.subarray(0, length));
}

export function firstTies(all: TieWeights, length: number): TieWeights {
  return all.slice(0, length);
}

export function copyOf(side: Sides): Sides {
  return side.slice();
}

/** Working memory that outlives one search. A tree takes thousands of searches on ever smaller parts; arrays made anew for
 *  each cost more than some of the searches themselves. Arrays are held by name, and grown when too short. What they hold is
 *  whatever was left in them; they may be longer than asked for. */
export class Scratch {
  private readonly ints32 = new Map<string, Int32Array>();
  private readonly doubles64 = new Map<string, Float64Array>();

  ints(name: string, length: number): Int32Array {
    const held = this.ints32.get(name);
    if (held !== undefined && held.length >= length) return held;
    const made = new Int32Array(length);
    this.ints32.set(name, made);
    return made;
  }

  doubles(name: string, length: number): Float64Array {
    const held = this.doubles64.get(name);
    if (held !== undefined && held.length >= length) return held;
    const made = new Float64Array(length);
    this.doubles64.set(name, made);
    return made;
  }

  /** Of the kind of `like`: sums of its values fit. */
  sums(name: string, length: number, like: TieWeights): TieWeights {
    return like instanceof Float64Array ? this.doubles(name, length) : this.ints(name, length);
  }
}

/** In WebAssembly nobody collects garbage: what searches leave behind is given back by hand. */
export function memoryMark(_scratch: Scratch): number {
  return 0;
}

export function giveBack(_mark: number): void {}
