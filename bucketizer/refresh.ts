/** A new tree from the last one: users stay where they are unless it pays. From scratch over nine users in ten would
 *  change their bucket whatever one aligns, and every moved user is a cold cache and a rewritten cookie; so the old tree
 *  is the start, and what may move is a budget that every step spends from, the mending of balance included:
 *  newcomers are placed by their friends, balance is mended, users move by what they gain for what they cost, then whole
 *  clusters where single users no longer help. If the budget cannot mend balance, balance gives way and the report says
 *  by how much.
 *  Declined: matching the segments of a fresh tree to the old ones (moves ten times the cap). */

import assert from 'node:assert';
import { ConfigError } from '../config/errors.ts';
import { hash32 } from '../config/random.ts';
import { heaviestUsers, type Movable, restoreBalance, treeBounds, treeWeights } from './balance.ts';
import { type PreparedBuild, sealBuild, type TreeReport } from './bucketize.ts';
import type { Graph } from './multilevel/graph.ts';
import { imbalanceMax } from './multilevel/half.ts';
import { meetingOf } from './multilevel/leaf-worth.ts';
import { nowhere } from './multilevel/memory.ts';
import { Homes, MoveBudget } from './multilevel/move-budget.ts';
import { placeNewcomers } from './newcomers.ts';
import { plainSearches, type Searches } from './searches.ts';
import type { BucketTree } from './tree.ts';

export const moveMaxDefault = 0.05;

/** Refinement by choice stops here, whatever is allowed beyond: the rest is for the mending of balance. */
const choiceMax = 0.0295;

export interface Move {
  readonly user: string;
  readonly from: number; // bucket in the previous tree
  readonly to: number;
}

/** What changed against the previous tree. Shares are of the users in both trees. */
export interface RefreshReport {
  readonly previousVersion: string;
  readonly moveMax: number;
  readonly usersKept: number; // in both trees
  readonly usersPlaced: number; // new
  readonly usersGone: number;
  readonly usersMoved: number;
  readonly usersMovedShare: number; // 0..1
  readonly weightMovedShare: number; // 0..1, by their weight now
  readonly movedByLevel: readonly { level: number; usersShare: number; weightShare: number }[]; // that changed their tree node there, root first
  readonly balanceGiven: number; // most by which a tree node exceeds what balance allows, in even shares; 0: none does
}

export interface Refreshed {
  readonly tree: BucketTree;
  readonly report: TreeReport & { readonly refresh: RefreshReport };
  readonly moves: readonly Move[]; // by user
}

/** Throws a ConfigError where the previous tree is of another height. `moveMax`: 0..1. */
export function refresh(
  prepared: PreparedBuild,
  previous: BucketTree,
  moveMax: number,
  onProgress: (progress: { stage: string; done: number; total: number }) => void = () => {},
  searches: Searches = plainSearches(),
): Refreshed {
  const { graph, users, options } = prepared;
  assert(prepared.nodeOf === null, 'a refresh looks users up by their node');
  const { height, seed } = options;
  if (previous.height !== height) {
    throw new ConfigError(
      `the previous tree has height ${previous.height}, --height is ${height}; another height is a migration, because cookies hold bucket ids: leave --height out, or build without --previous`,
    );
  }
  onProgress({ stage: 'refresh', done: 0, total: 3 });
  const { homes, gone } = homesIn(previous, users, graph);
  const kept = keptBy(homes, graph);
  const leafOf = startAtHome(homes);
  const bounds = treeBounds(graph, height);
  const placed = placeNewcomers(graph, users, leafOf, bounds);
  onProgress({ stage: 'refresh', done: 1, total: 3 });
  const repair = new MoveBudget(moveMax * kept.users, moveMax * kept.weight);
  restoreBalance(graph, leafOf, height, movableWithin(repair, homes));
  onProgress({ stage: 'refresh', done: 2, total: 3 });
  const share = Math.min(moveMax, choiceMax);
  const before = { leaf: homes.leaf, usersMax: share * kept.users, weightMax: share * kept.weight };
  searches.improve(graph, leafOf, bounds, before, hash32(`${seed}/refresh`));
  onProgress({ stage: 'refresh', done: 3, total: 3 });

  const { tree, report } = sealBuild(prepared, leafOf, searches);
  const moves = movesFrom(homes, leafOf);
  return {
    tree,
    report: {
      ...report,
      refresh: {
        previousVersion: previous.version,
        moveMax,
        usersKept: kept.users,
        usersPlaced: placed,
        usersGone: gone,
        usersMoved: moves.length,
        ...movedShares(graph, homes, leafOf, height, kept),
        balanceGiven: balanceGiven(graph, leafOf, height),
      },
    },
    moves: moves.map((v) => ({ user: users[v]!, from: homes.leaf[v]!, to: leafOf[v]! })),
  };
}

