/** Room for what a computation forgets when it ends, one piece of memory for all of them in turn. Arrays as long as a
 *  program, made anew for every program, are garbage that it takes the collector longer to find than a solve takes. */

const firstBytes = 1 << 16;

export class Scratch {
  #memory = new ArrayBuffer(firstBytes);
  #used = 0;
  #wanted = 0;

  /** All that was handed out is free again. */
  begin(): void {
    if (this.#wanted > this.#memory.byteLength) this.#memory = new ArrayBuffer(2 * this.#wanted);
    this.#used = 0;
    this.#wanted = 0;
  }

  /** Zeros. */
  doubles(length: number): Float64Array {
    return this.anyDoubles(length).fill(0);
  }

  /** Whatever was there: for what is written before it is read. */
  anyDoubles(length: number): Float64Array {
    const at = this.#take(8 * length);
    return at < 0 ? new Float64Array(length) : new Float64Array(this.#memory, at, length);
  }

  /** Zeros. */
  integers(length: number): Int32Array {
    return this.anyIntegers(length).fill(0);
  }

  /** Whatever was there. */
  anyIntegers(length: number): Int32Array {
    const at = this.#take(4 * length);
    return at < 0 ? new Int32Array(length) : new Int32Array(this.#memory, at, length);
  }

  /** Zeros. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return at < 0 ? new Uint8Array(length) : new Uint8Array(this.#memory, at, length).fill(0);
  }

  /** Where so many bytes begin; -1 where there is no room before the next `begin`. */
  #take(bytes: number): number {
    const rounded = 8 * Math.ceil(bytes / 8);
    this.#wanted += rounded;
    if (this.#used + rounded > this.#memory.byteLength) return -1;
    this.#used += rounded;
    return this.#used - rounded;
  }
}
