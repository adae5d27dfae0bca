/** The trees of one replayed service: the one it starts with and those that take over, one after the other, as fast as the
 *  policy's `churnMax` allows. A tree whose time comes while another is still taking over waits for it. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { Policy } from '../../config/policy.ts';
import type { World } from '../../config/world.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import type { EpochContext, EpochPlan } from '../epoch.ts';
import { steeredShares } from '../epoch.ts';
import { bucketOfUser } from '../table/bucket-weights.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { mayStep, type Routing, routingOf, stepOf, stepped, type TreeCourse, towards } from '../table/tree-course.ts';
import type { TreeStep } from '../table/tree-move.ts';

export interface Proposed {
  readonly routing: Routing; // to plan with
  readonly step: TreeStep | null; // that the routing counts on
}

/** After an epoch. */
export interface TreesInForce {
  readonly routing: Routing;
  readonly bucketOf: (user: string) => number;
  readonly treeStep: TreeStep | null; // users who passed to another tree in the epoch
}

interface Replayed {
  readonly world: World;
  readonly policy: Policy;
  readonly context: EpochContext;
}

export class ReplayedTrees {
  readonly #service: Replayed;
  readonly #waiting: { readonly timeMs: number; readonly tree: BucketTree }[];
  #course: TreeCourse;
  #routing: Routing;

  constructor(service: Replayed, activations: readonly { readonly timeMs: number; readonly tree: BucketTree }[]) {
    this.#service = service;
    this.#waiting = [...activations];
    const { tree, weights } = service.context;
    this.#course = { kind: 'settled', tree, before: null };
    this.#routing = { tree, weights };
  }

  /** What the epoch is planned with. */
  next(
    timeMs: number,
    table: RoutingTable | null,
    demandRps: Float64Array,
    states: readonly DatacenterState[],
  ): Proposed {
    const { world, policy } = this.#service;
    if (this.#course.kind === 'settled' && this.#waiting[0] && this.#waiting[0].timeMs <= timeMs) {
      const { tree } = this.#waiting.shift()!;
      this.#course = towards(this.#course.tree, tree, world);
    }
    if (this.#course.kind === 'settled' || table === null || !mayStep(states)) {
      return { routing: this.#routing, step: null };
    }
    const edgeLoad = steeredShares(world.topology, demandRps);
    const step = stepOf(this.#course, table, edgeLoad, policy.spec.guards.churnMax)!;
    return { routing: routingOf(stepped(this.#course, step), world), step };
  }

  /** What is in force after the epoch: where its plan did not come to be, nobody passes. */
  after({ routing, step }: Proposed, plan: EpochPlan): TreesInForce {
    const isMade = step !== null && plan.outcome !== 'held' && plan.outcome !== 'rejected';
    if (isMade) {
      this.#course = stepped(this.#course, step);
      this.#routing = routing;
    }
    const course = this.#course;
    const bucketOf = (user: string): number =>
      course.kind === 'settled' ? bucketOfUser(course.tree, user) : course.move.bucketAt(user, course.cut);
    return { routing: this.#routing, treeStep: isMade ? step : null, bucketOf };
  }
}
