/** The bucketizer on several threads: the first bisections one at a time, then subtrees side by side. Each tree node has
 *  its own chance, so the tree is the same to the byte as on one thread. Refinement stays on one: it weighs the tree as a
 *  whole, and in turns. */

import {
  type BucketizeInput,
  type BucketizeOptions,
  type BucketizeProgress,
  bucketize,
  finishBuild,
  type PreparedBuild,
  prepareBuild,
  type TreeReport,
} from '../bucketize.ts';
import { type Graph, subgraph } from '../graph.ts';
import { nodesOf, type TreePlace } from '../recursive-bisection.ts';
import type { BucketTree } from '../tree.ts';
import { startWorkers, type WorkerPool } from './worker-pool.ts';

/** Starting threads, each of which has to warm up, costs more than bisecting fewer ties. */
const tiesWorthThreads = 400_000;

/** `workers`: threads to use at most, 1 or more. `tiesMin`: fewer are bisected on this thread. */
export async function bucketizeInParallel(
  input: BucketizeInput,
  options: BucketizeOptions,
  workers: number,
  onProgress: (progress: BucketizeProgress) => void = () => {},
  tiesMin = tiesWorthThreads,
): Promise<{ tree: BucketTree; report: TreeReport }> {
  if (workers === 1 || input.ties.length / 2 < tiesMin) return bucketize(input, options, onProgress);
  const prepared = prepareBuild(input, options);
  const pool = startWorkers(workers);
  try {
    return finishBuild(prepared, await bisectOn(pool, prepared, workers, onProgress), onProgress);
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
  const leafOf = new Uint32Array(users.length);
  const renumber = new Uint32Array(users.length);
  let done = 0;
  const descended = (userLevels: number, level: number): void => {
    done += userLevels;
    onProgress({ stage: 'bisect', level, done, total: users.length * plan.height });
  };
  const descend = async (part: Graph, of: Uint32Array, place: TreePlace): Promise<void> => {
    const enoughParts = 1 << place.level >= 2 * workers; // two each, because parts differ in work
    if (enoughParts || place.level === plan.height || of.length <= 1) {
      const leaves = await pool.bisectRecursively(part, place, plan);
      for (const [i, leaf] of leaves.entries()) leafOf[of[i]!] = leaf;
      descended(of.length * (plan.height - place.level), place.level);
      return;
    }
    const side = await pool.bisect(part, place, plan);
    descended(of.length, place.level);
    await Promise.all(
      [0, 1].map((s) => {
        const nodes = nodesOf(side, s);
        const half = subgraph(part, nodes, renumber);
        return descend(
          half,
          nodes.map((v) => of[v]!),
          { level: place.level + 1, index: 2 * place.index + s },
        );
      }),
    );
  };
  const everyone = Uint32Array.from({ length: users.length }, (_, v) => v);
  await descend(graph, everyone, { level: 0, index: 0 });
  return leafOf;
}
