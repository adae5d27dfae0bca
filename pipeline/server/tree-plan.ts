/** What a move between trees will come to, told before it is begun: whom it moves, and how long that takes. */

import { fullCut } from '../../bucketizer/tree-share.ts';
import type { Policy } from '../../config/policy.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { type MovingCourse, stepOf, stepped, type TreeCourse } from '../table/tree-course.ts';
import type { TreeDirection } from '../table/tree-move.ts';

export interface TreePlan {
  readonly from: string; // version of the tree that users are on
  readonly to: string;
  readonly direction: TreeDirection; // of the cut
  readonly users: number; // whose bucket changes
  readonly usersAll: number; // of the world
  readonly churn: number; // share of demand that changes datacenter, were they all to pass under the table in force
  readonly epochs: number; // about
  readonly seconds: number; // about, of the world's time
  readonly locality: TreeLocality | null; // null: a tree does not say
}

/** Share of tie weight within the segments that a policy keeps whole. */
export interface TreeLocality {
  readonly segmentLevel: number;
  readonly from: number;
  readonly to: number;
}

/** `edgeLoad` as in `TreeMove.step`. */
export function planOfMove(
  course: MovingCourse,
  usersAll: number,
  table: RoutingTable,
  edgeLoad: Float64Array,
  { policy, epochMs }: { readonly policy: Policy; readonly epochMs: number },
): TreePlan {
  const { move, direction, cut } = course;
  const { guards, buckets } = policy.spec;
  const [from, to] = direction === 'on' ? [move.from, move.to] : [move.to, move.from];
  const passed = move.movedUsers(cut);
  const epochs = epochsOf(course, table, edgeLoad, guards.churnMax);
  const [low, high] = direction === 'on' ? [cut, fullCut] : [0, cut];
  const localityOf = ({ levels }: typeof from) => levels?.[buckets.segmentLevel]?.locality ?? null;
  const [before, after] = [localityOf(from), localityOf(to)];
  return {
    from: from.version,
    to: to.version,
    direction,
    users: direction === 'on' ? move.movedUsers(fullCut) - passed : passed,
    usersAll,
    churn: move.churnBetween(low, high, table, edgeLoad),
    epochs,
    seconds: (epochs * epochMs) / 1000,
    locality:
      before !== null && after !== null ? { segmentLevel: buckets.segmentLevel, from: before, to: after } : null,
  };
}

/** Until the last user has passed, were nothing else to move meanwhile. */
export function epochsOf(course: MovingCourse, table: RoutingTable, edgeLoad: Float64Array, churnMax: number): number {
  let left: TreeCourse = course;
  let epochs = 0;
  for (; left.kind === 'moving'; epochs++) left = stepped(left, stepOf(left, table, edgeLoad, churnMax)!);
  return epochs;
}
