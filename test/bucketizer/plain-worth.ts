/** The worth of a tree said plainly, beside the searches that raise it by differences. */

import type { Graph } from '../../bucketizer/multilevel/graph.ts';
import { tieTable } from './sample-graphs.ts';

/** What the searches raise: a tie is worth one a level shared, three at the leaf. */
export function plainWorth(graph: Graph, leafOf: Uint32Array, height: number): number {
  let worth = 0;
  for (const [pair, weight] of tieTable(graph)) {
    const [a, b] = pair.split(' ').map((v) => leafOf[Number(v)]!);
    for (let level = 1; level <= height; level++) {
      if (a! >> (height - level) === b! >> (height - level)) worth += weight * (level === height ? 3 : 1);
    }
  }
  return worth / 2;
}