/** Both lists of users are sorted: one walk finds who is in both. */
function homesIn(previous: BucketTree, users: readonly string[], graph: Graph): { homes: Homes; gone: number } {
  const known = previous.users;
  const leaf = new Int32Array(users.length).fill(-1);
  let i = 0;
  let both = 0;
  for (let v = 0; v < users.length; v++) {
    const user = users[v]!;
    while (i < known.length && known[i] !== user && known[i]! < user) i++; // most are there: to tell strings the same is faster than to order them
    if (known[i] !== user) continue;
    leaf[v] = previous.bucketOfUser[i++]!;
    both++;
  }
  const homes = new Homes(leaf, new Float64Array(users.length).fill(1), graph.nodeWeight);
  return { homes, gone: known.length - both };
}

/** Whoever has a home is there. A loop, for `Uint32Array.from` takes as long as a search. */
function startAtHome({ leaf }: Homes): Uint32Array {
  const leafOf = new Uint32Array(leaf.length);
  for (let v = 0; v < leaf.length; v++) leafOf[v] = leaf[v]! < 0 ? nowhere : leaf[v]!;
  return leafOf;
}

/** Who was in the previous tree: how many, and what they weigh now. */
function keptBy(homes: Homes, graph: Graph): { users: number; weight: number } {
  const kept = { users: 0, weight: 0 };
  for (let v = 0; v < graph.nodeCount; v++) {
    if (homes.leaf[v]! < 0) continue;
    kept.users++;
    kept.weight += graph.nodeWeight[v]!;
  }
  return kept;
}

/** Newcomers go first: they cost nothing. */
function movableWithin(budget: MoveBudget, homes: Homes): Movable {
  return {
    first: (v) => homes.leaf[v]! < 0,
    may: (v, from, to) => budget.allows(homes, v, from, to),
    moved: (v, from, to) => budget.spend(homes, v, from, to),
  };
}

function movesFrom(homes: Homes, leafOf: Uint32Array): number[] {
  const moves: number[] = [];
  for (let v = 0; v < leafOf.length; v++) if (homes.leaf[v]! >= 0 && homes.leaf[v] !== leafOf[v]) moves.push(v);
  return moves;
}

function movedShares(
  graph: Graph,
  homes: Homes,
  leafOf: Uint32Array,
  height: number,
  kept: { readonly users: number; readonly weight: number },
): Pick<RefreshReport, 'usersMovedShare' | 'weightMovedShare' | 'movedByLevel'> {
  const users = new Float64Array(height + 1); // [levels above the leaves at which old and new leaf first meet]
  const weight = new Float64Array(height + 1);
  for (const v of movesFrom(homes, leafOf)) {
    const meet = meetingOf(homes.leaf[v]!, leafOf[v]!);
    users[meet]! += 1;
    weight[meet]! += graph.nodeWeight[v]!;
  }
  const movedByLevel: RefreshReport['movedByLevel'][number][] = [];
  let usersMoved = 0;
  let weightMoved = 0;
  for (let level = 0; level <= height; level++) {
    if (level > 0) {
      usersMoved += users[height - level + 1]!;
      weightMoved += weight[height - level + 1]!;
    }
    const usersShare = kept.users === 0 ? 0 : usersMoved / kept.users;
    movedByLevel.push({ level, usersShare, weightShare: kept.weight === 0 ? 0 : weightMoved / kept.weight });
  }
  const { usersShare, weightShare } = movedByLevel[height]!;
  return { usersMovedShare: usersShare, weightMovedShare: weightShare, movedByLevel };
}

function balanceGiven(graph: Graph, leafOf: Uint32Array, height: number): number {
  const weight = treeWeights(graph.nodeWeight, leafOf, height);
  const heaviest = heaviestUsers(graph.nodeWeight, leafOf, height);
  let given = 0;
  for (let t = 1; t < weight.length; t++) {
    const even = weight[1]! / (1 << (31 - Math.clz32(t)));
    if (even > 0)
      given = Math.max(given, (weight[t]! - Math.max((1 + imbalanceMax) * even, even + heaviest[t]!)) / even);
  }
  return given;
}
