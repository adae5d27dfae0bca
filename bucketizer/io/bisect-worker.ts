/** Entry of a worker thread: bisects the parts of the social graph it is sent, one after the other. */

import assert from 'node:assert';
import { parentPort } from 'node:worker_threads';
import { bisectPart, bisectRecursively, halvesOf } from '../recursive-bisection.ts';
import { collectGarbageOf } from './collect-garbage.ts';
import { compiledSearches } from './compiled-searches.ts';
import { type BisectTask, buffersOf, type Halved } from './worker-pool.ts';

assert(parentPort !== null, 'this file is the entry of a worker thread');
const port = parentPort;
const searches = compiledSearches();

port.on('message', ({ kind, part, place, plan }: BisectTask) => {
  collectGarbageOf(part); // of the task before
  if (kind === 'subtree') {
    const leafOf = bisectRecursively(part, place, plan, () => {}, searches);
    port.postMessage(leafOf, [leafOf.buffer as ArrayBuffer]);
    return;
  }
  const side = bisectPart(part, place, plan, searches);
  collectGarbageOf(part);
  const halves = halvesOf(part, side);
  const halved: Halved = { side, halves };
  port.postMessage(halved, [side.buffer as ArrayBuffer, ...halves.flatMap(buffersOf)]);
});
