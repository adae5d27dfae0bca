/** `IdTable` in WebAssembly (`multilevel/wasm/ids.ts`, decision 0017), for small files: they are read to their end before the
 *  engine has compiled the same in JavaScript, which took half of the time of reading. */

import { Buffer } from 'node:buffer';
import { compiledProgram } from './compiled-program.ts';
import { idsOf, type PairLines } from './id-table.ts';

/** Arrays are addresses in its memory. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  room(bytes: number): number;
  size(): number;
  heldBytes(): number;
  heldEnds(): number;
  order(): number;
  lines(): number;
  indexOf(from: number, start: number, end: number): number;
  indexPairs(
    from: number,
    start: number,
    end: number,
    ofId: number,
    between: number,
    betweenMax: number,
    into: number,
    linesMax: number,
  ): number;
}

export class CompiledIds {
  private readonly exports: Exports;
  private readonly id: Room;
  private readonly lines: Room;
  private readonly ofId: Room;
  private readonly between: Room;
  private readonly pairs: Room;

  private constructor(exports: Exports) {
    this.exports = exports;
    this.id = new Room(exports);
    this.lines = new Room(exports);
    this.ofId = new Room(exports);
    this.between = new Room(exports);
    this.pairs = new Room(exports);
  }

  /** Null where it has not been built. */
  static made(): CompiledIds | null {
    const exports = compiledProgram('ids');
    return exports === null ? null : new CompiledIds(exports as Exports);
  }

  get size(): number {
    return this.exports.size();
  }

  index(id: string | number): number {
    const bytes = Buffer.from(String(id));
    return this.indexOf(bytes, 0, bytes.length);
  }

  indexOf(from: Uint8Array, start: number, end: number): number {
    const room = this.id.of(end - start);
    for (let i = start; i < end; i++) room[i - start] = from[i]!;
    return this.exports.indexOf(this.id.at, 0, end - start);
  }

  /** `from` and what is in `shape` stay what they are as long as they are handed in. */
  indexPairs(
    from: Uint8Array,
    start: number,
    end: number,
    shape: PairLines,
    into: Uint32Array,
  ): { readonly lines: number; readonly next: number } {
    const { exports } = this;
    this.pairs.of(into.byteLength);
    const next = exports.indexPairs(
      this.lines.hold(from),
      start,
      end,
      this.ofId.hold(shape.ofId),
      this.between.hold(shape.between),
      shape.betweenMax,
      this.pairs.at,
      into.length / 2,
    );
    const lines = exports.lines();
    if (lines > 0) into.set(new Uint32Array(exports.memory.buffer, this.pairs.at, 2 * lines));
    return { lines, next };
  }

  ids(): string[] {
    const { exports, size } = this;
    const { buffer } = exports.memory;
    return idsOf(Buffer.from(buffer, exports.heldBytes()), new Uint32Array(buffer, exports.heldEnds(), size), size);
  }

  /** `orderOfIds` of them. */
  order(): Uint32Array {
    const { exports, size } = this;
    const at = exports.order(); // before the buffer is asked for: memory grows
    return new Uint32Array(exports.memory.buffer, at, size).slice();
  }
}

/** For bytes handed over: grows with them. */
class Room {
  at = 0;
  private readonly exports: Exports;
  private length = 0;
  private view = new Uint8Array(0); // so, too, when memory has grown
  private held: Uint8Array | null = null;

  constructor(exports: Exports) {
    this.exports = exports;
  }

  /** Where they are; copies them, unless they were the last ones. */
  hold(bytes: Uint8Array): number {
    if (this.held !== bytes) this.of(bytes.length).set(bytes);
    this.held = bytes;
    return this.at;
  }

  /** For so many bytes at least. */
  of(length: number): Uint8Array {
    if (this.view.length > 0 && this.length >= length) return this.view;
    if (this.length < length) {
      this.length = Math.max(length, 2 * this.length);
      this.at = this.exports.room(this.length);
    }
    this.view = new Uint8Array(this.exports.memory.buffer, this.at, this.length);
    return this.view;
  }
}
