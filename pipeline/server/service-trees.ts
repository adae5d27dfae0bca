/** One service between trees on a running server: on which it is, or how far its users have passed to another, who wanted
 *  that, and what keeps them. It decides and does nothing: what it comes to is stored with the head of each epoch, in the
 *  one write that puts the epoch's table into force, so that a restart goes on from where the users are. */

import assert from 'node:assert/strict';
import type { BucketTree } from '../../bucketizer/tree.ts';
import { fullCut } from '../../bucketizer/tree-share.ts';
import type { Steps } from '../../config/steps.ts';
import { steeredShares } from '../epoch/demand-shares.ts';
import type { EpochInputs } from '../epoch/inputs.ts';
import type { AskedMove, PublishedTrees } from '../publish/snapshot.ts';
import { type ProposedStep, treeStep } from '../replay/tree-step.ts';
import {
  begunBack,
  begunOn,
  type MovingCourse,
  plainCourse,
  type Routing,
  routingOf,
  type TreeCourse,
  type TreePlaces,
  turned,
} from '../table/tree-course.ts';
import { boarding, TreeMove, type TreeStep } from '../table/tree-move.ts';
import { HttpProblem } from './problem.ts';
import type { Passed, ProposedRouting, RoutingSource } from './routing-source.ts';
import { epochsOf } from './tree-plan.ts';

/** How far a move is. */
export interface TreeProgress {
  readonly moved: number; // users whose bucket is another one now
  readonly of: number; // users whose bucket will be, once all have passed
  readonly epochsLeft: number | null; // about; null: no epoch since the start
}

/** Of the epoch that was planned last. */
interface Proposal extends ProposedRouting {
  readonly inputs: EpochInputs;
  readonly proposed: ProposedStep;
}

/** As long without anybody passing is an alert: an hour of the usual epochs. */
const stillTolerated = 12;

export class ServiceTrees implements RoutingSource {
  readonly #places: TreePlaces;
  readonly #stated: string;
  #course: TreeCourse;
  #routing: Routing;
  #asked: AskedMove | null;
  #progress: TreeProgress | null = null; // null: to be counted
  #arrival: TreeProgress | null = null;
  #proposal: Proposal | null = null;
  #step: TreeStep | null = null; // of the last epoch in force
  #still = 0; // epochs in a row in which nobody passed who should

  /** `stated`: version of the tree that the config names. `routing`: of the course, where it is known. */
  constructor(
    places: TreePlaces,
    { course, asked, stated }: Omit<PublishedTrees, 'course'> & { readonly course: TreeCourse },
    routing: Routing | null,
  ) {
    this.#places = places;
    this.#course = course;
    this.#asked = asked;
    this.#stated = stated;
    this.#routing = routing ?? routingOf(course, places);
  }

  get routing(): Routing {
    return this.#routing;
  }

