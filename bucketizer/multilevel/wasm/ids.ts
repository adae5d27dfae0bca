/** `IdTable` of bucketizer/io/id-table.ts for WebAssembly, line by line, and the order of its ids: one table in a memory of
 *  its own, from which what has been outgrown is not given back. Written in AssemblyScript; in JavaScript it would be a few
 *  percent slower written so that both languages can read it, which counts where a file is large. */

type Bytes = StaticArray<u8>;
type Ints = StaticArray<i32>;

const slotsAtFirst: i32 = 1 << 8;
const bytesAtFirst: i32 = 1 << 8;
const slotWords: i32 = 4;
const hashBasis: i32 = 0x811c9dc5;
const hashPrime: i32 = 0x01000193;
const lineFeed: u8 = 0x0a;
const carriageReturn: u8 = 0x0d;
const commentMark: u8 = 0x23;
const byteRanks: i32 = 257; // of a byte of an id, and of none

let users: i32 = 0;
let bytes: Bytes = new StaticArray<u8>(bytesAtFirst);
let ends: Ints = new StaticArray<i32>(slotsAtFirst / 2);
let slots: Ints = new StaticArray<i32>(slotsAtFirst * slotWords);
let taken: i32 = 0; // lines, by the last `indexPairs`

export function room(length: i32): Bytes {
  return new StaticArray<u8>(length);
}

export function size(): i32 {
  return users;
}

export function heldBytes(): Bytes {
  return bytes;
}

export function heldEnds(): Ints {
  return ends;
}

export function lines(): i32 {
  return taken;
}

export function indexOf(from: Bytes, start: i32, end: i32): i32 {
  return find(from, start, end, hashOf(from, start, end));
}

/** Returns where the next line begins. */
export function indexPairs(
  from: Bytes,
  start: i32,
  end: i32,
  ofId: Bytes,
  between: Bytes,
  betweenMax: f64,
  into: Ints,
  linesMax: i32,
): i32 {
  let line = start;
  taken = 0;
  while (line < end && taken < linesMax && from[line] !== commentMark) {
    let at = line;
    let hash = hashBasis;
    for (; ofId[from[at]] === 1; at++) hash = (hash ^ from[at]) * hashPrime;
    const firstEnd = at;
    while (between[from[at]] === 1) at++;
    const second = at;
    let secondHash = hashBasis;
    for (; ofId[from[at]] === 1; at++) secondHash = (secondHash ^ from[at]) * hashPrime;
    const secondEnd = at;
    if (from[at] === carriageReturn) at++;
    const gap = second - firstEnd;
    if (from[at] !== lineFeed || firstEnd === line || secondEnd === second || gap === 0 || gap > betweenMax) break;
    into[2 * taken] = find(from, line, firstEnd, hash);
    into[2 * taken + 1] = find(from, second, secondEnd, secondHash);
    taken++;
    line = at + 1;
  }
  return line;
}

/** [place] = user, as `orderOfIds` of bucketizer/id-order.ts has it: each group by its next byte, down to groups of one, for
 *  no id comes twice. */
export function order(): Ints {
  const ordered = new StaticArray<i32>(users);
  const spare = new StaticArray<i32>(users);
  const rank = new StaticArray<u16>(users); // [place] of its byte at hand
  const count = new StaticArray<i32>(byteRanks); // [rank] 0, but for the group at hand
  const next = new StaticArray<i32>(byteRanks); // [rank] where its next user goes
  const waiting = new StaticArray<i32>(3 * (users / 2 + 1)); // groups: from place, to place, bytes they have in common
  for (let user: i32 = 0; user < users; user++) ordered[user] = user;
  let top = wait(waiting, 0, 0, users, 0);
  while (top > 0) {
    top -= 3;
    const from = waiting[top];
    const to = waiting[top + 1];
    const common = waiting[top + 2];
    let least = byteRanks;
    let most: i32 = 0;
    for (let i = from; i < to; i++) {
      const user = ordered[i];
      const r = rankOf(user, common);
      spare[i] = user;
      rank[i] = u16(r);
      count[r]++;
      least = min(least, r);
      most = max(most, r);
    }
    let begin = from;
    for (let r = least; r <= most; r++) {
      const end = begin + count[r];
      if (end > begin + 1) top = wait(waiting, top, begin, end, common + 1);
      next[r] = begin;
      count[r] = 0;
      begin = end;
    }
    for (let i = from; i < to; i++) ordered[next[rank[i]]++] = spare[i];
  }
  return ordered;
}

