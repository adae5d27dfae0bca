/** Nodes by priority, highest first, equal ones by number: a binary heap that knows where each node is, so that a
 *  priority can change while the node waits. */

import { type Doubles, doubles, type Ints, ints, type Nodes, nodes } from './memory.ts';

export class NodeQueue {
  private readonly heap: Nodes;
  private readonly place: Ints; // [node] index into heap; -1: not waiting
  private readonly priority: Doubles; // [node]
  private length: i32 = 0;

  constructor(count: i32) {
    this.heap = nodes(count);
    this.place = ints(count);
    this.priority = doubles(count);
    this.place.fill(-1, 0, count);
  }

  /** The first node leaves the queue; -1: none waits. */
  take(): i32 {
    if (this.length === 0) return -1;
    const first = this.heap[0]!;
    this.remove(first);
    return first;
  }

  /** Enters, or changes its place. */
  put(v: i32, priority: f64): void {
    this.priority[v] = priority;
    if (this.place[v]! < 0) {
      this.heap[this.length] = v;
      this.place[v] = this.length++;
    }
    this.settle(this.place[v]!);
  }

  remove(v: i32): void {
    const at = this.place[v]!;
    if (at < 0) return;
    this.place[v] = -1;
    const last = this.heap[--this.length]!;
    if (last === v) return;
    this.heap[at] = last;
    this.place[last] = at;
    this.settle(at);
  }

  /** Moves the node at `from` up or down to where it belongs. */
  private settle(from: i32): void {
    const heap = this.heap;
    const place = this.place;
    const v = heap[from]!;
    let at = from;
    for (let up = (at - 1) >> 1; at > 0 && this.before(v, heap[up]!); up = (at - 1) >> 1) {
      heap[at] = heap[up]!;
      place[heap[at]!] = at;
      at = up;
    }
    for (let down = 2 * at + 1; down < this.length; down = 2 * at + 1) {
      if (down + 1 < this.length && this.before(heap[down + 1]!, heap[down]!)) down++;
      if (!this.before(heap[down]!, v)) break;
      heap[at] = heap[down]!;
      place[heap[at]!] = at;
      at = down;
    }
    heap[at] = v;
    place[v] = at;
  }

  private before(a: i32, b: i32): boolean {
    const first = this.priority[a]!;
    const second = this.priority[b]!;
    return first > second || (first === second && a < b);
  }
}
