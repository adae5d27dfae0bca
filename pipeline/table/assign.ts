/** Fractions to buckets, by the way the policy names. */

import { strict as assert } from 'node:assert';
import type { Policy } from '../../config/policy.ts';
import { type Assigned, assignFriends, type FriendsInputs } from './friends-assignment.ts';
import { sameShape } from './routing-table.ts';
import { assignSegments } from './segment-assignment.ts';

export type AssignmentKind = Policy['spec']['buckets']['assignment'];

/** Pure: the same inputs give the same table. A previous table is of the same targets, edges and height: whoever brings
 *  one checks that, since starting anew in silence would move every user. */
export function assign(kind: AssignmentKind, inputs: FriendsInputs): Assigned {
  const { tree, targets, edges, wanted, previous } = inputs;
  assert.equal(wanted.length, edges.length * targets.length);
  if (previous !== null) {
    const shape = { treeVersion: tree.version, height: tree.height, targets, edges, byEdge: [] };
    assert(sameShape(previous, shape), 'the previous table has other targets, edges or height');
  }
  switch (kind) {
    case 'segments':
      return { table: assignSegments(inputs) };
    case 'friends':
      return assignFriends(inputs);
  }
}
