/** Which bucket a user is in, for the frontends of a datacenter: ids stay the UTF-8 bytes they are in the tree file, and are
 *  found by a hash table of their numbers, so that ten million users take 300 MB and no object each, loaded in 3 s and found
 *  in 3 us (CPU). A user the tree does not know goes where most of the friends given are, else to the bucket of a hash of the
 *  id, the same on every machine (`unknown-user.ts`); the next refresh keeps it there if there is room. Declined: a memory
 *  map, which Node cannot make without native code; a Map of strings, several times the memory. */

import { mix32 } from '../config/random.ts';
import { ByteReader } from './tree-bytes.ts';
import { unknownUserBucket } from './unknown-user.ts';
import { checkFriends, checkId } from './user-id.ts';

export class BucketLookup {
  readonly version: string; // of the tree
  readonly height: number; // buckets are 0 .. 2^height - 1
  readonly users: number;
  private readonly ids: Uint8Array; // one after the other, each after its length
  private readonly idStart: Uint32Array; // [user] index into ids
  private readonly idEnd: Uint32Array; // [user]
  private readonly bucket: Uint16Array; // [user]
  private readonly slots: Uint32Array; // hash table, open addressing: user + 1, 0 where empty
  private readonly encoder = new TextEncoder();
  private scratch = new Uint8Array(256);

  /** `contents`: of a tree file, verified (`io/tree-envelope.ts`). */
  constructor(contents: Uint8Array, version: string) {
    const from = new ByteReader(contents);
    this.version = version;
    this.height = from.integer();
    this.users = from.integer();
    const start = new Uint32Array(this.users);
    const end = new Uint32Array(this.users);
    for (let i = 0; i < this.users; i++) {
      start[i] = from.skipText();
      end[i] = from.at;
    }
    this.ids = contents.slice(0, from.at); // a copy: the rest of the file is let go
    this.idStart = start;
    this.idEnd = end;
    this.bucket = new Uint16Array(this.users);
    for (let i = 0; i < this.users; i++) this.bucket[i] = from.integer();
    let slots = 8;
    while (slots < 1.5 * this.users) slots *= 2;
    this.slots = new Uint32Array(slots);
    for (let i = 0; i < this.users; i++) {
      let slot = hashBytes(this.ids, start[i]!, end[i]!) & (slots - 1);
      while (this.slots[slot] !== 0) slot = (slot + 1) & (slots - 1);
      this.slots[slot] = i + 1;
    }
  }

  /** A bucket for anybody. `friends`: of a user who may be new; those the tree knows count, the most common bucket wins,
   *  of equally common ones the lowest. */
  bucketOf(user: string, friends: Iterable<string> = []): number {
    checkId(user, 'the user');
    checkFriends(friends, 'the list of friends');
    const known = this.find(user);
    if (known >= 0) return this.bucket[known]!;
    const votes = new Map<number, number>();
    for (const friend of friends) {
      checkId(friend, 'a friend');
      const at = this.find(friend);
      if (at >= 0) votes.set(this.bucket[at]!, (votes.get(this.bucket[at]!) ?? 0) + 1);
    }
    let best = -1;
    for (const [bucket, count] of votes) {
      const most = votes.get(best) ?? 0;
      if (count > most || (count === most && bucket < best)) best = bucket;
    }
    return best >= 0 ? best : unknownUserBucket(user, this.height);
  }

  /** Whether the user is in the tree. */
  knows(user: string): boolean {
    checkId(user, 'the user');
    return this.find(user) >= 0;
  }

  /** -1: not in the tree. */
  private find(user: string): number {
    if (this.scratch.length < 3 * user.length) this.scratch = new Uint8Array(6 * user.length);
    const { written } = this.encoder.encodeInto(user, this.scratch);
    const mask = this.slots.length - 1;
    for (let slot = hashBytes(this.scratch, 0, written) & mask; this.slots[slot] !== 0; slot = (slot + 1) & mask) {
      const i = this.slots[slot]! - 1;
      if (this.idEnd[i]! - this.idStart[i]! === written && this.sameBytes(this.idStart[i]!, written)) return i;
    }
    return -1;
  }

  private sameBytes(start: number, length: number): boolean {
    for (let k = 0; k < length; k++) if (this.ids[start + k] !== this.scratch[k]) return false;
    return true;
  }
}

/** Mixed after every byte: FNV-1a gathers ids that are runs of digits into clumps, several times as slow. */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5;
  for (let k = start; k < end; k++) {
    h = Math.imul(h ^ bytes[k]!, 0x5bd1e995);
    h ^= h >>> 15;
  }
  return mix32(h);
}
