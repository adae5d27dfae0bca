/** What a refresh may move. A user is moved when its bucket is not the one of the previous tree; users who were not in it
 *  cost nothing. Both the number of the moved and their weight are capped, and every step of a refresh spends from the
 *  same budget, the mending of balance too: so the cap holds by construction. Whoever returns home gives back. */

import type { Doubles, Ints, Nodes } from './memory.ts';

/** Where nodes lived before, and what it costs to have them elsewhere. Nodes are users, or clusters of them. */
export class Homes {
  readonly leaf: Ints; // [node] leaf of the previous tree; -1: none
  readonly users: Doubles; // [node] users that are away from home where the node is
  readonly weight: Doubles; // [node] their weight

  constructor(leaf: Ints, users: Doubles, weight: Doubles) {
    this.leaf = leaf;
    this.users = users;
    this.weight = weight;
  }
}

export class MoveBudget {
  readonly usersMax: f64;
  readonly weightMax: f64;
  usersMoved: f64 = 0;
  weightMoved: f64 = 0;

  constructor(usersMax: f64, weightMax: f64) {
    this.usersMax = usersMax;
    this.weightMax = weightMax;
  }

  /** Forgets what was spent, and counts instead who is away now. */
  count(homes: Homes, leafOf: Nodes): void {
    this.usersMoved = 0;
    this.weightMoved = 0;
    for (let v = 0; v < leafOf.length; v++) {
      if (homes.leaf[v]! >= 0) this.spend(homes, v, homes.leaf[v]!, leafOf[v]!);
    }
  }

  /** Whether the node may go. Moves that cost nothing always may. */
  allows(homes: Homes, v: i32, from: i32, to: i32): boolean {
    const way = wayFrom(homes, v, from, to);
    if (way <= 0) return true;
    return (
      this.usersMoved + way * homes.users[v]! <= this.usersMax &&
      this.weightMoved + way * homes.weight[v]! <= this.weightMax
    );
  }

  /** Whether v, in leaf a, and u, in leaf b, may change places. */
  allowsSwap(homes: Homes, v: i32, a: i32, u: i32, b: i32): boolean {
    const wayV = wayFrom(homes, v, a, b);
    const wayU = wayFrom(homes, u, b, a);
    const users: f64 = wayV * homes.users[v]! + wayU * homes.users[u]!;
    const weight: f64 = wayV * homes.weight[v]! + wayU * homes.weight[u]!;
    return (
      (users <= 0 || this.usersMoved + users <= this.usersMax) &&
      (weight <= 0 || this.weightMoved + weight <= this.weightMax)
    );
  }

  spend(homes: Homes, v: i32, from: i32, to: i32): void {
    const way = wayFrom(homes, v, from, to);
    this.usersMoved += way * homes.users[v]!;
    this.weightMoved += way * homes.weight[v]!;
  }

  /** Share of the budget that a move takes. A budget of nothing is all taken by anything. */
  shareOf(users: f64, weight: f64): f64 {
    const ofUsers: f64 = users === 0 ? 0 : users / this.usersMax;
    const ofWeight: f64 = weight === 0 ? 0 : weight / this.weightMax;
    return Math.min(shareMost, Math.max(ofUsers, ofWeight));
  }

  /** The least that a move counts as where moves are ordered by what they gain for it: that of a tenth of a user. */
  leastShare(): f64 {
    return 0.1 / Math.max(1, this.usersMax);
  }
}

/** Instead of infinite, so that none of it is none. */
const shareMost: f64 = 1e300;

/** 1: the node leaves home; -1: it returns; 0: neither. */
export function wayFrom(homes: Homes, v: i32, from: i32, to: i32): i32 {
  const home = homes.leaf[v]!;
  if (home < 0 || from === to) return 0;
  return from === home ? 1 : to === home ? -1 : 0;
}
