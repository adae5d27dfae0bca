/** The trees of one replayed service: the one it starts with and those that take over, one after the other, as fast as the
 *  policy's `churnMax` allows. A tree whose time comes while another is still taking over waits for it. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { World } from '../../config/world.ts';
import type { EpochContext, EpochInputs } from '../epoch/inputs.ts';
import type { EpochPlan } from '../epoch/plan.ts';
import { bucketOfUser } from '../table/bucket-weights.ts';
import { type CellTies, cellTies } from '../table/cell-ties.ts';
import { type Routing, type TreeCourse, towards } from '../table/tree-course.ts';
import type { TreeStep } from '../table/tree-move.ts';
import { type ProposedStep, treeStep } from './tree-step.ts';

/** After an epoch. */
export interface TreesInForce {
  readonly routing: Routing;
  readonly bucketOf: (user: string) => number;
  readonly treeStep: TreeStep | null; // users who passed to another tree in the epoch
}

interface Replayed {
  readonly world: World;
  readonly context: EpochContext;
}

export class ReplayedTrees {
  readonly #world: World;
  readonly #waiting: { readonly timeMs: number; readonly tree: BucketTree }[];
  #course: TreeCourse;
  #routing: Routing;
  #cellTies: CellTies | undefined;

  constructor(
    { world, context: { tree, weights, cellTies: known } }: Replayed,
    activations: readonly { readonly timeMs: number; readonly tree: BucketTree }[],
  ) {
    this.#world = world;
    this.#waiting = [...activations];
    this.#course = { kind: 'settled', tree, before: null };
    this.#routing = { tree, weights };
    this.#cellTies = known;
  }

  /** Of the tree that users are on; while they pass to another, of the one before, which says nothing of the next. */
  get cellTies(): CellTies | undefined {
    return this.#cellTies;
  }

  /** What the epoch is planned with. `inputs`: as it would be planned if nobody passed. */
  next(inputs: EpochInputs): ProposedStep {
    if (this.#course.kind === 'settled' && this.#waiting[0] && this.#waiting[0].timeMs <= inputs.startMs) {
      const { tree } = this.#waiting.shift()!;
      this.#course = towards(this.#course.tree, tree, this.#world);
    }
    return treeStep(this.#course, this.#routing, inputs, this.#world);
  }

  /** What is in force after the epoch: where its plan did not come to be, nobody passes. */
  after({ course, routing, step }: ProposedStep, plan: EpochPlan): TreesInForce {
    const isMade = step !== null && plan.outcome !== 'held' && plan.outcome !== 'rejected';
    if (isMade) {
      this.#course = course;
      this.#routing = routing;
      if (course.kind === 'settled' && this.#cellTies) {
        this.#cellTies = cellTies(this.#world, routing.tree, routing.weights);
      }
    }
    const now = this.#course;
    const bucketOf = (user: string): number =>
      now.kind === 'settled' ? bucketOfUser(now.tree, user) : now.move.bucketAt(user, now.cut);
    return { routing: this.#routing, treeStep: isMade ? step : null, bucketOf };
  }
}
