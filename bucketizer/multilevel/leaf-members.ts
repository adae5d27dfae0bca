/** Who lives in which leaf, as linked lists in typed arrays. */

import { type Ints, ints, type Nodes } from './memory.ts';

export class LeafMembers {
  private readonly head: Ints;
  private readonly next: Ints;
  private readonly previous: Ints;

  constructor(leafOf: Nodes, leaves: i32) {
    this.head = ints(leaves);
    this.next = ints(leafOf.length);
    this.previous = ints(leafOf.length);
    this.head.fill(-1, 0, leaves);
    for (let v = leafOf.length - 1; v >= 0; v--) this.add(v, leafOf[v]!);
  }

  /** -1: nobody. */
  first(leaf: i32): i32 {
    return this.head[leaf]!;
  }

  /** -1: nobody else. */
  after(v: i32): i32 {
    return this.next[v]!;
  }

  move(v: i32, from: i32, to: i32): void {
    const before = this.previous[v]!;
    const after = this.next[v]!;
    if (before >= 0) this.next[before] = after;
    else this.head[from] = after;
    if (after >= 0) this.previous[after] = before;
    this.add(v, to);
  }

  private add(v: i32, leaf: i32): void {
    const first = this.head[leaf]!;
    this.next[v] = first;
    this.previous[v] = -1;
    if (first >= 0) this.previous[first] = v;
    this.head[leaf] = v;
  }
}
