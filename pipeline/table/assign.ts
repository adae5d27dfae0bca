/** Fractions to buckets, by the way the policy names. */

import { strict as assert } from 'node:assert';
import type { Policy } from '../../config/policy.ts';
import { assignFriends, type FriendsInputs } from './friends-assignment.ts';
import { type RoutingTable, sameShape } from './routing-table.ts';
import { assignSegments } from './segment-assignment.ts';

export type AssignmentKind = Policy['spec']['buckets']['assignment'];

/** Pure: the same inputs give the same table. A previous table of other targets, edges or height counts as none: its
 *  indices mean something else. */
export function assign(kind: AssignmentKind, inputs: FriendsInputs): RoutingTable {
  const { tree, targets, edges, wanted } = inputs;
  assert.equal(wanted.length, edges.length * targets.length);
  switch (kind) {
    case 'segments':
      return assignSegments(inputs);
    case 'friends': {
      const shape = { treeVersion: tree.version, height: tree.height, targets, edges, byEdge: [] };
      const fits = inputs.previous !== null && sameShape(inputs.previous, shape);
      return assignFriends(fits ? inputs : { ...inputs, previous: null });
    }
  }
}
