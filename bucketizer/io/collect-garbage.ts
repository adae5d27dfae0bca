/** Gives back at once what nobody holds any more. The engine sees little of typed arrays and collects them late: between
 *  two bisections of a large graph that is as much memory as the graph takes, once more. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Graph } from '../multilevel/graph.ts';
import { entriesLarge } from '../multilevel/memory.ts';

let collect: (() => void) | null = null;

/** After a search on `graph`. Takes as long as bisecting a small one, so only where it is large. */
export function collectGarbageOf(graph: Graph): void {
  collectGarbageAfter(graph.rowStart[graph.nodeCount]!, entriesLarge);
}

/** After a search on so many entries, if they are `entriesMin` or more. */
export function collectGarbageAfter(entries: number, entriesMin: number): void {
  if (entries < entriesMin) return;
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
