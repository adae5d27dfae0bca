/** Where a service stands between trees: on one, or on its way from one to another and, until it has arrived, back. Pure:
 *  whoever keeps it says what an epoch brought. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import { fullCut } from '../../bucketizer/tree-share.ts';
import type { Topology } from '../../config/topology.ts';
import type { WorldUsers } from '../../config/world.ts';
import { type BucketWeights, bucketWeights } from './bucket-weights.ts';
import type { RoutingTable } from './routing-table.ts';
import { type TreeDirection, TreeMove, type TreeStep } from './tree-move.ts';

export type TreeCourse =
  | { readonly kind: 'settled'; readonly tree: BucketTree; readonly before: string | null } // version to roll back to
  | {
      readonly kind: 'moving';
      readonly move: TreeMove;
      readonly direction: TreeDirection;
      readonly cut: number; // users below it go by `move.to`
      readonly epochs: number; // that moved somebody
      readonly churn: number; // their sum: demand that changed datacenter by it, an epoch's share after the other
    };

export type MovingCourse = Extract<TreeCourse, { kind: 'moving' }>;

/** A course as plain data: trees by their versions. */
export type PlainCourse =
  | { readonly kind: 'settled'; readonly tree: string; readonly before: string | null }
  | {
      readonly kind: 'moving';
      readonly from: string;
      readonly to: string;
      readonly direction: TreeDirection;
      readonly cut: number;
      readonly epochs: number;
      readonly churn: number;
    };

/** What an epoch routes by. */
export interface Routing {
  readonly tree: BucketTree;
  readonly weights: BucketWeights;
}

export interface TreePlaces {
  readonly topology: Topology;
  readonly users: WorldUsers;
}

/** What of an epoch's `churnMax` users may spend who pass to another tree: the plan has to follow the demand meanwhile. */
const shareOfChurn = 0.5;

/** On the way to `to`, with nobody moved yet. */
export function towards(from: BucketTree, to: BucketTree, { topology, users }: TreePlaces): TreeCourse {
  return begunOn(new TreeMove(topology, from, to, users));
}

/** With nobody moved yet. */
export function begunOn(move: TreeMove): MovingCourse {
  return { kind: 'moving', move, direction: 'on', cut: 0, epochs: 0, churn: 0 };
}

/** On the way back, from where everybody has passed. */
export function begunBack(move: TreeMove): MovingCourse {
  return { kind: 'moving', move, direction: 'back', cut: fullCut, epochs: 0, churn: 0 };
}

/** What this epoch may move; null: nothing. `edgeLoad` as in `TreeMove.step`. */
export function stepOf(
  course: TreeCourse,
  table: RoutingTable,
  edgeLoad: Float64Array,
  churnMax: number,
): TreeStep | null {
  if (course.kind === 'settled') return null;
  return course.move.step(course.cut, course.direction, table, edgeLoad, churnMax * shareOfChurn);
}

/** After an epoch that made the step. */
export function stepped(course: TreeCourse, step: TreeStep): TreeCourse {
  if (course.kind === 'settled') return course;
  const { move, direction } = course;
  const { cut } = step;
  if (direction === 'on' && cut === fullCut) return { kind: 'settled', tree: move.to, before: move.from.version };
  if (direction === 'back' && cut === 0) return { kind: 'settled', tree: move.from, before: move.to.version };
  return { ...course, cut, epochs: course.epochs + 1, churn: course.churn + step.churn };
}

export function routingOf(course: TreeCourse, { topology, users }: TreePlaces): Routing {
  if (course.kind === 'settled') {
    return { tree: course.tree, weights: bucketWeights(topology, course.tree, users) };
  }
  const { move, cut } = course;
  return { tree: move.treeAt(cut), weights: move.weightsAt(cut) };
}

/** The other way, from where users are now. */
export function turned(course: MovingCourse): MovingCourse {
  return { ...course, direction: course.direction === 'on' ? 'back' : 'on' };
}

export function plainCourse(course: TreeCourse): PlainCourse {
  if (course.kind === 'settled') return { kind: 'settled', tree: course.tree.version, before: course.before };
  const { move, ...rest } = course;
  return { ...rest, from: move.from.version, to: move.to.version };
}

/** `treeOf`: a tree by its version. */
export function courseOf(plain: PlainCourse, treeOf: (version: string) => BucketTree, places: TreePlaces): TreeCourse {
  if (plain.kind === 'settled') return { kind: 'settled', tree: treeOf(plain.tree), before: plain.before };
  const { from, to, ...rest } = plain;
  return { ...rest, move: new TreeMove(places.topology, treeOf(from), treeOf(to), places.users) };
}

/** The table, said to be of the tree it is planned with: bucket ids outlive trees. */
export function ofTree(table: RoutingTable | null, treeVersion: string): RoutingTable | null {
  return table === null || table.treeVersion === treeVersion ? table : { ...table, treeVersion };
}
