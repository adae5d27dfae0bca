/** Arrays of zeros that are pieces of a larger memory: where a program is small, asking the system for the memory of each
 *  array takes longer than what is written into it. A piece keeps all of its memory from being collected, so they are for
 *  what is forgotten within the epoch; and who sends one to another thread sends all. */

const memoryBytes = 1 << 17;

/** Larger ones have a memory of their own. */
const pieceBytesMax = memoryBytes / 8;

let memory = new ArrayBuffer(memoryBytes);
let used = 0;

export function doubles(length: number): Float64Array {
  const at = take(8 * length);
  return at < 0 ? new Float64Array(length) : new Float64Array(memory, at, length);
}

export function integers(length: number): Int32Array {
  const at = take(4 * length);
  return at < 0 ? new Int32Array(length) : new Int32Array(memory, at, length);
}

export function bytes(length: number): Uint8Array {
  const at = take(length);
  return at < 0 ? new Uint8Array(length) : new Uint8Array(memory, at, length);
}

/** Where so many bytes begin, never handed out before; -1 where they are too many. */
function take(wanted: number): number {
  if (wanted > pieceBytesMax) return -1;
  const rounded = (wanted + 7) & ~7;
  if (used + rounded > memoryBytes) {
    memory = new ArrayBuffer(memoryBytes);
    used = 0;
  }
  used += rounded;
  return used - rounded;
}
