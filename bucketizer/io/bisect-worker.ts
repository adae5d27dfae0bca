/** Entry of a worker thread: bisects the parts of the social graph it is sent, one after the other. */

import assert from 'node:assert';
import { parentPort, workerData } from 'node:worker_threads';
import { bisectPart, bisectRecursively } from '../recursive-bisection.ts';
import { collectGarbageAfter, collectGarbageOf } from './collect-garbage.ts';
import { compiledSearches } from './compiled-searches.ts';
import { type BisectTask, buffersOf, type Halved } from './worker-pool.ts';

assert(parentPort !== null, 'this file is the entry of a worker thread');
const port = parentPort;
const searches = compiledSearches(workerData as number);

/** Entries of a part after which the garbage is collected: a thread keeps what memory it ever had. */
const leavesMuch = 1 << 17;

port.on('message', ({ kind, part, place, plan }: BisectTask) => {
  collectGarbageOf(part); // of the task before
  if (kind === 'subtree') {
    const entries = part.rowStart[part.nodeCount]!;
    const descended = (_: number, level: number): void => {
      collectGarbageAfter(entries / (1 << (level - place.level)), leavesMuch);
    };
    const leafOf = bisectRecursively(part, place, plan, descended, searches);
    port.postMessage(leafOf, [leafOf.buffer as ArrayBuffer]);
    return;
  }
  const side = bisectPart(part, place, plan, searches);
  collectGarbageOf(part);
  const halves = searches.halves(part, side);
  const halved: Halved = { side, halves };
  port.postMessage(halved, [side.buffer as ArrayBuffer, ...halves.flatMap(buffersOf)]);
});
