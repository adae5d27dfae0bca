/** The bucketizer on several threads: the first bisections one at a time, then subtrees side by side. Each tree node has
 *  its own chance, so the tree is the same to the byte as on one thread. Refinement stays on one: it weighs the tree as a
 *  whole, and in turns. */

import {
  type BucketizeProgress,
  buildTree,
  finishBuild,
  type PreparedBuild,
  type TreeReport,
  workSmall,
} from '../bucketize.ts';
import { nodesOf } from '../multilevel/descend.ts';
import { everyNode, type Graph } from '../multilevel/graph.ts';
import { entriesLarge } from '../multilevel/memory.ts';
import { bisectRecursively, bisectRoot } from '../recursive-bisection.ts';
import { halvesOf, type Searches, type TreePlace } from '../searches.ts';
import type { BucketTree } from '../tree.ts';
import { collectGarbageOf } from './collect-garbage.ts';
import { bisectedMaxOf, compiledSearches } from './compiled-searches.ts';
import { startWorkers, type WorkerPool } from './worker-pool.ts';

/** From so many ties on no half is bisected here: memory is what counts, and what bisecting took goes with the threads. */
const tiesWorthThreads = 1 << 20;

/** Further down parts are an eighth of the graph, and so is what they leave behind. */
const levelsOfLargeParts = 2;

/** `workers`: threads to use at most, 1 or more. `searches`: for graphs that are not large, on this thread. `tiesMin`: with fewer
 *  ties two threads are enough; `workMin`: with fewer ties x levels this one is. */
export async function bucketizeInParallel(
  prepared: PreparedBuild,
  workers: number,
  onProgress: (progress: BucketizeProgress) => void = () => {},
  searches: Searches = compiledSearches(),
  tiesMin = tiesWorthThreads,
  workMin = workSmall,
): Promise<{ tree: BucketTree; report: TreeReport }> {
  const show = (progress: BucketizeProgress): void => {
    if (progress.level !== undefined && progress.level <= levelsOfLargeParts) collectGarbageOf(prepared.graph);
    onProgress(progress);
  };
  const total = prepared.users.length * prepared.plan.height;
  onProgress({ stage: 'bisect', level: 0, done: 0, total }); // the first bisection is the longest, and says nothing until it is done
  collectGarbageOf(prepared.graph); // of its making
  const ties = prepared.graph.neighbour.length / 2;
  if (workers === 1 || ties * prepared.plan.height < workMin) {
    const bisectedMax = bisectedMaxOf(prepared.graph);
    return buildTree(prepared, show, bisectedMax < entriesLarge ? compiledSearches(bisectedMax) : searches);
  }
  if (ties < tiesMin) return bucketizeBeside(prepared, show, searches);
  const leafOf = await bisectOnThreads(prepared, workers, show);
  collectGarbageOf(prepared.graph);
  return finishBuild(prepared, leafOf, onProgress, compiledSearches());
}

/** With a thread beside this one, for half of the bisections below the root. It starts during that of the root. */
async function bucketizeBeside(
  prepared: PreparedBuild,
  onProgress: (progress: BucketizeProgress) => void,
  searches: Searches,
): Promise<{ tree: BucketTree; report: TreeReport }> {
  const { graph, users, plan } = prepared;
  const pool = startWorkers(1, bisectedMaxOf(graph));
  let ended: Promise<void> | null = null;
  try {
    let done = 0;
    const descended = (userLevels: number, level: number): void => {
      done += userLevels;
      onProgress({ stage: 'bisect', level, done, total: users.length * plan.height });
    };
    const leafOf = new Uint32Array(graph.nodeCount);
    const { side, below } = bisectRoot(graph, plan, searches);
    descended(users.length, 0);
    const halves = searches.halves(graph, side);
    // the larger one here: the thread has to be told first, and to tell
    const here = halves[0].neighbour.length >= halves[1].neighbour.length ? 0 : 1;
    const [ourUsers, theirUsers] = [nodesOf(side, here), nodesOf(side, 1 - here)];
    const theirs = pool.bisectRecursively(halves[1 - here]!, { level: 1, index: 1 - here }, below);
    const ours = bisectRecursively(halves[here], { level: 1, index: here }, below, descended, searches);
    putInto(leafOf, ourUsers, ours);
    putInto(leafOf, theirUsers, await theirs);
    descended(theirUsers.length * (plan.height - 1), 1);
    ended = pool.close(); // meanwhile
    return finishBuild(prepared, leafOf, onProgress, searches);
  } finally {
    await (ended ?? pool.close());
  }
}

function putInto(leafOf: Uint32Array, users: Uint32Array, leaves: Uint32Array): void {
  for (let i = 0; i < users.length; i++) leafOf[users[i]!] = leaves[i]!;
}

/** What the threads hold is gone once this returns. */
async function bisectOnThreads(
  prepared: PreparedBuild,
  workers: number,
  onProgress: (progress: BucketizeProgress) => void,
): Promise<Uint32Array> {
  const pool = startWorkers(workers, bisectedMaxOf(prepared.graph));
  try {
    return await bisectOn(pool, prepared, workers, onProgress);
  } finally {
    await pool.close();
  }
}

async function bisectOn(
  pool: WorkerPool,
  { graph, users, plan }: PreparedBuild,
  workers: number,
  onProgress: (progress: BucketizeProgress) => void,
): Promise<Uint32Array> {
  // here: the graph is needed later, and no thread has anything else to do
  const { side: first, below } = bisectRoot(graph, plan, compiledSearches());
  collectGarbageOf(graph);
  const leafOf = new Uint32Array(graph.nodeCount);
  let done = 0;
  const descended = (userLevels: number, level: number): void => {
    done += userLevels;
    onProgress({ stage: 'bisect', level, done, total: users.length * plan.height });
  };
  /** `part` is given away: what is left of it here is its halves. */
  const descend = async (part: Graph, of: Uint32Array, place: TreePlace): Promise<void> => {
    const enoughParts = 1 << place.level >= 4 * workers; // several each: parts differ in work, and a thread keeps what memory it ever had
    if (enoughParts || place.level === plan.height || of.length <= 1) {
      const leaves = await pool.bisectRecursively(part, place, below);
      putInto(leafOf, of, leaves);
      descended(of.length * (plan.height - place.level), place.level);
      return;
    }
    const { side, halves } = await pool.bisect(part, place, below);
    await descendInto(side, halves, of, place);
  };
  const descendInto = async (
    side: Uint8Array,
    halves: readonly Graph[],
    of: Uint32Array,
    { level, index }: TreePlace,
  ): Promise<void> => {
    descended(of.length, level);
    const parts = halves.map((half, s) => {
      const users = nodesOf(side, s).map((v) => of[v]!);
      return descend(half, users, { level: level + 1, index: 2 * index + s });
    });
    await Promise.all(parts);
  };
  await descendInto(first, halvesOf(graph, first), everyNode(graph.nodeCount), { level: 0, index: 0 });
  return leafOf;
}
