/** Leaves where a node would gain, best first: the few where it gains most, of equal ones those that come first in the tree. */

import { type Doubles, doubles, type Nodes, nodes } from './memory.ts';

export class WantedLeaves {
  count: i32 = 0;
  readonly leaf: Nodes; // [place]
  readonly gain: Doubles; // [place]
  private readonly most: i32;

  constructor(most: i32) {
    this.leaf = nodes(most);
    this.gain = doubles(most);
    this.most = most;
  }

  /** Of another node. */
  clear(): void {
    this.count = 0;
  }

  isFull(): boolean {
    return this.count === this.most;
  }

  note(leaf: i32, gain: f64): void {
    const leaves = this.leaf;
    const gains = this.gain;
    const count = this.count;
    let at = count;
    while (at > 0 && (gains[at - 1]! < gain || (gains[at - 1] === gain && leaves[at - 1]! > leaf))) at--;
    if (at === this.most) return;
    const last = count < this.most ? count : this.most - 1;
    for (let i = last; i > at; i--) {
      leaves[i] = leaves[i - 1]!;
      gains[i] = gains[i - 1]!;
    }
    leaves[at] = leaf;
    gains[at] = gain;
    this.count = last + 1;
  }
}
