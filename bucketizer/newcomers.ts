/** Where users go whom the previous tree does not know: to the leaf where most of their friends are, weighed as the tree
 *  is, if there is room, else to the next best. Whoever has no friend with a place goes to the bucket that the lookup
 *  gives to unknown users (`unknown-user.ts`), so that a cookie set in the meantime stays right; if that is full, near it
 *  where the tree is light. */

import type { Graph } from './multilevel/graph.ts';
import { LeafWorth } from './multilevel/leaf-worth.ts';
import { nowhere } from './multilevel/memory.ts';
import { type TreeBounds, TreeRoom } from './multilevel/tree-room.ts';
import { unknownUserBucket } from './unknown-user.ts';

/** Gives a leaf, in place, to everyone who is nowhere; returns how many that were. */
export function placeNewcomers(
  graph: Graph,
  users: readonly string[],
  leafOf: Uint32Array,
  bounds: TreeBounds,
): number {
  let waiting: number[] = [];
  for (let v = 0; v < graph.nodeCount; v++) if (leafOf[v] === nowhere) waiting.push(v);
  const count = waiting.length;
  const room = new TreeRoom(graph, leafOf, bounds);
  const worth = new LeafWorth(graph, leafOf, bounds.height);

  /** -1: no friend has a leaf. */
  const leafByFriends = (v: number): number => {
    let best = -1; // where there is room or not
    let bestWorth = 0;
    let free = -1;
    let freeWorth = 0;
    worth.lookAt(v);
    for (let i = 0; i < worth.friendLeaves; i++) {
      const leaf = worth.friendLeaf[i]!;
      const there = worth.of(leaf);
      if (there > bestWorth || (there === bestWorth && leaf < best)) {
        best = leaf;
        bestWorth = there;
      }
      if (there < freeWorth || (there === freeWorth && leaf > free) || !room.admits(v, leaf)) continue;
      free = leaf;
      freeWorth = there;
    }
    worth.forget();
    return best < 0 || free >= 0 ? free : room.lightLeafNear(best, v, nowhere, bounds.height);
  };
  const place = (v: number, leaf: number): void => {
    room.move(v, nowhere, leaf);
    leafOf[v] = leaf;
  };

  for (let before = waiting.length + 1; waiting.length < before; ) {
    before = waiting.length; // newcomers may be tied to newcomers: again until nobody else finds a friend
    waiting = waiting.filter((v) => {
      const leaf = leafByFriends(v);
      if (leaf >= 0) place(v, leaf);
      return leaf < 0;
    });
  }
  for (const v of waiting) {
    const leaf = unknownUserBucket(users[v]!, bounds.height);
    place(v, room.admits(v, leaf) ? leaf : room.lightLeafNear(leaf, v, nowhere, bounds.height));
  }
  return count;
}