  /** To be stored. */
  get published(): PublishedTrees {
    return { course: plainCourse(this.#course), asked: this.#asked, stated: this.#stated };
  }

  get course(): TreeCourse {
    return this.#course;
  }

  /** Null where no move is under way. */
  get progress(): TreeProgress | null {
    if (this.#course.kind === 'settled') return null;
    const { move, cut } = this.#course;
    this.#progress ??= { moved: move.movedUsers(cut), of: move.movedUsers(fullCut), epochsLeft: null };
    return this.#progress;
  }

  /** Of the last move: all have passed, or come back. Its last step may not be in force yet. Null: none has ended. */
  get arrival(): TreeProgress | null {
    return this.#arrival;
  }

  /** Who passed in the last epoch; null: nobody. */
  get lastStep(): TreeStep | null {
    return this.#step;
  }

  /** What keeps users from passing now, or null. */
  get standstill(): string | null {
    return this.#course.kind === 'settled' ? null : (this.#proposal?.proposed.standstill ?? null);
  }

  /** The same, once it has lasted. */
  get stuck(): string | null {
    if (this.#course.kind === 'settled' || this.#still < stillTolerated) return null;
    return `nobody has passed to the other tree for ${this.#still} epochs: ${this.standstill ?? 'their plans were held, rejected or failed'}`;
  }

  propose(inputs: EpochInputs): ProposedRouting {
    const proposed = treeStep(this.#course, this.#routing, inputs, this.#places);
    if (this.#course.kind === 'moving' && inputs.isDue !== false) this.#still += 1; // until it is taken
    this.#step = null;
    const { step, routing } = proposed;
    const passed = step && this.#passedBy(step);
    this.#proposal = { inputs, proposed, routing, churnSpent: step?.churn ?? 0, ...(passed && { passed }) };
    return this.#proposal;
  }

  take(taken: ProposedRouting): void {
    if (taken !== this.#proposal || this.#proposal.proposed.step === null) return;
    const { inputs, proposed } = this.#proposal;
    if (proposed.course.kind === 'settled') this.#arrival = this.#arrived();
    this.#course = proposed.course;
    this.#routing = proposed.routing;
    this.#step = proposed.step;
    this.#still = 0;
    this.#progress = this.#course.kind === 'moving' ? this.#counted(this.#course, inputs) : null;
  }

  /** The course by which everybody passes to `to`. Throws an HttpProblem where that is no way to go. */
  *towards(to: BucketTree): Steps<MovingCourse> {
    const course = this.#course;
    if (course.kind === 'moving') {
      if (to.version === course.move.to.version && course.direction === 'back') return turned(course);
      throw underWay(course);
    }
    if (to.version === course.tree.version) {
      throw new HttpProblem(409, `tree ${shortly(to.version)} is in force already`);
    }
    if (to.height !== course.tree.height) {
      const { height } = course.tree;
      throw new HttpProblem(
        409,
        `tree ${shortly(to.version)} has height ${to.height}, the one in force has ${height}, and buckets of one mean nothing in the other; build it with "taiji bucketize --height ${height} --previous TREE"`,
      );
    }
    return begunOn(yield* this.#moveBetween(course.tree, to));
  }

  /** The way back: of a move under way to where it began, else to the tree before. Throws likewise. */
  *back(treeOf: (version: string) => Steps<BucketTree>): Steps<MovingCourse> {
    const course = this.#course;
    if (course.kind === 'moving') {
      if (course.direction === 'on') return turned(course);
      throw underWay(course);
    }
    if (course.before === null) {
      throw new HttpProblem(
        409,
        `tree ${shortly(course.tree.version)} took over from no other: there is none to go back to`,
      );
    }
    return begunBack(yield* this.#moveBetween(yield* treeOf(course.before), course.tree));
  }

  /** From the next epoch on. */
  go(course: MovingCourse, asked: AskedMove): void {
    this.#course = course;
    this.#asked = asked;
    this.#progress = null;
    this.#proposal = null;
    this.#still = 0;
  }

  *#moveBetween(from: BucketTree, to: BucketTree): Steps<TreeMove> {
    const { topology, users } = this.#places;
    return new TreeMove(topology, from, to, users, yield* boarding(topology, from, to, users));
  }

  #arrived(): TreeProgress {
    assert(this.#course.kind === 'moving');
    const { move, direction } = this.#course;
    const of = move.movedUsers(fullCut);
    return { moved: direction === 'on' ? of : 0, of, epochsLeft: 0 };
  }

  #passedBy(step: TreeStep): Passed {
    assert(this.#course.kind === 'moving');
    const { move, cut } = this.#course;
    const { weights } = this.#routing;
    return (known) => move.passed(known, weights, cut, step.cut);
  }

  #counted(course: MovingCourse, inputs: EpochInputs): TreeProgress {
    const { move, cut } = course;
    const edgeLoad = steeredShares(inputs.topology, inputs.demandRps);
    const epochsLeft = epochsOf(course, inputs.previous!, edgeLoad, inputs.policy.spec.guards.churnMax);
    return { moved: move.movedUsers(cut), of: move.movedUsers(fullCut), epochsLeft };
  }
}

export function shortly(treeVersion: string): string {
  return treeVersion.slice(0, 12);
}

function underWay({ move, direction, cut }: MovingCourse): HttpProblem {
  const [where, mend] =
    direction === 'on'
      ? [`to tree ${shortly(move.to.version)}`, 'wait for its end, or turn it around with "taiji tree rollback"']
      : [`back to tree ${shortly(move.from.version)}`, 'wait for its end, or activate the other tree again'];
  const share = ((cut / fullCut) * 100).toFixed(0);
  return new HttpProblem(409, `users are on their way ${where} (${share} % go by the newer one); ${mend}`);
}
