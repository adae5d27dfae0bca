/** Users numbered by first appearance, known by the bytes of their ids: one block of memory for all ids and an open hash
 *  table beside it, 20 bytes a user and the id. A Map of strings takes five times that and ends at 16.7 million keys, and
 *  a file of ties names each user many times: no string is made for any of them. */

import { Buffer } from 'node:buffer';

const slotsAtFirst = 1 << 10;

export class IdTable {
  size = 0;
  private bytes = Buffer.alloc(1 << 14); // ids, one behind the other
  private ends = new Float64Array(slotsAtFirst / 2); // [user] where its id ends in `bytes`
  private hashes = new Int32Array(slotsAtFirst / 2); // [user]
  private slots = new Uint32Array(slotsAtFirst); // user + 1; 0: free. Never more than half full

  /** Numbers stand for their decimals. */
  index(id: string | number): number {
    const bytes = Buffer.from(String(id));
    return this.indexOf(bytes, 0, bytes.length);
  }

  /** Of the id that is `from[start .. end)`. */
  indexOf(from: Uint8Array, start: number, end: number): number {
    let hash = 0x811c9dc5 | 0; // FNV-1a
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ from[i]!, 0x01000193);
    hash ^= hash >>> 15; // the lower bits choose the slot
    const { slots, hashes } = this;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let user = slots[slot]! - 1; user >= 0; user = slots[slot]! - 1) {
      if (hashes[user] === hash && this.is(user, from, start, end)) return user;
      slot = (slot + 1) & mask;
    }
    return this.add(from, start, end, hash, slot);
  }

  /** [user] = id. */
  ids(): string[] {
    const ids: string[] = [];
    for (let user = 0; user < this.size; user++)
      ids.push(this.bytes.toString('utf8', this.startOf(user), this.ends[user]));
    return ids;
  }

  private is(user: number, from: Uint8Array, start: number, end: number): boolean {
    const { bytes } = this;
    const at = this.startOf(user);
    if (this.ends[user]! - at !== end - start) return false;
    for (let i = start; i < end; i++) if (bytes[at + i - start] !== from[i]) return false;
    return true;
  }

  private startOf(user: number): number {
    return user === 0 ? 0 : this.ends[user - 1]!;
  }

  private add(from: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const user = this.size++;
    const at = this.startOf(user);
    if (at + end - start > this.bytes.length) {
      const grown = Buffer.alloc(Math.max(2 * this.bytes.length, at + end - start));
      grown.set(this.bytes.subarray(0, at));
      this.bytes = grown;
    }
    this.bytes.set(from.subarray(start, end), at);
    this.ends[user] = at + end - start;
    this.hashes[user] = hash;
    this.slots[slot] = user + 1;
    if (2 * this.size === this.slots.length) this.grow();
    return user;
  }

  private grow(): void {
    const slots = new Uint32Array(2 * this.slots.length);
    const mask = slots.length - 1;
    for (let user = 0; user < this.size; user++) {
      let slot = this.hashes[user]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = user + 1;
    }
    this.slots = slots;
    const ends = new Float64Array(slots.length / 2);
    ends.set(this.ends);
    this.ends = ends;
    const hashes = new Int32Array(slots.length / 2);
    hashes.set(this.hashes);
    this.hashes = hashes;
  }
}
