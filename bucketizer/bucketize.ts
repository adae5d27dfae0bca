/** From ties to a bucket tree: recursive bisection, balance made exact, then refinement of the tree as a whole. A pure
 *  function of its arguments: users may come in any order and ties too, the tree is the same to the byte. */

import assert from 'node:assert';
import { ConfigError } from '../config/errors.ts';
import { hash32, seededRandom } from '../config/random.ts';
import { restoreBalance, treeBounds, treeWeights } from './balance.ts';
import { type CacheSimulation, simulateCaches } from './cache-simulation.ts';
import type { Auditor, CommunityAudit } from './communities.ts';
import { fanoutProbability, meanFanout } from './fanout.ts';
import { atLeast, toFixedPoint } from './fixed-point.ts';
import { buildGraph, type TieCounts } from './graph.ts';
import { orderOfIds } from './id-order.ts';
import type { BisectEffort } from './multilevel/effort.ts';
import { type Graph, sumOf } from './multilevel/graph.ts';
import { entriesLarge } from './multilevel/memory.ts';
import { inNearOrder } from './near-order.ts';
import { type LevelQuality, levelQuality, meanLocality } from './quality.ts';
import { type BisectionPlan, bisectRecursively, type Objective } from './recursive-bisection.ts';
import { plainSearches, type Searches } from './searches.ts';
import { type BucketTree, heightMax } from './tree.ts';
import { sealTree } from './tree-bytes.ts';
import { refineClusters } from './v-cycle.ts';

export interface BucketizeInput {
  readonly users: readonly string[]; // unique ids, in any order
  readonly order?: Uint32Array; // `orderOfIds` of users, where it is known
  readonly userWeights: Float64Array | null; // [user] finite, >= 0, not all 0; null: 1 each
  readonly ties: Uint32Array; // pairs of user indices, 2 per tie
  readonly tieWeights: Float64Array | null; // [tie] finite, > 0; null: 1 each
}

export interface BucketizeOptions {
  readonly height: number; // 1 .. heightMax
  readonly seed: number;
  readonly effort?: EffortName; // default: default
  readonly objective?: Objective; // default: cut
  readonly directed?: boolean; // only ties given in both directions count
  readonly hubDegree?: number; // users with more friends than this keep no ties; default: no limit
  readonly minWeight?: number; // lighter ties are left out, in the unit of tieWeights; default: 0
  readonly simulateCache?: boolean; // report misses of caches behind the tree
  readonly audit?: Auditor; // holds the tree against communities found another way, where the graph is small enough
  readonly onSilent?: (stage: string, long: boolean) => void; // told before what comes after the searches, which nothing tells the progress of; `long`: it may take over a second
}

export type EffortName = 'fast' | 'default' | 'best';

export interface BucketizeProgress {
  readonly stage: string;
  readonly level?: number; // of the tree node that was bisected last, the root 0
  readonly done: number;
  readonly total: number;
}

/** What was built from what. No clock, host or version in it: the same input gives the same report. */
export interface TreeReport {
  readonly treeVersion: string;
  readonly height: number;
  readonly seed: number;
  readonly effort: EffortName;
  readonly objective: Objective;
  readonly fanout: number | null; // mean buckets a user's request reaches, p = 0.5; null where the cut was the objective
  readonly users: number;
  readonly usersWithoutTies: number;
  readonly ties: TieCounts;
  readonly meanLocality: number; // 0..1, mean over the levels below the root
  readonly levels: readonly LevelQuality[]; // root first; cut weight in the unit of the ties given
  readonly cache: CacheSimulation | null; // null: not asked for, or nobody has friends to ask
  readonly communities: CommunityAudit | null; // null: not asked for, or too large a graph
}

interface Effort extends BisectEffort {
  readonly rounds: number; // of each refinement
  readonly carefulLevels: number;
  readonly vCycles: number;
  readonly swapRounds: number; // at the end
}

const searchEffort = { coarsestNodes: 25, shrinkPerRound: 6, passes: 2, labelRounds: 1, byDensity: true } as const;
const onceOver = { startTies: 0, startsMax: 1, settles: false, cycles: 0, carefulLevels: 0 };
const efforts: Readonly<Record<EffortName, Effort>> = {
  fast: { ...searchEffort, ...onceOver, tries: 2, rounds: 4, vCycles: 0, swapRounds: 0 },
  default: {
    ...searchEffort,
    tries: 4, // 12 find .001 to .002 more, too much for refreshes to follow (.973 after ten on soc-Epinions1, .989 so)
    startTies: 60_000,
    startsMax: 6,
    settles: true,
    cycles: 0,
    carefulLevels: 5,
    rounds: 8,
    vCycles: 0,
    swapRounds: 4,
  },
  best: {
    ...searchEffort,
    shrinkPerRound: 3,
    passes: 3,
    labelRounds: 2,
    tries: 16,
    startTies: 400_000,
    startsMax: 12,
    settles: false,
    cycles: 3,
    carefulLevels: 16,
    rounds: 12,
    vCycles: 4,
    swapRounds: 8,
  },
};

