/** What people ask of a service's trees, and what becomes of it: between two epochs, so that no epoch is planned with half
 *  an answer. Both trees are on the disk before the head says that users are between them. */

import type { BucketTree } from '../../../bucketizer/tree.ts';
import { ConfigError } from '../../../config/errors.ts';
import type { Steps } from '../../../config/steps.ts';
import type { WorldUsers } from '../../../config/world.ts';
import { steeredShares } from '../../epoch/demand-shares.ts';
import type { PublishedTrees } from '../../publish/snapshot.ts';
import type { MovingCourse } from '../../table/tree-course.ts';
import { HttpProblem, orProblem } from '../problem.ts';
import { type ServiceTrees, shortly } from '../service-trees.ts';
import { checkKnown } from '../tree-fits.ts';
import { planOfMove, type TreePlan } from '../tree-plan.ts';
import type { Asked } from '../version-about.ts';
import { messageOf } from './data-directory.ts';
import { inTurns } from './in-turns.ts';
import type { RoutingObjects } from './objects.ts';
import type { ServiceRun } from './service-run.ts';
import type { TreeShelf } from './tree-shelf.ts';

export interface TreeMovesParts {
  readonly run: ServiceRun;
  readonly shelf: TreeShelf;
  readonly objects: RoutingObjects;
  readonly users: WorldUsers;
  readonly nowMs: () => number;
  readonly between: <T>(work: () => Promise<T>) => Promise<T>;
}

/** `begun` false: only looked at. `stored` false: begun, and not on the disk yet. */
export interface MoveAnswer {
  readonly plan: TreePlan;
  readonly begun: boolean;
  readonly stored: boolean;
  readonly warning: string | null;
  readonly standstill: string | null; // why nobody would pass now
}

export class TreeMoves {
  readonly #parts: TreeMovesParts;

  constructor(parts: TreeMovesParts) {
    this.#parts = parts;
  }

  get trees(): ServiceTrees {
    return this.#parts.run.parts.trees;
  }

  /** As frontends are to look users up: in force with the table that edges are fed. */
  get inForce(): PublishedTrees {
    return this.#parts.run.parts.publisher.trees ?? this.trees.published;
  }

  /** `isDry`: says what it would come to. Rejects with an HttpProblem where the tree cannot take over. */
  activate(version: string, asked: Asked, isDry: boolean): Promise<MoveAnswer> {
    return this.#parts.between(async () => {
      const tree = await this.#handedIn(version);
      const course = await inTurns(this.trees.towards(tree));
      return this.#go(course, asked, isDry, this.#strangersTo(course));
    });
  }

  /** Back to the tree before, or where a move is under way to where it began. Rejects likewise. */
  rollback(asked: Asked, isDry: boolean): Promise<MoveAnswer> {
    return this.#parts.between(async () => {
      const course = await inTurns(this.trees.back((version) => this.#read(version)));
      return this.#go(course, asked, isDry, null);
    });
  }

  async #go(course: MovingCourse, asked: Asked, isDry: boolean, warning: string | null): Promise<MoveAnswer> {
    const { run, objects, users, nowMs } = this.#parts;
    const { settings } = run.state;
    const { table, inputs } = run.known;
    const { topology, demandRps } = inputs;
    const { policy, everyTicks } = run.parts;
    const epochMs = settings.epochMs * everyTicks;
    const edgeLoad = steeredShares(topology, demandRps);
    const plan = planOfMove(course, users.ids.length, table, edgeLoad, { policy, epochMs });
    const { standstill } = run;
    if (isDry) return { plan, begun: false, stored: false, warning, standstill };
    const { from, to } = course.move;
    for (const tree of [from, to]) {
      await objects.keepTree(tree).catch((error: unknown) => {
        throw new HttpProblem(503, `tree ${shortly(tree.version)} cannot be stored: ${messageOf(error)}`);
      });
    }
    const { author, reason } = asked;
    this.trees.go(course, { author, reason, sinceMs: nowMs() });
    const { rollout } = run.parts.publisher;
    const answer = await run.change({ rollout, next: null });
    const { direction, users: moved, epochs } = plan;
    const way = { direction, from: plan.from, to: plan.to, users: moved, epochs };
    run.news.ofTrees(way, `users pass to another tree, asked by ${author}: ${reason}`);
    return { plan, begun: true, stored: answer === 'stored', warning, standstill };
  }

  async #handedIn(version: string): Promise<BucketTree> {
    const { course } = this.trees;
    const known = course.kind === 'settled' ? [course.tree] : [course.move.from, course.move.to];
    const same = known.find((tree) => tree.version === version);
    if (same) return same;
    if (!(await this.#parts.shelf.has(version))) {
      throw new HttpProblem(404, `tree ${shortly(version)} is not here; PUT its file to /v1/trees/${version} first`);
    }
    return inTurns(this.#read(version));
  }

  *#read(version: string): Steps<BucketTree> {
    try {
      return yield* this.#parts.shelf.reading(version);
    } catch (error) {
      throw error instanceof ConfigError ? new HttpProblem(503, error.message) : error;
    }
  }

  /** What to warn of. Throws a 409 where the tree knows nobody. */
  #strangersTo({ move }: MovingCourse): string | null {
    const { to, unknown } = move;
    return orProblem(409, () =>
      checkKnown(unknown, this.#parts.users.ids.length, `tree ${shortly(to.version)}`, 'the world served'),
    );
  }
}