function wait(waiting: Ints, top: i32, from: i32, to: i32, common: i32): i32 {
  waiting[top] = from;
  waiting[top + 1] = to;
  waiting[top + 2] = common;
  return top + 3;
}

/** Of a byte of the id, 0 past its end. Bytes of UTF-8 come as its letters do, but ids come by their UTF-16: there letters
 *  beyond U+FFFF, which begin with F0 and more, stand before those from U+E000 on, which begin with EE or EF. */
function rankOf(user: i32, byte: i32): i32 {
  const at = startOf(user) + byte;
  if (at >= ends[user]) return 0;
  const value = i32(bytes[at]);
  if (value < 0xee) return value + 1;
  return value < 0xf0 ? value + 17 : value - 1;
}

function find(from: Bytes, start: i32, end: i32, hash: i32): i32 {
  const length = end - start;
  const low = length > 8 ? hash : wordOf(from, start, min(end, start + 4));
  const high = length > 8 ? 0 : wordOf(from, start + 4, end);
  const table = slots;
  const mask = table.length - 1;
  let slot = slotOf(hash) & mask;
  for (let user = table[slot] - 1; user >= 0; user = table[slot] - 1) {
    const alike = table[slot + 1] === length && table[slot + 2] === low && table[slot + 3] === high;
    if (alike && (length <= 8 || isUser(user, from, start))) return user;
    slot = (slot + slotWords) & mask;
  }
  const user = add(from, start, end);
  fillSlot(table, slot, user, length, low, high);
  if (2 * slotWords * users === table.length) grow();
  return user;
}

function isUser(user: i32, from: Bytes, start: i32): bool {
  const end = ends[user];
  for (let at = startOf(user), i = start; at < end; at++, i++) if (bytes[at] !== from[i]) return false;
  return true;
}

function add(from: Bytes, start: i32, end: i32): i32 {
  const user = users++;
  const at = startOf(user);
  const needed = at + end - start;
  if (needed > bytes.length) {
    const grown = new StaticArray<u8>(max(2 * bytes.length, needed));
    memory.copy(changetype<usize>(grown), changetype<usize>(bytes), at);
    bytes = grown;
  }
  for (let i = start; i < end; i++) bytes[at + i - start] = from[i];
  ends[user] = needed;
  return user;
}

function grow(): void {
  const table = new StaticArray<i32>(2 * slots.length);
  const mask = table.length - 1;
  let start: i32 = 0;
  for (let user: i32 = 0; user < users; user++) {
    const end = ends[user];
    const length = end - start;
    const hash = hashOf(bytes, start, end);
    const low = length > 8 ? hash : wordOf(bytes, start, min(end, start + 4));
    const high = length > 8 ? 0 : wordOf(bytes, start + 4, end);
    let slot = slotOf(hash) & mask;
    while (table[slot] !== 0) slot = (slot + slotWords) & mask;
    fillSlot(table, slot, user, length, low, high);
    start = end;
  }
  slots = table;
  const grown = new StaticArray<i32>(table.length / slotWords / 2);
  memory.copy(changetype<usize>(grown), changetype<usize>(ends), usize(users) << 2);
  ends = grown;
}

function startOf(user: i32): i32 {
  return user === 0 ? 0 : ends[user - 1];
}

function hashOf(from: Bytes, start: i32, end: i32): i32 {
  let hash = hashBasis;
  for (let i = start; i < end; i++) hash = (hash ^ from[i]) * hashPrime;
  return hash;
}

function slotOf(hash: i32): i32 {
  return (hash ^ (hash >>> 15)) * slotWords;
}

function wordOf(from: Bytes, start: i32, end: i32): i32 {
  let word: i32 = 0;
  for (let i = start; i < end; i++) word = (word << 8) | from[i];
  return word;
}

function fillSlot(table: Ints, slot: i32, user: i32, length: i32, low: i32, high: i32): void {
  table[slot] = user + 1;
  table[slot + 1] = length;
  table[slot + 2] = low;
  table[slot + 3] = high;
}