/** Ties x levels below which a build is over in an instant: there a second thread takes more processor time to start than
 *  it saves in waiting. */
export const workSmall = 1 << 20;

/** `default` on a small graph: with few bisections to a tree one bad start shows, and many cost next to nothing. */
const defaultOnSmall: Effort = { ...efforts.default, startTies: 200_000, startsMax: 8, settles: false };

function effortOn(graph: Graph, { effort = 'default', height }: BucketizeOptions): Effort {
  return effort === 'default' && isSmall(graph, height) ? defaultOnSmall : efforts[effort];
}

function isSmall(graph: Graph, height: number): boolean {
  return (graph.neighbour.length / 2) * height < workSmall;
}

/** Throws a ConfigError where there is nobody to put into buckets or an id comes twice. */
export function bucketize(
  input: BucketizeInput,
  options: BucketizeOptions,
  onProgress: (progress: BucketizeProgress) => void = () => {},
): { tree: BucketTree; report: TreeReport } {
  return buildTree(prepareFresh(input, options), onProgress);
}

/** For large graphs: whoever holds no ties any more when calling this has their memory for the build. */
export function buildTree(
  prepared: PreparedBuild,
  onProgress: (progress: BucketizeProgress) => void = () => {},
  searches: Searches = plainSearches(),
): { tree: BucketTree; report: TreeReport } {
  let done = 0;
  const total = prepared.users.length * prepared.options.height;
  const onDescended = (userLevels: number, level: number): void => {
    done += userLevels;
    onProgress({ stage: 'bisect', level, done, total });
  };
  const leafOf = bisectRecursively(prepared.graph, { level: 0, index: 0 }, prepared.plan, onDescended, searches);
  return finishBuild(prepared, leafOf, onProgress, searches);
}

/** A build before its bisections; they may be done here or by workers, with the same result. */
export interface PreparedBuild {
  readonly users: readonly string[]; // sorted by code unit
  readonly graph: Graph; // over these users
  readonly nodeOf: Uint32Array | null; // [user] = its node in the graph; null: the same
  readonly counts: TieCounts;
  readonly tieScale: number; // tie weight in the graph / as given
  readonly plan: BisectionPlan;
  readonly options: BucketizeOptions;
}

/** `rowsOf`: as `Searches.rows`. */
export function prepareBuild(
  input: BucketizeInput,
  options: BucketizeOptions,
  rowsOf?: Searches['rows'],
): PreparedBuild {
  const { height, seed, objective = 'cut' } = options;
  assert(Number.isInteger(height) && height >= 1 && height <= heightMax, `height is 1 to ${heightMax}`);
  const { users, graph, counts, tieScale } = socialGraph(input, options, rowsOf);
  const effort = effortOn(graph, options);
  const leafShare = sumOf(graph.nodeWeight) / (1 << height);
  return {
    users,
    graph,
    nodeOf: null,
    counts,
    tieScale,
    plan: {
      height,
      leafShare,
      seed: hash32(`${seed}`),
      effort,
      objective,
      carefulLevels: effort.carefulLevels,
    },
    options,
  };
}

/** For a tree from scratch: where there are many ties, nodes are numbered such that friends are near each other. */
export function prepareFresh(
  input: BucketizeInput,
  options: BucketizeOptions,
  rowsOf?: Searches['rows'],
): PreparedBuild {
  const prepared = prepareBuild(input, options, rowsOf);
  if (prepared.graph.neighbour.length < entriesLarge) return prepared;
  const { near, nodeOf } = inNearOrder(prepared.graph, seededRandom(`${options.seed}/near`));
  return { ...prepared, graph: near, nodeOf };
}

/** `leafOf`: the bisections' result, improved in place. */
export function finishBuild(
  prepared: PreparedBuild,
  leafOf: Uint32Array,
  onProgress: (progress: BucketizeProgress) => void,
  searches: Searches,
): { tree: BucketTree; report: TreeReport } {
  const { graph, options } = prepared;
  const { height, seed, objective = 'cut' } = options;
  restoreBalance(graph, leafOf, height);
  // refinement counts ties, not buckets reached: on facebook_combined it undid what fanout had gained
  if (objective === 'cut') {
    improveTree(graph, leafOf, { height, seed }, effortOn(graph, options), searches, onProgress);
  }
  return sealBuild(prepared, leafOf, searches);
}

