/** The bucketizer on several threads: the first bisections one at a time, then subtrees side by side. Each tree node has
 *  its own chance, so the tree is the same to the byte as on one thread. Refinement stays on one: it weighs the tree as a
 *  whole, and in turns. */

import { type BucketizeProgress, buildTree, finishBuild, type PreparedBuild, type TreeReport } from '../bucketize.ts';
import { nodesOf } from '../multilevel/descend.ts';
import { everyNode, type Graph } from '../multilevel/graph.ts';
import { bisectRoot, halvesOf } from '../recursive-bisection.ts';
import type { TreePlace } from '../searches.ts';
import type { BucketTree } from '../tree.ts';
import { collectGarbageOf } from './collect-garbage.ts';
import { bisectedMaxOf, compiledSearches } from './compiled-searches.ts';
import { startWorkers, type WorkerPool } from './worker-pool.ts';

/** Starting threads and copying parts to them takes a fifth of a second of processor time: below, as much time as they save. */
const tiesWorthThreads = 1 << 20;

/** Further down parts are an eighth of the graph, and so is what they leave behind. */
const levelsOfLargeParts = 2;

/** `workers`: threads to use at most, 1 or more. `tiesMin`: fewer are bisected on this thread. */
export async function bucketizeInParallel(
  prepared: PreparedBuild,
  workers: number,
  onProgress: (progress: BucketizeProgress) => void = () => {},
  tiesMin = tiesWorthThreads,
): Promise<{ tree: BucketTree; report: TreeReport }> {
  const show = (progress: BucketizeProgress): void => {
    if (progress.level !== undefined && progress.level <= levelsOfLargeParts) collectGarbageOf(prepared.graph);
    onProgress(progress);
  };
  collectGarbageOf(prepared.graph); // of its making
  if (workers === 1 || prepared.graph.neighbour.length / 2 < tiesMin)
    return buildTree(prepared, show, compiledSearches(bisectedMaxOf(prepared.graph)));
  const leafOf = await bisectOnThreads(prepared, workers, show);
  collectGarbageOf(prepared.graph);
  return finishBuild(prepared, leafOf, onProgress, compiledSearches());
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
      for (const [i, leaf] of leaves.entries()) leafOf[of[i]!] = leaf;
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
