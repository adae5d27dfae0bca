/** Users numbered by first appearance, known by the bytes of their ids: one block of memory for all ids and an open hash
 *  table beside it, 40 to 72 bytes a user and the id. A Map of strings takes more and ends at 16.7 million keys, and a file
 *  of ties names each user many times: no string is made for any of them. Tables outgrow the caches, so a slot holds all
 *  that a short id is told by. */

import { Buffer } from 'node:buffer';

/** Little: what is compiled while arrays are still the first ones is compiled again once they have grown. */
const slotsAtFirst = 1 << 8;
const bytesAtFirst = 1 << 8;

/** Words a slot: user + 1 (0: free), length of the id, and its bytes, or where they are more than eight, their hash. */
const slotWords = 4;

const idsADecoding = 1024;
const [hashBasis, hashPrime] = [0x811c9dc5 | 0, 0x01000193]; // FNV-1a
const [lineFeed, carriageReturn, commentMark] = [0x0a, 0x0d, 0x23];

/** How a line of two ids and nothing else is told. */
export interface PairLines {
  readonly ofId: Uint8Array; // [byte] 1: may stand in an id
  readonly between: Uint8Array; // [byte] 1: stands between ids
  readonly betweenMax: number; // bytes
}

export class IdTable {
  size = 0;
  private bytes = Buffer.alloc(bytesAtFirst); // ids, one behind the other
  private ends = new Float64Array(slotsAtFirst / 2); // [user] where its id ends in `bytes`
  private slots = new Int32Array(slotsAtFirst * slotWords); // never more than half full

  /** Numbers stand for their decimals. */
  index(id: string | number): number {
    const bytes = Buffer.from(String(id));
    return this.indexOf(bytes, 0, bytes.length);
  }

  /** Of the id that is `from[start .. end)`. */
  indexOf(from: Uint8Array, start: number, end: number): number {
    return this.find(from, start, end, hashOf(from, start, end));
  }

  /** Numbers the ids of the lines from `start` on, up to the first that is not two ids and nothing else: puts two numbers
   *  a line `into` it while there is room, and returns how many lines that were and where the next one begins. The byte
   *  before `end` ends a line. Most lines of most files are such: no string is made of them, and one loop is compiled. */
  indexPairs(
    from: Uint8Array,
    start: number,
    end: number,
    { ofId, between, betweenMax }: PairLines,
    into: Uint32Array,
  ): { readonly lines: number; readonly next: number } {
    let lines = 0;
    let line = start;
    while (line < end && 2 * lines < into.length && from[line] !== commentMark) {
      let at = line;
      let hash = hashBasis;
      for (; ofId[from[at]!] === 1; at++) hash = Math.imul(hash ^ from[at]!, hashPrime);
      const firstEnd = at;
      while (between[from[at]!] === 1) at++;
      const second = at;
      let secondHash = hashBasis;
      for (; ofId[from[at]!] === 1; at++) secondHash = Math.imul(secondHash ^ from[at]!, hashPrime);
      const secondEnd = at;
      if (from[at] === carriageReturn) at++;
      const gap = second - firstEnd;
      if (from[at] !== lineFeed || firstEnd === line || secondEnd === second || gap === 0 || gap > betweenMax) break;
      into[2 * lines] = this.find(from, line, firstEnd, hash);
      into[2 * lines + 1] = this.find(from, second, secondEnd, secondHash);
      lines++;
      line = at + 1;
    }
    return { lines, next: line };
  }

  /** [user] = id. */
  ids(): string[] {
    return idsOf(this.bytes, this.ends, this.size);
  }

