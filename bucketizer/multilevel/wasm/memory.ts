/** `../memory.ts` for WebAssembly. Arrays are of fixed length, in memory that is only ever given out: all of it is free
 *  again when the next search begins (`entry.ts`). Indices and sums are signed 32 bits. Written in AssemblyScript. */

export type TieWeights = StaticArray<i32>;
export type TieSum = i32;
export type Nodes = StaticArray<i32>;
export type Ints = StaticArray<i32>;
export type Entries = StaticArray<i32>;
export type Doubles = StaticArray<f64>;
export type Floats = StaticArray<f32>;
export type Sides = StaticArray<u8>;
export type Areas = StaticArray<u8>;

export const entriesLarge: i32 = 1 << 22;
export const nowhere: i32 = -1;

/** `seededRandom` of config/random.ts. */
export class Chance {
  private a: u32;
  private b: u32;
  private c: u32;
  private counter: u32 = 1;

  constructor(base: u32) {
    this.a = mix32(base);
    this.b = mix32(base + 0x9e3779b9);
    this.c = mix32(base + 0x3c6ef372);
    for (let i = 0; i < 12; i++) this.next();
  }

  next(): f64 {
    const t = this.a + this.b + this.counter;
    this.counter++;
    this.a = this.b ^ (this.b >>> 9);
    this.b = this.c + (this.c << 3);
    this.c = ((this.c << 21) | (this.c >>> 11)) + t;
    return f64(t) / 4294967296.0;
  }
}

function mix32(value: u32): u32 {
  let h = value;
  h ^= h >>> 16;
  h *= 0x85ebca6b;
  h ^= h >>> 13;
  h *= 0xc2b2ae35;
  return h ^ (h >>> 16);
}

export function seedOf(seed: i32, node: i32): u32 {
  return mix32(u32(seed) + mix32(u32(node)));
}

export function chanceOf(seed: u32): Chance {
  return new Chance(mix32(seed));
}

export function below(chance: Chance, n: i32): i32 {
  return i32(chance.next() * n);
}

export function nodes(length: i32): Nodes {
  return new StaticArray<i32>(length);
}

/** To fill it with 0 first takes as long as to write it once more. */
export function roomForNodes(length: i32): Nodes {
  return changetype<Nodes>(__new(usize(length) << 2, idof<Nodes>()));
}

export function ints(length: i32): Ints {
  return new StaticArray<i32>(length);
}

export function doubles(length: i32): Doubles {
  return new StaticArray<f64>(length);
}

export function floats(length: i32): Floats {
  return new StaticArray<f32>(length);
}

export function sides(length: i32): Sides {
  return new StaticArray<u8>(length);
}

export function tiesLike(_weights: TieWeights, length: i32): TieWeights {
  return roomForNodes(length);
}

/** Whose sums do not fit is not sent here. */
export function roomForTies(_weights: Doubles, length: i32): TieWeights {
  return roomForNodes(length);
}

export function roomForSums(given: TieWeights | null, _most: f64, length: i32): TieWeights {
  return given === null ? roomForNodes(length) : given;
}

export function sumsLike(_weights: TieWeights, length: i32): TieWeights {
  return ints(length);
}

export function assertNode(node: i32, nodeCount: i32): void {
  assert(u32(node) < u32(nodeCount));
}

export function toSide(value: i32): u8 {
  return u8(value);
}

export function toFloat(value: f64): f32 {
  return f32(value);
}

export function toInt(value: f64): i32 {
  return i32(value);
}

export function leadingZeros(value: i32): i32 {
  return clz(value);
}

export function firstNodes(all: Ints, length: i32): Nodes {
  return first(all, length);
}

export function firstTies(all: TieWeights, length: i32): TieWeights {
  return first(all, length);
}

function first(all: StaticArray<i32>, length: i32): StaticArray<i32> {
  const copy = roomForNodes(length);
  memory.copy(changetype<usize>(copy), changetype<usize>(all), usize(length) << 2);
  return copy;
}

export function copyOf(side: Sides): Sides {
  const copy = new StaticArray<u8>(side.length);
  memory.copy(changetype<usize>(copy), changetype<usize>(side), side.length);
  return copy;
}

/** `length` may be less than was asked for before: what is held stays. */
export class Scratch {
  isComplete: bool = false; // nothing is made any more, for it would be given back with what a search leaves behind
  private readonly ints32: Map<string, Ints> = new Map();
  private readonly doubles64: Map<string, Doubles> = new Map();

  ints(name: string, length: i32): Ints {
    if (this.ints32.has(name)) {
      const held = this.ints32.get(name);
      if (held.length >= length) return held;
    }
    assert(!this.isComplete);
    const made = roomForNodes(length);
    this.ints32.set(name, made);
    return made;
  }

  doubles(name: string, length: i32): Doubles {
    if (this.doubles64.has(name)) {
      const held = this.doubles64.get(name);
      if (held.length >= length) return held;
    }
    assert(!this.isComplete);
    const made = doubles(length);
    this.doubles64.set(name, made);
    return made;
  }

  sums(name: string, length: i32, _like: TieWeights): TieWeights {
    return this.ints(name, length);
  }
}

const emptyBlock: usize = 12; // bytes, beside the 4 that say so

/** What is made from here on can be given back at once. `scratch`: has served a graph, and will serve smaller ones. */
export function memoryMark(scratch: Scratch): usize {
  scratch.isComplete = true;
  return heap.alloc(0);
}

/** All that was made since is free again. */
export function giveBack(mark: usize): void {
  heap.reset();
  const first = heap.alloc(0);
  heap.reset();
  heap.alloc(mark - first + emptyBlock);
}