/** Tree and report of users who are where they shall be. `leafOf`: [node], may be kept in the tree. */
export function sealBuild(
  { users, graph, nodeOf, counts, tieScale, options }: PreparedBuild,
  leafOf: Uint32Array,
  searches: Searches,
): { tree: BucketTree; report: TreeReport } {
  const { height, seed, effort = 'default', objective = 'cut', onSilent = () => {} } = options;
  onSilent('measure', graph.neighbour.length >= entriesLarge);
  const { byDistance, quotient } = searches.measure(graph, leafOf, height);
  const levels = levelQuality(graph, leafOf, height, byDistance);
  const tree = sealTree({
    height,
    users,
    bucketOfUser: nodeOf === null ? leafOf : nodeOf.map((v) => leafOf[v]!),
    bucketWeight: treeWeights(graph.nodeWeight, leafOf, height).slice(1 << height),
    quotient,
    levels,
  });
  const long = !isSmall(graph, height);
  if (options.simulateCache) onSilent('simulate caches', long);
  const cache = options.simulateCache ? simulateCaches(graph, leafOf, height, levels, seed) : null;
  if (options.audit !== undefined) onSilent('audit', long);
  const report: TreeReport = {
    treeVersion: tree.version,
    height,
    seed,
    effort,
    objective,
    fanout: objective === 'cut' ? null : meanFanout(graph, leafOf, fanoutProbability),
    users: users.length,
    usersWithoutTies: tieless(graph),
    ties: counts,
    meanLocality: meanLocality(levels),
    levels: levels.map((level) => ({ ...level, cutWeight: level.cutWeight / tieScale })),
    cache,
    communities: options.audit?.(graph, leafOf, height, seededRandom(`${seed}/audit`)) ?? null,
  };
  return { tree, report };
}

/** Users sorted by id, weights as integers, ties as a graph over the sorted users. */
function socialGraph(
  input: BucketizeInput,
  options: BucketizeOptions,
  rowsOf?: Searches['rows'],
): Pick<PreparedBuild, 'users' | 'graph' | 'counts' | 'tieScale'> {
  const n = input.users.length;
  if (n === 0) throw new ConfigError('no user is given, so nobody can be put into a bucket; expected at least one');
  const order = input.order ?? orderOfIds(input.users);
  assert(order.length === n, 'the order given is of other users');
  const { users, place } = usersInOrder(input.users, order);
  const userWeights =
    input.userWeights === null
      ? new Float64Array(n).fill(1)
      : toFixedPoint(weightsInOrder(input.userWeights, order), 'users').weights;
  if (sumOf(userWeights) === 0) throw new ConfigError('all users weigh 0; expected a weight above 0 for at least one');
  const { minWeight = 0 } = options;
  const tieWeights = input.tieWeights === null ? null : toFixedPoint(input.tieWeights, 'ties', minWeight);
  const { graph, counts } = buildGraph(
    input.ties,
    tieWeights?.weights ?? null,
    userWeights,
    {
      directed: options.directed ?? false,
      weightMin: atLeast(minWeight, tieWeights?.scale ?? 1),
      degreeMax: options.hubDegree ?? Infinity,
    },
    place,
    rowsOf,
  );
  return { users, graph, counts, tieScale: tieWeights?.scale ?? 1 };
}

function usersInOrder(given: readonly string[], order: Uint32Array): { users: string[]; place: Uint32Array } {
  const users: string[] = [];
  const place = new Uint32Array(order.length);
  let before: string | null = null;
  for (let at = 0; at < order.length; at++) {
    const user = given[order[at]!]!;
    if (before !== null && user <= before) {
      assert(user === before, 'the order given is of other users');
      throw new ConfigError(`user ${JSON.stringify(user)} is listed twice; keep one`);
    }
    users.push(user);
    place[order[at]!] = at;
    before = user;
  }
  return { users, place };
}

function weightsInOrder(given: Float64Array, order: Uint32Array): Float64Array {
  const weights = new Float64Array(order.length);
  for (let at = 0; at < order.length; at++) weights[at] = given[order[at]!]!;
  return weights;
}

function improveTree(
  graph: Graph,
  leafOf: Uint32Array,
  plan: { readonly height: number; readonly seed: number },
  effort: Effort,
  searches: Searches,
  onProgress: (progress: BucketizeProgress) => void,
): void {
  const steps = effort.vCycles + 2; // refinement, V-cycles, swaps
  const bounds = treeBounds(graph, plan.height);
  for (let step = 0; step <= effort.vCycles; step++) {
    onProgress({ stage: 'refine', done: step, total: steps });
    const seed = hash32(`${plan.seed}/refine/${step}`);
    if (step === 0) searches.refine(graph, leafOf, bounds, effort.rounds, seed);
    else refineClusters(graph, leafOf, bounds, effort.rounds, seededRandom(seed));
  }
  searches.swap(graph, leafOf, bounds, effort.swapRounds, hash32(`${plan.seed}/swap`));
  onProgress({ stage: 'refine', done: steps, total: steps });
}

function tieless(graph: Graph): number {
  let count = 0;
  for (let v = 0; v < graph.nodeCount; v++) if (graph.rowStart[v] === graph.rowStart[v + 1]) count++;
  return count;
}