  private find(from: Uint8Array, start: number, end: number, hash: number): number {
    const { slots } = this;
    const length = end - start;
    const low = length > 8 ? hash : wordOf(from, start, Math.min(end, start + 4));
    const high = length > 8 ? 0 : wordOf(from, start + 4, end);
    const mask = slots.length - 1;
    let slot = slotOf(hash) & mask;
    for (let user = slots[slot]! - 1; user >= 0; user = slots[slot]! - 1) {
      const alike = slots[slot + 1] === length && slots[slot + 2] === low && slots[slot + 3] === high;
      if (alike && (length <= 8 || this.is(user, from, start))) return user;
      slot = (slot + slotWords) & mask;
    }
    const user = this.add(from, start, end);
    fillSlot(slots, slot, user, length, low, high);
    if (2 * slotWords * this.size === slots.length) this.grow();
    return user;
  }

  /** Whether this is the user whose id, known to be as long, begins at `start`. */
  private is(user: number, from: Uint8Array, start: number): boolean {
    const { bytes } = this;
    const end = this.ends[user]!;
    for (let at = this.startOf(user), i = start; at < end; at++, i++) if (bytes[at] !== from[i]) return false;
    return true;
  }

  private add(from: Uint8Array, start: number, end: number): number {
    const user = this.size++;
    const at = this.startOf(user);
    if (at + end - start > this.bytes.length) {
      const grown = Buffer.alloc(Math.max(2 * this.bytes.length, at + end - start));
      grown.set(this.bytes.subarray(0, at));
      this.bytes = grown;
    }
    for (let i = start; i < end; i++) this.bytes[at + i - start] = from[i]!;
    this.ends[user] = at + end - start;
    return user;
  }

  private grow(): void {
    const slots = new Int32Array(2 * this.slots.length);
    const { bytes, ends } = this;
    const mask = slots.length - 1;
    for (let user = 0, start = 0; user < this.size; user++) {
      const end = ends[user]!;
      const length = end - start;
      const hash = hashOf(bytes, start, end);
      const low = length > 8 ? hash : wordOf(bytes, start, Math.min(end, start + 4));
      const high = length > 8 ? 0 : wordOf(bytes, start + 4, end);
      let slot = slotOf(hash) & mask;
      while (slots[slot] !== 0) slot = (slot + slotWords) & mask;
      fillSlot(slots, slot, user, length, low, high);
      start = end;
    }
    this.slots = slots;
    this.ends = new Float64Array(slots.length / slotWords / 2);
    this.ends.set(ends);
  }

  private startOf(user: number): number {
    return user === 0 ? 0 : this.ends[user - 1]!;
  }
}

/** Of `bytes`, in which the id of a user ends at `ends[user]`. */
export function idsOf(bytes: Buffer, ends: Float64Array | Uint32Array, size: number): string[] {
  const ids: string[] = [];
  while (ids.length < size) decodeSome(bytes, ends, ids, Math.min(size, ids.length + idsADecoding));
  return ids;
}

/** Up to `until`: at once where that is ASCII, of which a byte is a letter. */
function decodeSome(bytes: Buffer, ends: Float64Array | Uint32Array, ids: string[], until: number): void {
  const first = ids.length === 0 ? 0 : ends[ids.length - 1]!;
  const text = bytes.toString('utf8', first, ends[until - 1]);
  const ascii = text.length === ends[until - 1]! - first;
  for (let user = ids.length, start = first; user < until; user++) {
    const end = ends[user]!;
    ids.push(ascii ? text.substring(start - first, end - first) : bytes.toString('utf8', start, end));
    start = end;
  }
}

function hashOf(from: Uint8Array, start: number, end: number): number {
  let hash = hashBasis;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ from[i]!, hashPrime);
  return hash;
}

/** Index of the word where it begins, but for the mask. */
function slotOf(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), slotWords);
}

/** Up to four bytes. */
function wordOf(from: Uint8Array, start: number, end: number): number {
  let word = 0;
  for (let i = start; i < end; i++) word = (word << 8) | from[i]!;
  return word;
}

function fillSlot(slots: Int32Array, slot: number, user: number, length: number, low: number, high: number): void {
  slots[slot] = user + 1;
  slots[slot + 1] = length;
  slots[slot + 2] = low;
  slots[slot + 3] = high;
}
