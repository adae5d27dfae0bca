/** What a refresh may move. A user is moved when its bucket is not the one of the previous tree; users who were not in it
 *  cost nothing. Both the number of the moved and their weight are capped, and every step of a refresh spends from the
 *  same budget, the mending of balance too: so the cap holds by construction. Whoever returns home gives back. */

/** Where nodes lived before, and what it costs to have them elsewhere. Nodes are users, or clusters of them. */
export interface Homes {
  readonly leaf: Int32Array; // [node] leaf of the previous tree; -1: none
  readonly users: Float64Array; // [node] users that are away from home where the node is
  readonly weight: Float64Array; // [node] their weight
}

export class MoveBudget {
  readonly usersMax: number;
  readonly weightMax: number;
  usersMoved = 0;
  weightMoved = 0;

  constructor(usersMax: number, weightMax: number) {
    this.usersMax = usersMax;
    this.weightMax = weightMax;
  }

  /** Forgets what was spent, and counts instead who is away now. */
  count(homes: Homes, leafOf: Uint32Array): void {
    this.usersMoved = 0;
    this.weightMoved = 0;
    for (let v = 0; v < leafOf.length; v++) {
      if (homes.leaf[v]! >= 0) this.spend(homes, v, homes.leaf[v]!, leafOf[v]!);
    }
  }

  /** Whether the node may go. Moves that cost nothing always may. */
  allows(homes: Homes, v: number, from: number, to: number): boolean {
    const way = wayFrom(homes, v, from, to);
    if (way <= 0) return true;
    return (
      this.usersMoved + way * homes.users[v]! <= this.usersMax &&
      this.weightMoved + way * homes.weight[v]! <= this.weightMax
    );
  }

  /** Whether v, in leaf a, and u, in leaf b, may change places. */
  allowsSwap(homes: Homes, v: number, a: number, u: number, b: number): boolean {
    const wayV = wayFrom(homes, v, a, b);
    const wayU = wayFrom(homes, u, b, a);
    const users = wayV * homes.users[v]! + wayU * homes.users[u]!;
    const weight = wayV * homes.weight[v]! + wayU * homes.weight[u]!;
    return (
      (users <= 0 || this.usersMoved + users <= this.usersMax) &&
      (weight <= 0 || this.weightMoved + weight <= this.weightMax)
    );
  }

  spend(homes: Homes, v: number, from: number, to: number): void {
    const way = wayFrom(homes, v, from, to);
    this.usersMoved += way * homes.users[v]!;
    this.weightMoved += way * homes.weight[v]!;
  }
}

/** Share of the budget that a move takes; below 0: that it gives back. A budget of nothing is all taken by anything. */
export function shareOf(budget: MoveBudget, users: number, weight: number): number {
  const part = (value: number, max: number): number => (value === 0 ? 0 : value / max);
  return Math.max(part(users, budget.usersMax), part(weight, budget.weightMax));
}

/** The least that a move counts as where moves are ordered by what they gain for it: that of a tenth of a user. */
export function leastShare(budget: MoveBudget): number {
  return 0.1 / Math.max(1, budget.usersMax);
}

/** 1: the node leaves home; -1: it returns; 0: neither. */
export function wayFrom(homes: Homes, v: number, from: number, to: number): -1 | 0 | 1 {
  const home = homes.leaf[v]!;
  if (home < 0 || from === to) return 0;
  return from === home ? 1 : to === home ? -1 : 0;
}
