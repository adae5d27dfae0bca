/** The order of ids, by UTF-16 code unit as `compareIds` has it. Letter by letter, each group by its next one (most
 *  significant digit first): users come by the million, and comparing two ids at a time looks at each of them twenty
 *  times, wherever it is in memory. */

import { compareIds } from '../config/ids.ts';
import { everyNode } from './multilevel/graph.ts';

const fewIds = 10; // sorted by comparing them
const widestUnit = 255;
const widerRank = widestUnit + 2; // of all wider ones, which are sorted by comparing: ids of such scripts are rare

/** [place] = index into ids. Equal ones, which are neighbours then, come in any order. */
export function orderOfIds(ids: readonly string[]): Uint32Array {
  const order = everyNode(ids.length);
  const rank = new Uint16Array(ids.length); // [place] of its letter at hand: 0 past the end, unit + 1
  const spare = new Uint32Array(ids.length);
  const count = new Uint32Array(widerRank + 1); // [rank]
  const waiting = [0, ids.length, 0]; // groups: from place, to place, letters they have in common
  while (waiting.length > 0) {
    const letter = waiting.pop()!;
    const to = waiting.pop()!;
    const from = waiting.pop()!;
    if (to - from <= fewIds) {
      insertInOrder(ids, order, from, to);
      continue;
    }
    count.fill(0);
    rankLetters(ids, order, from, to, letter, rank, count);
    const wider = to - count[widerRank]!;
    for (let r = 0, begin = from; begin < to; r++) {
      const end = begin + count[r]!;
      if (r > 0 && r < widerRank && end > begin + 1) waiting.push(begin, end, letter + 1);
      count[r] = begin;
      begin = end;
    }
    byRank(order, from, to, rank, count, spare);
    if (wider < to) order.subarray(wider, to).sort((a, b) => compareIds(ids[a]!, ids[b]!));
  }
  return order;
}

function insertInOrder(ids: readonly string[], order: Uint32Array, from: number, to: number): void {
  for (let i = from + 1; i < to; i++) {
    const entering = order[i]!;
    const id = ids[entering]!;
    let at = i;
    for (; at > from && ids[order[at - 1]!]! > id; at--) order[at] = order[at - 1]!;
    order[at] = entering;
  }
}

function rankLetters(
  ids: readonly string[],
  order: Uint32Array,
  from: number,
  to: number,
  letter: number,
  rank: Uint16Array,
  count: Uint32Array,
): void {
  for (let i = from; i < to; i++) {
    const id = ids[order[i]!]!;
    const unit = letter < id.length ? id.charCodeAt(letter) : -1;
    const r = unit > widestUnit ? widerRank : unit + 1;
    rank[i] = r;
    count[r]! += 1;
  }
}

/** `next`: [rank] where its group begins. */
function byRank(
  order: Uint32Array,
  from: number,
  to: number,
  rank: Uint16Array,
  next: Uint32Array,
  spare: Uint32Array,
): void {
  for (let i = from; i < to; i++) spare[next[rank[i]!]!++] = order[i]!;
  for (let i = from; i < to; i++) order[i] = spare[i]!;
}
